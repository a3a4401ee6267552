//! Old Mac line ends: a carriage return alone, which becomes a line feed on the way.

use std::io::{self, Read};

use super::encoding::Source;

/// Whether lines end in bare carriage returns, judging by the beginning of a file.
pub(in crate::formats) fn are_carriage_returns(text: &[u8]) -> bool {
    let mut ends = text.iter().enumerate().filter(|(_, b)| matches!(**b, b'\n' | b'\r'));
    matches!(ends.next(), Some((at, b'\r')) if at + 1 < text.len()) && ends.all(|(_, b)| *b == b'\r')
}

/// The stream with a line feed for each carriage return, and one for both together.
pub(in crate::formats) struct LineFeeds {
    source: Source,
    after_return: bool,
}

impl LineFeeds {
    pub(in crate::formats) fn new(source: Source) -> Self {
        Self { source, after_return: false }
    }
}

impl Read for LineFeeds {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.source.read(buf)?;
            let mut kept = 0;
            for i in 0..n {
                let b = buf[i];
                let second = b == b'\n' && self.after_return;
                self.after_return = b == b'\r';
                if !second {
                    buf[kept] = if b == b'\r' { b'\n' } else { b };
                    kept += 1;
                }
            }
            if kept > 0 || n == 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_carriage_returns_are_told_from_other_line_ends_and_become_line_feeds() {
        assert!(are_carriage_returns(b"a\rb\r") && are_carriage_returns(b"a\rb"));
        for other in [&b"a\r\nb"[..], b"a\nb", b"a\rb\nc", b"a\r", b"a", b""] {
            assert!(!are_carriage_returns(other), "{other:?}");
        }
        let mut out = String::new();
        let source = Box::new(io::Cursor::new(b"a\rb\r\rc\r\nd".to_vec()));
        LineFeeds::new(source).read_to_string(&mut out).unwrap();
        assert_eq!(out, "a\nb\n\nc\nd");
    }
}
