//! What a file is before anything is made from it: a project or a file of texts, and what its first rows look like.
//!
//! Only reads, and only the beginning of the file.

use std::path::Path;

use crate::domain::fault::{Fault, Result};
use crate::domain::read_options::{Opener, ReadOptions};
use crate::formats::{Entry, Reader};
use crate::store::is_database;
use crate::work::input::{TextSource, open_source};

/// The number of rows in a preview.
const ROWS: usize = 3;
/// The most entries that are read to find them, including rows that cannot be read.
const ENTRIES: usize = 200;

/// What a file is to this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A project, judging by its name or its first bytes.
    Project,
    /// Anything else: texts, perhaps.
    Data,
}

/// Opens what is in a folder as one stream of JSONL, again each time; none where `data` is no folder.
pub fn folder_opener(data: &Path) -> Option<Opener> {
    let data = data.is_dir().then(|| data.to_owned())?;
    Some(Box::new(move || {
        let attempted = format!("read {}", data.display());
        open_source(&data, &ReadOptions::default(), &attempted).map(TextSource::into_input)
    }))
}

/// What `path` is. Whether a project is intact shows only when it is opened.
///
/// # Errors
/// There is no such file, or it cannot be read.
pub fn kind_of(path: &Path) -> Result<FileKind> {
    let named = path.extension().is_some_and(|e| e == "hardcase");
    let is_stream = std::fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir());
    if is_stream {
        return Err(Fault::usage(
            format!("open {}", path.display()),
            "it is a pipe or a device, and no file",
        )
        .hint("Take its texts into a project: `hardcase import FILE DATA`"));
    }
    if path.is_dir() && !named {
        return Ok(FileKind::Data);
    }
    if named || is_database(path)? { Ok(FileKind::Project) } else { Ok(FileKind::Data) }
}

/// The beginning of a data file, as an import would read it.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The columns, no two the same.
    pub columns: Vec<String>,
    /// Index of the column with known labels, if one was named.
    pub gold: Option<usize>,
    /// The texts, or the reason why it is not clear which column has them.
    pub texts: std::result::Result<Texts, String>,
}

/// Texts as an expert will see them.
#[derive(Clone, Debug)]
pub struct Texts {
    /// How the file is read, in one line.
    pub read_as: String,
    /// Indices of the text columns. Never empty.
    pub columns: Vec<usize>,
    /// The first rows with a text, at most three.
    pub rows: Vec<PreviewRow>,
}

/// A row as an expert will see it.
#[derive(Clone, Debug)]
pub struct PreviewRow {
    pub text: String,
    /// The columns shown next to it: an object, or null.
    pub meta: serde_json::Value,
}

/// The beginning of `data`. None if it can be read only once (a pipe): a preview would take rows away from the import.
///
/// # Errors
/// Whatever an import would fail with, except a text column that is not clear.
pub fn preview(data: &Path, options: &ReadOptions) -> Result<Option<Preview>> {
    let attempted = format!("read {}", data.display());
    let open = |options: &ReadOptions| {
        let source = open_source(data, options, &attempted)?;
        if source.size.is_none() && source.called.is_none() && source.more.is_none() {
            return Ok(None);
        }
        let options = source.read_options(options);
        Reader::open(source.into_input(), &data.to_string_lossy(), &options).map(Some)
    };
    let mut reader = match open(options) {
        Ok(Some(reader)) => reader,
        Ok(None) => return Ok(None),
        Err(fault) if options.text.is_empty() => {
            // If only the text column is unclear, the file opens with any column as its text, and its columns can be listed.
            let any = ReadOptions { text: vec!["1".into()], ..options.clone() };
            let Ok(Some(reader)) = open(&any) else { return Err(fault) };
            let detected = reader.detected();
            return Ok(Some(Preview {
                columns: detected.columns.clone(),
                gold: detected.gold,
                texts: Err(fault.why().to_owned()),
            }));
        }
        Err(fault) => return Err(fault),
    };
    let detected = reader.detected().clone();
    let mut rows = Vec::with_capacity(ROWS);
    for _ in 0..ENTRIES {
        match reader.next_entry()? {
            Some(Entry::Row(row)) => {
                let meta = row.meta(&detected).map(|json| serde_json::from_str(&json)).transpose();
                let meta = meta.map_err(|e| Fault::new(&attempted, e.to_string()))?;
                rows.push(PreviewRow { text: row.text, meta: meta.unwrap_or_default() });
            }
            Some(Entry::Bad(_)) => {}
            None => break,
        }
        if rows.len() == ROWS {
            break;
        }
    }
    let texts = Texts { read_as: detected.to_string(), columns: detected.text, rows };
    Ok(Some(Preview { columns: detected.columns, gold: detected.gold, texts: Ok(texts) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn previewed(name: &str, text: &str, options: &ReadOptions) -> Result<Preview> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        preview(&path, options).map(Option::unwrap)
    }

    #[test]
    fn the_first_three_rows_with_a_text_are_shown_with_their_other_columns() {
        let options = ReadOptions { meta: vec!["who".into()], ..ReadOptions::default() };
        let preview =
            previewed("a.csv", "who,text\nann,one two\nbo,\ncy,three\ndi,four\ned,five\n", &options).unwrap();
        let texts = preview.texts.unwrap();
        assert_eq!(texts.columns, [1]);
        let rows: Vec<&str> = texts.rows.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(rows, ["one two", "three", "four"]);
        assert_eq!(texts.rows[1].meta, serde_json::json!({ "who": "cy" }));
    }

    #[test]
    fn an_unclear_text_column_gives_the_columns_and_the_reason() {
        let text = "agent,user\nwhat do you think,I do not know\n";
        let preview = previewed("a.csv", text, &ReadOptions::default()).unwrap();
        assert_eq!(preview.columns, ["agent", "user"]);
        assert!(preview.texts.unwrap_err().contains("several columns could be the text"));
        let wrong = ReadOptions { text: vec!["body".into()], ..ReadOptions::default() };
        assert!(previewed("a.csv", text, &wrong).unwrap_err().to_string().contains("no column 'body'"));
        assert!(previewed("a.csv", "", &ReadOptions::default()).unwrap_err().to_string().contains("empty"));
    }

    #[test]
    fn a_project_is_recognised_by_its_name_or_its_first_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(dir.path().join(name), bytes).unwrap();
            kind_of(&dir.path().join(name)).unwrap()
        };
        assert_eq!(write("a.csv", b"text\nhello\n"), FileKind::Data);
        assert_eq!(write("a.hardcase", b""), FileKind::Project);
        assert_eq!(write("a.copy", b"SQLite format 3\0 and so on"), FileKind::Project);
        let fault = |name: &str| kind_of(&dir.path().join(name)).unwrap_err().to_string();
        assert!(fault("none.csv").contains("there is no such file"));
        assert_eq!(kind_of(dir.path()).unwrap(), FileKind::Data, "a folder holds texts");
    }
}
