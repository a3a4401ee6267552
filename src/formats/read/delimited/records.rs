//! CSV and TSV records with their line numbers and raw bytes, and how reading goes on after a quote that never closes.

use std::io::{self, SeekFrom};

use csv::{ByteRecord, Position, Terminator};

use super::super::encoding::Source;
use super::quotes::{Quotes, cells};
use super::window::{Ended, Window};

/// A csv reader over text that may be cut off, ragged or oddly quoted.
///
/// Only a line feed ends a record, so that a stray carriage return stays in its text.
pub(in crate::formats::read) fn builder(delimiter: u8, quotes: bool) -> csv::ReaderBuilder {
    let mut builder = csv::ReaderBuilder::new();
    builder
        .delimiter(delimiter)
        .quoting(quotes)
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::Any(b'\n'))
        .buffer_capacity(64 * 1024);
    builder
}

pub(in crate::formats::read) struct RawRecords {
    reader: csv::Reader<Window>,
    record: ByteRecord,
    delimiter: u8,
    quotes: bool,
    /// The line on which the next record begins, including blank lines before it.
    line: u64,
    blank: u64,
    /// Where to go on after a stray quote.
    resume: Option<u64>,
    resumed: u32,
}

/// The next record, or what is wrong with it.
pub(in crate::formats::read) enum Taken<'a> {
    Record {
        line: u64,
        record: &'a ByteRecord,
        raw: &'a [u8],
    },
    /// A quote opens on `line` and encloses the lines below: it never closes, or it `closes` in the middle of a cell. `raw` is the record's first
    /// line. Reading goes on after that line.
    Stray {
        line: u64,
        raw: &'a [u8],
        closes: bool,
    },
    /// A record over the budget; `raw` is its beginning, `bytes` its length.
    TooLong {
        line: u64,
        bytes: u64,
        raw: Vec<u8>,
    },
}

impl RawRecords {
    /// Each time reading goes on after a stray quote, up to a whole budget is read again. After this many times, quotes count as they are.
    const MOST_RESUMED: u32 = 100;

    /// Begins at this line of the file, from 1: what comes before it has been read.
    pub(in crate::formats::read) fn starting_at(mut self, line: u64) -> Self {
        self.line = line;
        self
    }

    pub(in crate::formats::read) fn new(source: Source, delimiter: u8, quotes: bool, budget: usize) -> Self {
        Self {
            reader: builder(delimiter, quotes).from_reader(Window::new(source, budget)),
            record: ByteRecord::new(),
            delimiter,
            quotes,
            line: 1,
            blank: 0,
            resume: None,
            resumed: 0,
        }
    }

    /// The number of blank lines that were skipped.
    pub(in crate::formats::read) fn blank(&self) -> u64 {
        self.blank
    }

    /// The next record; none at the end.
    pub(in crate::formats::read) fn next_record(&mut self) -> io::Result<Option<Taken<'_>>> {
        loop {
            if let Some(offset) = self.resume.take() {
                self.read_from(offset)?;
            }
            let start = self.reader.position().byte();
            self.reader.get_mut().begin_record(start);
            let more = self.reader.read_byte_record(&mut self.record)?;
            let end = self.reader.position().byte();
            let raw = self.reader.get_ref().record_to(end);
            let blank = raw.iter().take_while(|b| **b == b'\n').count();
            let line = self.line + blank as u64;
            self.blank += blank as u64;
            self.line += line_feeds(raw);
            if !more {
                if self.reader.get_ref().ended_at(end) == Some(Ended::Budget) {
                    // Only blank lines have used it up.
                    self.resume = Some(end);
                    continue;
                }
                return Ok(None);
            }
            if is_blank(&self.record) {
                self.blank += 1;
                continue;
            }
            let ended = self.reader.get_ref().ended_at(end);
            let first_line = raw[blank..].iter().position(|b| *b == b'\n').map(|at| blank + at + 1);
            let spans = first_line.is_some_and(|at| at < raw.len());
            let quotes = if self.quotes && (spans || ended.is_some()) {
                Quotes::scan(&raw[blank..], self.delimiter)
            } else {
                Quotes::default()
            };
            let stray = quotes.open.or(quotes.trailing.filter(|_| spans));
            let closes = quotes.open.is_none();
            if let (Some(stray), Some(first_line)) = (stray, first_line)
                && self.resumed < Self::MOST_RESUMED
            {
                self.resumed += 1;
                self.resume = Some(start + first_line as u64);
                self.line = line + 1;
                let line = line + line_feeds(&raw[blank..blank + stray]);
                let raw = &self.reader.get_ref().record_to(end)[blank..first_line];
                return Ok(Some(Taken::Stray { line, raw, closes }));
            }
            if ended == Some(Ended::Budget) {
                return self.pass_over(line, blank, end).map(Some);
            }
            if stray.is_some() {
                let raw = &self.reader.get_ref().record_to(end)[blank..];
                return Ok(Some(Taken::Stray { line, raw, closes }));
            }
            break;
        }
        self.finish_record()
    }

    /// The record just read, without a carriage return before its line feed.
    fn finish_record(&mut self) -> io::Result<Option<Taken<'_>>> {
        let end = self.reader.position().byte();
        let raw = self.reader.get_ref().record_to(end);
        let blank = raw.iter().take_while(|b| **b == b'\n').count();
        let raw = &raw[blank..];
        if raw.ends_with(b"\r\n") || raw.ends_with(b"\r") {
            let last = self.record.len().saturating_sub(1);
            if let Some(cell) = self.record.get(last).and_then(|cell| cell.strip_suffix(b"\r")) {
                let cell = cell.to_vec();
                self.record.truncate(last);
                self.record.push_field(&cell);
            }
        }
        // A text that begins with a quotation: the csv crate would drop its quotes.
        if self.quotes && raw.contains(&b'"') && Quotes::scan(raw, self.delimiter).trailing.is_some() {
            let line = raw.strip_suffix(b"\n").unwrap_or(raw);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            self.record.clear();
            cells(line, self.delimiter).iter().for_each(|cell| self.record.push_field(cell));
        }
        let line = self.line - line_feeds(raw);
        Ok(Some(Taken::Record { line, record: &self.record, raw }))
    }

    fn pass_over(&mut self, line: u64, blank: usize, end: u64) -> io::Result<Taken<'_>> {
        let window = self.reader.get_mut();
        let held = &window.record_to(end)[blank..];
        let length = held.len() as u64;
        let raw = held[..held.len().min(4096)].to_vec();
        let bytes = length + window.skip_line()?;
        let offset = window.offset();
        self.line += 1;
        self.read_from(offset)?;
        Ok(Taken::TooLong { line, bytes, raw })
    }

    fn read_from(&mut self, offset: u64) -> io::Result<()> {
        let mut position = Position::new();
        position.set_byte(offset);
        Ok(self.reader.seek_raw(SeekFrom::Start(offset), position)?)
    }
}

