//! What every output format shares: named and typed columns, the trait that a format implements, and the writer in front of it.

use std::io::{self, Write};

use super::cell::Cell;
use crate::domain::fault::{Fault, Result};

/// What the cells of a column are. Any cell may also be null or absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    Text,
    Integer,
    Float,
    Boolean,
    /// Any value, different ones in different rows: lists, objects, and what an imported JSON file holds.
    Json,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnType,
    /// Of a column of labels that are the levels of a scale, all of them whole numbers: the smallest. A format that knows ratings writes them as such.
    pub least_level: Option<i64>,
    /// Whether it is a column of labels of which a text may have several: its cells are lists of names.
    pub lists: bool,
}

impl Column {
    pub fn new(name: impl Into<String>, kind: ColumnType) -> Self {
        Self { name: name.into(), kind, least_level: None, lists: false }
    }

    fn takes(&self, cell: &Cell) -> bool {
        match cell {
            Cell::Absent | Cell::Null => true,
            Cell::Text(_) => matches!(self.kind, ColumnType::Text | ColumnType::Json),
            Cell::Integer(_) => matches!(self.kind, ColumnType::Integer | ColumnType::Json),
            Cell::Float(_) | Cell::Decimal { .. } => {
                matches!(self.kind, ColumnType::Float | ColumnType::Json)
            }
            Cell::Boolean(_) => matches!(self.kind, ColumnType::Boolean | ColumnType::Json),
            Cell::Json(_) => self.kind == ColumnType::Json,
        }
    }
}

/// Columns from a table of names and types.
pub fn columns(of: &[(&str, ColumnType)]) -> Vec<Column> {
    of.iter().map(|(name, kind)| Column::new(*name, *kind)).collect()
}

/// Where bytes go. `Send`, because some formats compress on other threads.
pub type Output<'a> = &'a mut (dyn Write + Send);

/// Rows in one format. It is made by [`OutputFormat::open`], which gets the columns, so no row can come before them.
pub trait RowSink {
    /// Writes one row: exactly one cell for each column, in their order.
    ///
    /// # Errors
    /// What the output fails with.
    fn write_row(&mut self, cells: &[Cell]) -> io::Result<()>;

    /// Hands on what is complete so far, where the format allows it.
    ///
    /// # Errors
    /// What the output fails with.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Writes whatever ends the format and all that is still buffered.
    ///
    /// # Errors
    /// What the output fails with.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Begins an output with these columns.
pub type OpenSink = for<'a> fn(Output<'a>, &[Column]) -> io::Result<Box<dyn RowSink + 'a>>;

/// An output format as the list in `formats/write/mod.rs` has it.
#[derive(Debug)]
pub struct OutputFormat {
    /// What `--format` takes.
    pub name: &'static str,
    /// What `--help` says about it.
    pub help: &'static str,
    /// File extensions that choose it, lower case and without the dot.
    pub extensions: &'static [&'static str],
    /// The extension that a file of it usually has, without the dot.
    pub ending: &'static str,
    /// Whether it is not text: nothing for a terminal.
    pub binary: bool,
    /// Begins an output. Buffers by itself: rows come one at a time.
    pub open: OpenSink,
}

/// Writes rows of cells in one format.
pub struct RowWriter<'a> {
    columns: Vec<Column>,
    sink: Box<dyn RowSink + 'a>,
}

impl<'a> RowWriter<'a> {
    /// Begins an output with its columns.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn new(out: Output<'a>, format: &OutputFormat, columns: Vec<Column>) -> io::Result<Self> {
        let sink = (format.open)(out, &columns)?;
        Ok(Self { columns, sink })
    }

    /// Writes one row. Cells that are missing at its end are absent; cells past the last column are left out.
    ///
    /// # Errors
    /// What the output fails with.
    pub fn write_row(&mut self, cells: &[Cell]) -> io::Result<()> {
        debug_assert!(
            self.columns.iter().zip(cells).all(|(column, cell)| column.takes(cell)),
            "a cell has another type than its column"
        );
        let width = self.columns.len();
        if cells.len() >= width {
            return self.sink.write_row(&cells[..width]);
        }
        let mut padded = cells.to_vec();
        padded.resize(width, Cell::Absent);
        self.sink.write_row(&padded)
    }

    /// Hands on the rows that are complete so far.
    ///
    /// # Errors
    /// What the output fails with.
    pub fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }

    /// Writes the end.
    ///
    /// # Errors
    /// What the output fails with.
    pub fn finish(self) -> io::Result<()> {
        self.sink.finish()
    }
}

/// Which of `formats` has this name.
///
/// # Errors
/// A usage fault that lists the names there are.
pub(super) fn find(formats: &[&'static OutputFormat], name: &str) -> Result<&'static OutputFormat> {
    formats.iter().copied().find(|format| format.name == name).ok_or_else(|| {
        let names: Vec<&str> = formats.iter().map(|format| format.name).collect();
        Fault::usage(format!("write the format '{name}'"), "there is no such format")
            .hint(format!("The formats are {}", names.join(", ")))
    })
}
