//! Files in and out of a project besides imports: exports, merges, parts given away, and logs of labels.

pub mod assign;
pub mod export;
pub mod merge;
pub mod own_log;
#[cfg(feature = "engine")]
pub mod predict;
