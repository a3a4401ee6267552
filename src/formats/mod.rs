//! Readers and writers of foreign formats: CSV, TSV, JSONL and plain lines in, JSONL and CSV out.
//!
//! ```text
//! bytes -> encoding (UTF-8 from here on) -> sniff (what is it?) -> delimited | lines, jsonl -> Row or BadRow
//! Cell  -> write                                                                            -> bytes
//! ```
//!
//! Works over `Read` and `Write` and streams: memory does not grow with the file. Never opens a file, never
//! prints, never knows of projects or tasks, and never guesses a gold column.

pub(in crate::formats) mod event_log;
#[cfg(test)]
mod fuzzed;
mod read;
mod write;

pub use event_log::{LogText, read_log, write_log};
pub use read::found::{Found, Shape};
pub use read::reader::{Entry, Reader};
pub use read::row::{BadRow, Row, TextCell, fill_text, unpack};
pub use write::cell::Cell;

pub use write::writer::{OutputFormat, RowWriter};
