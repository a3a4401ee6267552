//! Rows as columns with types. A column that may hold any value gets the type that fits all its values, which is known once all rows have been seen: until
//! then they wait in a temporary file. Values that no type fits, such as numbers next to texts, are written as texts, lists and objects among them as JSON.

use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::Value;

use crate::formats::write::cell::Cell;
use crate::formats::write::sink::{Column, ColumnType, Output, RowSink};

/// Rows written at a time.
const BATCH: usize = 2_048;
/// Bytes of text after which a batch ends earlier.
const BATCH_BYTES: usize = 8 << 20;
/// Rows of a row group of Parquet, and its bytes: it is held in memory until it is whole.
const GROUP_ROWS: usize = 200_000;
const GROUP_BYTES: usize = 64 << 20;
/// An object with more keys is written as JSON.
const MOST_KEYS: usize = 200;
/// What is nested deeper is written as JSON.
const DEEPEST: usize = 8;

/// A file that is being written.
pub(super) trait Batches {
    fn write(&mut self, batch: &RecordBatch) -> io::Result<()>;
    fn finish(self: Box<Self>) -> io::Result<()>;
}

impl<W: Write + Send> Batches for ArrowWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        Self::write(self, batch).map_err(unwritten)
    }
    fn finish(self: Box<Self>) -> io::Result<()> {
        (*self).close().map(drop).map_err(unwritten)
    }
}

impl<W: Write> Batches for FileWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        Self::write(self, batch).map_err(unwritten)
    }
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        Self::finish(&mut self).map_err(unwritten)?;
        self.flush().map_err(unwritten)
    }
}

/// Begins a file with a schema.
pub(super) type OpenBatches = for<'a> fn(Output<'a>, Arc<Schema>) -> io::Result<Box<dyn Batches + 'a>>;

pub(super) fn parquet(out: Output<'_>, schema: Arc<Schema>) -> io::Result<Box<dyn Batches + '_>> {
    let level = ZstdLevel::default();
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .set_created_by(concat!("hardcase ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    Ok(Box::new(ArrowWriter::try_new(out, schema, Some(properties)).map_err(unwritten)?))
}

pub(super) fn arrow(out: Output<'_>, schema: Arc<Schema>) -> io::Result<Box<dyn Batches + '_>> {
    Ok(Box::new(FileWriter::try_new(BufWriter::new(out), &schema).map_err(unwritten)?))
}

/// A failure of the output, as it was before the writers wrapped it.
fn unwritten(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = source {
        if let Some(failed) = inner.downcast_ref::<io::Error>() {
            return io::Error::new(failed.kind(), failed.to_string());
        }
        source = inner.source();
    }
    io::Error::other(error.to_string())
}

/// What all values of a column are.
#[derive(Clone, Debug, PartialEq)]
enum Shape {
    /// None is there yet.
    Nothing,
    Boolean,
    Integer,
    Float,
    Text,
    List(Box<Shape>),
    Object(Vec<(String, Shape)>),
    /// Different things.
    Mixed,
}

impl Shape {
    fn of(value: &Value, depth: usize) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_i64() => Self::Integer,
            // Larger than any whole number has room for: only its digits hold it.
            Value::Number(number) if number.is_u64() => Self::Mixed,
            Value::Number(_) => Self::Float,
            Value::String(_) => Self::Text,
            Value::Array(_) | Value::Object(_) if depth >= DEEPEST => Self::Mixed,
            Value::Array(values) => {
                let inner = values.iter().map(|value| Self::of(value, depth + 1));
                Self::List(Box::new(inner.fold(Self::Nothing, |all, one| all.and(one))))
            }
            Value::Object(fields) if fields.len() > MOST_KEYS => Self::Mixed,
            Value::Object(fields) => Self::Object(
                fields.iter().map(|(name, value)| (name.clone(), Self::of(value, depth + 1))).collect(),
            ),
        }
    }

    /// What holds both.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, one) | (one, Self::Nothing) => one,
            (Self::Integer, Self::Float) | (Self::Float, Self::Integer) => Self::Float,
            (Self::List(one), Self::List(other)) => Self::List(Box::new(one.and(*other))),
            (Self::Object(mut fields), Self::Object(others)) => {
                for (name, shape) in others {
                    match fields.iter_mut().find(|(there, _)| *there == name) {
                        Some((_, there)) => {
                            *there = std::mem::replace(there, Self::Nothing).and(shape);
                        }
                        None => fields.push((name, shape)),
                    }
                }
                if fields.len() > MOST_KEYS { Self::Mixed } else { Self::Object(fields) }
            }
            (one, other) if one == other => one,
            _ => Self::Mixed,
        }
    }

    /// As the column is written. An object without a key has no place in Parquet.
    fn settled(self) -> Self {
        match self {
            Self::Nothing | Self::Mixed => Self::Text,
            Self::Object(fields) if fields.is_empty() => Self::Text,
            Self::Object(fields) => {
                Self::Object(fields.into_iter().map(|(name, shape)| (name, shape.settled())).collect())
            }
            Self::List(inner) => Self::List(Box::new(inner.settled())),
            other => other,
        }
    }

    fn kind(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Nothing | Self::Text | Self::Mixed => DataType::Utf8,
            Self::List(inner) => DataType::List(Arc::new(Field::new("item", inner.kind(), true))),
            Self::Object(fields) => DataType::Struct(fields_of(fields)),
        }
    }
}

