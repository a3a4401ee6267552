//! The map of the house.
//!
//! ```text
//! main     -> cli
//! cli      -> { tui, desk, insight, job, exchange, upkeep, simulate, learn, work, domain }
//! tui      -> { desk, insight, domain }
//! desk     -> { insight, formats, store, stats, domain }
//! insight  -> { store, stats, domain }
//! job      -> { learn, work, formats, store, engine, mining, stats, domain }
//! simulate -> { learn, work, formats, engine, mining, stats, domain }
//! exchange -> { learn, work, formats, store, engine, domain }
//! upkeep   -> { exchange, work, store, engine, domain }
//! learn    -> { work, store, engine, mining, stats, domain }
//! work     -> { store, domain }
//! store, engine, mining, stats, formats -> domain
//! domain   -> nothing
//! ```
//!
//! The arrows are the only imports allowed; `tests/house` reads the sources and fails on any other.

pub mod cli;
pub mod desk;
pub mod domain;
#[cfg(feature = "engine")]
pub mod engine;
pub mod exchange;
pub mod formats;
pub mod insight;
pub mod job;
pub mod learn;
pub mod mining;
#[cfg(feature = "engine")]
pub mod simulate;
pub mod stats;
pub mod store;
pub mod tui;
pub mod upkeep;
pub mod work;
