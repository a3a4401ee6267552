//! The reader: one stream in, rows and bad rows out, in order, with their line numbers.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::fault::{Fault, Result, io_reason};

use super::detected::Detected;
use super::encoding;
use super::encoding::{Advice, Source};
use super::excerpt::escape;
use super::format::{Records, Sample};
use super::magic::refuse_foreign;
use super::parse::LONGEST_TEXT;
use super::row::{BadRow, Row};
use super::sniff::sniff;
use super::{INPUT_FORMATS, input_formats};
use crate::domain::read_options::ReadOptions;

/// The number of bytes by which a file is judged.
const SAMPLE: usize = 256 << 10;

/// Reads rows from a stream.
pub struct Reader {
    name: String,
    detected: Detected,
    records: Box<dyn Records>,
    advice: Advice,
    bytes: Arc<AtomicU64>,
    empty: u64,
}

/// What a record turned out to be.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A row with a text.
    Row(Row),
    /// A row that could not be read. Reading can go on after it.
    Bad(BadRow),
}

impl Reader {
    /// Reads the beginning of `source` and detects how to read the rest. `name` is the file's name, for its
    /// extension and for messages; `-` for standard input.
    ///
    /// # Errors
    /// A source that cannot be read, is empty or is not text, or whose columns are not clear.
    pub fn open(source: Source, name: &str, options: &ReadOptions) -> Result<Self> {
        let name = escape(name.rsplit(['/', '\\']).next().unwrap_or(name));
        let failed = |e: io::Error| Fault::new(format!("read {name}"), io_reason(&e));
        let bytes = Arc::new(AtomicU64::new(0));
        let mut source: Source = Box::new(Counted { source, bytes: Arc::clone(&bytes) });
        let head = read_up_to(&mut source, SAMPLE).map_err(failed)?;
        refuse_foreign(&head, &name)?;
        let encoding = encoding::choose(&head, options.encoding.as_deref(), &name)
            .map_err(|f| f.or_hint(format!("Texts are read from {}", input_formats("and"))))?;
        let mut head = Cursor::new(head);
        head.set_position(encoding.mark as u64);
        let mut source = encoding::to_utf8(Box::new(head.chain(source)), encoding.encoding);

        let mut sample = read_up_to(&mut source, SAMPLE).map_err(failed)?;
        let mut whole = sample.len() < SAMPLE;
        if !whole && !sample.contains(&b'\n') {
            // One row is longer than the sample: read all of it, unless it is too long for a text anyway.
            sample.extend(read_up_to(&mut source, 2 * LONGEST_TEXT).map_err(failed)?);
            whole = sample.len() < SAMPLE + 2 * LONGEST_TEXT;
        }
        let cut = if whole { sample.len() } else { last_line_end(&sample) };
        let beginning = Sample { text: &sample[..cut], whole, name: &name, encoding };
        let (detected, open) = sniff(&INPUT_FORMATS, &beginning, options)?;
        let advice = Advice::new(encoding.encoding, &sample[..cut]);
        let source: Source = Box::new(Cursor::new(sample).chain(source));
        let mut reader = Self { name, detected, records: open(source), advice, bytes, empty: 0 };
        if reader.detected.header {
            let Self { detected, records, advice, .. } = &mut reader;
            records.next_record(detected, advice).map(drop).map_err(|e| reader.failed(&e))?;
        }
        Ok(reader)
    }

    /// How the file is read; its `Display` is one line for a person.
    pub fn detected(&self) -> &Detected {
        &self.detected
    }

    /// Bytes read from the source so far, for progress; a little ahead of the rows.
    pub fn bytes_read(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Rows without a text and blank lines, which were skipped.
    pub fn empty_rows(&self) -> u64 {
        self.empty + self.records.blank_lines()
    }

    /// The next row or bad row; none at the end.
    ///
    /// # Errors
    /// A source that cannot be read any further.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        loop {
            let parsed = self.records.next_record(&self.detected, &self.advice);
            match parsed.map_err(|e| self.failed(&e))? {
                None => return Ok(None),
                Some(Ok(Some(row))) => return Ok(Some(Entry::Row(row))),
                Some(Ok(None)) => self.empty += 1,
                Some(Err(bad)) => return Ok(Some(Entry::Bad(bad))),
            }
        }
    }

    fn failed(&self, error: &io::Error) -> Fault {
        Fault::new(format!("read {} to its end", self.name), io_reason(error))
    }
}

/// At most `most` bytes; fewer only at the end of the source.
fn read_up_to(source: &mut Source, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where the last complete line ends; the end of the sample if there is none.
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
