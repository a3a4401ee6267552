//! What an export is asked for, and what came of it.

use std::path::PathBuf;

/// What to export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// One line per expert and item, as it stands now.
    Labels,
    /// Every event of the log.
    History,
    /// One line per item.
    Predictions,
    /// One line per item: its label, and how it was reached.
    Final,
    /// Every imported row in order, with what was decided.
    Rows,
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
    /// An adapter's, by its number.
    Adapter(i64),
}

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// A JSON object on each line.
    Jsonl,
    /// Comma-separated, with a header.
    Csv,
}

/// An export.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// What to export.
    pub what: What,
    /// Whose predictions.
    pub by: By,
    /// How to write it.
    pub format: ExportFormat,
    /// Where to; standard output where none is named.
    pub out: Option<PathBuf>,
    /// Who reads it: an expert who does not lead gets no answers of others to cases that are open.
    pub reader: String,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exported {
    /// Lines, without a header.
    pub lines: usize,
    /// Lines whose text the model has not prelabelled.
    pub without_prelabel: usize,
    /// Items whose answers by others were left out, because their cases are open and the reader does not lead.
    pub closed: usize,
}
