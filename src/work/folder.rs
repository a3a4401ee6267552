//! A folder of text files as one stream of JSONL: an object for each file, with its name as the id and what is in it as the text. A folder with the parts of a
//! data set, in Parquet or Arrow, is its parts, one after the other.
//!
//! Only the files of the folder itself, in the order of their names: no folders in it, no links, nothing hidden.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::domain::fault::{Fault, Result, io_reason};

/// Extensions of text files. A file without one is a text, too.
const TEXTS: [&str; 5] = ["txt", "text", "md", "rst", "log"];
/// The most bytes that are read of a file: more than any text may have, so that one that is too long is reported as such.
const MOST: u64 = 2_000_000;

/// Extensions of the parts of a data set.
const TABLES: [&str; 3] = ["parquet", "arrow", "feather"];

/// The parts of a data set in a folder, in their order; none if it has none. Hugging Face says their order in `state.json`.
///
/// # Errors
/// A usage fault for a folder of several data sets.
pub(super) fn parts(folder: &Path, attempted: &str) -> Result<Vec<PathBuf>> {
    let failed = |e: io::Error| Fault::new(attempted, io_reason(&e)).because(e);
    let json = |name: &str| -> Option<serde_json::Value> {
        let mut text = Vec::new();
        File::open(folder.join(name)).ok()?.take(MOST).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    };
    if let Some(splits) = json("dataset_dict.json") {
        let names: Vec<&str> =
            splits["splits"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
        let inside = |name: &str| folder.join(name).display().to_string();
        return Err(Fault::usage(
            attempted,
            format!("it holds {} data sets: {}", names.len(), names.join(", ")),
        )
        .hint(format!("Name one: {}", inside(names.first().copied().unwrap_or("train")))));
    }
    let said: Vec<String> = json("state.json")
        .and_then(|state| serde_json::from_value(state["_data_files"].clone()).ok())
        .map(|files: Vec<std::collections::HashMap<String, String>>| {
            files.into_iter().filter_map(|mut file| file.remove("filename")).collect()
        })
        .unwrap_or_default();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let known =
            path.extension().is_some_and(|e| TABLES.contains(&e.to_string_lossy().to_lowercase().as_str()));
        // What `datasets` keeps of its own computations is none of the data.
        if entry.file_type().map_err(failed)?.is_file()
            && known
            && !name.starts_with(['.'])
            && !name.starts_with("cache-")
        {
            let at = said.iter().position(|said| *said == name);
            found.push((at.unwrap_or(usize::MAX), path));
        }
    }
    if !said.is_empty() {
        found.retain(|(at, _)| *at != usize::MAX);
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// The text files of a folder.
pub(super) struct Folder {
    /// In reverse.
    files: Vec<PathBuf>,
    line: io::Cursor<Vec<u8>>,
}

impl Folder {
    /// # Errors
    /// A usage fault for a folder that cannot be read, or has no text file.
    pub fn open(folder: &Path, attempted: &str) -> Result<Self> {
        let failed = |e: io::Error| Fault::new(attempted, io_reason(&e)).because(e);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_file() && is_text(&entry.path()) {
                files.push(entry.path());
            }
        }
        if files.is_empty() {
            return Err(Fault::usage(attempted, "it is a directory without text files").hint(format!(
                "Name the file with the texts inside it; text files end in {}, and parts of a data set in {}",
                TEXTS.join(", "),
                TABLES.join(", ")
            )));
        }
        files.sort_unstable_by(|a, b| b.cmp(a));
        Ok(Self { files, line: io::Cursor::default() })
    }
}

fn is_text(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let known = path.extension().is_none_or(|e| TEXTS.contains(&e.to_string_lossy().to_lowercase().as_str()));
    !hidden && known
}

impl Read for Folder {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.line.read(buf)?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            let Some(path) = self.files.pop() else { return Ok(0) };
            let mut text = Vec::new();
            File::open(&path)?.take(MOST).read_to_end(&mut text)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            self.line = io::Cursor::new(line_of(&name, &text));
        }
    }
}

/// Bytes that are not UTF-8 stay as they are: the reader of the lines says which.
fn line_of(name: &str, text: &[u8]) -> Vec<u8> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut line = format!("{{\"id\":{},\"text\":\"", serde_json::Value::from(name)).into_bytes();
    for &b in text {
        match b {
            b'"' | b'\\' => line.extend([b'\\', b]),
            0..=0x1F => line.extend(format!("\\u{b:04x}").into_bytes()),
            _ => line.push(b),
        }
    }
    line.extend(b"\"}\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_data_set_come_in_the_order_that_it_says() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        for name in ["b.arrow", "a.arrow", "c.arrow", "cache-1.arrow", "README.md"] {
            write(name, "x");
        }
        let names = || -> Vec<String> {
            let all = parts(dir.path(), "read it").unwrap();
            all.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(), ["a.arrow", "b.arrow", "c.arrow"]);
        write(
            "state.json",
            r#"{"_data_files":[{"filename":"b.arrow"},{"filename":"a.arrow"},{"filename":"../c.arrow"}]}"#,
        );
        assert_eq!(names(), ["b.arrow", "a.arrow"]);
        write("dataset_dict.json", r#"{"splits":["train","test"]}"#);
        let why = parts(dir.path(), "read it").unwrap_err().to_string();
        assert!(why.contains("2 data sets: train, test") && why.contains("Name one: "), "{why}");
    }

    #[test]
    fn each_text_file_is_a_line_with_its_name_and_what_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| std::fs::write(dir.path().join(name), text).unwrap();
        write("b.txt", "two \"lines\"\r\n\tand \\ more é\n".as_bytes());
        write("a.TXT", b"\xEF\xBB\xBFone");
        write("README", b"three");
        write(".hidden.txt", b"x");
        write("picture.png", b"x");
        std::fs::create_dir(dir.path().join("folder.txt")).unwrap();
        let mut out = String::new();
        Folder::open(dir.path(), "read it").unwrap().read_to_string(&mut out).unwrap();
        let lines: Vec<serde_json::Value> =
            out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let ids: Vec<&str> = lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["README", "a.TXT", "b.txt"]);
        assert_eq!(lines[2]["text"], "two \"lines\"\r\n\tand \\ more é\n");
        assert_eq!(lines[1]["text"], "one");
        let empty = tempfile::tempdir().unwrap();
        let why = Folder::open(empty.path(), "read it").err().unwrap().to_string();
        assert!(why.contains("a directory without text files"), "{why}");
    }
}
