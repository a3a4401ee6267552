//! Parquet, row group by row group and page by page. What the file says of Arrow's types is passed over: those of Parquet say enough, and texts are read in place,
//! so that one that stands in a dictionary for thousands of rows is held once.

use std::fs::File;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaData;

use super::super::excerpt::excerpt;
use super::cells::push;
use crate::domain::fault::{Fault, Result};
use crate::domain::row_stream::{Keys, Rows};

/// Rows decoded at a time.
const BATCH: usize = 512;
/// The most bytes of a column of one row group, unpacked: what is read of it at once is a page.
const LARGEST_COLUMN: i64 = 1 << 35;
/// The most values in the lists of a column of one row group: those of one row are read at once.
const MOST_LISTED: i64 = 1 << 28;

/// Gives all rows of a file. The first of several says what they are called.
pub(super) fn read(file: File, first: bool, rows: &mut Rows) -> Result<()> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&file, options.clone()).map_err(|e| broken(rows, &e))?;
    check(metadata.metadata(), rows)?;
    let schema = Schema::new(metadata.schema().fields().iter().map(in_place).collect::<Vec<FieldRef>>());
    let options = options.with_schema(Arc::new(schema));
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)
        .map_err(|e| broken(rows, &e))?;
    let keys = Keys::of(metadata.schema().fields().iter().map(|field| field.name()));
    let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_batch_size(BATCH)
        .build()
        .map_err(|e| broken(rows, &e))?;
    if first {
        rows.called("Parquet")?;
    }
    for batch in batches {
        let batch = batch.map_err(|e| broken(rows, &e))?;
        for row in 0..batch.num_rows() {
            rows.row(&keys, |at, out| push(out, &**batch.column(at), row))?;
        }
    }
    Ok(())
}

/// Texts and bytes as views into the pages that hold them.
fn in_place(field: &FieldRef) -> FieldRef {
    let kind = match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::List(of) => DataType::List(in_place(of)),
        DataType::Struct(of) => DataType::Struct(of.iter().map(in_place).collect::<Fields>()),
        DataType::Map(of, sorted) => DataType::Map(in_place(of), *sorted),
        other => other.clone(),
    };
    Arc::new(Field::new(field.name(), kind, field.is_nullable()))
}

/// What no file that a program wrote has.
fn check(metadata: &ParquetMetaData, rows: &Rows) -> Result<()> {
    let sizes = metadata.row_groups().iter().flat_map(|group| group.columns());
    for column in sizes {
        if column.compressed_size() < 0 || column.uncompressed_size() < 0 || column.num_values() < 0 {
            return Err(rows.fault("it is a damaged Parquet file").hint("Get the file again"));
        }
        let in_lists = column.column_descr().max_rep_level() > 0;
        if column.uncompressed_size() > LARGEST_COLUMN || in_lists && column.num_values() > MOST_LISTED {
            return Err(rows
                .fault("one of its row groups is too large")
                .hint("Write it with smaller row groups"));
        }
    }
    Ok(())
}

fn broken(rows: &Rows, error: &dyn std::error::Error) -> Fault {
    let why = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let is_encrypted = why.contains("ncrypt");
    if is_encrypted {
        return rows.fault("it is an encrypted Parquet file").hint("Decrypt it first");
    }
    rows.fault(format!("it is a damaged Parquet file: {}", excerpt(&why))).hint("Get the file again")
}
