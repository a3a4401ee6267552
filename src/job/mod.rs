//! The long work: each job reads the store, computes, and writes the store.
//!
//! Every job commits in batches, skips what is done and can be stopped or killed at any time. None draws, none prints: what a person
//! should see goes to a `Watcher`, and what came out is returned as a report.

pub mod adapter_files;
pub mod adapters;
pub mod create;
mod given_file;
pub mod given_predictions;
mod given_rows;
pub mod given_vectors;
pub mod import;
pub mod import_report;
mod import_values;
#[cfg(feature = "engine")]
pub mod judge;
pub mod label_source;
pub mod mine;
#[cfg(feature = "engine")]
pub mod models;
pub mod predictor_file;
pub mod preview;
#[cfg(feature = "engine")]
pub mod probe;
#[cfg(feature = "engine")]
pub mod scout;
pub mod task;
#[cfg(feature = "engine")]
pub mod train_judge;
#[cfg(feature = "engine")]
pub mod train_lora;
pub mod tune;

pub use crate::work::runner::JobContext;

/// The login name of the user who runs this process: the expert's name where none is given.
pub fn login() -> String {
    crate::store::db::process::login()
}
