//! What the parsers of all formats share: how texts are checked and limited, and the messages about rows that are refused.

use super::encoding::Advice;
use super::format::Parsed;
use super::physical::Line;
use super::row::{BadRow, Row};
use crate::domain::grouped::grouped;

/// The most bytes of one text.
pub(in crate::formats) const LONGEST_TEXT: usize = 1_000_000;
/// The most bytes of one record in memory. Well above a text, so that a message can say how long a text is that is too long.
pub(super) const RECORD_BUDGET: usize = 16 << 20;

pub(super) const QUOTES_HINT: &str =
    "If quotes are part of the texts, add --no-quotes; --skip-bad sets such rows aside";
pub(super) const SKIP_HINT: &str = "Correct the line, or set such rows aside with --skip-bad";

/// A line as text.
pub(super) fn text_of<'a>(line: &Line<'a>, advice: &Advice) -> Result<&'a str, BadRow> {
    if line.is_cut() {
        return Err(too_long(line.number, line.length, line.bytes));
    }
    let text = std::str::from_utf8(line.bytes).map_err(|_| not_text(line.bytes, line.number, advice))?;
    advice.note_valid(line.bytes);
    Ok(text)
}

pub(super) fn not_text(raw: &[u8], line: u64, advice: &Advice) -> BadRow {
    let (line, why, hint) = advice.on(raw, line).unwrap_or((line, "it is not text".into(), SKIP_HINT.into()));
    BadRow::new(line, why, hint, raw)
}

/// The row, if its text can be taken. One without a text is for the reader to pass over.
pub(super) fn row_with_text(row: Row, raw: &[u8]) -> Parsed {
    if row.text.len() > LONGEST_TEXT {
        return Err(too_long(row.line, row.text.len() as u64, raw));
    }
    if row.text.contains('\0') {
        return Err(BadRow::new(row.line, "its text contains a zero byte", SKIP_HINT, raw));
    }
    Ok(Some(row))
}

pub(super) fn too_long(line: u64, bytes: u64, raw: &[u8]) -> BadRow {
    let most = grouped(LONGEST_TEXT as u64);
    let why = format!("its text is {} bytes long, and at most {most} are allowed", grouped(bytes));
    let hint = if raw.trim_ascii_end().contains(&b'\n') {
        format!("Does a quote enclose rows by mistake? {QUOTES_HINT}")
    } else {
        "Split long documents into parts, or --skip-bad sets such rows aside".to_owned()
    };
    BadRow::new(line, why, hint, raw)
}
