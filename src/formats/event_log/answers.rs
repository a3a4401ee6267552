//! How many labels an answer of a log may have: one, or any number under a task in which a text may have several.

use std::collections::HashSet;

use uuid::Uuid;

use crate::domain::answer::Answer;
use crate::domain::log::RevisionLine;
use crate::domain::task::{MAX_LABELS, Task};

/// The revisions of a log in which a text may have several labels.
#[derive(Default)]
pub(super) struct Several(HashSet<Uuid>);

impl Several {
    /// Takes a revision. One that cannot be read is refused wherever the task is asked for.
    pub fn take(&mut self, revision: &RevisionLine) {
        if Task::from_toml(&revision.toml, "of the log").is_ok_and(|task| task.kind.is_several()) {
            self.0.insert(revision.uuid);
        }
    }

    /// The labels of an answer that was given under a revision, or before the project where there is none.
    ///
    /// # Errors
    /// It has more or fewer than it may have.
    pub fn labels_of<'a>(&self, answer: &'a Answer, under: Option<Uuid>) -> Result<&'a [String], String> {
        let may = under.map_or(!self.0.is_empty(), |revision| self.0.contains(&revision));
        if !may && answer.single().is_none() {
            return Err("an answer has one label".into());
        }
        if answer.labels().len() > MAX_LABELS {
            return Err("an answer has more labels than a task".into());
        }
        Ok(answer.labels())
    }
}
