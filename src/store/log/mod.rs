//! The append-only log: label events, experts, task revisions, jobs; and the answers that follow from it.

pub mod answers;
pub mod drafts;
pub mod events;
pub mod experts;
pub mod imported_labels;
pub(in crate::store) mod kept;
pub mod metrics;
pub mod people;
pub mod runs;
pub mod tasks;
