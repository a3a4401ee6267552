//! Care of a project by a person: doctor, backup, restore, repair, permissions.

pub mod backup;
pub(crate) mod diagnostic;
pub mod doctor;
pub(crate) mod permissions;
pub mod repair;
pub mod restore;
