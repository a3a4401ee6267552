//! The map of the house.
//!
//! ```text
//! main -> cli -> { tui, desk, job, domain }
//! tui  -> { desk, domain }
//! desk -> { store, stats, domain }
//! job  -> { store, engine, mining, stats, format, domain }
//! store, engine, mining, stats, format -> domain
//! domain -> nothing
//! ```
//!
//! The arrows are the only imports allowed; `tests/house` reads the sources and fails on any other.

pub mod cli;
pub mod desk;
pub mod domain;
#[cfg(feature = "engine")]
pub mod engine;
pub mod format;
pub mod job;
pub mod mining;
pub mod stats;
pub mod store;
pub mod tui;
