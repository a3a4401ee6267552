//! Writers: rows of typed cells out, one file for each format.
//!
//! To add an output format: write its file with a static [`OutputFormat`] and the [`RowSink`] that it opens, then declare the file here and put
//! the format into [`OUTPUT_FORMATS`]. The values of `--format`, its help, the guess by the extension of `-o` and the messages follow from the list.
//!
//! A test writes a row in each format of the list that has an extension and reads it back by the first (`row_out_and_in` in `formats/fuzzed.rs`):
//! a format that nothing in `formats/read` reads column by column has none, and is chosen by its name alone. One that is not text works with `-o` and in a pipe only: what goes to
//! a terminal is sanitized line by line (`work/output.rs`).

pub(in crate::formats) mod cell;
mod columnar;
mod csv;
mod jsonl;
pub(in crate::formats) mod peft;
pub(in crate::formats) mod sink;
mod tools;

use std::path::Path;

pub use self::csv::{CSV, CSV_FOR_EXCEL};
pub use self::jsonl::JSONL;
use self::sink::OutputFormat;
use crate::domain::fault::Result;

/// Every output format, the default first.
pub static OUTPUT_FORMATS: &[&OutputFormat] = &[
    &JSONL, //
    &CSV,
    &tools::LABEL_STUDIO,
    &tools::DOCCANO,
    &tools::ARGILLA,
    &tools::PRODIGY,
    &tools::SPACY,
    &tools::FASTTEXT,
    &columnar::PARQUET,
    &columnar::ARROW,
];

/// The output format of this name.
///
/// # Errors
/// A usage fault that lists the formats there are.
pub fn output_format(name: &str) -> Result<&'static OutputFormat> {
    sink::find(OUTPUT_FORMATS, name)
}

/// The format to write: the one that was asked for, else the one that the extension of `out` chooses, else the first.
pub fn chosen_format(asked: Option<&'static OutputFormat>, out: Option<&Path>) -> &'static OutputFormat {
    let extension = out.and_then(Path::extension).map(|e| e.to_string_lossy().to_lowercase());
    let by_extension = |extension: String| {
        OUTPUT_FORMATS.iter().copied().find(|format| format.extensions.contains(&extension.as_str()))
    };
    asked.or_else(|| extension.and_then(by_extension)).unwrap_or(OUTPUT_FORMATS[0])
}

#[cfg(test)]
mod tests;
