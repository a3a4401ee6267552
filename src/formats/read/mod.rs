//! Readers: bytes in, rows or one clear sentence out; one file for each format.
//!
//! ```text
//! bytes -> unpack (compressed?) -> tables (a workbook, Parquet or Arrow? to JSONL) -> magic (not text at all?) -> encoding (UTF-8 from here on) -> json (to JSONL, if its objects are not one a line)
//!       -> sniff (which format, which columns?) -> Records -> Row or BadRow
//! ```
//!
//! To add an input format of text: write its file with a static [`InputFormat`] that recognises the beginning of a file, and the
//! [`format::Records`] that it opens; then declare the file here and put the format into [`INPUT_FORMATS`]. Encodings, the choice of columns, limits,
//! previews, imports and the messages that list the formats follow. A format that is not text becomes JSONL in
//! `tables/`, or is refused in `magic.rs`.

pub(in crate::formats) mod columns;
mod delimited;
pub(in crate::formats) mod detected;
mod encoding;
mod excerpt;
mod fasttext;
mod format;
pub(in crate::formats) mod input;
mod json;
mod jsonl;
mod line_ends;
mod lines;
mod magic;
mod parse;
mod path;
mod physical;
pub(in crate::formats) mod reader;
mod refused;
pub(in crate::formats) mod row;
mod sniff;
pub(in crate::formats) mod tables;
pub(in crate::formats) mod tool;
pub(in crate::formats) mod turns;
mod unpack;
pub(in crate::formats) mod whole_encoding;

use self::format::InputFormat;

/// Every input format, in the order in which they are tried on a file without a telling extension. The last one takes any text.
pub(in crate::formats) static INPUT_FORMATS: &[&InputFormat] = &[
    &jsonl::JSONL, //
    &fasttext::FASTTEXT,
    &delimited::DELIMITED,
    &lines::LINES,
];

/// What `--format-in` takes.
pub const FORMATS_IN: &[&str] =
    &["csv", "tsv", "json", "jsonl", "lines", "fasttext", "excel", "parquet", "arrow", "sqlite"];

/// What can be read, for help and messages: `JSONL, CSV, TSV` and then `conjunction` and the last one.
pub fn input_formats(conjunction: &str) -> String {
    const TABLES: [&str; 4] = ["Excel", "Parquet", "Arrow", "SQLite"];
    let texts = INPUT_FORMATS.iter().flat_map(|format| format.names);
    let names: Vec<&str> = TABLES.iter().chain(texts).copied().collect();
    match names.as_slice() {
        [before @ .., last] => format!("{} {conjunction} {last}", before.join(", ")),
        [] => String::new(),
    }
}
