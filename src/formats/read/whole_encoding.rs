//! What encoding a file has, by all of it: the first letter that is not ASCII may be in its last row.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{DecoderResult, Encoding, UTF_8, WINDOWS_1250, WINDOWS_1252, WINDOWS_1254};

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// From here on bytes stand for letters that are rare in texts of Latin script: where these are most of those that are not UTF-8, the bytes are damaged.
const RARE: u8 = 0xFE;
const LATIN: [&Encoding; 3] = [WINDOWS_1250, WINDOWS_1252, WINDOWS_1254];

/// What a look at a whole file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WholeEncoding {
    /// UTF-8 with at most a few wrong bytes, or UTF-16, which the reader tells apart.
    Unicode,
    /// Another, by its name.
    Other(&'static str),
}

/// Reads all of a file. `go_on` is told the bytes read so far, and ends the look by false: then none is returned.
///
/// # Errors
/// The file cannot be read.
pub fn whole_encoding(
    source: &mut impl Read,
    mut go_on: impl FnMut(u64) -> bool,
) -> io::Result<Option<WholeEncoding>> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut decoder = UTF_8.new_decoder_with_bom_removal();
    let (mut letters, mut wrong, mut rare, mut read) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut bytes = vec![0; CHUNK];
    let mut text = vec![0; 3 * CHUNK + 16];
    let mut ends_in_letter = false;
    loop {
        let n = source.read(&mut bytes)?;
        if read == 0 && is_marked(&bytes[..n]) {
            return Ok(Some(WholeEncoding::Unicode));
        }
        read += n as u64;
        // What is ASCII tells nothing, and is most of most files.
        if n > 0 && bytes[..n].is_ascii() && !ends_in_letter {
            if go_on(read) {
                continue;
            }
            return Ok(None);
        }
        ends_in_letter = bytes[..n].last().is_some_and(|byte| !byte.is_ascii());
        rare += bytes[..n].iter().filter(|byte| **byte >= RARE).count() as u64;
        detector.feed(&bytes[..n], n == 0);
        let mut rest = &bytes[..n];
        loop {
            let (result, used, written) = decoder.decode_to_utf8_without_replacement(rest, &mut text, n == 0);
            letters += text[..written].iter().filter(|b| **b >= 0xC0).count() as u64;
            rest = &rest[used..];
            match result {
                DecoderResult::Malformed(..) => wrong += 1,
                DecoderResult::OutputFull => {}
                DecoderResult::InputEmpty => break,
            }
        }
        if n == 0 {
            break;
        }
        if !go_on(read) {
            return Ok(None);
        }
    }
    if wrong == 0 || letters > wrong {
        return Ok(Some(WholeEncoding::Unicode));
    }
    let guess = detector.guess(None, Utf8Detection::Deny);
    // One or two bytes are not enough to tell the Latin code pages apart: the most common one is assumed.
    let guess = if wrong < 3 && guess.is_single_byte() { WINDOWS_1252 } else { guess };
    if LATIN.contains(&guess) && 2 * rare >= wrong {
        return Ok(Some(WholeEncoding::Unicode));
    }
    Ok(Some(WholeEncoding::Other(guess.name())))
}

/// Whether a file says itself that it is Unicode, or holds zero bytes at its beginning, as only UTF-16 does.
fn is_marked(beginning: &[u8]) -> bool {
    let marks: [&[u8]; 3] = [b"\xFF\xFE", b"\xFE\xFF", b"\xEF\xBB\xBF"];
    marks.iter().any(|mark| beginning.starts_with(mark)) || beginning.contains(&0)
}

/// The same of an open file, which is left at the place where it is. None where it is Unicode, or cannot be read so.
pub(in crate::formats) fn other_encoding(file: &mut File) -> Option<&'static str> {
    let at = file.stream_position().ok()?;
    file.seek(SeekFrom::Start(0)).ok()?;
    let found = whole_encoding(file, |_| true);
    file.seek(SeekFrom::Start(at)).ok()?;
    match found {
        Ok(Some(WholeEncoding::Other(name))) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> WholeEncoding {
        whole_encoding(&mut &*bytes, |_| true).unwrap().unwrap()
    }

    #[test]
    fn the_only_letter_that_tells_may_be_at_the_end_or_between_two_pieces() {
        let ascii = "plain text, line after line\n".repeat(10_000).into_bytes();
        let with = |end: &[u8]| [&ascii[..], end].concat();
        assert_eq!(told(&ascii), WholeEncoding::Unicode);
        assert_eq!(told(&with("Grüße".as_bytes())), WholeEncoding::Unicode);
        assert_eq!(told(&with(b"Gr\xFC\xDFe aus K\xF6ln")), WholeEncoding::Other("windows-1252"));
        // A letter of two bytes on both sides of the place where a piece ends.
        let split = [&b"x".repeat(CHUNK - 1)[..], "ü und mehr".as_bytes()].concat();
        assert_eq!(told(&split), WholeEncoding::Unicode);
        assert_eq!(told(&with(b"damaged \xFF here")), WholeEncoding::Unicode);
        assert_eq!(told(b"\xFF\xFEa\0"), WholeEncoding::Unicode);
        assert_eq!(whole_encoding(&mut &ascii[..], |_| false).unwrap(), None);
    }
}
