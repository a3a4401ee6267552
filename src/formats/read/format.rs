//! What an input format is: how it is recognised in the beginning of a file, and how its rows are read.

use std::io;

use super::detected::{Detected, Layout, Tool};
use super::encoding::{Advice, Choice, Source};
use super::row::{BadRow, Row};
use crate::domain::fault::{Fault, Result};
use crate::domain::read_options::ReadOptions;

/// An input format as the list in `formats/read/mod.rs` has it.
pub(in crate::formats) struct InputFormat {
    /// What people call it; several names if they tell variants apart.
    pub names: &'static [&'static str],
    /// File extensions that decide for this format, lower case and without the dot.
    pub extensions: &'static [&'static str],
    /// Options that only make sense for this format decide for it, too, whatever the file is called.
    pub chosen_by: fn(&ReadOptions) -> bool,
    /// A beginning that decides for this format whatever the file's extension.
    pub unmistakable: fn(&Sample<'_>) -> bool,
    /// Judges the beginning of a file. None if the file is not in this format.
    ///
    /// Fails with a usage fault if the file is in this format but cannot be read.
    pub recognise: fn(&Sample<'_>, &ReadOptions) -> Result<Option<Recognised>>,
}

/// The beginning of a file, in UTF-8 as far as it is valid.
pub(in crate::formats) struct Sample<'a> {
    pub text: &'a [u8],
    /// Whether it is the whole file.
    pub whole: bool,
    /// The file's name, for its extension and for messages.
    pub name: &'a str,
    pub encoding: Choice,
}

impl Sample<'_> {
    /// In lower case; empty if the name has none.
    pub fn extension(&self) -> String {
        extension_of(self.name)
    }

    pub fn fault(&self, why: impl Into<String>) -> Fault {
        Fault::usage(format!("read {}", self.name), why)
    }
}

/// The extension of a file's name, without that of a compression: in lower case, and empty if there is none.
pub(in crate::formats) fn extension_of(name: &str) -> String {
    let name = name.to_lowercase();
    let inside = [".gz", ".zst"].iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
    inside.rsplit_once('.').map(|(_, extension)| extension.to_owned()).unwrap_or_default()
}

/// A file in a format that has recognised it.
pub(in crate::formats) struct Recognised {
    /// The format as a person would call it, with its details: `CSV with ';'`.
    pub format: String,
    pub layout: Layout,
    /// Whether the first record names the columns.
    pub header: bool,
    pub columns: Vec<String>,
    /// The first rows, a cell for each column, to find the text column by. None are needed if there is only one column.
    pub rows: Vec<Vec<String>>,
    /// The program that wrote the file, where its form shows it.
    pub tool: Option<Tool>,
    /// The path of the text, where that program has a place for it.
    pub tool_text: Option<String>,
    /// Paths of strings inside nested values.
    pub nested: Vec<String>,
    /// Begins to read the file from its start.
    pub open: Box<dyn FnOnce(Source) -> Box<dyn Records> + Send>,
}

impl Recognised {
    /// A file without a header, of which nothing more is known.
    pub fn new(
        format: impl Into<String>,
        layout: Layout,
        columns: Vec<String>,
        open: impl FnOnce(Source) -> Box<dyn Records> + Send + 'static,
    ) -> Self {
        Self {
            format: format.into(),
            layout,
            header: false,
            columns,
            rows: Vec::new(),
            tool: None,
            tool_text: None,
            nested: Vec::new(),
            open: Box::new(open),
        }
    }
}

/// A record as a row, whose text may be empty; none if it is no row.
pub(in crate::formats) type Parsed = std::result::Result<Option<Row>, BadRow>;

/// The records of a file, one after the other.
pub(in crate::formats) trait Records: Send {
    /// The next record; none at the end. The header is a record, too.
    ///
    /// # Errors
    /// What the source fails with.
    fn next_record(&mut self, detected: &Detected, advice: &Advice) -> io::Result<Option<Parsed>>;

    /// The number of blank lines that were passed over so far and never came up as records.
    fn blank_lines(&self) -> u64 {
        0
    }
}
