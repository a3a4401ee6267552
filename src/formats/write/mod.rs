//! Writers: rows of cells out as JSONL or CSV.

pub(in crate::formats) mod cell;
pub(in crate::formats) mod writer;