/// A line of nothing but white space.
pub(in crate::formats::read) fn is_blank(record: &ByteRecord) -> bool {
    record.len() <= 1 && record.iter().all(|cell| cell.trim_ascii().is_empty())
}

fn line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, budget: usize) -> Vec<String> {
        let source = Box::new(io::Cursor::new(text.as_bytes().to_vec()));
        let mut records = RawRecords::new(source, b',', true, budget);
        let mut out = Vec::new();
        while let Some(taken) = records.next_record().unwrap() {
            out.push(match taken {
                Taken::Record { line, record, .. } => {
                    let cells: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
                    format!("{line} {}", cells.join("|"))
                }
                Taken::Stray { line, raw, closes } => {
                    let what = if closes { "stray" } else { "open" };
                    format!("{line} {what} {}", String::from_utf8_lossy(raw).trim_end())
                }
                Taken::TooLong { line, bytes, .. } => format!("{line} long {bytes}"),
            });
        }
        out
    }

    #[test]
    fn line_numbers_count_blank_lines_and_lines_inside_quotes() {
        let text = "a,b\r\n \r\n\n1,\"x\ny\"\r\n2,z";
        assert_eq!(all(text, 1000), ["1 a|b", "4 1|x\ny", "6 2|z"]);
    }

    #[test]
    fn a_carriage_return_inside_a_text_stays_and_one_before_the_end_goes() {
        assert_eq!(all("1,a\rb\r\n2,\"c\r\"\r\n3,\"d\r\"\n", 1000), ["1 1|a\rb", "2 2|c\r", "3 3|d\r"]);
    }

    #[test]
    fn a_quote_that_never_closes_costs_its_own_line_alone() {
        assert_eq!(all("1,\"open\n2,b\n3,c\n", 1000), ["1 open 1,\"open", "2 2|b", "3 3|c"]);
        assert_eq!(all("1,b\n2,\"open", 1000), ["1 1|b", "2 open 2,\"open"]);
    }

    #[test]
    fn a_quote_that_closes_in_the_middle_of_a_later_cell_swallows_nothing() {
        let out = all("1,\"Hi you\n2,b\n3,the said \"no\"\n4,\"Gimme\n5,\"x\" y\n", 1000);
        assert_eq!(
            out,
            ["1 stray 1,\"Hi you", "2 2|b", "3 3|the said \"no\"", "4 stray 4,\"Gimme", "5 5|\"x\" y"]
        );
        assert_eq!(all("1,\"two\nlines\" ,x\r\n", 1000), ["1 1|two\nlines |x"]);
    }

    #[test]
    fn a_text_that_begins_with_a_quotation_keeps_its_quotes() {
        let text = "1,\"Scooped\" prices and more,a\r\n2,\"a, b\",\"c\"\"d\"\"\" e\n";
        assert_eq!(all(text, 1000), ["1 1|\"Scooped\" prices and more|a", "2 2|a, b|\"c\"\"d\"\"\" e"]);
    }

    #[test]
    fn a_quote_over_the_budget_and_a_line_over_the_budget_are_passed() {
        let rows: String = (0..100).map(|i| format!("{i},row\n")).collect();
        let out = all(&format!("x,\"open\n{rows}"), 200);
        assert_eq!((out.len(), out[0].as_str(), out[100].as_str()), (101, "1 open x,\"open", "101 99|row"));
        let long = "y".repeat(300_000);
        assert_eq!(all(&format!("1,a\n{}2,b\n", "\n".repeat(5000)), 1000), ["1 1|a", "5002 2|b"]);
        let out = all(&format!("1,a\n2,{long}\n3,\"{long}\"\n4,d\n"), 1000);
        assert_eq!(out, ["1 1|a", "2 long 300003", "3 long 300005", "4 4|d"]);
    }
}
