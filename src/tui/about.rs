//! What the workstation is opened with, and what the opening has begun by itself.

use crate::domain::task::Task;

/// What the workstation is opened with.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub project: String,
    pub expert: String,
    pub task: Task,
    /// Whether this build has the models.
    pub has_engine: bool,
}

/// What the opening has started by itself.
#[derive(Debug, Default)]
pub(super) struct Began {
    pub scout: bool,
    pub mine: bool,
}
