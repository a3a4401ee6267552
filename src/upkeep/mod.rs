//! Care of a project by a person: doctor, backup, restore, repair, permissions, and a key that does not belong there.

pub mod backup;
pub(crate) mod diagnostic;
pub mod doctor;
pub mod key;
pub(crate) mod permissions;
pub mod repair;
pub mod restore;
