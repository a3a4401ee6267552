//! `task`: the task's revisions.

use std::path::Path;

use serde::Serialize;

use crate::domain::fault::Result;
use crate::domain::task::Task;
use crate::store::{Access, Store};

/// A revision as a person sees it.
#[derive(Debug, Serialize)]
pub struct RevisionReport {
    /// Counted from 1.
    pub number: i64,
    /// When it was set, UTC milliseconds.
    pub created_ms: i64,
    /// The task.
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

/// Sets a new revision; labels that keep their name keep their answers. Returns its number.
pub fn set(project: &Path, task: Task, expert: &str) -> Result<i64> {
    let mut store = Store::open(project, Access::Sitting)?;
    let task = match store.find_task()? {
        Some(current) => current.task.revised(task)?,
        None => task,
    };
    let (_, session) = store.begin_session(expert)?;
    let revision = store.set_task(&task, session);
    store.end_session(session, false)?;
    revision.map(|r| r.number)
}
