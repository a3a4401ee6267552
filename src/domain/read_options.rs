//! How a data file is to be read. Everything that is not given is detected.

use std::fs::File;
use std::io::{self, Read};

use super::fault::Result;

/// Files to be opened one after the other.
pub type More = Box<dyn Iterator<Item = io::Result<File>> + Send>;
/// What is open of texts: their stream, the file that it comes from, and the files that follow it.
pub type Opened = (Box<dyn Read + Send>, Option<File>, Option<More>);
/// Opens texts that are no single file, as those of a folder, again each time.
pub type Opener = Box<dyn Fn() -> Result<Opened> + Send>;

/// How to read a file. The default detects everything.
///
/// A column is given by its name or by its number from 1, a value inside the nested values of a JSON row by a path: `data.text` or `/data/text`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// What the file is: a name of the list in `formats/read/mod.rs`. Its name and its looks then say nothing.
    pub format: Option<String>,
    /// The text columns; several are joined with a blank line between them.
    pub text: Vec<String>,
    /// The column with the file's own ids.
    pub id: Option<String>,
    /// Whether no column holds ids, even if one is called as such columns are. A column that is named in `id` wins.
    pub has_no_id: bool,
    /// The column with known labels. Never detected.
    pub gold: Option<String>,
    /// The column with labels that somebody has given before. Never detected.
    pub labels: Option<String>,
    /// The column that says when these were given.
    pub labelled_at: Option<String>,
    /// Columns shown next to the text.
    pub meta: Vec<String>,
    /// A label of the WHATWG Encoding Standard: `windows-1252`, `utf-16le`, `shift_jis`, …
    pub encoding: Option<String>,
    /// One ASCII character, `\t` or `tab`. The file is then read as a delimited one, whatever its name.
    pub delimiter: Option<String>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
    /// Whether `"` encloses cells.
    pub quotes: Option<bool>,
    /// The sheet of a workbook, by its name or its number from 1; the first one that is shown where none is given.
    pub sheet: Option<String>,
    /// The table of a database.
    pub table: Option<String>,
    /// What a database is asked instead: one SELECT.
    pub query: Option<String>,
    /// What the file is called where something before the reader has opened it.
    pub called: Option<String>,
    /// Whether a stream is judged by its first rows, so that these are given while others are still to come.
    pub as_it_comes: bool,
    /// Whether a table with a header and no rows is read as what it is.
    pub may_be_empty: bool,
}
