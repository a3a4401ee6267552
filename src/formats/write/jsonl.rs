//! JSONL: one object on each line, its keys in the order of the columns.

use std::io::{self, BufWriter, Write};

use super::cell::{Cell, quoted};
use super::sink::{Column, Output, OutputFormat, RowSink};

pub static JSONL: OutputFormat = OutputFormat {
    name: "jsonl",
    help: "A JSON object on each line",
    extensions: &["jsonl", "ndjson"],
    ending: "jsonl",
    binary: false,
    open: |out, columns| Ok(Box::new(Jsonl::new(out, columns))),
};

struct Jsonl<'a> {
    out: BufWriter<Output<'a>>,
    /// The columns' names as JSON strings.
    keys: Vec<String>,
}

impl<'a> Jsonl<'a> {
    fn new(out: Output<'a>, columns: &[Column]) -> Self {
        let keys = columns.iter().map(|column| quoted(&column.name)).collect();
        Self { out: BufWriter::with_capacity(64 * 1024, out), keys }
    }
}

impl RowSink for Jsonl<'_> {
    fn write_row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let mut separator = "{";
        for (key, cell) in self.keys.iter().zip(cells).filter(|(_, cell)| **cell != Cell::Absent) {
            write!(self.out, "{separator}{key}:{}", cell.json())?;
            separator = ",";
        }
        self.out.write_all(if separator == "{" { b"{}\n" } else { b"}\n" })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}
