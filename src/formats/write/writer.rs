//! Rows out, as JSONL or CSV, under a fixed list of columns.
//!
//! Cells are written as they are. One that begins with `=`, `+`, `-` or `@` is a formula to a spreadsheet;
//! guarding against that would change the data, so whoever opens an export of foreign texts in a spreadsheet
//! should import its columns as text.

use std::io::{self, Write};

use super::cell::{Cell, quoted};

/// A format that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// One object on each line.
    Jsonl,
    /// RFC 4180 with a header, line feeds at the ends of lines, quotes where needed.
    Csv,
}

/// Writes rows of cells.
pub struct RowWriter<W: Write> {
    columns: Vec<String>,
    sink: Sink<W>,
}

enum Sink<W: Write> {
    Jsonl(io::BufWriter<W>),
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> RowWriter<W> {
    /// Begins an output; CSV gets its header at once. Buffers by itself.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn new(out: W, format: OutputFormat, columns: Vec<String>) -> io::Result<Self> {
        let sink = match format {
            OutputFormat::Jsonl => Sink::Jsonl(io::BufWriter::with_capacity(64 * 1024, out)),
            OutputFormat::Csv => {
                // Ragged rows cannot come up: `write_row` makes every row as wide as the columns.
                let mut writer = csv::WriterBuilder::new().buffer_capacity(64 * 1024).from_writer(out);
                if !columns.is_empty() {
                    writer.write_record(&columns)?;
                }
                Sink::Csv(Box::new(writer))
            }
        };
        Ok(Self { columns, sink })
    }

    /// Writes one row: a cell for each column, in their order. Missing cells are absent, further ones are
    /// left out.
    ///
    /// # Errors
    /// What the output fails with.
    pub fn write_row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let cells =
            self.columns.iter().enumerate().map(|(i, name)| (name, cells.get(i).unwrap_or(&Cell::Absent)));
        match &mut self.sink {
            Sink::Csv(writer) => Ok(writer.write_record(cells.map(|(_, cell)| cell.plain()))?),
            Sink::Jsonl(out) => {
                let mut separator = "{";
                for (name, cell) in cells.filter(|(_, cell)| **cell != Cell::Absent) {
                    write!(out, "{separator}{}:{}", quoted(name), cell.json())?;
                    separator = ",";
                }
                out.write_all(if separator == "{" { b"{}\n" } else { b"}\n" })
            }
        }
    }

    /// Writes out what is buffered and gives the output back.
    ///
    /// # Errors
    /// What the output fails with.
    pub fn finish(self) -> io::Result<W> {
        match self.sink {
            Sink::Jsonl(out) => out.into_inner().map_err(io::IntoInnerError::into_error),
            Sink::Csv(writer) => {
                writer.into_inner().map_err(|e| io::Error::new(e.error().kind(), e.to_string()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: OutputFormat, columns: &[&str], rows: &[&[Cell]]) -> String {
        let columns = columns.iter().map(|c| (*c).to_owned()).collect();
        let mut writer = RowWriter::new(Vec::new(), format, columns).unwrap();
        for row in rows {
            writer.write_row(row).unwrap();
        }
        String::from_utf8(writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn one_row_in_both_formats() {
        let cells = [Cell::from("a \"b\",\nc"), Cell::from(0.25), Cell::Null, Cell::from("=1+1")];
        let columns = ["text", "p", "gold", "note"];
        assert_eq!(
            written(OutputFormat::Jsonl, &columns, &[&cells]),
            "{\"text\":\"a \\\"b\\\",\\nc\",\"p\":0.25,\"gold\":null,\"note\":\"=1+1\"}\n"
        );
        assert_eq!(
            written(OutputFormat::Csv, &columns, &[&cells]),
            "text,p,gold,note\n\"a \"\"b\"\",\nc\",0.25,,=1+1\n"
        );
    }

    #[test]
    fn a_missing_key_stays_missing_and_a_short_row_is_filled() {
        let absent = [Cell::Absent, Cell::from(1i64)];
        assert_eq!(written(OutputFormat::Jsonl, &["a", "b", "c"], &[&absent, &[]]), "{\"b\":1}\n{}\n");
        assert_eq!(written(OutputFormat::Csv, &["a", "b", "c"], &[&absent]), "a,b,c\n,1,\n");
    }

    #[test]
    fn a_full_disk_is_reported_at_the_latest_when_finishing() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for format in [OutputFormat::Jsonl, OutputFormat::Csv] {
            let mut writer = RowWriter::new(Full, format, vec!["a".into()]).unwrap();
            writer.write_row(&[Cell::from("x")]).unwrap();
            let error = writer.finish().map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{format:?}");
        }
    }
}
