//! What a workbook may unpack to. It is an archive of XML, or of binary parts, of which a few kilobytes can stand for gigabytes: before anything of it is kept, all of it is
//! unpacked once into nothing and measured.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use crate::domain::fault::Result;
use crate::domain::row_stream::Rows;

/// Bytes of a part that is read row by row. A sheet of a million rows of twenty cells has about as many.
const MOST_READ: u64 = 2 << 30;
/// Bytes of a part that is held in memory: the texts of all sheets of one workbook.
const MOST_HELD: u64 = 512 << 20;
/// Bytes of a text or of a tag. A cell holds at most 32,767 characters.
const LONGEST: u64 = 4 << 20;
/// Parts of a workbook.
const MOST_PARTS: usize = 10_000;

const TOO_LARGE: &str = "Save the sheet as CSV (UTF-8) in Excel or LibreOffice";

/// Refuses a workbook that unpacks to more than memory should hold. Leaves the file at its start.
pub(super) fn check(file: &mut File, rows: &Rows) -> Result<()> {
    let damaged =
        |why: String| rows.fault(format!("it is a damaged workbook: {why}")).hint("Get the file again");
    let mut archive = zip::ZipArchive::new(BufReader::new(&mut *file)).map_err(|e| damaged(e.to_string()))?;
    if archive.len() > MOST_PARTS {
        return Err(rows.fault("it has too many parts for a workbook").hint(TOO_LARGE));
    }
    for i in 0..archive.len() {
        let mut part = match archive.by_index(i) {
            Ok(part) => part,
            // Pictures may be packed as they like; what is read is refused when it is read.
            Err(_) => continue,
        };
        let name = part.name().map(|name| name.to_lowercase()).unwrap_or_default();
        let is_binary = name.ends_with(".bin");
        if !name.ends_with(".xml") && !name.ends_with(".rels") && !is_binary {
            continue;
        }
        let is_streamed = name.starts_with("xl/worksheets/");
        let most = if is_streamed { MOST_READ } else { MOST_HELD };
        let measured = if is_binary { sized(&mut part, most) } else { measure(&mut part, most) };
        let measured = measured.map_err(|e| damaged(e.to_string()))?;
        if measured == Measured::TooLarge {
            return Err(rows.fault("it unpacks to more than a workbook may").hint(TOO_LARGE));
        }
    }
    drop(archive);
    file.rewind().map_err(|e| damaged(e.to_string()))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measured {
    Fits,
    TooLarge,
}

/// Reads all of a part: its size.
fn sized(part: &mut impl Read, most: u64) -> io::Result<Measured> {
    let size = io::copy(&mut part.take(most + 1), &mut io::sink())?;
    Ok(if size > most { Measured::TooLarge } else { Measured::Fits })
}

/// Reads all of a part: its size, and its longest piece between the signs that begin and end tags.
fn measure(part: &mut impl Read, most: u64) -> io::Result<Measured> {
    let mut bytes = [0; 64 << 10];
    let (mut size, mut run) = (0, 0);
    loop {
        let n = part.read(&mut bytes)?;
        if n == 0 {
            return Ok(Measured::Fits);
        }
        size += n as u64;
        let piece = &bytes[..n];
        let is_sign = |b: &u8| matches!(b, b'<' | b'>');
        match (piece.iter().position(is_sign), piece.iter().rposition(is_sign)) {
            (Some(first), Some(last)) => {
                // Within one piece no run is too long.
                let before = run + first as u64;
                run = (n - 1 - last) as u64;
                if before > LONGEST {
                    return Ok(Measured::TooLarge);
                }
            }
            _ => run += n as u64,
        }
        if size > most || run > LONGEST {
            return Ok(Measured::TooLarge);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_part_is_measured_by_its_size_alone() {
        let long = vec![0; LONGEST as usize + 1];
        assert_eq!(sized(&mut &long[..], long.len() as u64).unwrap(), Measured::Fits);
        assert_eq!(sized(&mut &long[..], long.len() as u64 - 1).unwrap(), Measured::TooLarge);
    }

    #[test]
    fn a_part_is_measured_by_its_size_and_its_longest_text() {
        let tags = "<a>text</a>".repeat(10_000);
        assert_eq!(measure(&mut tags.as_bytes(), 200_000).unwrap(), Measured::Fits);
        assert_eq!(measure(&mut tags.as_bytes(), 100_000).unwrap(), Measured::TooLarge);
        let long = io::repeat(b'x').take(LONGEST + 1);
        assert_eq!(measure(&mut b"<a>".chain(long), u64::MAX).unwrap(), Measured::TooLarge);
    }
}
