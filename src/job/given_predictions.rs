//! `judge --from`: predictions that were made elsewhere become a judge's. They are weighed against the scout's on the experts' answers as a language
//! model's are, and count only where they help.

use std::path::Path;

use serde::Serialize;

use super::given_file::in_words as rows_in_words;
pub use super::given_rows::{Given, GivenOptions, Tally};
use super::given_rows::{GivenRows, TRYING};
use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::counted;
use crate::domain::ids::ItemId;
use crate::domain::task::Task;
use crate::learn::activate::{Rescore, activate};
use crate::learn::combined::{Reader, in_words};
use crate::learn::given_predictions::predictor;
use crate::learn::kind::load_if_available;
use crate::learn::prelabels::{require_one_label, scouting_if_any};
use crate::learn::training::Training;
use crate::stats::classifier::stack::Worth;
use crate::store::{Access, Store};
use crate::work::runner::{Ended, JobContext, run};

/// The longest name, in bytes.
const LONGEST_NAME: usize = 100;

/// What became of the predictions.
#[derive(Clone, Debug, Default, Serialize)]
pub struct GivenReport {
    /// Whose they are.
    pub name: String,
    /// How the file was read.
    pub found: String,
    /// Texts that this file predicts.
    pub texts: usize,
    /// Texts that all files under this name predict.
    pub in_all: usize,
    /// What became of its rows.
    #[serde(flatten)]
    pub tally: Tally,
    /// Whether there is a scout to weigh them against.
    pub scouted: bool,
    /// Whether that was trained on answers, so that their worth can be known.
    pub tuned: bool,
    /// Whether others' answers to open cases keep their worth from being told.
    pub hidden: bool,
    /// What they are worth next to the scout; none where there are too few labels to say.
    pub worth: Option<Worth>,
    /// All that have an opinion on texts, with what each is worth: those that the model listens to first.
    pub readers: Vec<Reader>,
    /// Whether this process did it.
    pub ours: bool,
}

impl std::fmt::Display for GivenReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.ours {
            return write!(f, "another process took the predictions in");
        }
        write!(f, "{} predicts {}", self.name, counted(self.texts, "text", "texts"))?;
        if self.in_all > self.texts {
            write!(f, ", {} together with earlier files", self.in_all)?;
        }
        for sentence in self.tally.left_out() {
            write!(f, ". {sentence}")?;
        }
        let words = in_words(&self.readers);
        match words {
            Some(words) => write!(f, ". What was measured: {words}"),
            None if !self.scouted => write!(
                f,
                ". What the predictions are worth shows once texts are scouted and `hardcase tune FILE` has learned from answers"
            ),
            None if self.hidden => write!(
                f,
                ". What the predictions are worth is not said while cases are open that others have answered"
            ),
            None if !self.tuned => write!(
                f,
                ". What the predictions are worth shows after `hardcase tune FILE`; until then they change nothing"
            ),
            None => write!(
                f,
                ". Too few of these texts have a training label to tell what the predictions are worth (20 are needed): they change nothing"
            ),
        }
    }
}

/// Looks whether the predictions of `data` can be taken in, as far as its columns tell.
///
/// # Errors
/// A file that cannot be read, or columns or a name that are not clear.
pub(super) fn check_predictions(project: &Path, data: &Path, options: &GivenOptions) -> Result<()> {
    checked_name(options.name.as_deref(), data)?;
    let task = task_of(project)?;
    GivenRows::open(data, options, &task).map(drop)
}

/// The task that they predict.
fn task_of(project: &Path) -> Result<Task> {
    let task = Store::open(project, Access::Read)?.task()?.task;
    require_one_label(&task, TRYING)?;
    Ok(task)
}

/// Takes in the predictions of `data` (`-` is standard input).
///
/// # Errors
/// A file that cannot be read, columns that are not clear, or no row that predicts a text of the project. Then nothing changes.
pub fn take_predictions(
    context: &JobContext<'_>,
    data: &Path,
    options: &GivenOptions,
) -> Result<GivenReport> {
    let name = checked_name(options.name.as_deref(), data)?;
    let task = task_of(context.project)?;
    let rows = GivenRows::open(data, options, &task)?;
    let found = rows.found();
    context.watcher.note(&format!("{}: {found}", data.display()));
    let arguments = match data.to_str() {
        // What comes through a pipe may be anything, so that another process's is never the same.
        Some("-") | None => format!("from a pipe to {}", std::process::id()),
        Some(path) => format!("from {path} by {name}"),
    };
    let ended = run(context, "judge", &arguments, |work| {
        let scout = scouting_if_any(work.store, TRYING)?;
        let revision = work.store.task()?;
        if revision.task.label_ids() != task.label_ids() {
            return Err(Fault::new(TRYING, "the task has just changed").hint("Run it again"));
        }
        let (all, tally) = rows.read(work)?;
        let (name, found) = (name.clone(), found.clone());
        let mut report =
            GivenReport { name, found, texts: all.len(), tally, ours: true, ..GivenReport::default() };
        if all.is_empty() {
            return Err(none_used(&report.tally));
        }
        let judge = predictor(work.store, &report.name, &revision)?;
        let (items, values): (Vec<ItemId>, Vec<Vec<f32>>) = all.into_iter().unzip();
        work.store.put_predictions(judge.id, &items, &values.concat(), judge.labels.len())?;
        report.in_all = work.store.prediction_count(judge.id)?;
        let Some(scout) = scout else { return Ok(report) };
        if load_if_available(work.store, &scout)?.is_none() {
            return Ok(report);
        }
        (report.scouted, report.tuned) = (true, scout.adapter().is_some());
        let training = Training::read(work, &scout, &revision)?;
        report.hidden = training.seen_by(work.store, context.expert, &revision)?.open > 0;
        let seed = context.seed.unwrap_or(work.store.project()?.seed);
        let activation = activate(work, &scout, Rescore::Pool, &revision, seed)?;
        if !report.hidden {
            (report.worth, report.readers) = (activation.worth, activation.readers);
        }
        Ok(report)
    })?;
    Ok(match ended {
        Ended::Ours(report) => report,
        Ended::Others => GivenReport::default(),
    })
}

fn none_used(tally: &Tally) -> Fault {
    let nobody = tally.counts.unmatched == tally.counts.rows;
    let why = match tally.left_out().join("; ") {
        none if none.is_empty() => "the file has no row".to_owned(),
        _ if nobody => format!("no row names a text of this project ({})", rows_in_words(tally.counts.rows)),
        why => format!("no row says what a text of this project is: {why}"),
    };
    let hint = match nobody {
        true => {
            "Name the column with the texts (--text COL), or the one with the ids that the texts were imported with (--id COL)"
        }
        false => {
            "Check which columns are read (--label COL, --probabilities COL); --map VALUE=LABEL says what labels stand for"
        }
    };
    Fault::usage(TRYING, why).hint(hint)
}

/// A name as it is kept; the file's own where none is given.
fn checked_name(given: Option<&str>, data: &Path) -> Result<String> {
    let name = match given {
        Some(name) => name.to_owned(),
        None if data == Path::new("-") => {
            return Err(Fault::usage(TRYING, "what comes through a pipe has no name")
                .hint("Say whose predictions they are, such as `--name old-model`"));
        }
        None => data.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
    };
    let name = name.trim();
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Fault::usage(TRYING, "whose they are is not a name")
            .hint("Use up to 100 characters on one line, such as `--name old-model`"));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests;
