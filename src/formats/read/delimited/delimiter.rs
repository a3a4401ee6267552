//! The option `--delimiter`, checked.

use crate::domain::fault::{Fault, Result};
use crate::domain::read_options::ReadOptions;

use super::super::excerpt::excerpt;

pub(in crate::formats) fn delimiter_byte(options: &ReadOptions) -> Result<Option<u8>> {
    let Some(given) = options.delimiter.as_deref() else {
        return Ok(None);
    };
    match given.as_bytes() {
        b"tab" | b"\\t" => Ok(Some(b'\t')),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Ok(Some(*byte)),
        _ => Err(Fault::usage(
            format!("split columns at '{}'", excerpt(given)),
            "a delimiter is one ASCII character other than a quote",
        )
        .hint("Use --delimiter , or --delimiter ';' or --delimiter tab")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimiter(given: &str) -> Result<Option<u8>> {
        delimiter_byte(&ReadOptions { delimiter: Some(given.into()), ..ReadOptions::default() })
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
