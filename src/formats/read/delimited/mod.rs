//! CSV, TSV and other text with a delimiter between cells: how it is recognised, and how a record becomes a row.

mod delimiter;
mod header;
mod quotes;
mod records;
mod split;
mod window;

use std::io;
use std::io::Read;

use self::delimiter::delimiter_byte;
pub(super) use self::header::is_header;
use self::records::{RawRecords, Taken};
use self::split::Split;
use super::columns;
use super::detected::{Detected, Layout};
use super::encoding::{Advice, Source};
use super::excerpt::{excerpt, list_columns};
use super::format::{InputFormat, Parsed, Recognised, Records, Sample};
use super::parse::{QUOTES_HINT, RECORD_BUDGET, SKIP_HINT, not_text, row_with_text, too_long};
use super::row::{BadRow, Columns, Row};
use super::turns::{Part, parts};
use crate::domain::fault::Result;
use crate::domain::read_options::ReadOptions;
use crate::domain::turn::joined;

pub(super) static DELIMITED: InputFormat = InputFormat {
    names: &["CSV", "TSV"],
    extensions: &["csv", "tsv", "tab", "txt", "text"],
    chosen_by: |options| {
        options.delimiter.is_some() || matches!(options.format.as_deref(), Some("csv" | "tsv"))
    },
    unmistakable: |_| false,
    recognise,
};

fn recognise(sample: &Sample<'_>, options: &ReadOptions) -> Result<Option<Recognised>> {
    let said = separator_line(sample.text);
    let begins = said.map_or(0, |line| line.length);
    let sample = &Sample { text: &sample.text[begins..], ..*sample };
    let split = |delimiter: u8| Split::at(delimiter, sample.text, sample.whole, options);
    let split = if let Some(delimiter) = delimiter_byte(options)?.or(said.map(|line| line.delimiter)) {
        Some(split(delimiter))
    } else {
        match options.format.clone().unwrap_or_else(|| sample.extension()).as_str() {
            // It is the comma, unless another delimiter splits the rows more evenly.
            "csv" => Some(
                [b'|', b';', b'\t']
                    .map(split)
                    .into_iter()
                    .fold(split(b','), |best, other| if other.beats(&best) { other } else { best }),
            ),
            "tsv" | "tab" => Some(split(b'\t')),
            "txt" | "text" => Some(split(b'\t')).filter(Split::is_even),
            _ => {
                let is_table = !options.text.is_empty() || options.header.is_some();
                // Prose has commas too: without a header only tabs count as delimiters.
                let clear =
                    |s: &Split| s.is_even() && (s.delimiter == b'\t' || is_table || s.has_header(options));
                [b'\t', b',', b';', b'|'].map(split).into_iter().find(clear)
            }
        }
    };
    split.map(|split| table(sample, split, begins, options)).transpose()
}

/// A first line that names the delimiter, as Excel writes it.
#[derive(Clone, Copy)]
struct SeparatorLine {
    delimiter: u8,
    /// In bytes, with its end.
    length: usize,
}

fn separator_line(text: &[u8]) -> Option<SeparatorLine> {
    let end = text.iter().position(|b| *b == b'\n')?;
    let line = text[..end].trim_ascii_end();
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    // A tab at the end of a line is white space to the eye, and the delimiter here.
    let said = line.get(..4).filter(|start| start.eq_ignore_ascii_case(b"sep="))?;
    let delimiter = match &line[said.len()..] {
        [delimiter] if delimiter.is_ascii_punctuation() && *delimiter != b'"' => *delimiter,
        [] if text[..end].trim_ascii_end().len() < end && text[..end].contains(&b'\t') => b'\t',
        _ => return None,
    };
    Some(SeparatorLine { delimiter, length: end + 1 })
}

/// `begins`: the bytes of a line before the table that names its delimiter.
fn table(sample: &Sample<'_>, split: Split, begins: usize, options: &ReadOptions) -> Result<Recognised> {
    let header = split.has_header(options);
    let Split { delimiter, quotes, mut records, width, .. } = split;
    let columns = if header {
        if let Some(cell) = records[0].iter().find(|cell| cell.contains(char::REPLACEMENT_CHARACTER)) {
            let why = format!(
                "the column name '{}' on line 1 is not {}",
                excerpt(cell),
                sample.encoding.encoding.name()
            );
            return Err(sample.fault(why).hint("Add --encoding, for instance --encoding windows-1252"));
        }
        let columns = columns::names(Some(&records[0]), records[0].len());
        records.remove(0);
        if records.is_empty() && sample.whole && !options.may_be_empty {
            return Err(sample
                .fault(format!("it has a header ({}) and no rows", list_columns(&columns)))
                .hint("If that is a row and not a header, add --no-header"));
        }
        columns
    } else {
        columns::names(None, width)
    };
    Ok(Recognised {
        header,
        rows: records,
        ..Recognised::new(described(delimiter, quotes), Layout::Cells, columns, move |source| {
            let source = if begins > 0 { Box::new(After { source, skip: begins }) } else { source };
            let records = RawRecords::new(source, delimiter, quotes, RECORD_BUDGET);
            Box::new(DelimitedRecords {
                records: records.starting_at(if begins > 0 { 2 } else { 1 }),
                delimiter,
                begun: false,
            })
        })
    })
}

