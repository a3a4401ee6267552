//! Copies of a project: parts given away, and merging what comes back.

pub mod merge;
mod new_file;
pub mod parts;
pub mod predictor_file;
