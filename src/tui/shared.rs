//! What every screen may look at: the project and its task, the jobs, and whether there are cases. Only the app changes it.

use std::time::Instant;

use super::about::About;
use super::job_board::JobBoard;
use super::widgets::frame::Notice;
use super::widgets::text_layout::drawable;
use crate::desk::grown::ChangedFile;
use crate::desk::jobs::{JobKind, News};
use crate::desk::request::{Response, Window};
use crate::desk::round_end::RoundAgreement;
use crate::desk::shown::{Lack, NoCase, RoundProgress};
use crate::domain::fault::Result;
use crate::domain::grouped::counted;

#[derive(Debug)]
pub(super) struct Shared {
    pub about: About,
    pub jobs: JobBoard,
    pub supply: Supply,
    /// Files that have changed since they were imported.
    pub changed_files: Vec<ChangedFile>,
}

/// Which cases there are for this person, as the desk said last.
#[derive(Debug, Default)]
pub(super) struct Supply {
    /// How far the person is in the open round.
    pub progress: Option<RoundProgress>,
    /// What the project lacks before cases can be chosen.
    pub lack: Option<Lack>,
    /// Why there is no case.
    pub none: Option<NoCase>,
    /// How often the model agreed in a round that is done.
    pub agreed: Option<RoundAgreement>,
    /// Cases that the desk holds ready.
    at_hand: usize,
}

impl Shared {
    pub fn new(about: About) -> Self {
        Self { about, jobs: JobBoard::default(), supply: Supply::default(), changed_files: Vec::new() }
    }

    /// Takes what the session says about the task and the cases to come.
    pub fn hear_session(&mut self, response: &Response) {
        if let Some(task) = &response.revised {
            self.about.task.clone_from(task);
        }
        self.supply.hear(&response.window);
    }

    /// Takes a message from a job. Returns whether it is progress to react to.
    pub fn hear_job(&mut self, news: News, now: Instant) -> bool {
        self.jobs.take(news, now)
    }

    /// The jobs that are needed to continue.
    pub fn next_jobs(&self) -> Vec<JobKind> {
        match self.supply.lack {
            Some(Lack::Prelabels) => vec![JobKind::Scout, JobKind::Mine],
            Some(Lack::Round) => vec![JobKind::Mine],
            Some(Lack::Models | Lack::Texts) => Vec::new(),
            None if self.about.has_engine => vec![JobKind::Tune, JobKind::Mine, JobKind::Lora],
            None => vec![JobKind::Tune, JobKind::Mine],
        }
    }
}

impl Supply {
    fn hear(&mut self, window: &Result<Option<Window>>) {
        match window {
            Ok(Some(window)) => {
                self.progress = window.progress;
                self.lack = window.lack;
                self.agreed = window.agreed;
                self.none.clone_from(&window.why);
                self.at_hand = window.cards.len();
            }
            Ok(None) => {}
            Err(_) => self.at_hand = 0,
        }
    }

    /// Cases of the open round that nobody has answered, where there is a case to answer at all.
    pub fn left(&self) -> usize {
        match self.progress {
            Some(progress) if self.none.is_none() && self.lack.is_none() => progress.left,
            _ => 0,
        }
    }

    /// Whether there is no case to answer now.
    pub fn waits(&self) -> bool {
        self.lack.is_some() || self.at_hand == 0
    }
}

/// What a person can do about a file that has changed; `how` is how to add what is new.
pub(super) fn says_of_change(file: &ChangedFile, how: &str) -> String {
    let changed = drawable(&file.says()).replace('\n', " ");
    let texts_changed = file.rows.is_some_and(|rows| rows.changed > 0);
    let follow = "To take the other texts: hardcase import --update";
    match (file.has_new_rows(), texts_changed) {
        (true, false) => format!("{changed}. {how} to add what is new."),
        (true, true) => format!("{changed}. {how} to add the new rows. {follow}"),
        (false, _) => format!("{changed}. {follow}"),
    }
}

/// The first round begins: what was answered before it is in none of its counts, so it is said what it is for.
pub(super) fn first_round_begins(before: RoundProgress, now: RoundProgress) -> Option<Notice> {
    if before.round != 0 || now.round == 0 {
        return None;
    }
    let says = match before.mine {
        0 => return None,
        1 => "Your first answer is kept: it tests the model.".to_owned(),
        n => format!("Your {n} answers before it are kept: they test the model."),
    };
    Some(Notice::quiet(format!("Round {} begins. {says}", now.round)))
}

/// A round that has fewer cases than before: said, because people count.
pub(super) fn shrunk(before: RoundProgress, now: RoundProgress) -> Option<Notice> {
    let gone = before.cases.checked_sub(now.cases).filter(|gone| *gone > 0 && before.round == now.round)?;
    Some(Notice::quiet(format!(
        "Round {} now has {}: {} not needed any more.",
        now.round,
        counted(now.cases, "case", "cases"),
        counted(gone, "case is", "cases are")
    )))
}
