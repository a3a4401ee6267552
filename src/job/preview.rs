//! A first look at a file before anything is made: is it a project or a file of texts, and what would its first rows look like?
//!
//! Only reads, and only the file's beginning.

use std::path::Path;

use crate::domain::fault::{Fault, Result};
use crate::domain::read_options::ReadOptions;
use crate::formats::{Entry, Reader};
use crate::store::is_database;
use crate::work::input::open_source;

/// Rows that a look shows.
const SHOWN: usize = 3;
/// Entries, bad ones included, that are read for them.
const ENTRIES: usize = 200;

/// What a file is to this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A project, as far as its name or its first bytes tell.
    Project,
    /// Anything else: texts, perhaps.
    Data,
}

/// What `path` is. Opening a project tells whether it is a sound one.
///
/// # Errors
/// There is no such file, it cannot be read, or it is a directory.
pub fn kind_of(path: &Path) -> Result<FileKind> {
    let named = path.extension().is_some_and(|e| e == "hardcase");
    if named || is_database(path)? { Ok(FileKind::Project) } else { Ok(FileKind::Data) }
}

/// The beginning of a data file, as an import would read it.
#[derive(Clone, Debug)]
pub struct Look {
    /// The columns, no two the same.
    pub columns: Vec<String>,
    /// Index of the known labels, where they were named.
    pub gold: Option<usize>,
    /// The texts; or, where it is not clear which column holds them, the reason.
    pub texts: std::result::Result<Texts, String>,
}

/// Texts as an expert will see them.
#[derive(Clone, Debug)]
pub struct Texts {
    /// How the file is read, in one line.
    pub found: String,
    /// Indices of the columns that make the text. Never empty.
    pub columns: Vec<usize>,
    /// The first rows with a text, at most three.
    pub rows: Vec<SeenRow>,
}

/// A row as an expert will see it.
#[derive(Clone, Debug)]
pub struct SeenRow {
    /// The text.
    pub text: String,
    /// What is shown beside it: an object, or null.
    pub meta: serde_json::Value,
}

/// Looks at `data`. None where it can be read only once (a pipe), so that a look would take rows from the import.
///
/// # Errors
/// What an import would be refused for, but for a text column that is not clear.
pub fn look(data: &Path, options: &ReadOptions) -> Result<Option<Look>> {
    let attempted = format!("read {}", data.display());
    let open = |options: &ReadOptions| {
        let source = open_source(data, &attempted)?;
        if source.size.is_none() {
            return Ok(None);
        }
        Reader::open(source.stream, &data.to_string_lossy(), options).map(Some)
    };
    let mut reader = match open(options) {
        Ok(Some(reader)) => reader,
        Ok(None) => return Ok(None),
        Err(fault) if options.text.is_empty() => {
            // Where only the text column is unclear, the file opens with any column as text, and tells its columns.
            let any = ReadOptions { text: vec!["1".into()], ..options.clone() };
            let Ok(Some(reader)) = open(&any) else { return Err(fault) };
            let found = reader.found();
            return Ok(Some(Look {
                columns: found.columns.clone(),
                gold: found.gold,
                texts: Err(fault.why().to_owned()),
            }));
        }
        Err(fault) => return Err(fault),
    };
    let found = reader.found().clone();
    let mut rows = Vec::with_capacity(SHOWN);
    for _ in 0..ENTRIES {
        match reader.next_entry()? {
            Some(Entry::Row(row)) => {
                let meta = row.meta(&found).map(|json| serde_json::from_str(&json)).transpose();
                let meta = meta.map_err(|e| Fault::new(&attempted, e.to_string()))?;
                rows.push(SeenRow { text: row.text, meta: meta.unwrap_or_default() });
            }
            Some(Entry::Bad(_)) => {}
            None => break,
        }
        if rows.len() == SHOWN {
            break;
        }
    }
    let texts = Texts { found: found.to_string(), columns: found.text, rows };
    Ok(Some(Look { columns: found.columns, gold: found.gold, texts: Ok(texts) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, text: &str, options: &ReadOptions) -> Result<Look> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        look(&path, options).map(Option::unwrap)
    }

    #[test]
    fn the_first_three_rows_with_a_text_are_seen_with_what_stands_beside_them() {
        let options = ReadOptions { meta: vec!["who".into()], ..ReadOptions::default() };
        let look =
            seen("a.csv", "who,text\nann,one two\nbo,\ncy,three\ndi,four\ned,five\n", &options).unwrap();
        let texts = look.texts.unwrap();
        assert_eq!(texts.columns, [1]);
        let rows: Vec<&str> = texts.rows.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(rows, ["one two", "three", "four"]);
        assert_eq!(texts.rows[1].meta, serde_json::json!({ "who": "cy" }));
    }

    #[test]
    fn where_the_text_is_not_clear_the_columns_are_told_with_the_reason() {
        let text = "agent,user\nwhat do you think,I do not know\n";
        let look = seen("a.csv", text, &ReadOptions::default()).unwrap();
        assert_eq!(look.columns, ["agent", "user"]);
        assert!(look.texts.unwrap_err().contains("several columns could be the text"));
        let wrong = ReadOptions { text: vec!["body".into()], ..ReadOptions::default() };
        assert!(seen("a.csv", text, &wrong).unwrap_err().to_string().contains("no column 'body'"));
        assert!(seen("a.csv", "", &ReadOptions::default()).unwrap_err().to_string().contains("empty"));
    }

    #[test]
    fn a_project_is_known_by_its_name_or_its_first_bytes() {
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
        assert!(fault("").contains("it is a directory"));
    }
}
