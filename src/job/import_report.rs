//! What an import did, in words and as JSON.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::given_predictions::GivenReport;
use crate::stats::languages::Languages;

/// Labels that somebody gave before.
#[derive(Clone, Debug, Serialize)]
pub struct ImportedLabels {
    /// Whose they are.
    pub source: String,
    /// What one of them counts in training, where an expert's answer counts 1.
    pub weight: f64,
    /// Those that were new.
    pub new: i64,
    /// Texts of the training range that have one of this source, with those of earlier imports.
    pub training: usize,
}

/// What an import did.
#[derive(Clone, Debug, Serialize)]
pub struct ImportReport {
    pub data: String,
    /// How it was read.
    pub found: String,
    /// Rows kept.
    pub rows: i64,
    /// Texts that were new.
    pub new_items: i64,
    /// Rows whose text the project already had.
    pub duplicates: i64,
    /// Rows that an earlier import of a file with this name has: they were left out.
    pub known: i64,
    /// Ids of the file that have another text than in an earlier import of a file with this name.
    pub changed: i64,
    /// Whether their new texts took the place of the earlier ones; else their rows were left out.
    pub followed: bool,
    /// Of these, ids whose earlier text stays next to the new one, because it was put before somebody.
    pub kept: i64,
    /// Known rows that got a gold label.
    pub golds: i64,
    /// Known rows that have another gold label, or another label of the source, than before. They are followed where `followed` says so.
    pub differing: i64,
    /// Rows whose id no text has, where `--by-id` named texts by their ids.
    pub unknown: i64,
    /// Rows whose text was removed from the project, which were left out.
    pub forgotten: i64,
    /// The labels that somebody gave before; none where none were asked for.
    pub labels: Option<ImportedLabels>,
    /// What the file predicted of its texts; none where nothing was asked for.
    pub predictions: Option<GivenReport>,
    /// What is wrong with the known labels.
    pub remark: Option<String>,
    /// Rows without a text, which were skipped.
    pub empty: u64,
    /// Rows that could not be read.
    pub rejected: u64,
    /// The file with the rows that could not be read.
    pub rejects: Option<PathBuf>,
    /// The languages of the pool, with what was imported before.
    pub languages: Languages,
    /// False if another process did the work while this one watched.
    pub ours: bool,
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.ours {
            return write!(
                f,
                "another process has finished an import of the same name; if that was a different file, run this import again"
            );
        }
        write!(
            f,
            "{}: {}, {}, {}",
            self.data,
            number(self.rows, "row", "rows"),
            number(self.new_items, "new text", "new texts"),
            number(self.duplicates, "duplicate", "duplicates"),
        )?;
        if self.empty > 0 {
            write!(f, ", {} without a text", self.empty)?;
        }
        if self.known > 0 {
            write!(f, ", {} that an earlier import has", number(self.known, "row", "rows"))?;
        }
        if let Some(path) = &self.rejects {
            write!(f, ", {} that could not be read (see {})", self.rejected, path.display())?;
        }
        self.labels(f)?;
        self.changes(f)?;
        if self.languages.are_worth_telling() {
            write!(f, ". Languages: {}", self.languages)?;
        }
        if let Some(remark) = &self.remark {
            write!(f, ". {remark}")?;
        }
        match &self.predictions {
            Some(predictions) => write!(f, ". {predictions}"),
            None => Ok(()),
        }
    }
}

impl ImportReport {
    /// What another process did with a file of this name.
    pub fn others(data: &str) -> Self {
        Self {
            data: data.to_owned(),
            found: String::new(),
            rows: 0,
            new_items: 0,
            duplicates: 0,
            known: 0,
            changed: 0,
            followed: false,
            kept: 0,
            golds: 0,
            differing: 0,
            unknown: 0,
            forgotten: 0,
            labels: None,
            predictions: None,
            remark: None,
            empty: 0,
            rejected: 0,
            rejects: None,
            languages: Languages::default(),
            ours: false,
        }
    }

    fn labels(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.golds > 0 {
            write!(
                f,
                ". {} to rows that were there",
                number(self.golds, "known label was added", "known labels were added")
            )?;
        }
        let Some(labels) = &self.labels else { return Ok(()) };
        write!(
            f,
            ". {} of {}: {} is in the training range and teaches where no expert has answered; none counts in a figure",
            number(labels.new, "new label", "new labels"),
            labels.source,
            number(labels.training as i64, "labelled text of theirs", "labelled texts of theirs"),
        )?;
        if labels.weight == 0.0 {
            write!(f, " (none does: their weight is 0)")?;
        }
        Ok(())
    }

    fn changes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changed > 0 {
            let ids = number(self.changed, "id has", "ids have");
            write!(f, ". {ids} another text than in an earlier import of this file: ")?;
            match (self.followed, self.kept) {
                (false, _) => {
                    write!(f, "the earlier texts stay, and the new ones were left out (--update takes them)")?
                }
                (true, 0) => write!(f, "the new texts took the place of the earlier ones")?,
                (true, kept) => write!(
                    f,
                    "the new texts took the place of the earlier ones; {} already put before an expert and stays with its answers, next to the new one",
                    number(kept, "earlier text was", "earlier texts were")
                )?,
            }
        }
        if self.unknown > 0 {
            write!(
                f,
                ". {} no text of the project has",
                number(self.unknown, "row has an id that", "rows have an id that")
            )?;
        }
        if self.forgotten > 0 {
            write!(
                f,
                ". {} removed from this project, and left out",
                number(self.forgotten, "row has a text that was", "rows have texts that were")
            )?;
        }
        if self.differing > 0 {
            let labels = number(self.differing, "label is", "labels are");
            let what = if self.followed {
                "the file was followed"
            } else {
                "the earlier ones stay (--update follows the file)"
            };
            write!(f, ". {labels} another than in an earlier import of this file: {what}")?;
        }
        Ok(())
    }
}

pub(super) fn number(n: i64, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}
