//! What the workstation is opened with, and what the opening has begun by itself.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::domain::task::Task;

/// What the workstation is opened with.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub project: String,
    /// The project file, by its whole path.
    pub file: PathBuf,
    pub expert: String,
    pub task: Task,
    /// How often the expert had given each label when it was opened, by name.
    pub label_uses: HashMap<String, usize>,
    /// Whether this build has the models.
    pub has_engine: bool,
}

/// What the opening has started by itself.
#[derive(Debug, Default)]
pub(super) struct Began {
    pub scout: bool,
    pub mine: bool,
}
