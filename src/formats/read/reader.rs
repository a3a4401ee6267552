//! The reader: one stream in, rows and bad rows out, in order, with their line numbers.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::fault::{Fault, Result, io_reason};

use super::detected::Detected;
use super::encoding;
use super::encoding::{Advice, Source};
use super::excerpt::{escape, excerpt};
use super::format::{Records, Sample, extension_of};
use super::input::Input;
use super::json::{Shape, Values, shape};
use super::line_ends::{LineFeeds, are_carriage_returns};
use super::magic::refuse_foreign;
use super::parse::LONGEST_TEXT;
use super::refused::refuse_other_text;
use super::row;
use super::row::{BadRow, Row};
use super::sniff::sniff;
use super::tables::{self, Kind};
use super::unpack::unpacked;
use super::whole_encoding::other_encoding;
use super::{FORMATS_IN, INPUT_FORMATS, input_formats};
use crate::domain::read_options::ReadOptions;

/// The number of bytes by which a file is judged.
const SAMPLE: usize = 256 << 10;
/// The number of bytes that are asked for at a time.
const PART: usize = 64 << 10;

/// Reads rows from a stream.
pub struct Reader {
    name: String,
    detected: Detected,
    records: Box<dyn Records>,
    advice: Advice,
    bytes: Arc<AtomicU64>,
    empty: u64,
    keeps_empty: bool,
    counted: row::Counted,
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
    pub fn open(input: impl Into<Input>, name: &str, options: &ReadOptions) -> Result<Self> {
        let name = escape(name.rsplit(['/', '\\']).next().unwrap_or(name));
        check_format(options)?;
        let attempted = format!("read {name}");
        let failed = |e: io::Error| told(e).unwrap_or_else(|e| Fault::new(&attempted, io_reason(&e)));
        let bytes = Arc::new(AtomicU64::new(0));
        let Input { stream, file, more } = input.into();
        let mut source: Source = Box::new(Counted { source: stream, bytes: Arc::clone(&bytes) });
        let first: Enough = if options.as_it_comes { has_begun } else { never };
        let (mut head, _) = read_up_to(&mut source, SAMPLE, first).map_err(failed)?;
        let (mut packed, mut inner, mut other, mut called) = (None, None, None, options.called.clone());
        match unpacked(head, Input { stream: source, file, more }, &name)? {
            Ok(inside) => {
                (source, packed, inner) = (inside.stream, Some(inside.with), inside.name);
                head = read_up_to(&mut source, SAMPLE, first).map_err(failed)?.0;
            }
            Err((unread, input)) if let Some(kind) = Kind::of(&unread) => {
                let opened = tables::open(kind, unread, input, options, &name)?;
                (source, called) = (opened.rows, Some(opened.called));
                head = read_up_to(&mut source, SAMPLE, first).map_err(failed)?.0;
            }
            Err((unread, input)) => {
                (head, source) = (unread, input.stream);
                // By all of the file, where it can be read twice: its first umlaut may be in the last row.
                other = input.file.filter(|_| options.encoding.is_none()).as_mut().and_then(other_encoding);
            }
        }
        if packed.is_some() && Kind::of(&head) == Some(Kind::Arrow) {
            let opened = tables::open(Kind::Arrow, head, source.into(), options, &name)?;
            (source, called) = (opened.rows, Some(opened.called));
            head = read_up_to(&mut source, SAMPLE, first).map_err(failed)?.0;
        }
        if called.is_none() {
            tables::refuse_other(options, &name)?;
        }
        // Whose extension counts.
        let named = inner.map_or(name.clone(), |inner| escape(&inner));
        refuse_foreign(&head, &name)?;
        let asked = options.encoding.as_deref().or(other).filter(|_| called.is_none());
        let encoding = encoding::choose(&head, asked, &name)
            .map_err(|f| f.or_hint(format!("Texts are read from {}", input_formats("and"))))?;
        let mut head = Cursor::new(head);
        head.set_position(encoding.mark as u64);
        let mut source = encoding::to_utf8(Box::new(head.chain(source)), encoding.encoding);

        let (mut sample, mut whole) = sampled(&mut source, first).map_err(failed)?;
        let old_mac = called.is_none() && are_carriage_returns(&sample);
        if old_mac {
            source = Box::new(LineFeeds::new(Box::new(Cursor::new(sample).chain(source))));
            (sample, whole) = sampled(&mut source, first).map_err(failed)?;
        }
        let shape =
            if called.is_some() { None } else { shape(&sample, whole, &extension_of(&named), options) };
        if let Some(shape) = shape {
            source = Box::new(Values::new(Box::new(Cursor::new(sample).chain(source)), shape));
            (sample, whole) = sampled(&mut source, first).map_err(failed)?;
        }
        let cut = if whole { sample.len() } else { last_line_end(&sample) };
        let beginning = Sample { text: &sample[..cut], whole, name: &named, encoding };
        let as_objects = ReadOptions { format: Some("jsonl".into()), ..options.clone() };
        let has_objects = called.is_some() || shape.is_some();
        if !has_objects {
            refuse_other_text(&beginning, options)?;
        }
        let (mut detected, open) =
            sniff(INPUT_FORMATS, &beginning, if has_objects { &as_objects } else { options })?;
        if let Some(called) = called.as_deref().or(shape.map(Shape::name)) {
            detected.format = detected.format.replacen("JSONL", called, 1);
        }
        if old_mac {
            detected.format.push_str(" with old Mac line ends");
        }
        if let Some(packed) = packed {
            detected.format = format!("{} in {packed}", detected.format);
        }
        let advice = Advice::new(encoding.encoding, &sample[..cut]);
        let source: Source = Box::new(Cursor::new(sample).chain(source));
        let counted = if has_objects { row::Counted::Rows } else { row::Counted::Lines };
        let mut reader = Self {
            name,
            detected,
            records: open(source),
            advice,
            bytes,
            empty: 0,
            keeps_empty: false,
            counted,
        };
        if reader.detected.header {
            let Self { detected, records, advice, .. } = &mut reader;
            records.next_record(detected, advice).map(drop).map_err(|e| reader.failed(e))?;
        }
        Ok(reader)
    }

