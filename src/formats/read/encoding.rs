//! From any encoding to UTF-8, and what to say if the bytes do not fit.
//!
//! UTF-8 passes through untouched and is checked record by record, so that a wrong byte can be reported with its line. Other encodings are
//! decoded on the way; a malformed sequence becomes the byte FF, which never occurs in UTF-8, so the same check finds it. Nothing is ever
//! replaced silently.

use std::cell::Cell;
use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    DecoderResult, Encoding, ISO_8859_2, ISO_8859_4, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1250, WINDOWS_1252,
    WINDOWS_1254, WINDOWS_1257, WINDOWS_1258,
};

use crate::domain::fault::{Fault, Result};

use super::excerpt::excerpt;

/// A stream of bytes that a reader owns.
pub(in crate::formats) type Source = Box<dyn Read + Send>;

/// The encoding of a file, and the length of its byte-order mark in bytes.
#[derive(Clone, Copy)]
pub(in crate::formats) struct Choice {
    pub(in crate::formats) encoding: &'static Encoding,
    pub(in crate::formats) mark: usize,
}

/// Decides on an encoding: what was asked for, else the byte-order mark, else UTF-16 by its zeros, else
/// UTF-8.
///
/// # Errors
/// A usage fault for a label that names no encoding, for UTF-32, and for a file with zero bytes, which is not text.
pub(in crate::formats) fn choose(head: &[u8], asked: Option<&str>, name: &str) -> Result<Choice> {
    let marked = Encoding::for_bom(head);
    if let Some(label) = asked {
        let encoding = Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(|| {
            Fault::usage(format!("read {name} as '{}'", excerpt(label)), "there is no such encoding")
                .hint("Common ones are utf-8, windows-1252, utf-16le, shift_jis and gb18030")
        })?;
        let mark = marked.filter(|(found, _)| *found == encoding).map_or(0, |(_, length)| length);
        return Ok(Choice { encoding, mark });
    }
    if head.starts_with(b"\xFF\xFE\0\0") || head.starts_with(b"\0\0\xFE\xFF") {
        return Err(Fault::usage(format!("read {name}"), "it is UTF-32").hint("Convert it to UTF-8"));
    }
    if let Some((encoding, mark)) = marked {
        return Ok(Choice { encoding, mark });
    }
    if let Some(at) = head.iter().take(8000).position(|b| *b == 0) {
        if let Some(encoding) = utf16_by_zeros(head) {
            return Ok(Choice { encoding, mark: 0 });
        }
        if is_binary(head) {
            return Err(Fault::usage(
                format!("read {name}"),
                format!("it is binary: byte {} is zero", at + 1),
            ));
        }
    }
    Ok(Choice { encoding: UTF_8, mark: 0 })
}

/// A zero byte here or there is an accident in a text file, and its row is reported. In a binary file they are on most lines, or one byte in ten
/// is a control character.
fn is_binary(head: &[u8]) -> bool {
    let (mut lines, mut with_zero) = (0usize, 0usize);
    for line in head.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        lines += 1;
        with_zero += usize::from(line.contains(&0));
    }
    let controls = head.iter().filter(|b| matches!(**b, 0..=8 | 14..=26 | 28..=31)).count();
    with_zero * 2 > lines || controls * 10 > head.len()
}

/// UTF-16 of a Western script has a zero in nearly every pair of bytes, always on the same side.
fn utf16_by_zeros(head: &[u8]) -> Option<&'static Encoding> {
    let pairs = head.len() / 2;
    let zeros = |side: usize| head.chunks_exact(2).filter(|pair| pair[side] == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    let most = |many: usize, few: usize| pairs >= 2 && many * 10 >= pairs * 7 && few * 50 <= pairs;
    if most(second, first) {
        Some(UTF_16LE)
    } else if most(first, second) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// The stream as UTF-8, with the byte FF in place of each malformed sequence.
pub(in crate::formats) fn to_utf8(source: Source, encoding: &'static Encoding) -> Source {
    if encoding == UTF_8 { source } else { Box::new(Decoding::new(source, encoding)) }
}

struct Decoding {
    source: Source,
    decoder: encoding_rs::Decoder,
    input: Vec<u8>,
    start: usize,
    end: usize,
    source_ended: bool,
    output: Vec<u8>,
    given: usize,
    ready: usize,
    done: bool,
}

impl Decoding {
    const CHUNK: usize = 32 * 1024;

    fn new(source: Source, encoding: &'static Encoding) -> Self {
        Self {
            source,
            decoder: encoding.new_decoder_without_bom_handling(),
            input: vec![0; Self::CHUNK],
            start: 0,
            end: 0,
            source_ended: false,
            output: vec![0; 3 * Self::CHUNK],
            given: 0,
            ready: 0,
            done: false,
        }
    }

    fn decode_more(&mut self) -> io::Result<()> {
        if self.start == self.end && !self.source_ended {
            self.end = self.source.read(&mut self.input)?;
            self.start = 0;
            self.source_ended = self.end == 0;
        }
        let room = self.output.len() - 1;
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.input[self.start..self.end],
            &mut self.output[..room],
            self.source_ended,
        );
        self.start += read;
        self.given = 0;
        self.ready = written;
        match result {
            DecoderResult::InputEmpty => self.done = self.source_ended,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => {
                self.output[self.ready] = 0xFF;
                self.ready += 1;
            }
        }
        Ok(())
    }
}