fn fields_of(fields: &[(String, Shape)]) -> Fields {
    fields.iter().map(|(name, shape)| Field::new(name, shape.kind(), true)).collect()
}

/// A column of values that have a shape. `None` is null.
fn array(shape: &Shape, values: &[Option<&Value>]) -> ArrayRef {
    let values: Vec<Option<&Value>> =
        values.iter().map(|value| value.filter(|value| !value.is_null())).collect();
    match shape {
        Shape::Boolean => {
            Arc::new(values.iter().map(|v| v.and_then(Value::as_bool)).collect::<BooleanArray>())
        }
        Shape::Integer => Arc::new(values.iter().map(|v| v.and_then(Value::as_i64)).collect::<Int64Array>()),
        Shape::Float => Arc::new(values.iter().map(|v| v.and_then(Value::as_f64)).collect::<Float64Array>()),
        Shape::Nothing | Shape::Text | Shape::Mixed => {
            let texts = values.iter().map(|value| {
                value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            });
            Arc::new(texts.collect::<StringArray>())
        }
        Shape::List(inner) => {
            let lists: Vec<Option<&Vec<Value>>> =
                values.iter().map(|value| value.and_then(Value::as_array)).collect();
            let lengths = lists.iter().map(|list| list.map_or(0, Vec::len));
            let items: Vec<Option<&Value>> =
                lists.iter().flatten().flat_map(|list| list.iter().map(Some)).collect();
            let nulls: NullBuffer = lists.iter().map(Option::is_some).collect();
            Arc::new(ListArray::new(
                Arc::new(Field::new("item", inner.kind(), true)),
                OffsetBuffer::from_lengths(lengths),
                array(inner, &items),
                Some(nulls),
            ))
        }
        Shape::Object(fields) => {
            let columns = fields
                .iter()
                .map(|(name, shape)| {
                    let inner: Vec<Option<&Value>> =
                        values.iter().map(|value| value.and_then(|value| value.get(name))).collect();
                    array(shape, &inner)
                })
                .collect();
            let nulls: NullBuffer = values.iter().map(Option::is_some).collect();
            Arc::new(StructArray::new(fields_of(fields), columns, Some(nulls)))
        }
    }
}

/// Rows of typed cells, a batch at a time.
struct Table<'a> {
    schema: Arc<Schema>,
    shapes: Vec<Shape>,
    file: Box<dyn Batches + 'a>,
    rows: Vec<Vec<Value>>,
    bytes: usize,
}

