//! Copies of a project: parts given away, and merging what comes back.

pub mod merge;
pub mod parts;
