//! What a person says about a file beforehand; everything left open is found in the file itself.

use crate::domain::fault::{Fault, Result};

use super::shown::shown;

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

impl ReadOptions {
    /// The delimiter as a byte.
    pub(super) fn delimiter_byte(&self) -> Result<Option<u8>> {
        let Some(said) = self.delimiter.as_deref() else {
            return Ok(None);
        };
        match said.as_bytes() {
            b"tab" | b"\\t" => Ok(Some(b'\t')),
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Ok(Some(*byte)),
            _ => Err(Fault::usage(
                format!("split columns at '{}'", shown(said)),
                "a delimiter is one ASCII character and no quote",
            )
            .hint("Use --delimiter , or --delimiter ';' or --delimiter tab")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimiter(said: &str) -> Result<Option<u8>> {
        ReadOptions { delimiter: Some(said.into()), ..ReadOptions::default() }.delimiter_byte()
    }

    #[test]
    fn a_delimiter_is_one_plain_character() {
        assert_eq!(delimiter("tab").unwrap(), Some(b'\t'));
        assert_eq!(delimiter("\\t").unwrap(), Some(b'\t'));
        assert_eq!(delimiter(";").unwrap(), Some(b';'));
        for wrong in ["", "é", "\"", "\n", ",,"] {
            assert_eq!(delimiter(wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
        }
    }
}