impl<'a> Table<'a> {
    fn begin(out: Output<'a>, names: &[String], shapes: Vec<Shape>, open: OpenBatches) -> io::Result<Self> {
        let fields: Fields =
            names.iter().zip(&shapes).map(|(name, shape)| Field::new(name, shape.kind(), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let file = open(out, Arc::clone(&schema))?;
        Ok(Self { schema, shapes, file, rows: Vec::with_capacity(BATCH), bytes: 0 })
    }

    fn push(&mut self, row: Vec<Value>) -> io::Result<()> {
        self.bytes += row.iter().map(|value| value.as_str().map_or(16, str::len)).sum::<usize>();
        self.rows.push(row);
        if self.rows.len() < BATCH && self.bytes < BATCH_BYTES { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        if rows.is_empty() {
            return Ok(());
        }
        let column = |(at, shape): (usize, &Shape)| {
            let values: Vec<Option<&Value>> = rows.iter().map(|row| row.get(at)).collect();
            array(shape, &values)
        };
        let columns = self.shapes.iter().enumerate().map(column).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(unwritten)?;
        self.file.write(&batch)
    }

    fn finish(mut self) -> io::Result<()> {
        self.write()?;
        self.file.finish()
    }
}

/// Where rows go.
enum Rows<'a> {
    /// All types are known.
    Typed(Table<'a>),
    /// Some show only when all rows are there.
    Waiting { out: Output<'a>, shapes: Vec<Shape>, file: BufWriter<std::fs::File>, open: OpenBatches },
}

pub(in crate::formats) struct Columnar<'a> {
    names: Vec<String>,
    rows: Rows<'a>,
}

impl<'a> Columnar<'a> {
    pub fn new(out: Output<'a>, columns: &[Column], open: OpenBatches) -> io::Result<Self> {
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        if names.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this format needs a column"));
        }
        let shapes: Vec<Shape> = columns
            .iter()
            .map(|column| match column.kind {
                ColumnType::Text => Shape::Text,
                ColumnType::Integer => Shape::Integer,
                ColumnType::Float => Shape::Float,
                ColumnType::Boolean => Shape::Boolean,
                ColumnType::Json => Shape::Nothing,
            })
            .collect();
        let rows = if shapes.contains(&Shape::Nothing) {
            Rows::Waiting { out, shapes, file: BufWriter::new(tempfile::tempfile()?), open }
        } else {
            Rows::Typed(Table::begin(out, &names, shapes, open)?)
        };
        Ok(Self { names, rows })
    }
}

pub(in crate::formats) fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Absent | Cell::Null => Value::Null,
        Cell::Text(text) => Value::String(text.clone()),
        Cell::Integer(number) => Value::from(*number),
        Cell::Float(number) | Cell::Decimal { value: number, .. } => Value::from(*number),
        Cell::Boolean(truth) => Value::Bool(*truth),
        Cell::Json(json) => serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.clone())),
    }
}

impl RowSink for Columnar<'_> {
    fn write_row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let row: Vec<Value> = cells.iter().map(value).collect();
        match &mut self.rows {
            Rows::Typed(table) => table.push(row),
            Rows::Waiting { shapes, file, .. } => {
                for (shape, value) in shapes.iter_mut().zip(&row) {
                    // A type that the export gives stays, where a value is missing.
                    *shape = std::mem::replace(shape, Shape::Nothing).and(Shape::of(value, 0));
                }
                serde_json::to_writer(&mut *file, &row)?;
                file.write_all(b"\n")
            }
        }
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        let Self { names, rows } = *self;
        match rows {
            Rows::Typed(table) => table.finish(),
            Rows::Waiting { out, shapes, file, open } => {
                let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.rewind()?;
                let shapes = shapes.into_iter().map(Shape::settled).collect();
                let mut table = Table::begin(out, &names, shapes, open)?;
                for line in BufReader::with_capacity(64 << 10, file).lines() {
                    table.push(serde_json::from_str(&line?)?)?;
                }
                table.finish()
            }
        }
    }
}
