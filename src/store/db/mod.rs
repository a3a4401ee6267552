//! The database itself: opening, schema, locks, transactions, conversions.

pub(in crate::store) mod alone;
pub(in crate::store) mod attempt;
pub(in crate::store) mod busy;
pub(in crate::store) mod clock;
pub(in crate::store) mod connected;
pub(in crate::store) mod convert;
pub(in crate::store) mod filesystem;
pub(in crate::store) mod functions;
pub(in crate::store) mod header;
pub(in crate::store) mod locks;
pub(in crate::store) mod log_mark;
pub(in crate::store) mod mark;
pub(in crate::store) mod migrate;
pub(in crate::store) mod open;
pub(in crate::store) mod person;
pub(in crate::store) mod place;
pub(in crate::store) mod plain_path;
pub(in crate::store) mod private;
pub mod process;
pub(in crate::store) mod query;
pub(in crate::store) mod rollback_journal;
pub(in crate::store) mod row_seals;
pub(in crate::store) mod seals;
pub(in crate::store) mod slices;
pub(in crate::store) mod turns;
pub(in crate::store) mod version;
pub(in crate::store) mod wal;
