//! `task`: the revisions of a project's task.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::task::Task;
use crate::store::{Access, Store};

#[derive(Debug, Serialize)]
pub struct RevisionReport {
    /// From 1.
    pub number: i64,
    /// UTC milliseconds.
    pub created_ms: i64,
    pub task: Task,
}

/// The revisions of the project's task, oldest first.
pub fn revisions(project: &Path) -> Result<Vec<RevisionReport>> {
    let store = Store::open(project, Access::Read)?;
    let revisions = store.task_revisions()?;
    Ok(revisions
        .into_iter()
        .map(|r| RevisionReport { number: r.number, created_ms: r.created_ms, task: r.task })
        .collect())
}

/// Sets a new revision; labels that keep their name keep their answers. Returns the number of the revision.
pub fn set(project: &Path, task: Task, expert: &str) -> Result<i64> {
    let mut store = Store::open(project, Access::Session)?;
    let task = match store.find_task()? {
        Some(current) => current.task.revised(task)?,
        None => task,
    };
    let (_, session) = store.begin_session(expert)?;
    let revision = store.set_task(&task, session);
    store.end_session(session, false)?;
    revision.map(|r| r.number)
}

/// Where the `TASK.toml` of a project goes: next to it, under its name, with a number if that name is taken.
pub fn free_name(project: &Path) -> PathBuf {
    let is_ours = project.extension().is_some_and(|e| e == "hardcase");
    let stem = if is_ours { project.file_stem() } else { project.file_name() }.unwrap_or_default();
    let name = |end: &str| {
        let mut name = stem.to_owned();
        name.push(end);
        project.with_file_name(name)
    };
    let numbered = (2..).map(|n: u64| name(&format!(".task-{n}.toml")));
    let mut names = std::iter::once(name(".task.toml")).chain(numbered);
    // A folder has fewer names than there are numbers.
    names.find(|path| path.symlink_metadata().is_err()).unwrap_or_default()
}

/// Writes a task into a new file.
///
/// # Errors
/// The file exists, or cannot be written; then nothing of it remains.
pub fn write_new(path: &Path, task: &Task) -> Result<()> {
    let fault = |e: std::io::Error| {
        Fault::new(format!("write the task {}", path.display()), io_reason(&e)).because(e)
    };
    let text = task.to_toml()?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(fault)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| {
        let _ = std::fs::remove_file(path);
        fault(e)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_never_replaces_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("spam.v2.hardcase");
        let task = "question='?'\n[[label]]\nname='a'\nkey='1'\n[[label]]\nname='b'\nkey='2'";
        let task = Task::from_toml(task, "t").unwrap();
        for name in ["spam.v2.task.toml", "spam.v2.task-2.toml", "spam.v2.task-3.toml"] {
            let free = free_name(&project);
            assert_eq!(free, dir.path().join(name));
            write_new(&free, &task).unwrap();
            assert!(write_new(&free, &task).unwrap_err().to_string().contains("exists already"));
        }
        assert_eq!(free_name(Path::new("pool")), Path::new("pool.task.toml"));
    }
}
