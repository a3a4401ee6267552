//! The long work: each job reads the store, computes, and writes the store.
//!
//! Every job commits in batches, skips what is done and can be stopped or killed at any time. None draws, none prints: what a person
//! should see goes to a `Watcher`, and what came out is returned as a report.

#[cfg(feature = "engine")]
mod adapted;
#[cfg(feature = "engine")]
mod beside;
mod cascade;
#[cfg(feature = "engine")]
mod embedding;
mod evaluate;
mod finding;
#[cfg(feature = "engine")]
mod held_out;
mod judged;
#[cfg(feature = "engine")]
mod nearest;
mod prelabels;
#[cfg(feature = "engine")]
mod reading;
#[cfg(feature = "engine")]
mod rehearsal;
mod runner;
#[cfg(feature = "engine")]
mod school;
mod scorer;
mod shares;
mod sharing;
#[cfg(feature = "engine")]
mod told;
mod training;

#[cfg(feature = "engine")]
pub mod adapt;
pub mod adapters;
pub mod assign;
pub mod backup;
pub mod create;
pub mod doctor;
pub mod events;
pub mod export;
pub mod import;
#[cfg(feature = "engine")]
pub mod judge;
pub mod look;
pub mod merge;
pub mod mine;
#[cfg(feature = "engine")]
pub mod model;
pub mod output;
#[cfg(feature = "engine")]
pub mod predict;
pub mod repair;
pub mod restore;
#[cfg(feature = "engine")]
pub mod scout;
#[cfg(feature = "engine")]
pub mod simulate;
pub mod task;
#[cfg(feature = "engine")]
pub mod teach;
pub mod tune;

pub use runner::JobContext;

/// The login name of whoever runs this process: the expert's name where none is given.
pub fn login() -> String {
    crate::store::process::login()
}