    /// Also gives the rows without a text, whose text is then empty or white space.
    #[must_use]
    pub fn with_empty_rows(self) -> Self {
        Self { keeps_empty: true, ..self }
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
            match parsed.map_err(|e| self.failed(e))? {
                None => return Ok(None),
                Some(Ok(Some(row))) if !self.keeps_empty && row.text.trim().is_empty() => self.empty += 1,
                Some(Ok(Some(row))) => return Ok(Some(Entry::Row(row))),
                Some(Ok(None)) => self.empty += 1,
                Some(Err(bad)) => return Ok(Some(Entry::Bad(BadRow { counted: self.counted, ..bad }))),
            }
        }
    }

    fn failed(&self, error: io::Error) -> Fault {
        told(error).unwrap_or_else(|e| Fault::new(format!("read {} to its end", self.name), io_reason(&e)))
    }
}

/// The fault that a table was refused with while it was read.
fn told(error: io::Error) -> std::result::Result<Fault, io::Error> {
    error.downcast::<Fault>()
}

fn check_format(options: &ReadOptions) -> Result<()> {
    match options.format.as_deref() {
        Some(given) if !FORMATS_IN.contains(&given) => {
            Err(Fault::usage(format!("read the format '{}'", excerpt(given)), "there is no such format")
                .hint(format!("The formats are {}", FORMATS_IN.join(", "))))
        }
        _ => Ok(()),
    }
}

/// Whether enough of a stream is there to be judged by it.
type Enough = fn(&[u8]) -> bool;

/// As much as there is, up to the size of a sample.
fn never(_: &[u8]) -> bool {
    false
}

/// A header and a row, or an object on a line of its own.
fn has_begun(bytes: &[u8]) -> bool {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    lines > 1 || (lines > 0 && bytes.trim_ascii_start().starts_with(b"{"))
}

/// The beginning by which a file is judged, and whether it is the whole file.
fn sampled(source: &mut Source, enough: Enough) -> io::Result<(Vec<u8>, bool)> {
    let (mut sample, mut whole) = read_up_to(source, SAMPLE, enough)?;
    if !whole && !sample.contains(&b'\n') {
        // One row is longer than the sample: read all of it, unless it is too long for a text anyway.
        let (rest, ended) = read_up_to(source, 2 * LONGEST_TEXT, enough)?;
        sample.extend(rest);
        whole = ended;
    }
    Ok((sample, whole))
}

/// At most `most` bytes, fewer where these are enough or the source is at its end; and whether it is.
fn read_up_to(source: &mut Source, most: usize, enough: Enough) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    let mut part = vec![0; PART.min(most)];
    while bytes.len() < most {
        let room = part.len().min(most - bytes.len());
        match source.read(&mut part[..room]) {
            Ok(0) => return Ok((bytes, true)),
            Ok(n) => bytes.extend_from_slice(&part[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
        if enough(&bytes) {
            break;
        }
    }
    Ok((bytes, false))
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
mod foreign_tests;
#[cfg(test)]
mod tests;
