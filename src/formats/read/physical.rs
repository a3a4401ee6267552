//! The physical lines of a stream, for plain lines and JSONL: numbered, without their ends, and limited in length.

use std::io::{self, BufRead, BufReader, Read};

use super::encoding::Source;

pub(in crate::formats) struct PhysicalLines {
    source: BufReader<Source>,
    buffer: Vec<u8>,
    number: u64,
    budget: usize,
}

pub(in crate::formats) struct Line<'a> {
    /// From 1.
    pub(in crate::formats) number: u64,
    /// Its bytes, at most the budget, without the line's end.
    pub(in crate::formats) bytes: &'a [u8],
    /// Its whole length in bytes, with the line's end.
    pub(in crate::formats) length: u64,
}

impl Line<'_> {
    /// Whether the line went over the budget.
    pub(in crate::formats) fn is_cut(&self) -> bool {
        self.length > self.bytes.len() as u64 + b"\r\n".len() as u64
    }
}

impl PhysicalLines {
    /// `budget`: the most bytes of a line that are kept; the rest is counted and skipped.
    pub(in crate::formats) fn new(source: Source, budget: usize) -> Self {
        Self { source: BufReader::with_capacity(64 * 1024, source), buffer: Vec::new(), number: 0, budget }
    }

    /// The next line; none at the end.
    pub(in crate::formats) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let kept = (&mut self.source).take(self.budget as u64).read_until(b'\n', &mut self.buffer)?;
        if kept == 0 {
            return Ok(None);
        }
        self.number += 1;
        let mut length = kept as u64;
        if !self.buffer.ends_with(b"\n") {
            length += self.source.skip_until(b'\n')? as u64;
        }
        let bytes = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        Ok(Some(Line { number: self.number, bytes, length }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_counted_and_skipped_and_the_next_is_complete() {
        let text = [vec![b'x'; 500], b"\r\n\nlast".to_vec()].concat();
        let mut lines = PhysicalLines::new(Box::new(io::Cursor::new(text)), 10);
        let line = lines.next_line().unwrap().unwrap();
        assert_eq!((line.number, line.bytes, line.length), (1, &[b'x'; 10][..], 502));
        let line = lines.next_line().unwrap().unwrap();
        assert_eq!((line.number, line.bytes), (2, &b""[..]));
        assert_eq!(lines.next_line().unwrap().unwrap().bytes, b"last");
        assert!(lines.next_line().unwrap().is_none());
    }
}