impl Read for Decoding {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready && !self.done {
            self.decode_more()?;
        }
        let n = buf.len().min(self.ready - self.given);
        buf[..n].copy_from_slice(&self.output[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

/// What can be said about a file's encoding when one of its records is not UTF-8: by the beginning of the file and by all that was read since.
pub(in crate::formats) struct Advice {
    read_as: &'static Encoding,
    sample: Option<&'static str>,
    /// Characters of the beginning, and records since, that are no ASCII and valid UTF-8.
    valid: Cell<u64>,
    /// Malformed sequences of the beginning.
    wrong_at_first: u64,
    /// Records so far that are not UTF-8.
    wrong: Cell<u64>,
}

const SET_ASIDE: &str = "--skip-bad sets such rows aside";

impl Advice {
    /// `sample`: the beginning of the text, as it came out of `to_utf8`.
    pub(in crate::formats) fn new(read_as: &'static Encoding, sample: &[u8]) -> Self {
        let (valid, wrong) = beyond_ascii(sample);
        Self {
            read_as,
            sample: likely(sample),
            valid: Cell::new(valid),
            wrong_at_first: wrong,
            wrong: Cell::new(0),
        }
    }

    /// Takes note of a record that is valid.
    pub(in crate::formats) fn note_valid(&self, record: &[u8]) {
        if !record.is_ascii() {
            self.valid.set(self.valid.get() + 1);
        }
    }

    /// Where in `record` the first wrong byte is, and what to do. `line` is the record's first line.
    ///
    /// Returns (line of the byte, why, hint); none if the record is UTF-8 after all.
    pub(in crate::formats) fn on(&self, record: &[u8], line: u64) -> Option<(u64, String, String)> {
        let at = std::str::from_utf8(record).err()?.valid_up_to();
        let before = String::from_utf8_lossy(&record[..at]);
        let line = line + before.matches('\n').count() as u64;
        let place = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        if self.read_as != UTF_8 {
            let why = format!("character {place} is not valid {}", self.read_as.name());
            return Some((line, why, format!("Try another --encoding; {SET_ASIDE}")));
        }
        let why = format!("character {place} is not UTF-8 (byte {:02X})", record[at]);
        self.wrong.set(self.wrong.get() + 1);
        let guess = || self.sample.or_else(|| likely(record));
        let is_utf8 = self.valid.get() > self.wrong.get().max(self.wrong_at_first);
        let hint = match if is_utf8 { None } else { guess() } {
            Some(label) => format!("The file is probably {label}: add --encoding {label}"),
            None => format!("The rest of the file reads as UTF-8; {SET_ASIDE}"),
        };
        Some((line, why, hint))
    }
}

/// The probable encoding of bytes that are not UTF-8; none if they are UTF-8 with a few wrong bytes.
fn likely(bytes: &[u8]) -> Option<&'static str> {
    let (multibyte, wrong) = beyond_ascii(bytes);
    if wrong == 0 || multibyte > wrong {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    // One or two bytes are not enough to tell the Latin code pages apart: assume the most common one.
    let from_little = wrong < 3 && OTHER_LATIN.contains(&guess);
    Some(if from_little { WINDOWS_1252 } else { guess }.name())
}

/// The characters that are no ASCII, and the malformed sequences.
fn beyond_ascii(bytes: &[u8]) -> (u64, u64) {
    let (mut multibyte, mut wrong) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        multibyte += chunk.valid().chars().filter(|c| !c.is_ascii()).count() as u64;
        wrong += u64::from(!chunk.invalid().is_empty());
    }
    (multibyte, wrong)
}

/// Single-byte encodings of Latin scripts other than windows-1252.
const OTHER_LATIN: [&Encoding; 6] =
    [WINDOWS_1250, WINDOWS_1254, WINDOWS_1257, WINDOWS_1258, ISO_8859_2, ISO_8859_4];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(bytes: &[u8], encoding: &'static Encoding) -> Vec<u8> {
        let mut out = Vec::new();
        to_utf8(Box::new(io::Cursor::new(bytes.to_vec())), encoding).read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn a_byte_order_mark_decides_and_is_passed_over() {
        let choice = choose(b"\xEF\xBB\xBFid", None, "x").unwrap();
        assert_eq!((choice.encoding, choice.mark), (UTF_8, 3));
        let choice = choose(b"\xFE\xFF\0i", None, "x").unwrap();
        assert_eq!((choice.encoding, choice.mark), (UTF_16BE, 2));
    }

    #[test]
    fn utf_16_without_a_mark_is_told_from_binary() {
        let le: Vec<u8> = "id\ttext\nham\tIch wäre".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(choose(&le, None, "x").unwrap().encoding, UTF_16LE);
        let why = choose(b"\x01\0\0\0\xC0\x07\0\0hello", None, "x.csv").err().unwrap().to_string();
        assert!(why.starts_with("cannot read x.csv: it is binary: byte 2 is zero"), "{why}");
    }

    #[test]
    fn an_unknown_encoding_is_a_wrong_use() {
        let fault = choose(b"", Some("klingon"), "x").err().unwrap();
        assert_eq!(fault.exit_code(), 2);
        assert!(fault.to_string().contains("windows-1252"), "{fault}");
    }

    #[test]
    fn a_malformed_sequence_is_marked_and_never_replaced() {
        let lone_surrogate = [b'a', 0, 0x00, 0xD8, b'b', 0];
        assert_eq!(decoded(&lone_surrogate, UTF_16LE), b"a\xFFb");
        let advice = Advice::new(UTF_16LE, b"");
        let (line, why, _) = advice.on(b"x\na\xFFb", 7).unwrap();
        assert_eq!((line, why.as_str()), (8, "character 2 is not valid UTF-16LE"));
    }

    #[test]
    fn a_western_file_is_told_from_utf_8_with_a_broken_row() {
        let western = b"caf\xE9 cr\xE8me, d\xE9j\xE0 vu\n";
        let (line, why, hint) = Advice::new(UTF_8, western).on(b"ok\ncaf\xE9", 3).unwrap();
        assert_eq!((line, why.as_str()), (4, "character 4 is not UTF-8 (byte E9)"));
        assert!(hint.contains("--encoding windows-1252"), "{hint}");
        let broken = "déjà vu, crème, straße \u{1F600}".as_bytes();
        let (.., hint) =
            Advice::new(UTF_8, &[broken, b"\xFF"].concat()).on(&[broken, b"\xE9"].concat(), 1).unwrap();
        assert!(hint.contains("reads as UTF-8"), "{hint}");
    }

    #[test]
    fn one_odd_byte_among_accents_does_not_make_the_file_another() {
        let file = "id,text\n1,déjà vu again\n2,one byte ".as_bytes();
        let advice = Advice::new(UTF_8, &[file, b"\xFF is wrong\n3,cr"].concat());
        let (.., hint) = advice.on(b"2,one byte \xFF is wrong", 3).unwrap();
        assert!(hint.contains("reads as UTF-8"), "{hint}");
        // Nor does one after a beginning in plain ASCII.
        let advice = Advice::new(UTF_8, b"plain\n");
        ["é", "ü"].iter().for_each(|record| advice.note_valid(record.as_bytes()));
        let (.., hint) = advice.on(b"caf\xE9", 9).unwrap();
        assert!(hint.contains("reads as UTF-8"), "{hint}");
    }

    #[test]
    fn one_odd_byte_is_taken_for_the_most_common_encoding_and_many_are_judged() {
        assert_eq!(likely(b"the oldest sister\xF0city there is"), Some("windows-1252"));
        let (polish, ..) = WINDOWS_1250.encode("Zażółć gęślą jaźń, źdźbło trawy i żółty ślimak pod dębem");
        assert_eq!(likely(&polish), Some("windows-1250"));
        let (japanese, ..) = encoding_rs::SHIFT_JIS.encode("これは日本語の文章です。読めますか。");
        assert_eq!(likely(&japanese), Some("Shift_JIS"));
    }

    proptest! {
        #[test]
        fn utf_16_of_any_text_reads_back(text in any::<String>()) {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            prop_assert_eq!(decoded(&bytes, UTF_16LE), text.as_bytes());
        }
    }
}
