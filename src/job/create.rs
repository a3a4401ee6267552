//! `new`: an empty project, with its task if there is one already.

use std::path::Path;

use crate::domain::fault::Result;
use crate::domain::split::SplitShares;
use crate::domain::task::Task;
use crate::store::{Access, FileSystem, NewProject, Store, file_system};

/// Makes the project file. Returns a warning if the file system is not a good place for it.
///
/// # Errors
/// The file exists, or its folder cannot be written.
pub fn create(path: &Path, task: Option<&Task>, seed: u64, expert: &str) -> Result<Option<String>> {
    let mut store = Store::create(path, NewProject { seed, shares: SplitShares::default() })?;
    if let Some(task) = task {
        let (_, session) = store.begin_session(expert)?;
        store.set_task(task, session)?;
        store.end_session(session, false)?;
    }
    Ok(match file_system(path) {
        FileSystem::Local => None,
        FileSystem::Network(name) => Some(format!(
            "{} is on a network file system ({name}). That is slower, and safe only if its file locks work: better use a local disk",
            path.display()
        )),
    })
}

/// Fails if no project can be made at `path`, before anyone is asked about it.
///
/// # Errors
/// The file exists, or its folder cannot be written.
pub fn check_place(path: &Path) -> Result<()> {
    Store::check_place(path)
}

/// True if the file exists and is a project that opens.
pub fn is_project(path: &Path) -> bool {
    Store::open(path, Access::Read).is_ok()
}
