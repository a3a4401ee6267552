//! Care of a project by a person: doctor, backup, restore, repair, permissions, and what does not belong there: a key, or a text that somebody wants removed.

pub mod backup;
pub(crate) mod diagnostic;
pub mod doctor;
pub mod forget;
pub mod key;
pub(crate) mod permissions;
pub mod repair;
pub mod restore;
mod shown_since;
pub mod support;

/// Takes what a person says on the command line: whether nobody else has the project open, and where earlier answers are kept.
pub fn say_alone(now: bool, remembered_in: Option<std::path::PathBuf>) {
    crate::store::say_alone(now, remembered_in);
}

/// The version of SQLite inside.
pub fn sqlite_version() -> &'static str {
    crate::store::sqlite_version()
}
