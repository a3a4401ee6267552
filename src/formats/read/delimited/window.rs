//! A window over a stream that keeps the bytes of the current record, so that a message can quote them and they can be read again.
//!
//! It has a budget: a quote that never closes ends there instead of filling the memory.

use std::io::{self, Read, Seek, SeekFrom};

use super::super::encoding::Source;

pub(in crate::formats) struct Window {
    source: Source,
    /// The bytes from `base` on.
    held: Vec<u8>,
    /// Offset of `held[0]` in the stream.
    base: u64,
    /// Offset of the current record.
    record: u64,
    /// Offset of the next byte to give.
    at: u64,
    /// The most bytes a record may have.
    budget: usize,
    ended: Option<Ended>,
}

/// Why the window gave no more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum Ended {
    /// The stream is at its end.
    Stream,
    /// The current record is at its budget.
    Budget,
}

impl Window {
    /// So many bytes before the current record are kept, because moving the rest to the front costs more.
    const SLACK: usize = 256 * 1024;

    pub(in crate::formats) fn new(source: Source, budget: usize) -> Self {
        Self { source, held: Vec::new(), base: 0, record: 0, at: 0, budget, ended: None }
    }

    /// Declares that a record begins at `offset`. Whatever lies before it may be dropped.
    pub(in crate::formats) fn begin_record(&mut self, offset: u64) {
        self.record = offset;
        if self.index(offset) > Self::SLACK {
            self.held.drain(..self.index(offset));
            self.base = offset;
        }
    }

    /// The bytes from the current record up to `end`.
    pub(in crate::formats) fn record_to(&self, end: u64) -> &[u8] {
        &self.held[self.index(self.record)..self.index(end)]
    }

    /// Why nothing came after `end`; none if something did.
    pub(in crate::formats) fn ended_at(&self, end: u64) -> Option<Ended> {
        self.ended.filter(|_| end == self.base + self.held.len() as u64)
    }

    /// Skips everything up to and including the next line feed after the bytes that are held. Returns how many bytes that were.
    pub(in crate::formats) fn skip_line(&mut self) -> io::Result<u64> {
        let mut chunk = vec![0; 64 * 1024];
        let mut skipped = 0;
        self.base += self.held.len() as u64;
        self.held.clear();
        self.ended = None;
        loop {
            let n = read_retrying(&mut self.source, &mut chunk)?;
            let rest = chunk[..n].iter().position(|b| *b == b'\n').map(|at| at + 1);
            let passed = rest.unwrap_or(n);
            skipped += passed as u64;
            self.base += passed as u64;
            if rest.is_some() || n == 0 {
                self.held.extend_from_slice(&chunk[passed..n]);
                (self.record, self.at) = (self.base, self.base);
                return Ok(skipped);
            }
        }
    }

    /// Offset in the stream of the next byte to give.
    pub(in crate::formats) fn offset(&self) -> u64 {
        self.at
    }

    fn index(&self, offset: u64) -> usize {
        usize::try_from(offset.saturating_sub(self.base)).map_or(self.held.len(), |i| i.min(self.held.len()))
    }
}

impl Read for Window {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let start = self.index(self.at);
        let n = if start < self.held.len() {
            let n = buf.len().min(self.held.len() - start);
            buf[..n].copy_from_slice(&self.held[start..start + n]);
            n
        } else if self.held.len() - self.index(self.record) >= self.budget {
            self.ended = Some(Ended::Budget);
            0
        } else {
            let n = read_retrying(&mut self.source, buf)?;
            self.ended = (n == 0).then_some(Ended::Stream);
            self.held.extend_from_slice(&buf[..n]);
            n
        };
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Window {
    /// Only to an offset from the start that is still held.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Start(offset) if (self.base..=self.base + self.held.len() as u64).contains(&offset) => {
                self.at = offset;
                self.ended = None;
                Ok(offset)
            }
            _ => Err(io::Error::new(io::ErrorKind::Unsupported, "the stream is past that place")),
        }
    }
}

fn read_retrying(source: &mut Source, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buf) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(bytes: &[u8], budget: usize) -> Window {
        Window::new(Box::new(io::Cursor::new(bytes.to_vec())), budget)
    }

    #[test]
    fn a_record_can_be_quoted_and_read_again() {
        let mut w = window(b"one\ntwo\n", 100);
        let mut all = String::new();
        w.read_to_string(&mut all).unwrap();
        w.begin_record(4);
        assert_eq!(w.record_to(8), b"two\n");
        assert_eq!(w.ended_at(8), Some(Ended::Stream));
        assert_eq!(w.ended_at(4), None);
        w.seek(SeekFrom::Start(4)).unwrap();
        let mut again = String::new();
        w.read_to_string(&mut again).unwrap();
        assert_eq!(again, "two\n");
        assert!(w.seek(SeekFrom::Start(99)).is_err());
    }

    #[test]
    fn a_record_over_its_budget_ends_there_and_its_line_can_be_passed_over() {
        let mut w = window(&[vec![b'x'; 1000], b"\nnext".to_vec()].concat(), 64);
        let mut buf = [0; 32];
        let mut n = 0;
        while w.read(&mut buf).unwrap() > 0 {
            n += 32;
        }
        assert_eq!((n, w.ended_at(64)), (64, Some(Ended::Budget)));
        assert_eq!(w.skip_line().unwrap(), 1000 - 64 + 1);
        assert_eq!(w.offset(), 1001);
        let mut rest = String::new();
        w.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "next");
    }
}
