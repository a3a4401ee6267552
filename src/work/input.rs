//! Data files, folders of text files and standard input, opened for reading.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;

use super::folder::Folder;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::read_options::ReadOptions;

/// A stream of text, with its size where that is known.
pub(crate) struct TextSource {
    pub stream: Box<dyn Read + Send>,
    pub size: Option<u64>,
    /// The file itself, for formats whose index is at the end.
    pub file: Option<File>,
    /// What it is, where that is known before it is read.
    pub format: Option<&'static str>,
}

impl TextSource {
    /// How to read it.
    pub fn read_options(&self, asked: &ReadOptions) -> ReadOptions {
        let format = self.format.map(str::to_owned).or_else(|| asked.format.clone());
        ReadOptions { format, ..asked.clone() }
    }
}

/// Opens a data file, or standard input for `-`.
pub(crate) fn open_source(data: &Path, attempted: &str) -> Result<TextSource> {
    if data == Path::new("-") {
        if std::io::stdin().is_terminal() {
            return Err(Fault::usage(attempted, "standard input is the keyboard")
                .hint("Pipe the texts in, or name a file"));
        }
        return Ok(TextSource { stream: Box::new(std::io::stdin()), size: None, file: None, format: None });
    }
    let file = File::open(data).map_err(|e| {
        Fault::usage(attempted, io_reason(&e))
            .hint("Check the path, and whether you may read the file")
            .because(e)
    })?;
    let meta = file.metadata().map_err(|e| Fault::new(attempted, io_reason(&e)).because(e))?;
    if meta.is_dir() {
        let stream = Box::new(Folder::open(data, attempted)?);
        return Ok(TextSource { stream, size: None, file: None, format: Some("jsonl") });
    }
    let regular = meta.is_file();
    let again = if regular { file.try_clone().ok() } else { None };
    Ok(TextSource { stream: Box::new(file), size: regular.then_some(meta.len()), file: again, format: None })
}
