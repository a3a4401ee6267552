//! What a file turned out to be, in a form that is kept with the source and said in one line.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::shown::shown;

/// How rows stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Cells between delimiters, a record on each line.
    Delimited {
        /// The byte between cells.
        delimiter: u8,
        /// Whether `"` encloses cells, which may then hold delimiters and line ends.
        quotes: bool,
    },
    /// A JSON object on each line.
    Jsonl,
    /// A text on each line.
    Lines,
}

/// What was found in a file, or said of it. Kept with the source, so that its rows can be written again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// How rows stand in it.
    pub shape: Shape,
    /// The encoding's name in the WHATWG Encoding Standard.
    pub encoding: String,
    /// Whether a byte-order mark came first.
    pub byte_order_mark: bool,
    /// Whether the first row names the columns.
    pub header: bool,
    /// The columns, no two the same: the header's names, or `1`, `2`, …; for JSONL the keys of the first rows
    /// in the order of their appearance; `text` for lines.
    pub columns: Vec<String>,
    /// Indices in `columns` of what makes the text, in the order in which they are joined. Never empty.
    pub text: Vec<usize>,
    /// Index of the file's own ids.
    pub id: Option<usize>,
    /// Index of the known labels.
    pub gold: Option<usize>,
    /// Indices of the columns shown beside the text.
    pub meta: Vec<usize>,
}

impl fmt::Display for Found {
    /// For example `TSV, no header, UTF-8, text in column 2 of 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shape {
            Shape::Delimited { delimiter: b',', .. } => f.write_str("CSV")?,
            Shape::Delimited { delimiter: b'\t', quotes: false } => f.write_str("TSV")?,
            Shape::Delimited { delimiter: b'\t', quotes: true } => f.write_str("TSV with quoted cells")?,
            Shape::Delimited { delimiter, .. } => {
                write!(f, "CSV with '{}'", char::from(delimiter).escape_default())?
            }
            Shape::Jsonl => f.write_str("JSONL")?,
            Shape::Lines => f.write_str("plain lines")?,
        }
        if matches!(self.shape, Shape::Delimited { .. }) {
            f.write_str(if self.header { ", header" } else { ", no header" })?;
        }
        write!(f, ", {}", self.encoding)?;
        if self.byte_order_mark {
            f.write_str(" with a byte-order mark")?;
        }
        if self.shape == Shape::Lines {
            return f.write_str(", a text on each line");
        }
        let name = |i: &usize| {
            let named = self.header || self.shape == Shape::Jsonl;
            if named { format!("'{}'", shown(&self.columns[*i])) } else { format!("column {}", i + 1) }
        };
        let texts: Vec<String> = self.text.iter().map(name).collect();
        write!(f, ", text in {}", texts.join(" + "))?;
        match (self.shape, self.text.as_slice()) {
            (Shape::Jsonl, _) => {}
            (_, [only]) if self.header => write!(f, " (column {} of {})", only + 1, self.columns.len())?,
            _ => write!(f, " of {}", self.columns.len())?,
        }
        for (what, column) in [("id", self.id), ("gold", self.gold)] {
            if let Some(i) = column {
                write!(f, ", {what} in {}", name(&i))?;
            }
        }
        Ok(())
    }
}
