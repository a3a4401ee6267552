//! Copies of a project: parts given away, merging what comes back, and files with a part of what it holds.

pub mod merge;
mod new_file;
pub mod parts;
pub mod pool_file;
pub mod predictor_file;
