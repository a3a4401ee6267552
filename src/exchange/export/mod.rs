//! `export`: labels with their provenance, predictions, every item's final label, or every imported row with what was decided.

mod finals;
mod labels;
mod lines;
mod options;
mod predicted;
mod predictions;
mod rows;
mod run;
mod seen;

#[cfg(feature = "engine")]
pub(crate) use lines::probabilities_cell;
pub use options::{By, ExportFormat, ExportOptions, Exported, What};
pub use run::export;
