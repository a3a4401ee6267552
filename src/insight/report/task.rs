//! The task with all its revisions: what each changed, by whom, when, and how many labels were given under it.

use serde::Serialize;

use super::ledger::{Ledger, is_label};
use crate::domain::fault::Result;
use crate::domain::moment::utc;
use crate::domain::task::Task;
use crate::insight::project::changed;
use crate::store::Store;

/// A revision of the task.
#[derive(Clone, Debug, Serialize)]
pub struct RevisionEntry {
    /// Its number in this file.
    pub number: i64,
    /// UTC.
    pub at: String,
    pub by: String,
    /// Whether it is the current one.
    pub current: bool,
    /// Whether it was set in another copy, in parallel with the one before it in this list.
    pub concurrent: bool,
    /// The parts that differ from the one before it in this list; empty for the first.
    pub changed: Vec<&'static str>,
    /// Current labels that were given under it.
    pub labels: usize,
    pub task: Task,
}

/// Every revision, the current one last.
pub(crate) fn revisions(store: &Store, ledger: &Ledger) -> Result<Vec<RevisionEntry>> {
    let all = store.task_revisions()?;
    let line = |number: i64| ledger.log.revisions.iter().find(|line| line.number == number);
    let generation = |number: i64| line(number).map(|line| line.generation);
    let entry = |(i, revision): (usize, &crate::store::log::tasks::Revision)| {
        let before = i.checked_sub(1).map(|before| &all[before]);
        let uuid = line(revision.number).map(|line| line.uuid);
        RevisionEntry {
            number: revision.number,
            at: utc(revision.created_ms),
            by: revision.by.clone(),
            current: i + 1 == all.len(),
            concurrent: before.is_some_and(|before| generation(before.number) == generation(revision.number)),
            changed: before.map_or(Vec::new(), |before| changed(&before.task, &revision.task)),
            labels: ledger.answers().filter(|e| is_label(e) && Some(e.revision) == uuid).count(),
            task: revision.task.clone(),
        }
    };
    Ok(all.iter().enumerate().map(entry).collect())
}
