//! Files that are not text, recognised by their first bytes, each with a sentence and a way out.

use crate::domain::fault::{Fault, Result};

/// Refuses a file that is not text. `head` is its beginning, `name` its name for the message.
///
/// # Errors
/// A usage fault that says what the file is.
pub(in crate::formats) fn refuse_foreign(head: &[u8], name: &str) -> Result<()> {
    match recognise(head) {
        Some((what, hint)) => Err(Fault::usage(format!("read {name}"), what).hint(hint)),
        None => Ok(()),
    }
}

const EXTRACT: &str = "Extract its text to a file of one text per line first";
const TWICE: &str = "Unpack it first";
const SAVE_AS_CSV: &str = "Open it there and save the sheet as CSV (UTF-8)";
const MODEL: &str = "Pass a model with --model instead";

/// What the file is, and what to do; none if it may be text.
fn recognise(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let is = |magic: &[u8]| head.starts_with(magic);
    Some(match () {
        () if is(b"%PDF-") => ("it is a PDF, not text", EXTRACT),
        () if is(b"PK\x03\x04") => zipped(head),
        () if is(b"PK\x05\x06") => ("it is a zip archive with nothing in it", TWICE),
        () if is(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") => ("it is a compressed Office file", TWICE),
        () if is(b"{\\rtf") => ("it is a rich text document", EXTRACT),
        () if is(b"\x1F\x8B") => ("it is compressed with gzip more than once", TWICE),
        () if is(b"\x28\xB5\x2F\xFD") => ("it is compressed with zstd more than once", TWICE),
        () if is(b"\xFD7zXZ\0") => {
            ("it is compressed with xz", "Pipe it: xz -dc FILE | hardcase import PROJECT -")
        }
        () if is(b"BZh") && head.get(4..10) == Some(b"1AY&SY") => {
            ("it is compressed with bzip2", "Pipe it: bzip2 -dc FILE | hardcase import PROJECT -")
        }
        () if is(b"PAR1") => ("it is a compressed Parquet file", TWICE),
        () if is(b"FEA1") => {
            ("it is a Feather file of version 1", "Write it as Parquet or as Feather of version 2 first")
        }
        () if is(b"SQLite format 3\0") => database(head),
        () if is(b"GGUF") && head.get(4..8).is_some_and(|v| v.contains(&0)) => {
            ("it is a model in GGUF format, not text", MODEL)
        }
        () if is(b"\x89PNG\r\n\x1A\n") => ("it is a PNG picture, not text", EXTRACT),
        () if is(b"\xFF\xD8\xFF") => ("it is a JPEG picture, not text", EXTRACT),
        () if is(b"\x7FELF") || is(b"MZ\x90\0") => ("it is a program, not text", EXTRACT),
        () => return None,
    })
}

/// Whether a zip archive is a document, by its beginning.
pub(in crate::formats) fn is_document(head: &[u8]) -> bool {
    zipped(head).0 != ARCHIVE
}

const ARCHIVE: &str = "it is a zip archive";

fn zipped(head: &[u8]) -> (&'static str, &'static str) {
    let holds = |name: &[u8]| head.windows(name.len()).any(|part| part == name);
    if holds(b"xl/") {
        ("it is a compressed Excel workbook (.xlsx)", TWICE)
    } else if holds(b"opendocument.spreadsheet") {
        ("it is a compressed OpenDocument sheet (.ods)", TWICE)
    } else if holds(b"word/") || holds(b"opendocument.text") {
        ("it is a text document (.docx or .odt)", EXTRACT)
    } else if holds(b"[Content_Types].xml") {
        ("it is an Office file (.xlsx, .docx or .pptx)", SAVE_AS_CSV)
    } else {
        (ARCHIVE, "Unpack it first")
    }
}

/// `application_id` lies at byte 68 of the header: <https://www.sqlite.org/fileformat.html#application_id>.
fn database(head: &[u8]) -> (&'static str, &'static str) {
    if head.get(68..72) == Some(b"HCAS") {
        ("it is a hardcase project, not data", "To join two projects, use hardcase merge")
    } else {
        ("it is an SQLite database", "Name it as a file; --table NAME takes one of its tables")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(head: &[u8]) -> String {
        refuse_foreign(head, "data.csv").err().map(|f| f.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_foreign_file_is_named_and_has_a_way_out() {
        assert_eq!(
            refusal(b"%PDF-1.7\n"),
            "cannot read data.csv: it is a PDF, not text. Extract its text to a file of one text per line first"
        );
        assert!(refusal(b"PK\x03\x04....[Content_Types].xml....xl/workbook.xml").contains("Excel workbook"));
        assert!(refusal(b"PK\x03\x04....a.txt").contains("zip archive"));
        assert!(refusal(b"BZh91AY&SY").contains("bzip2 -dc FILE |"));
        assert!(refusal(b"\xFD7zXZ\0").contains("xz -dc FILE |"));
        let mut project = b"SQLite format 3\0".to_vec();
        project.resize(68, 0);
        project.extend_from_slice(&0x4843_4153u32.to_be_bytes());
        assert!(refusal(&project).contains("hardcase merge"));
    }

    #[test]
    fn text_that_resembles_a_magic_number_is_text() {
        for text in ["", "BZh is a code", "GGUF is a format\n", "PK,text\n", "MZ,text", "id,text\n1,hi\n"] {
            assert_eq!(refusal(text.as_bytes()), "", "{text}");
        }
    }
}
