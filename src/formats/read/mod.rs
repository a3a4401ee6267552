//! Readers: bytes in, rows or one clear sentence out; one file for each format.
//!
//! ```text
//! bytes -> magic (not text at all?) -> encoding (UTF-8 from here on) -> sniff (which format, which columns?) -> Records -> Row or BadRow
//! ```
//!
//! To add an input format of text: write its file with a static [`InputFormat`] that recognises the beginning of a file, and the
//! [`format::Records`] that it opens; then declare the file here and put the format into [`INPUT_FORMATS`]. Encodings, the choice of columns, limits,
//! previews, imports and the messages that list the formats follow. A format that is not text is refused in `magic.rs` today.

pub(in crate::formats) mod columns;
mod delimited;
pub(in crate::formats) mod detected;
mod encoding;
mod excerpt;
mod format;
mod jsonl;
mod lines;
mod magic;
mod parse;
mod physical;
pub(in crate::formats) mod reader;
pub(in crate::formats) mod row;
mod sniff;
pub(in crate::formats) mod turns;

use self::format::InputFormat;

/// Every input format, in the order in which they are tried on a file without a telling extension. The last one takes any text.
pub(in crate::formats) static INPUT_FORMATS: &[&InputFormat] = &[
    &jsonl::JSONL, //
    &delimited::DELIMITED,
    &lines::LINES,
];

/// What can be read, for help and messages: `JSONL, CSV, TSV` and then `conjunction` and the last one.
pub fn input_formats(conjunction: &str) -> String {
    let names: Vec<&str> = INPUT_FORMATS.iter().flat_map(|format| format.names).copied().collect();
    match names.as_slice() {
        [before @ .., last] => format!("{} {conjunction} {last}", before.join(", ")),
        [] => String::new(),
    }
}
