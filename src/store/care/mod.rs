//! Care of the file: checks, backups, snapshots, replacement, and salvage of a damaged one.

pub mod backups;
pub(in crate::store) mod check;
pub(in crate::store) mod copying;
pub(in crate::store) mod enum_columns;
pub mod file_facts;
pub mod forget;
pub(in crate::store) mod in_place;
pub mod job_words;
pub(in crate::store) mod kept_names;
pub(in crate::store) mod label_damage;
pub mod orphan_log;
pub(in crate::store) mod replacing;
pub(in crate::store) mod row_damage;
pub mod salvage;
pub(in crate::store) mod snapshot;
