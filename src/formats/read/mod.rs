//! Readers: bytes in, rows or one clear sentence out.

pub(in crate::formats) mod columns;
pub(in crate::formats) mod delimited;
pub(in crate::formats) mod encoding;
pub(in crate::formats) mod found;
pub(in crate::formats) mod header;
pub(in crate::formats) mod jsonl;
pub(in crate::formats) mod lines;
pub(in crate::formats) mod magic;
pub(in crate::formats) mod options;
pub(in crate::formats) mod parse;
pub(in crate::formats) mod quotes;
pub(in crate::formats) mod reader;
pub(in crate::formats) mod row;
pub(in crate::formats) mod shown;
pub(in crate::formats) mod sniff;
pub(in crate::formats) mod split;
pub(in crate::formats) mod window;
