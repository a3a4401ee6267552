//! Everything that leaves a project as a file or comes back from one, apart from imports: exports, predictions for new texts, merges, and
//! parts of a project for a reviewer elsewhere.
//!
//! To add a kind of export, see `export/mod.rs`: one file and one line of its list. To add a file format for all of them, see
//! `formats/write/mod.rs`. Nothing here changes a label: `merge` takes in the events of another copy as they are.

pub mod assign;
mod blind_texts;
pub mod export;
pub mod merge;
pub mod perturbed;
#[cfg(feature = "engine")]
pub mod predict;
pub mod source_files;
pub mod test_files;
