//! What a kind of export is, the options of an export, and its outcome.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::rows_out::RowsOut;
use super::visible::{LeftOut, Reveal, Shows, Visible};
use crate::domain::fault::Result;
use crate::domain::task::Task;
use crate::formats::{JSONL, Output, OutputFormat};
use crate::store::Store;

/// A kind of export as the list in `exchange/export/mod.rs` has it.
pub struct ExportKind {
    /// What `--what` takes.
    pub name: &'static str,
    /// What `--help` says about it.
    pub help: &'static str,
    /// The options that mean something to it; any other that is given is refused.
    pub takes: &'static [ExportOption],
    pub(super) shows: Shows,
    pub(super) writes: Writes,
}

/// How a kind of export writes.
pub(super) enum Writes {
    /// Rows of typed cells, in any output format.
    Rows(fn(&Request<'_>, RowsOut<'_>) -> Result<Exported>),
    /// Lines in a format of its own.
    OwnLines(fn(&Store, &Visible, &ExportOptions, Output<'_>) -> Result<Exported>),
    /// A folder of files.
    Folder(fn(&Request<'_>, &Path) -> Result<Exported>),
}

/// An option that only some kinds of export take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportOption {
    /// [`ExportOptions::by`].
    By,
    /// [`ExportOptions::history`].
    History,
    /// [`ExportOptions::texts`].
    NoText,
    /// [`ExportOptions::format`].
    Format,
}

impl ExportOption {
    /// The option on the command line.
    pub fn flag(self) -> &'static str {
        match self {
            Self::By => "--by",
            Self::History => "--history",
            Self::NoText => "--no-text",
            Self::Format => "--format",
        }
    }
}

/// Whose predictions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The active model's.
    Active,
    /// The newest head's.
    Head,
    /// The newest zero-shot prelabels of the scout.
    Scout,
    /// The newest judge's, of the texts that it has read.
    Judge,
    /// The newest head's on a judge's hidden states, of the texts that it has read; of training labels by a fit that has not seen them.
    States,
    /// An adapter's, by its number.
    Adapter(i64),
}

/// Which events of the label log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// The current answers.
    Standing,
    /// Every event, including what was taken back or answered again.
    All,
}

/// Whether a label log repeats the texts of its cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// Next to their keys, for people who read the log.
    Written,
    /// Keys only.
    LeftOut,
}

#[derive(Clone, Debug)]
pub struct ExportOptions {
    pub by: By,
    pub history: History,
    pub texts: Texts,
    /// Where none is given, the extension of `out` decides, and then the default.
    pub format: Option<&'static OutputFormat>,
    /// Standard output where no file is named.
    pub out: Option<PathBuf>,
    /// The name of the expert who reads it. They get neither the model's view of what they may still be asked nor others' answers to it, and
    /// unless they lead, nobody's answers to cases that are not closed.
    pub reader: String,
    pub reveal: Reveal,
    /// The report on the project, for what a dataset says of itself.
    pub report: Option<String>,
}

impl ExportOptions {
    /// The defaults, for this reader.
    pub fn read_by(reader: impl Into<String>) -> Self {
        Self {
            by: By::Active,
            history: History::Standing,
            texts: Texts::Written,
            format: None,
            out: None,
            reader: reader.into(),
            reveal: Reveal::No,
            report: None,
        }
    }

    /// The options that are not at their default.
    pub(super) fn given(&self) -> impl Iterator<Item = ExportOption> {
        [
            (ExportOption::By, self.by != By::Active),
            (ExportOption::History, self.history != History::Standing),
            (ExportOption::NoText, self.texts != Texts::Written),
            // A label log is JSONL, too.
            (ExportOption::Format, self.format.is_some_and(|format| format.name != JSONL.name)),
        ]
        .into_iter()
        .filter_map(|(option, given)| given.then_some(option))
    }
}

/// What a kind of export that writes rows works from.
pub(super) struct Request<'a> {
    pub store: &'a Store,
    pub task: &'a Task,
    pub visible: &'a Visible,
    pub options: &'a ExportOptions,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Rows, or lines of a log without its head and end.
    pub lines: usize,
    /// Rows whose text the model has not prelabelled.
    pub without_prelabel: usize,
    /// What its reader may not see yet.
    pub left_out: LeftOut,
}
