//! CSV by RFC 4180: a header, line feeds at the ends of lines, quotes where they are needed.
//!
//! A cell that begins with `=`, `+`, `-` or `@` is a formula to a spreadsheet. Guarding against that would change the data, so it is written
//! as it is; when you open an export of other people's texts in a spreadsheet, import its columns as text.

use std::io;

use super::cell::Cell;
use super::sink::{Column, Output, OutputFormat, RowSink};

pub static CSV: OutputFormat = OutputFormat {
    name: "csv",
    help: "Comma-separated, with a header",
    extensions: &["csv"],
    ending: "csv",
    binary: false,
    open: |out, columns| Ok(Box::new(Csv::new(out, columns)?)),
};

/// The same with the byte-order mark by which Excel knows UTF-8.
pub static CSV_FOR_EXCEL: OutputFormat = OutputFormat {
    name: "csv",
    help: "CSV with a byte-order mark",
    extensions: &[],
    ending: "csv",
    binary: false,
    open: |out, columns| {
        out.write_all("\u{feff}".as_bytes())?;
        Ok(Box::new(Csv::new(out, columns)?))
    },
};

struct Csv<'a> {
    writer: csv::Writer<Output<'a>>,
}

impl<'a> Csv<'a> {
    fn new(out: Output<'a>, columns: &[Column]) -> io::Result<Self> {
        let mut writer = csv::WriterBuilder::new().buffer_capacity(64 * 1024).from_writer(out);
        if !columns.is_empty() {
            writer.write_record(columns.iter().map(|column| &column.name))?;
        }
        Ok(Self { writer })
    }
}

impl RowSink for Csv<'_> {
    fn write_row(&mut self, cells: &[Cell]) -> io::Result<()> {
        for cell in cells {
            self.writer.write_field(cell.plain().as_bytes())?;
        }
        // Ends the record.
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.writer.flush()
    }
}
