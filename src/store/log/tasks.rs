//! The task's revisions: append-only, and a label names the one it was given under.

use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{RevisionId, SessionId};
use crate::domain::scale_change;
use crate::domain::task::Task;
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::db::seals::{REVISIONS, seal_new};

/// A revision of the task.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    pub id: RevisionId,
    /// Counted from 1 in this file.
    pub number: i64,
    /// When it was set, UTC milliseconds.
    pub created_ms: i64,
    /// The name of the expert who set it.
    pub by: String,
    pub task: Task,
}

impl Store {
    /// Adds a revision. Returns the one that stands already where nothing differs.
    ///
    /// # Errors
    /// It would change the kind or a scale in a way that standing answers or models do not allow ([`scale_change::check`]).
    pub fn set_task(&mut self, task: &Task, session: SessionId) -> Result<Revision> {
        if let Some(current) = self.find_task()? {
            if current.task == *task {
                return Ok(current);
            }
            let predictors = self.predictors()?;
            let predicted = predictors.iter().map(|predictor| predictor.labels.as_slice());
            scale_change::check(&current.task, task, self.is_answered()?, predicted)?;
        }
        let toml = task.to_toml()?;
        self.write("set the task", |tx| {
            tx.execute(
                "INSERT INTO task_revision (uuid, number, generation, toml, session, created_ms)
                 VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM task_revision),
                         (SELECT coalesce(max(generation), 0) + 1 FROM task_revision), ?2, ?3, ?4)",
                (Uuid16(new_uuid()), toml, session, now_ms()),
            )?;
            seal_new(tx, "main", REVISIONS)
        })?;
        self.task()
    }

    /// Whether anybody has answered anything, whatever became of it since.
    pub(in crate::store) fn is_answered(&self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM label_event)";
        Ok(self.one(sql, (), "read the task", |r| r.get(0))?.unwrap_or_default())
    }

    /// The newest revision, where the project has a task.
    pub fn find_task(&self) -> Result<Option<Revision>> {
        let sql = format!("{REVISION} ORDER BY t.generation DESC, t.uuid DESC LIMIT 1");
        self.one(&sql, (), "read the task", stored)?.map(Stored::read).transpose()
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

    /// All revisions, the one that stands last.
    pub fn task_revisions(&self) -> Result<Vec<Revision>> {
        let rows =
            self.all_rows(&format!("{REVISION} ORDER BY t.generation, t.uuid"), "read the task", stored)?;
        rows.into_iter().map(Stored::read).collect()
    }
}

const REVISION: &str = "SELECT t.id, t.number, t.created_ms, t.toml, e.name
    FROM task_revision t JOIN session s ON s.id = t.session JOIN expert e ON e.id = s.expert";

/// A revision whose task is still text.
struct Stored {
    id: RevisionId,
    number: i64,
    created_ms: i64,
    toml: String,
    by: String,
}

fn stored(r: &rusqlite::Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored { id: r.get(0)?, number: r.get(1)?, created_ms: r.get(2)?, toml: r.get(3)?, by: r.get(4)? })
}

impl Stored {
    fn read(self) -> Result<Revision> {
        let task = Task::from_toml(&self.toml, "of the project")?;
        Ok(Revision { id: self.id, number: self.number, created_ms: self.created_ms, by: self.by, task })
    }
}
