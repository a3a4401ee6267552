//! How a file is read, in a form that is kept with the imported rows and shown in one line.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::excerpt::excerpt;
use crate::domain::read_options::ReadOptions;

/// How the columns of a row are named and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// A row is its text and nothing else.
    Text,
    /// A cell for each column, in the order of the columns; every cell is a string.
    Cells,
    /// Each row has keys of its own, with JSON values.
    Keys,
}

/// The name by which the labels of such a file are asked for, whatever the program calls them.
pub(in crate::formats) const LABEL: &str = "label";
/// The name by which the predictions of such a file are asked for.
pub(in crate::formats) const PREDICTION: &str = "prediction";

/// A labelling program whose files are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    LabelStudio,
    /// Label Studio's short form, whose columns are the names of its questions.
    LabelStudioMin,
    Doccano,
    Argilla,
    Prodigy,
    Spacy,
}

impl Tool {
    /// As a person would call its files.
    pub(in crate::formats) fn name(self) -> &'static str {
        match self {
            Self::LabelStudio => "Label Studio",
            Self::LabelStudioMin => "Label Studio (short form)",
            Self::Doccano => "doccano",
            Self::Argilla => "Argilla",
            Self::Prodigy => "Prodigy",
            Self::Spacy => "spaCy",
        }
    }
}

/// How a file is read, as far as it was detected in it or given by options. Kept with the imported rows, so that they can be exported again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detected {
    /// The format as a person would call it: `CSV with ';'`, `JSONL`.
    pub format: String,
    pub layout: Layout,
    /// The encoding's name in the WHATWG Encoding Standard.
    pub encoding: String,
    /// Whether a byte-order mark came first.
    pub byte_order_mark: bool,
    /// Whether the first row names the columns.
    pub header: bool,
    /// The columns, no two the same: the header's names, or `1`, `2`, …; for [`Layout::Keys`] the keys of the first rows in the order of their
    /// appearance; `text` for [`Layout::Text`].
    pub columns: Vec<String>,
    /// Indices in `columns` of the text columns, in the order in which they are joined. Never empty.
    pub text: Vec<usize>,
    /// Index of the file's own ids.
    pub id: Option<usize>,
    /// Index of the known labels.
    pub gold: Option<usize>,
    /// Index of the labels that somebody has given before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<usize>,
    /// Index of when these were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labelled_at: Option<usize>,
    /// Indices of the columns shown next to the text.
    pub meta: Vec<usize>,
    /// The program that wrote the file, where its form shows it: it says what counts as a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Tool>,
    /// Indices of columns that are no keys of the file: a path into nested values, or what a program keeps in a form of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<usize>,
}

impl Detected {
    /// Options that read a file as this one was read, as far as `asked` does not say otherwise. What any look at a file tells, such as its
    /// delimiter, is left to be detected.
    pub fn as_options(&self, asked: ReadOptions) -> ReadOptions {
        let named = self.header || self.layout == Layout::Keys;
        let name = |at: &usize| match self.columns.get(*at) {
            Some(name) if named => name.clone(),
            _ => (at + 1).to_string(),
        };
        let (text, meta) = (asked.text.is_empty(), asked.meta.is_empty());
        if self.layout == Layout::Text {
            return asked;
        }
        let is_unicode = self.encoding.to_ascii_lowercase().starts_with("utf-");
        ReadOptions {
            text: if text { self.text.iter().map(name).collect() } else { asked.text },
            meta: if meta { self.meta.iter().map(name).collect() } else { asked.meta },
            has_no_id: asked.has_no_id || asked.id.is_none() && self.id.is_none(),
            id: asked.id.or_else(|| self.id.as_ref().map(name).filter(|_| !asked.has_no_id)),
            gold: asked.gold.or_else(|| self.gold.as_ref().map(name)),
            encoding: asked.encoding.or_else(|| (!is_unicode).then(|| self.encoding.clone())),
            header: asked.header.or_else(|| (self.layout == Layout::Cells).then_some(self.header)),
            ..asked
        }
    }

    /// The columns that the file itself has.
    pub fn own_columns(&self) -> impl Iterator<Item = &String> {
        self.columns.iter().enumerate().filter(|(i, _)| !self.paths.contains(i)).map(|(_, name)| name)
    }
}

impl fmt::Display for Detected {
    /// For example `TSV, no header, UTF-8, text in column 2 of 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format)?;
        if self.layout == Layout::Cells {
            f.write_str(if self.header { ", header" } else { ", no header" })?;
        }
        write!(f, ", {}", self.encoding)?;
        if self.byte_order_mark {
            f.write_str(" with a byte-order mark")?;
        }
        if self.layout == Layout::Text {
            return f.write_str(", a text on each line");
        }
        let name = |i: &usize| {
            let named = self.header || self.layout == Layout::Keys;
            if named { format!("'{}'", excerpt(&self.columns[*i])) } else { format!("column {}", i + 1) }
        };
        let texts: Vec<String> = self.text.iter().map(name).collect();
        write!(f, ", text in {}", texts.join(" + "))?;
        match (self.layout, self.text.as_slice()) {
            (Layout::Keys, _) => {}
            (_, [only]) if self.header => write!(f, " (column {} of {})", only + 1, self.columns.len())?,
            _ => write!(f, " of {}", self.columns.len())?,
        }
        for (what, column) in [("id", self.id), ("gold", self.gold), ("labels", self.labels)] {
            if let Some(i) = column {
                write!(f, ", {what} in {}", name(&i))?;
            }
        }
        if self.tool.is_some() && self.gold.is_none() && self.labels.is_none() {
            write!(f, ", labels with --gold {}", LABEL)?;
        }
        Ok(())
    }
}
