//! Fuzzed bytes through every reader of this room: rows exactly as the file has them or one clear sentence, and never a panic.

use std::io::Cursor;

use serde_json::Value;

#[cfg(test)]
use super::event_log::tests::{sealed, specimen};
use super::event_log::{read_log, write_log};
use super::read::detected::{Detected, Layout};
use super::read::reader::{Entry, Reader};
use super::read::row::{Row, TextCell, fill_text, unpack};
use super::write::OUTPUT_FORMATS;
use super::write::cell::Cell;
use super::write::sink::{ColumnType, RowWriter, columns};
#[cfg(test)]
use crate::domain::fuzzing::Fuzzer;
use crate::domain::fuzzing::{beginning, is_one_sentence, text_of};
use crate::domain::log::*;
use crate::domain::read_options::ReadOptions;

type Verdict = Result<(), String>;

/// A small file of each format, and of each kind of trouble that a real one has been in.
#[cfg(test)]
fn files() -> Vec<Vec<u8>> {
    let utf16 = |text: &str| -> Vec<u8> {
        [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let mut files: Vec<Vec<u8>> = [
        "id,text,label\n1,a word or two,ham\n2,\"two\nlines, and a \"\"quote\"\"\",spam\n",
        "text\nHello there\nHi you, too\n",
        "id;text\n1;\"Well, a; b\"\n2;no, not, at, all\n",
        "ham\tOk, you\nspam\tWin \"now\", and here\n",
        "id\ttext\n1\t\"a\tb\"\n2\t\"two\nlines\"\n",
        "1,\"Hi you\n2,b\n3,the said \"no\"\n",
        "{\"id\":1,\"text\":\"a b\",\"n\":1.50}\n{\"text\":\"c \\\"d\\\"\\n\",\"o\":{\"p\":[1]}}\n{\"id\":2}\n",
        "{\"text\":\"a\",\"text\":\"b\"}\n\n{\"text\":null}\n{\"text\":[1]}\n",
        "one line of text\nand another one\r\n\nthe last",
        "[1,2]\n[3]\n",
        "[{\"id\":1,\"text\":\"a b\"},\n {\"text\":\"c\",\"n\":{\"m\":[1]}}]",
        "{\"rows\": [{\"text\": \"a b\"}, {\"text\": \"c\"}], \"n\": 2}",
        "{\n \"text\": \"a b\"\n}\n{\n \"text\": \"c\"\n}\n",
        "[\"a b\", \"c\"]",
        "{\"data\":{\"text\":\"a b\"},\"annotations\":[{\"result\":[{\"type\":\"choices\",\"value\":{\"choices\":[\"x\"]}}]}]}\n",
        "__label__x a b\n__label__y __label__z c\n",
        "sep=;\nid;text\n1;\"Scooped\" prices\nid;text\n2;c d\n",
        "id,text\r1,a b\r2,c d\r",
        "\u{feff}id,text\n1,Grüße aus Köln\n",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    files.push(utf16("id\ttext\n1\tGrüße\n2\tδοκιμή\n"));
    files.push(b"id,text\n1,caf\xe9 cr\xe8me\n2,plain\n3,a \0 b\n".to_vec());
    files.push(packed(b"id,text\n1,a b\n2,c d\n"));
    files
}

/// In a stored block of gzip.
#[cfg(test)]
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    // Into memory: it cannot fail.
    let _ = std::io::Write::write_all(&mut out, bytes);
    out.finish().unwrap_or_default()
}

/// The last byte of an input chooses under which name and with which options it is read.
fn reading(choice: u8) -> (&'static str, ReadOptions) {
    let names = ["a.csv", "a.tsv", "a.jsonl", "a.txt", "-"];
    let mut options = ReadOptions::default();
    match choice / 5 % 8 {
        0 => options.text = vec!["text".into()],
        1 => options.text = vec!["1".into(), "2".into()],
        2 => options.encoding = Some("windows-1252".into()),
        3 => options.encoding = Some("utf-16le".into()),
        4 => (options.gold, options.meta) = (Some("1".into()), vec!["2".into()]),
        _ => {}
    }
    (names[usize::from(choice) % names.len()], options)
}

/// Any bytes are rows exactly as they stand, or one clear sentence. The last byte chooses how they are read.
///
/// # Errors
/// What happens instead.
pub fn file_of_rows(bytes: &[u8]) -> Verdict {
    let choice = bytes.last().copied().unwrap_or_default();
    let (name, options) = reading(choice);
    let open = Reader::open(Box::new(Cursor::new(bytes.to_vec())), name, &options);
    let mut reader = match open {
        Ok(reader) => reader,
        Err(fault) => return is_one_sentence(&fault.to_string()),
    };
    let detected = reader.detected().clone();
    let line = detected.to_string();
    if line.contains(['\n', '\u{1b}']) || line.len() > 10_000 {
        return Err(format!("what was detected reads as {line:?}"));
    }
    let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
    let (mut entries, mut last) = (0, 0);
    let is_packed = [" in gzip", " in zstd", " in zip"].iter().any(|with| detected.format.contains(with));
    let by_lines = detected.format.starts_with("JSONL") || detected.layout != Layout::Keys;
    let verbatim = !is_packed && !detected.format.ends_with("old Mac line ends");
    while let Some(entry) = reader.next_entry().map_err(|f| f.to_string())? {
        entries += 1;
        // Packed, a byte may be a thousand.
        if entries > bytes.len() && !is_packed {
            return Err("it yields more rows than bytes".into());
        }
        match entry {
            Entry::Row(row) => {
                if row.line < last {
                    return Err(format!("line {} comes after line {last}", row.line));
                }
                last = row.line;
                if verbatim && by_lines && detected.paths.is_empty() {
                    is_in_the_file(&row, &detected, (bytes, &lines))?;
                }
                comes_back(&row, &detected)?;
            }
            Entry::Bad(bad) => {
                is_one_sentence(&bad.fault(name).to_string())?;
                if bad.raw.len() > 3 * 1024 || bad.line == 0 {
                    return Err(format!("a bad row keeps {} bytes of line {}", bad.raw.len(), bad.line));
                }
            }
        }
    }
    Ok(())
}

#[test]
fn any_bytes_are_rows_as_the_file_has_them_or_one_clear_sentence() {
    Fuzzer::new("files", 50).over(&files(), file_of_rows);
}

/// A text is in the file exactly as it was read, to the byte.
fn is_in_the_file(row: &Row, detected: &Detected, (bytes, lines): (&[u8], &[&[u8]])) -> Verdict {
    let text = &row.text;
    if text.trim().is_empty() || text.len() > 1_000_000 || text.contains('\0') {
        return Err(format!("a text that is none, of {} bytes", text.len()));
    }
    if detected.encoding != "UTF-8" || detected.text.len() != 1 {
        return Ok(());
    }
    let line = lines.get(row.line as usize - 1).copied().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = if row.line == 1 { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) } else { line };
    let ok = match detected.layout {
        Layout::Text => line == text.as_bytes(),
        Layout::Keys => match serde_json::from_slice::<Value>(line) {
            Ok(object) => match &object[&detected.columns[detected.text[0]]] {
                Value::String(string) => string == text,
                // Kept as it was written, which the parsed number does not show.
                Value::Null => false,
                // Its turns, each after who speaks.
                Value::Array(_) => true,
                _ => find(line, text.as_bytes()),
            },
            // Another column has a value that the parser does not take.
            Err(_) => find(line, text.as_bytes()) || line.contains(&b'\\'),
        },
        // Whatever follows a closing quote belongs to the cell, so the file has its text in pieces.
        Layout::Cells => {
            let quotes = detected.format != "TSV";
            find(bytes, text.as_bytes())
                || quotes
                    && (find(bytes, text.replace('"', "\"\"").as_bytes())
                        || bytes.iter().filter(|b| **b == b'"').count() > 1)
        }
    };
    if ok { Ok(()) } else { Err(format!("the text {text:?} is not on line {}", row.line)) }
}

fn find(bytes: &[u8], piece: &[u8]) -> bool {
    // Of texts of a megabyte only the two ends are searched for: more would take longer than the reader does.
    if piece.len() > 10_000 {
        return find(bytes, &piece[..5_000]) && find(bytes, &piece[piece.len() - 5_000..]);
    }
    let Some(first) = piece.first() else { return true };
    bytes.iter().enumerate().any(|(at, b)| b == first && bytes[at..].starts_with(piece))
}

/// A row has the same columns, whether it was packed with its text or without.
fn comes_back(row: &Row, detected: &Detected) -> Verdict {
    let cells = |packed: &str, text: &str| unpack(packed, detected, text).map_err(|f| f.to_string());
    let (packed, kept) = (row.pack(detected, TextCell::Elided), row.pack(detected, TextCell::Kept));
    if cells(&packed, &row.text)? != cells(&kept, "")? {
        return Err(format!("kept without its text a row is another: {packed}"));
    }
    let filled = fill_text(&packed, detected, &row.text).map_err(|f| f.to_string())?;
    if cells(&filled, "")? != cells(&kept, "")? {
        return Err(format!("filled again a row is another: {filled}"));
    }
    match row.meta(detected).map(|meta| serde_json::from_str::<Value>(&meta)) {
        Some(Err(e)) => Err(format!("the columns next to a text are not JSON: {e}")),
        _ => Ok(()),
    }
}

/// Any text that is written in a row is read back to the byte.
///
/// # Errors
/// What happens instead.
pub fn row_out_and_in(bytes: &[u8]) -> Verdict {
    let text = text_of(bytes);
    if text.trim().is_empty() || text.len() > 1_000_000 {
        return Ok(());
    }
    let (a, b) = text.split_at(beginning(&text, text.len() / 3).len());
    let columns = columns(&["a", "b", "text"].map(|name| (name, ColumnType::Text)));
    for format in OUTPUT_FORMATS {
        let Some(extension) = format.extensions.first() else { continue };
        if format.binary && cfg!(not(feature = "columnar")) {
            continue;
        }
        let name = format!("a.{extension}");
        // A file with one column of commas is read as it was written only if the delimiter is given.
        let delimiter = (format.name == "csv").then(|| ",".to_owned());
        let mut written = Vec::new();
        let mut writer = RowWriter::new(&mut written, format, columns.clone()).map_err(|e| e.to_string())?;
        let cells = [Cell::from(a), Cell::from(b), Cell::from(text.as_ref())];
        writer.write_row(&cells).map_err(|e| e.to_string())?;
        writer.finish().map_err(|e| e.to_string())?;
        let options = ReadOptions {
            text: vec!["text".into()],
            header: Some(true),
            delimiter,
            encoding: Some("utf-8".into()),
            ..ReadOptions::default()
        };
        let mut reader =
            Reader::open(Box::new(Cursor::new(written)), &name, &options).map_err(|f| f.to_string())?;
        let detected = reader.detected().clone();
        match reader.next_entry().map_err(|f| f.to_string())? {
            Some(Entry::Row(row)) if row.text == text => {
                let back = unpack(&row.pack(&detected, TextCell::Elided), &detected, &row.text)
                    .map_err(|f| f.to_string())?;
                if back.into_iter().map(|(_, cell)| cell).ne(cells) {
                    return Err(format!("{name}: the columns come back as others"));
                }
            }
            other => return Err(format!("{name}: it comes back as {other:?}")),
        }
    }
    Ok(())
}

#[test]
fn any_text_that_is_written_is_read_back_to_the_byte() {
    let seeds: Vec<Vec<u8>> = crate::domain::fuzzing::tokens().iter().map(|t| t.to_vec()).collect();
    Fuzzer::new("rows out and in", 10).over(&seeds, row_out_and_in);
}

/// A log of labels is taken whole, and written as it was taken, or refused in one clear sentence.
///
/// # Errors
/// What happens instead.
pub fn log_of_labels(bytes: &[u8]) -> Verdict {
    let log = match read_log(bytes, "x.jsonl") {
        Ok(log) => log,
        Err(fault) => return is_one_sentence(&fault.to_string()),
    };
    let mut written = Vec::new();
    write_log(&mut written, &log, None).map_err(|f| f.to_string())?;
    // The text of a case is there for people and never read back.
    let bare = |mut log: Log| {
        log.cases.iter_mut().for_each(|c| c.text = None);
        log
    };
    match read_log(&written[..], "x.jsonl") {
        Ok(back) if bare(back.clone()) == bare(log) => Ok(()),
        Ok(_) => Err("what was taken is written as another log".into()),
        Err(fault) => Err(format!("what was taken is refused when it is written: {fault}")),
    }
}

#[test]
fn any_log_is_taken_whole_or_refused_in_one_clear_sentence() {
    let seeds = vec![specimen(), b"id,text\n1,a\n".to_vec()];
    Fuzzer::new("logs of labels", 10).over(&seeds, |bytes| {
        // As it is, and with an end that fits, so that the hash does not keep a change from the code that reads it.
        log_of_labels(bytes)?;
        log_of_labels(&sealed(bytes))
    });
}
