//! Tables that are not text: workbooks, Parquet and Arrow. Their rows become JSONL, an object a row, so that columns, conversations, limits and
//! refusals are those of JSONL. They are known by their content, whatever their name.

#[cfg(feature = "columnar")]
mod arrow;
mod book_limits;
#[cfg(feature = "columnar")]
mod cells;
mod excel;
mod kind;
#[cfg(feature = "columnar")]
mod parquet;
#[cfg(test)]
mod tests;

#[cfg(feature = "columnar")]
use std::fs::File;

pub(in crate::formats) use self::kind::Kind;
use super::encoding::Source;
use super::input::{Input, seekable};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::read_options::ReadOptions;
use crate::domain::row_stream::RowStream;

/// What `--format-in` calls them.
pub(super) const NAMES: &[&str] = &["excel", "parquet", "arrow", "sqlite"];

/// Whether a file that begins so is read best as a file: its index is at its end.
pub fn is_table(head: &[u8]) -> bool {
    Kind::of(head).is_some()
}

/// A table that is being read.
pub(in crate::formats) struct Opened {
    pub rows: Source,
    /// As a person would call it: `Excel sheet 'Sheet1'`.
    pub called: String,
}

/// Opens a table whose beginning has been read.
///
/// # Errors
/// A usage fault for one that cannot be read here, is damaged, or has a password.
pub(in crate::formats) fn open(
    kind: Kind,
    head: Vec<u8>,
    input: Input,
    options: &ReadOptions,
    name: &str,
) -> Result<Opened> {
    let attempted = format!("read {name}");
    if let Some(asked) = options.format.as_deref().filter(|asked| *asked != kind.option()) {
        return Err(Fault::usage(attempted, format!("it is {}, not {asked}", kind.name()))
            .hint("Leave --format-in out"));
    }
    if options.sheet.is_some() && !matches!(kind, Kind::Excel(_)) {
        return Err(no_sheets(&attempted));
    }
    let (called, rows) = match kind {
        Kind::Excel(book) => {
            let Input { mut stream, file, .. } = input;
            let file = seekable(&head, &mut stream, file)
                .map_err(|e| Fault::new(&attempted, io_reason(&e)).because(e))?;
            let (sheet, header) = (options.sheet.clone(), options.header);
            RowStream::begin(attempted, move |rows| excel::read(book, file, sheet.as_deref(), header, rows))?
        }
        Kind::Parquet | Kind::Arrow => columnar(kind, head, input, attempted)?,
    };
    Ok(Opened { rows: Box::new(rows), called })
}

/// Refuses a file that is no table where one was asked for.
///
/// # Errors
/// A usage fault.
pub(in crate::formats) fn refuse_other(options: &ReadOptions, name: &str) -> Result<()> {
    let attempted = format!("read {name}");
    match options.format.as_deref() {
        Some(asked) if NAMES.contains(&asked) => {
            Err(Fault::usage(attempted, format!("its first bytes are not those of {asked}"))
                .hint("Leave --format-in out"))
        }
        _ if options.sheet.is_some() => Err(no_sheets(&attempted)),
        _ => Ok(()),
    }
}

/// Only a workbook has sheets.
fn no_sheets(attempted: &str) -> Fault {
    Fault::usage(attempted, "--sheet was given, and it is no workbook").hint("Leave --sheet out")
}

#[cfg(feature = "columnar")]
fn columnar(kind: Kind, head: Vec<u8>, input: Input, attempted: String) -> Result<(String, RowStream)> {
    use std::io::{Cursor, Read};
    let Input { mut stream, file, more } = input;
    let first = match kind {
        Kind::Parquet => Columnar::Parquet(
            seekable(&head, &mut stream, file)
                .map_err(|e| Fault::new(&attempted, io_reason(&e)).because(e))?,
        ),
        _ => Columnar::Arrow(Box::new(Cursor::new(head).chain(stream))),
    };
    RowStream::begin(attempted, move |rows| {
        first.read(true, rows)?;
        for file in more.into_iter().flatten() {
            let file = file.map_err(|e| rows.fault(io_reason(&e)))?;
            Columnar::of(file).map_err(|e| rows.fault(io_reason(&e)))?.read(false, rows)?;
        }
        Ok(())
    })
}

#[cfg(feature = "columnar")]
enum Columnar {
    Parquet(File),
    Arrow(Source),
}

#[cfg(feature = "columnar")]
impl Columnar {
    /// One of the files of a folder.
    fn of(mut file: File) -> std::io::Result<Self> {
        use std::io::{Read, Seek};
        let mut head = [0; 4];
        let n = file.read(&mut head)?;
        file.rewind()?;
        Ok(if head[..n] == *b"PAR1" { Self::Parquet(file) } else { Self::Arrow(Box::new(file)) })
    }

    fn read(self, first: bool, rows: &mut crate::domain::row_stream::Rows) -> Result<()> {
        match self {
            Self::Parquet(file) => parquet::read(file, first, rows),
            Self::Arrow(stream) => arrow::read(stream, first, rows),
        }
    }
}

#[cfg(not(feature = "columnar"))]
fn columnar(kind: Kind, _: Vec<u8>, _: Input, attempted: String) -> Result<(String, RowStream)> {
    Err(Fault::usage(attempted, format!("it is {}, and this build reads none", kind.name()))
        .hint("Use a build with the feature columnar, or convert it to JSONL or CSV first"))
}
