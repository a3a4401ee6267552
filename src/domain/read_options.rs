//! What a person says about a data file beforehand; everything left open is found in the file itself.

/// How to read a file. The default finds everything.
///
/// A column is named by its name or by its number from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The text columns; several are joined by a blank line.
    pub text: Vec<String>,
    /// The column with the file's own ids.
    pub id: Option<String>,
    /// The column with known labels. Never guessed.
    pub gold: Option<String>,
    /// Columns shown beside the text.
    pub meta: Vec<String>,
    /// A label of the WHATWG Encoding Standard: `windows-1252`, `utf-16le`, `shift_jis`, …
    pub encoding: Option<String>,
    /// One ASCII character, `\t` or `tab`. Makes the file a delimited one whatever its name.
    pub delimiter: Option<String>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
    /// Whether `"` encloses cells.
    pub quotes: Option<bool>,
}
