//! Data files, folders, tables of databases and standard input, opened for reading.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek};
use std::path::Path;

use super::folder::{Folder, parts};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::read_options::{More, Opened, ReadOptions};
use crate::store::{Asked, foreign_rows, is_foreign_database};

/// A stream of text, with its size where that is known.
pub(crate) struct TextSource {
    pub stream: Box<dyn Read + Send>,
    pub size: Option<u64>,
    /// The file itself, for formats whose index is at the end.
    pub file: Option<File>,
    /// The other parts of a data set.
    pub more: Option<More>,
    /// What it is, where that is known before it is read.
    pub format: Option<&'static str>,
    /// What it is called then.
    pub called: Option<String>,
}

impl TextSource {
    /// A stream of which nothing is known.
    pub fn stream(stream: impl Read + Send + 'static) -> Self {
        Self { stream: Box::new(stream), size: None, file: None, more: None, format: None, called: None }
    }

    /// How to read it.
    pub fn read_options(&self, asked: &ReadOptions) -> ReadOptions {
        let format = self.format.map(str::to_owned).or_else(|| asked.format.clone());
        ReadOptions { format, called: self.called.clone(), ..asked.clone() }
    }

    /// What a reader takes.
    pub fn into_input(self) -> Opened {
        (self.stream, self.file, self.more)
    }
}

/// Opens a data file, a folder, a table of a database, or standard input for `-`.
pub(crate) fn open_source(data: &Path, options: &ReadOptions, attempted: &str) -> Result<TextSource> {
    if data == Path::new("-") {
        if io::stdin().is_terminal() {
            return Err(Fault::usage(attempted, "standard input is the keyboard")
                .hint("Pipe the texts in, or name a file"));
        }
        refuse_questions(options, attempted)?;
        return Ok(TextSource::stream(io::stdin()));
    }
    let mut file = File::open(data).map_err(|e| {
        Fault::usage(attempted, io_reason(&e))
            .hint("Check the path, and whether you may read the file")
            .because(e)
    })?;
    let failed = |e: io::Error| Fault::new(attempted, io_reason(&e)).because(e);
    let meta = file.metadata().map_err(failed)?;
    if meta.is_dir() {
        refuse_questions(options, attempted)?;
        let mut parts = parts(data, attempted)?.into_iter();
        let Some(first) = parts.next() else {
            let folder = TextSource::stream(Folder::open(data, attempted)?);
            return Ok(TextSource {
                format: Some("jsonl"),
                called: Some("a folder of text files".into()),
                ..folder
            });
        };
        let first = File::open(first).map_err(failed)?;
        let again = first.try_clone().ok();
        let more: More = Box::new(parts.map(File::open));
        return Ok(TextSource { file: again, more: Some(more), ..TextSource::stream(first) });
    }
    let regular = meta.is_file();
    if regular && is_foreign_database(&head(&mut file).map_err(failed)?) && takes_databases(options) {
        let asked = match (&options.table, &options.query) {
            (Some(table), _) => Asked::Table(table.clone()),
            (None, Some(query)) => Asked::Query(query.clone()),
            (None, None) => Asked::OnlyTable,
        };
        let (called, rows) = foreign_rows(data, asked, attempted)?;
        return Ok(TextSource { format: Some("jsonl"), called: Some(called), ..TextSource::stream(rows) });
    }
    refuse_questions(options, attempted)?;
    let again = if regular { file.try_clone().ok() } else { None };
    Ok(TextSource { size: regular.then_some(meta.len()), file: again, ..TextSource::stream(file) })
}

/// The first bytes of a file, which is left at its start.
fn head(file: &mut File) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    (&mut *file).take(100).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(head)
}

fn takes_databases(options: &ReadOptions) -> bool {
    options.format.as_deref().is_none_or(|format| format == "sqlite")
}

/// Only a database has tables and takes queries.
fn refuse_questions(options: &ReadOptions, attempted: &str) -> Result<()> {
    let given = match (&options.table, &options.query) {
        (Some(_), _) => "--table",
        (None, Some(_)) => "--query",
        (None, None) => return Ok(()),
    };
    Err(Fault::usage(
        attempted,
        format!("{given} was given, and it is no SQLite database of another program"),
    )
    .hint(format!("Leave {given} out")))
}
