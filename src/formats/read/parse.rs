//! From a record to a row with a text, or to a bad row that says what is wrong with it.

use serde_json::value::RawValue;

use super::delimited::Taken;
use super::encoding::Advice;
use super::found::{Found, Shape};
use super::jsonl;
use super::lines::Line;
use super::row::{BadRow, Columns, Row, value_of};
use super::shown::shown;
use crate::domain::grouped::grouped;

/// The most bytes of one text.
pub(in crate::formats) const LONGEST_TEXT: usize = 1_000_000;

const QUOTES_HINT: &str = "If quotes are part of the texts, add --no-quotes; --skip-bad sets such rows aside";
const SKIP_HINT: &str = "Mend the line, or --skip-bad sets such rows aside";

/// A record as a row; none where it has no text.
pub(in crate::formats) type Parsed = Result<Option<Row>, BadRow>;

/// A CSV or TSV record as a row.
pub(in crate::formats) fn from_delimited(taken: Taken<'_>, found: &Found, advice: &Advice) -> Parsed {
    let (line, record, raw) = match taken {
        Taken::Record { line, record, raw } => (line, record, raw),
        Taken::Stray { line, raw, closes } => {
            let why = if closes {
                "a quote opens here and closes lines below, in the middle of a cell"
            } else {
                "a quote opens here and never closes"
            };
            return Err(BadRow::new(line, why, QUOTES_HINT, raw));
        }
        Taken::TooLong { line, bytes, raw } => return Err(too_long(line, bytes, &raw)),
    };
    // Not a clone: a clone copies all that the record ever had room for, and an unclosed quote makes that
    // room large.
    let mut cells = csv::StringRecord::with_capacity(record.as_slice().len(), record.len());
    for cell in record {
        cells.push_field(std::str::from_utf8(cell).map_err(|_| not_text(raw, line, advice))?);
    }
    let (have, want) = (cells.len(), found.columns.len());
    if have != want {
        let lines = raw.iter().filter(|b| **b == b'\n').count().max(1) as u64;
        let span = if lines > 1 { format!(" (it runs to line {})", line + lines - 1) } else { String::new() };
        let cell = if have == 1 { "cell" } else { "cells" };
        let hint = if lines > 1 { QUOTES_HINT } else { ragged_hint(found) };
        let like = if found.header { "the header has" } else { "the other rows have" };
        return Err(BadRow::new(line, format!("it has {have} {cell} and {like} {want}{span}"), hint, raw));
    }
    let cell = |i: usize| cells.get(i).unwrap_or_default();
    let some = |i: Option<usize>| i.map(cell).filter(|c| !c.is_empty()).map(str::to_owned);
    let row = Row {
        line,
        text: joined(found.text.iter().map(|i| cell(*i))),
        external_id: some(found.id),
        gold: some(found.gold),
        columns: Columns::Line,
    };
    row_with_text(Row { columns: Columns::Delimited(cells), ..row }, raw)
}

/// What to do about a line with too many or too few cells. One column, or no header, and it may be no table at all.
fn ragged_hint(found: &Found) -> &'static str {
    match (found.shape, found.columns.len()) {
        (Shape::Delimited { delimiter: b'\t', .. }, _) => SKIP_HINT,
        (_, 1) => {
            "Put such texts in quotes, or add --delimiter tab to read each line as one text; --skip-bad sets such rows aside"
        }
        _ if !found.header => {
            "If each line is one text, add --delimiter tab; --skip-bad sets such rows aside"
        }
        _ => SKIP_HINT,
    }
}

/// A line as a row that is nothing but its text.
pub(in crate::formats) fn from_text(line: &Line<'_>, advice: &Advice) -> Parsed {
    let text = text_of(line, advice)?.to_owned();
    let row = Row { line: line.number, text, external_id: None, gold: None, columns: Columns::Line };
    row_with_text(row, line.bytes)
}

/// A line with a JSON object as a row.
pub(in crate::formats) fn from_json(line: &Line<'_>, found: &Found, advice: &Advice) -> Parsed {
    let text = text_of(line, advice)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    let bad = |why: String| BadRow::new(line.number, why, SKIP_HINT, line.bytes);
    let entries = jsonl::object(text).map_err(bad)?;
    let plain = |i: usize| {
        let key = &found.columns[i];
        jsonl::plain_of(&entries, key).map_err(|what| bad(format!("under '{}' {what}", shown(key))))
    };
    let missing = |i: &usize| value_of(&entries, &found.columns[*i]).is_none();
    if found.text.iter().all(missing) {
        let keys: Vec<String> =
            found.text.iter().map(|i| format!("'{}'", shown(&found.columns[*i]))).collect();
        return Err(bad(format!("it has no key {}", keys.join(" or "))));
    }
    let texts = found.text.iter().map(|i| plain(*i)).collect::<Result<Vec<_>, _>>()?;
    let row = Row {
        line: line.number,
        text: joined(texts.iter().flatten().map(String::as_str)),
        external_id: found.id.map(plain).transpose()?.flatten(),
        gold: gold_of(&entries, found),
        columns: Columns::Line,
    };
    row_with_text(Row { columns: Columns::Object(entries), ..row }, line.bytes)
}

/// A gold label may be a list or an object: several annotators' answers, say. It is then kept as JSON.
fn gold_of(entries: &[(String, Box<RawValue>)], found: &Found) -> Option<String> {
    let value = value_of(entries, &found.columns[found.gold?])?;
    jsonl::plain(value).unwrap_or_else(|_| Some(value.get().to_owned()))
}

/// Several text columns, joined by a blank line; empty ones are left out.
fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for text in texts.filter(|text| !text.trim().is_empty()) {
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        out.push_str(text);
    }
    out
}

/// A line as text.
fn text_of<'a>(line: &Line<'a>, advice: &Advice) -> Result<&'a str, BadRow> {
    if line.is_cut() {
        return Err(too_long(line.number, line.length, line.bytes));
    }
    std::str::from_utf8(line.bytes).map_err(|_| not_text(line.bytes, line.number, advice))
}

fn not_text(raw: &[u8], line: u64, advice: &Advice) -> BadRow {
    let (line, why, hint) = advice.on(raw, line).unwrap_or((line, "it is not text".into(), SKIP_HINT.into()));
    BadRow::new(line, why, hint, raw)
}

fn row_with_text(row: Row, raw: &[u8]) -> Parsed {
    if row.text.trim().is_empty() {
        return Ok(None);
    }
    if row.text.len() > LONGEST_TEXT {
        return Err(too_long(row.line, row.text.len() as u64, raw));
    }
    if row.text.contains('\0') {
        return Err(BadRow::new(row.line, "its text holds a zero byte", SKIP_HINT, raw));
    }
    Ok(Some(row))
}

fn too_long(line: u64, bytes: u64, raw: &[u8]) -> BadRow {
    let most = grouped(LONGEST_TEXT as u64);
    let why = format!("its text is {} bytes long, and {most} is the most", grouped(bytes));
    let hint = if raw.trim_ascii_end().contains(&b'\n') {
        format!("Does a quote enclose rows by mistake? {QUOTES_HINT}")
    } else {
        "Split long documents into parts, or --skip-bad sets such rows aside".to_owned()
    };
    BadRow::new(line, why, hint, raw)
}
