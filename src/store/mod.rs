//! The project file: the only SQL of the house.
//!
//! Never runs a model, never prints, never decides: it keeps what it is given and answers what it is asked. Every write is one
//! short `BEGIN IMMEDIATE` transaction (`db/slices.rs`); long writes are cut into slices so that nobody waits for a job.

pub mod care;
pub mod db;
mod foreign_table;
pub mod log;
pub mod pool;
pub mod rounds;
pub mod sync;

pub use care::check::UncleanCheck;
pub use care::in_place::{Alone, Successor};
pub use care::kept_names::{belongs_to_project, refuse_kept_name};
pub use care::orphan_log::{
    foreign_log, log_without_file, play_journal, set_foreign_logs_aside, set_journal_aside,
};
pub use db::alone::say_alone;
pub use db::connected::is_same_file;
pub use db::filesystem::{FileSystem, file_system, locks_stay_here};
pub use db::header::is_database;
pub use db::locks::{Locks, TRY_LOCK, ask_for_lock, try_locks};
pub use db::open::{Access, NewProject, Store};
pub use db::version::{FILE_VERSION, sqlite_version};
pub use db::wal::{Commits, commits, sidecar};
pub use foreign_table::{Asked, foreign_rows, is_foreign_database};
