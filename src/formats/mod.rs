//! Readers and writers of foreign file formats: JSON, JSONL, CSV, TSV, fastText, plain lines, workbooks, Parquet and Arrow in, packed or not, JSONL, CSV, Parquet, Arrow and what other labelling programs take out, and the log of labels both ways.
//!
//! ```text
//! bytes -> read  (encoding, format, columns) -> Row or BadRow
//! Cell  -> write (one RowSink for each format) -> bytes
//! ```
//!
//! To add an output format, see `write/mod.rs`; to add an input format, see `read/mod.rs`: each is one file and its entry in one list.
//!
//! Works over `Read` and `Write` and streams: memory does not grow with the file. Never opens a file, never prints, never knows of projects or
//! tasks, and never guesses a gold column.

mod argilla;
pub(in crate::formats) mod event_log;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzzed;
mod read;
mod write;

pub use event_log::{LogText, read_log, write_log};
pub use read::detected::{Detected, Layout};
pub use read::input::Input;
pub use read::reader::{Entry, Reader};
pub use read::row::{BadRow, Row, TextCell, fill_text, unpack};
pub use read::tables::is_table;
pub use read::turns::turns;
pub use read::whole_encoding::{WholeEncoding, whole_encoding};
pub use read::{FORMATS_IN, input_formats};
pub use write::cell::Cell;
pub use write::peft::{PeftAdapter, PeftUpdate, peft_files};
pub use write::sink::{Column, ColumnType, Output, OutputFormat, RowWriter, columns};
pub use write::{CSV, CSV_FOR_EXCEL, JSONL, OUTPUT_FORMATS, chosen_format, output_format};
