//! Bytes to be read: a stream, and the file behind it where there is one, for formats whose index is at their end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::encoding::Source;
use crate::domain::read_options::More;

/// A stream, with the file behind it where there is one.
pub struct Input {
    pub(in crate::formats) stream: Source,
    pub(in crate::formats) file: Option<File>,
    /// Files that go on where this one ends: the parts of a data set.
    pub(in crate::formats) more: Option<More>,
}

impl From<Source> for Input {
    fn from(stream: Source) -> Self {
        Self { stream, file: None, more: None }
    }
}

impl<R: Read + Send + 'static> From<Box<R>> for Input {
    fn from(stream: Box<R>) -> Self {
        Self { stream, file: None, more: None }
    }
}

impl From<(Source, Option<File>)> for Input {
    fn from((stream, file): (Source, Option<File>)) -> Self {
        Self { stream, file, more: None }
    }
}

impl From<(Source, Option<File>, Option<More>)> for Input {
    fn from((stream, file, more): (Source, Option<File>, Option<More>)) -> Self {
        Self { stream, file, more }
    }
}

/// The whole of a file of which `head` has been read, from its start: the file itself, or what is left of the stream, kept in a temporary file
/// without a name.
pub(in crate::formats) fn seekable(head: &[u8], stream: &mut Source, file: Option<File>) -> io::Result<File> {
    let mut whole = match file {
        Some(file) => file,
        None => {
            let mut kept = tempfile::tempfile()?;
            io::Write::write_all(&mut kept, head)?;
            io::copy(stream, &mut kept)?;
            kept
        }
    };
    whole.seek(SeekFrom::Start(0))?;
    Ok(whole)
}
