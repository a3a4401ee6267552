//! Data files and standard input, opened for reading.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;

use crate::domain::fault::{Fault, Result, io_reason};

/// A stream of text, with its size where that is known.
pub(crate) struct TextSource {
    pub stream: Box<dyn Read + Send>,
    pub size: Option<u64>,
}

/// Opens a data file, or standard input for `-`.
pub(crate) fn open_source(data: &Path, attempted: &str) -> Result<TextSource> {
    if data == Path::new("-") {
        if std::io::stdin().is_terminal() {
            return Err(Fault::usage(attempted, "standard input is the keyboard")
                .hint("Pipe the texts in, or name a file"));
        }
        return Ok(TextSource { stream: Box::new(std::io::stdin()), size: None });
    }
    let file = File::open(data).map_err(|e| {
        Fault::usage(attempted, io_reason(&e))
            .hint("Check the path, and whether you may read the file")
            .because(e)
    })?;
    let meta = file.metadata().map_err(|e| Fault::new(attempted, io_reason(&e)).because(e))?;
    if meta.is_dir() {
        return Err(
            Fault::usage(attempted, "it is a directory").hint("Name the file with the texts inside it")
        );
    }
    Ok(TextSource { stream: Box::new(file), size: meta.is_file().then_some(meta.len()) })
}
