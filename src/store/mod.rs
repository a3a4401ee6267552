//! The project file: the only SQL of the house.
//!
//! Never runs a model, never prints, never decides: it keeps what it is given and answers what it is asked. Every write is one
//! short `BEGIN IMMEDIATE` transaction; long writes are cut into slices so that nobody waits for a job.

mod attempt;
mod between;
mod busy;
mod check;
mod clock;
mod connected;
mod convert;
mod copying;
mod filesystem;
mod functions;
mod header;
mod in_place;
mod label_damage;
mod legible;
mod locks;
mod migrate;
mod open;
mod person;
mod private;
mod query;
mod seals;
mod searched;
mod slices;
mod snapshot;
mod wal;

pub mod adapters;
pub mod again;
pub mod answers;
pub mod backups;
pub mod browse;
pub mod cases;
pub mod census;
pub mod disputes;
pub mod drafts;
pub mod embeddings;
pub mod events;
pub mod experts;
pub mod hands;
pub mod items;
pub mod leases;
pub mod merge;
pub mod metrics;
pub mod parts;
pub mod people;
pub mod predictors;
pub mod process;
pub mod repeats;
pub mod rounds;
pub mod runs;
pub mod salvage;
pub mod sources;
pub mod tasks;

pub use check::UncleanCheck;
pub use filesystem::{FileSystem, file_system, locks_stay_here};
pub use header::is_database;
pub use in_place::{Alone, finish_replacement, write_successor};
pub use locks::{Locks, TRY_LOCK, ask_for_lock, try_locks};
pub use migrate::FILE_VERSION;
pub use open::{Access, NewProject, Store};
pub use wal::{Commits, beside, commits};
