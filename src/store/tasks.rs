//! The task's revisions: append-only, and a label names the one it was given under.

use uuid::Uuid;

use super::attempt::Attempt;
use super::clock::now_ms;
use super::convert::Uuid16;
use super::open::Store;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{RevisionId, SessionId};
use crate::domain::task::Task;

/// A revision of the task.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// Its id.
    pub id: RevisionId,
    /// Counted from 1.
    pub number: i64,
    /// When it was set, UTC milliseconds.
    pub created_ms: i64,
    /// The task.
    pub task: Task,
}

impl Store {
    /// Adds a revision. Returns the one that stands already where nothing differs.
    pub fn set_task(&mut self, task: &Task, session: SessionId) -> Result<Revision> {
        if let Some(current) = self.find_task()?
            && current.task == *task
        {
            return Ok(current);
        }
        let toml = task.to_toml()?;
        self.write("set the task", |tx| {
            tx.execute(
                "INSERT INTO task_revision (uuid, number, toml, session, created_ms)
                 VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM task_revision), ?2, ?3, ?4)",
                (Uuid16(Uuid::now_v7()), toml, session, now_ms()),
            )
        })?;
        self.task()
    }

    /// The newest revision, where the project has a task.
    pub fn find_task(&self) -> Result<Option<Revision>> {
        let row = self.one(
            "SELECT id, number, created_ms, toml FROM task_revision ORDER BY number DESC LIMIT 1",
            (),
            "read the task",
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get::<_, String>(3)?)),
        )?;
        row.map(|(id, number, created_ms, toml)| {
            Ok(Revision { id, number, created_ms, task: Task::from_toml(&toml, "of the project")? })
        })
        .transpose()
    }

    /// The newest revision.
    ///
    /// # Errors
    /// The project has no task yet.
    pub fn task(&self) -> Result<Revision> {
        self.find_task()?.ok_or_else(|| {
            Fault::usage("read the task", "the project has no task yet")
                .hint("Write a TASK.toml and set it with `hardcase task FILE --set TASK.toml`")
        })
    }

    /// All revisions, oldest first.
    pub fn task_revisions(&self) -> Result<Vec<Revision>> {
        let what = "read the task";
        let mut statement = self
            .conn
            .prepare_cached("SELECT id, number, created_ms, toml FROM task_revision ORDER BY number")
            .attempting(what)?;
        let rows = statement
            .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get::<_, String>(3)?)))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
            .attempting(what)?;
        rows.into_iter()
            .map(|(id, number, created_ms, toml)| {
                Ok(Revision { id, number, created_ms, task: Task::from_toml(&toml, "of the project")? })
            })
            .collect()
    }
}
