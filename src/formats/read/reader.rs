//! The reader: one stream in, rows and bad rows out, in order, with their line numbers.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::fault::{Fault, Result, io_reason};

use super::delimited::Delimited;
use super::encoding;
use super::encoding::{Advice, Source};
use super::found::{Found, Shape};
use super::lines::Lines;
use super::magic::refuse_foreign;
use super::parse::{LONGEST_TEXT, from_delimited, from_json, from_text};
use super::row::{BadRow, Row};
use super::shown::sanitize;
use super::sniff::{Sample, sniff};
use crate::domain::read_options::ReadOptions;

/// The most bytes of one record in memory. Well above a text, so that a text that is too long can be told its
/// length.
const RECORD_BUDGET: usize = 16 << 20;
/// The bytes that a file is judged by.
const SAMPLE: usize = 256 << 10;

/// Reads rows from a stream.
pub struct Reader {
    name: String,
    found: Found,
    records: Records,
    advice: Advice,
    bytes: Arc<AtomicU64>,
    empty: u64,
}

enum Records {
    Delimited(Delimited),
    Jsonl(Lines),
    Lines(Lines),
}

/// What a record turned out to be.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A row with a text.
    Row(Row),
    /// A row that could not be read; reading can go on after it.
    Bad(BadRow),
}

impl Reader {
    /// Looks at the beginning of `source` and finds out how to read it. `name` is the file's name, for its
    /// extension and for messages; `-` for standard input.
    ///
    /// # Errors
    /// A fault where the source cannot be read, is empty, is no text, or its columns are not clear.
    pub fn open(source: Source, name: &str, options: &ReadOptions) -> Result<Self> {
        let name = sanitize(name.rsplit(['/', '\\']).next().unwrap_or(name));
        let failed = |e: io::Error| Fault::new(format!("read {name}"), io_reason(&e));
        let bytes = Arc::new(AtomicU64::new(0));
        let mut source: Source = Box::new(Counted { source, bytes: Arc::clone(&bytes) });
        let head = read_up_to(&mut source, SAMPLE).map_err(failed)?;
        refuse_foreign(&head, &name)?;
        let encoding = encoding::choose(&head, options.encoding.as_deref(), &name)?;
        let mut head = Cursor::new(head);
        head.set_position(encoding.mark as u64);
        let mut source = encoding::to_utf8(Box::new(head.chain(source)), encoding.encoding);

        let mut sample = read_up_to(&mut source, SAMPLE).map_err(failed)?;
        let mut whole = sample.len() < SAMPLE;
        if !whole && !sample.contains(&b'\n') {
            // One row longer than the sample: see the whole of it, if it can be a text at all.
            sample.extend(read_up_to(&mut source, 2 * LONGEST_TEXT).map_err(failed)?);
            whole = sample.len() < SAMPLE + 2 * LONGEST_TEXT;
        }
        let cut = if whole { sample.len() } else { last_line_end(&sample) };
        let found = sniff(&Sample { text: &sample[..cut], whole, name: &name, encoding }, options)?;
        let advice = Advice::new(encoding.encoding, &sample[..cut]);
        let source: Source = Box::new(Cursor::new(sample).chain(source));
        let records = match found.shape {
            Shape::Delimited { delimiter, quotes } => {
                Records::Delimited(Delimited::new(source, delimiter, quotes, RECORD_BUDGET))
            }
            Shape::Jsonl => Records::Jsonl(Lines::new(source, RECORD_BUDGET)),
            Shape::Lines => Records::Lines(Lines::new(source, RECORD_BUDGET)),
        };
        let mut reader = Self { name, found, records, advice, bytes, empty: 0 };
        if reader.found.header {
            reader.pass_header().map_err(|e| reader.failed(&e))?;
        }
        Ok(reader)
    }

    /// What was found; its `Display` is one line for a person.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// Bytes taken from the source so far, for progress; a little ahead of the rows.
    pub fn bytes_read(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Rows without a text and blank lines, which were passed over.
    pub fn empty_rows(&self) -> u64 {
        self.empty
            + match &self.records {
                Records::Delimited(records) => records.blank(),
                Records::Jsonl(_) | Records::Lines(_) => 0,
            }
    }

    /// The next row or bad row; none at the end.
    ///
    /// # Errors
    /// A fault where the source itself cannot be read any further.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        loop {
            let taken = match &mut self.records {
                Records::Delimited(records) => records
                    .next_record()
                    .map(|taken| taken.map(|t| from_delimited(t, &self.found, &self.advice))),
                Records::Jsonl(lines) => {
                    lines.next_line().map(|line| line.map(|l| from_json(&l, &self.found, &self.advice)))
                }
                Records::Lines(lines) => {
                    lines.next_line().map(|line| line.map(|l| from_text(&l, &self.advice)))
                }
            };
            match taken.map_err(|e| self.failed(&e))? {
                None => return Ok(None),
                Some(Ok(Some(row))) => return Ok(Some(Entry::Row(row))),
                Some(Ok(None)) => self.empty += 1,
                Some(Err(bad)) => return Ok(Some(Entry::Bad(bad))),
            }
        }
    }

    fn pass_header(&mut self) -> io::Result<()> {
        match &mut self.records {
            Records::Delimited(records) => records.next_record().map(|_| ()),
            Records::Jsonl(lines) | Records::Lines(lines) => lines.next_line().map(|_| ()),
        }
    }

    fn failed(&self, error: &io::Error) -> Fault {
        Fault::new(format!("read {} to its end", self.name), io_reason(error))
    }
}

/// As many bytes as there are, at most `most`.
fn read_up_to(source: &mut Source, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where the last whole line ends; the end, where there is no whole line.
fn last_line_end(sample: &[u8]) -> usize {
    sample.iter().rposition(|b| *b == b'\n').map_or(sample.len(), |at| at + 1)
}

struct Counted {
    source: Source,
    bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.source.read(buf)?;
        self.bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

#[cfg(test)]
mod tests;