fn described(delimiter: u8, quotes: bool) -> String {
    match (delimiter, quotes) {
        (b',', _) => "CSV".into(),
        (b'\t', false) => "TSV".into(),
        (b'\t', true) => "TSV with quoted cells".into(),
        (other, _) => format!("CSV with '{}'", char::from(other).escape_default()),
    }
}

/// A stream without its first bytes.
struct After {
    source: Source,
    skip: usize,
}

impl Read for After {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.skip > 0 {
            let passed = io::copy(&mut (&mut self.source).take(self.skip as u64), &mut io::sink())?;
            self.skip = self.skip.saturating_sub(passed as usize);
            if passed == 0 {
                return Ok(0);
            }
        }
        self.source.read(buf)
    }
}

struct DelimitedRecords {
    records: RawRecords,
    delimiter: u8,
    /// Whether the first record has been given: a later one that is the same as the header is a header, too.
    begun: bool,
}

impl Records for DelimitedRecords {
    fn next_record(&mut self, detected: &Detected, advice: &Advice) -> io::Result<Option<Parsed>> {
        let (delimiter, first) = (self.delimiter, !std::mem::replace(&mut self.begun, true));
        Ok(self.records.next_record()?.map(|taken| match &taken {
            Taken::Record { record, .. } if !first && is_header_again(record, detected) => Ok(None),
            _ => parse(taken, delimiter, detected, advice),
        }))
    }

    fn blank_lines(&self) -> u64 {
        self.records.blank()
    }
}

/// Files that were joined have a header in the middle, perhaps with a byte-order mark.
fn is_header_again(record: &csv::ByteRecord, detected: &Detected) -> bool {
    fn name(cell: &[u8]) -> &[u8] {
        cell.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(cell).trim_ascii()
    }
    detected.header
        && detected.columns.len() > 1
        && record.len() == detected.columns.len()
        && record.iter().zip(&detected.columns).all(|(cell, column)| name(cell) == column.as_bytes())
}

/// A CSV or TSV record as a row.
fn parse(taken: Taken<'_>, delimiter: u8, detected: &Detected, advice: &Advice) -> Parsed {
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
    advice.note_valid(raw);
    let (have, want) = (cells.len(), detected.columns.len());
    if have != want {
        let lines = raw.iter().filter(|b| **b == b'\n').count().max(1) as u64;
        let span = if lines > 1 { format!(" (it runs to line {})", line + lines - 1) } else { String::new() };
        let cell = if have == 1 { "cell" } else { "cells" };
        let hint = if lines > 1 { QUOTES_HINT } else { ragged_hint(delimiter, detected) };
        let like = if detected.header { "the header has" } else { "the other rows have" };
        return Err(BadRow::new(line, format!("it has {have} {cell} and {like} {want}{span}"), hint, raw));
    }
    let cell = |i: usize| cells.get(i).unwrap_or_default();
    let some = |i: Option<usize>| i.map(cell).filter(|c| !c.is_empty()).map(str::to_owned);
    let row = Row {
        line,
        text: match detected.text.as_slice() {
            [only] => cell(*only).to_owned(),
            several => {
                let part = |i: &usize| (detected.columns[*i].as_str(), Part::Text(cell(*i).to_owned()));
                joined(&parts(several.iter().map(part), detected))
            }
        },
        external_id: some(detected.id),
        gold: some(detected.gold),
        labels: some(detected.labels).into_iter().collect(),
        labelled_at: some(detected.labelled_at),
        columns: Columns::Text,
    };
    row_with_text(Row { columns: Columns::Cells(cells), ..row }, raw)
}

/// What to do about a line with too many or too few cells. With one column, or without a header, the file may not be a table at all.
fn ragged_hint(delimiter: u8, detected: &Detected) -> &'static str {
    match (delimiter, detected.columns.len()) {
        (b'\t', _) => SKIP_HINT,
        (_, 1) => {
            "Put such texts in quotes, or add --delimiter tab to read each line as one text; --skip-bad sets such rows aside"
        }
        _ if !detected.header => {
            "If each line is one text, add --delimiter tab; --skip-bad sets such rows aside"
        }
        _ => SKIP_HINT,
    }
}
