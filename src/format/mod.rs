//! Readers and writers of foreign formats: CSV, TSV, JSONL and plain lines in, JSONL and CSV out.
//!
//! ```text
//! bytes -> encoding (UTF-8 from here on) -> sniff (what is it?) -> delimited | lines, jsonl -> Row or BadRow
//! Cell  -> write                                                                            -> bytes
//! ```
//!
//! Works over `Read` and `Write` and streams: memory does not grow with the file. Never opens a file, never
//! prints, never knows of projects or tasks, and never guesses a gold column.

mod cell;
mod columns;
mod delimited;
mod encoding;
mod found;
#[cfg(test)]
mod fuzzed;
mod header;
mod jsonl;
mod lines;
mod log;
mod magic;
mod options;
mod parse;
mod quotes;
mod read;
mod row;
mod shown;
mod sniff;
mod split;
mod window;
mod write;

pub use cell::Cell;
pub use found::{Found, Shape};
pub use log::{LogEnd, LogText, read_log, write_log};
pub use read::{Entry, Reader};
pub use row::{BadRow, Row, TextCell, fill_text, unpack};

pub use write::{OutputFormat, RowWriter};
