//! Which jobs run and how far they are, and which ended. Every screen may look at it; only what jobs say changes it.

use std::time::Instant;

use super::widgets::frame::Notice;
use super::widgets::text_layout::drawable;
use crate::desk::jobs::{End, JobKind, News};
use crate::domain::local_model::LocalModel;
use crate::domain::progress::Progress;

/// Ended jobs that are remembered.
const REMEMBERED: usize = 20;

#[derive(Debug)]
pub(super) struct Running {
    pub kind: JobKind,
    pub progress: Option<Progress>,
    last_beat: Instant,
}

#[derive(Debug)]
pub(super) struct Ended {
    pub kind: JobKind,
    pub end: End,
    /// What it said last.
    pub message: String,
}

#[derive(Debug, Default)]
pub(super) struct JobBoard {
    pub running: Vec<Running>,
    /// The last one first.
    pub ended: Vec<Ended>,
    /// The models of this machine that can judge, once they have been listed.
    pub judges: Option<Vec<LocalModel>>,
}

impl JobBoard {
    pub fn any_running(&self) -> bool {
        !self.running.is_empty()
    }

    pub fn is_running(&self, kind: JobKind) -> bool {
        self.running.iter().any(|r| r.kind == kind)
    }

    /// Why jobs of these kinds cannot be started now.
    pub fn refusal(&self, kinds: &[JobKind], has_engine: bool) -> Option<Notice> {
        if let Some(busy) = kinds.iter().find(|kind| self.is_running(**kind)) {
            return Some(Notice::quiet(format!("Already running: {}.", busy.doing())));
        }
        let says = "This build of hardcase has no models. That takes the full build.";
        (kinds.iter().any(|kind| kind.needs_models()) && !has_engine).then(|| Notice::warning(says.into()))
    }

    /// Takes a message from a job. Returns whether it is progress to react to, about once a second.
    pub fn take(&mut self, news: News, now: Instant) -> bool {
        match news {
            News::Started(kind) => {
                self.running.retain(|r| r.kind != kind);
                self.running.push(Running { kind, last_beat: now, progress: None });
            }
            News::Progress(kind, progress) => {
                let Some(running) = self.running.iter_mut().find(|r| r.kind == kind) else { return false };
                running.progress = Some(progress);
                let beat = now.duration_since(running.last_beat).as_millis() >= 1_000;
                if beat {
                    running.last_beat = now;
                }
                return beat;
            }
            News::Note(..) | News::Counted(..) | News::Quality(_) | News::Results(_) | News::Grown(_) => {}
            News::Judges(models) => self.judges = Some(models),
            News::Ended(kind, end, message) => {
                self.running.retain(|r| r.kind != kind);
                self.ended.insert(0, Ended { kind, end, message });
                self.ended.truncate(REMEMBERED);
            }
        }
        false
    }

    /// The running job in a few words: what it does now, and how much of that stage is done. What share of the whole job a stage is, is not known
    /// beforehand.
    pub fn in_short(&self) -> Option<String> {
        let running = self.running.last()?;
        Some(match &running.progress {
            Some(Progress { stage, done, total: Some(total), .. }) if *total > 0 => {
                let doing = match stage.split(' ').next().unwrap_or_default() {
                    // What it does above all, and no word that people use.
                    "scouting" => running.kind.doing().to_owned(),
                    stage => drawable(stage),
                };
                format!("{doing} {} %", share_of(*done, *total, 100))
            }
            _ => format!("{} …", running.kind.doing()),
        })
    }
}

/// How many of `whole` parts are done. What the file says of another process's job may be anything.
pub(super) fn share_of(done: u64, total: u64, whole: u64) -> u64 {
    (u128::from(done.min(total)) * u128::from(whole) / u128::from(total.max(1))) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_says_which_stage_its_share_is_of() {
        let mut jobs = JobBoard::default();
        let now = Instant::now();
        jobs.take(News::Started(JobKind::Lora), now);
        assert_eq!(jobs.in_short().as_deref(), Some("training …"));
        let progress = Progress {
            job: "lora".into(),
            stage: "prelabelling what is uncertain".into(),
            done: 47,
            total: Some(100),
            unit: "texts".into(),
            rate: None,
            eta_s: None,
            tokens_per_second: None,
            epochs: Vec::new(),
        };
        jobs.take(News::Progress(JobKind::Lora, progress.clone()), now);
        assert_eq!(jobs.in_short().as_deref(), Some("prelabelling 47 %"));
        let scouting = Progress { job: "scout".into(), stage: "scouting".into(), ..progress };
        jobs.take(News::Started(JobKind::Scout), now);
        jobs.take(News::Progress(JobKind::Scout, scouting), now);
        assert_eq!(jobs.in_short(), Some(format!("{} 47 %", JobKind::Scout.doing())));
    }
}
