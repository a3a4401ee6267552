//! A task that is changed in the screen: what there is before, who may change it, and the change itself.

use std::collections::BTreeMap;
use std::path::Path;

use super::beside::columns_to_show;
use super::session::Session;
use crate::domain::answer::Answer;
use crate::domain::expert::Role;
use crate::domain::fault::{Fault, Result};
use crate::domain::task::Task;
use crate::store::{Access, Store};

/// The task as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub task: Task,
    /// Answers that count so far, by the stable key of their label. Empty for who may not see them.
    pub answers: BTreeMap<String, usize>,
    /// Whether the expert may change it.
    pub may_change: bool,
    /// The names of those who may.
    pub leads: Vec<String>,
    /// The columns of the data that can be shown next to a text, and whether the import named them.
    pub columns: Vec<(String, bool)>,
}

/// The task as it stands, for an expert who wants to change it.
///
/// # Errors
/// The project cannot be read.
pub fn standing(project: &Path, expert: &str) -> Result<Standing> {
    let store = Store::open(project, Access::Read)?;
    let may_change = match store.find_expert(expert)? {
        Some(expert) => store.role(expert)? == Role::Lead,
        None => false,
    };
    let mut answers = BTreeMap::new();
    if may_change {
        for answer in store.current_answers()? {
            for label in answer.event.answer.iter().flat_map(Answer::labels) {
                *answers.entry(label.clone()).or_default() += 1;
            }
        }
    }
    let columns = columns_to_show(&store)?;
    Ok(Standing { task: store.task()?.task, answers, may_change, leads: store.leads()?, columns })
}

impl Session {
    /// Sets a new version of the task that was `before`, by the rules of `task --set`: labels that keep their name or id keep their answers.
    /// Returns its number.
    ///
    /// # Errors
    /// This expert does not lead, or the task is not `before` any more.
    pub fn change_task(&mut self, before: &Task, after: Task) -> Result<i64> {
        let attempted = "change the task";
        if !self.leads()? {
            return Err(Fault::new(attempted, "only a lead may do that"));
        }
        let standing = self.store.task()?.task;
        if standing != *before {
            return Err(Fault::new(attempted, "somebody else has changed it meanwhile")
                .hint("Look at the task as it is now, and change that"));
        }
        let after = standing.revised(after)?;
        self.revision = self.store.set_task(&after, self.session)?;
        Ok(self.revision.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::session::OnClose;
    use crate::domain::split::SplitShares;
    use crate::domain::task_draft::TaskDraft;
    use crate::store::NewProject;

    #[test]
    fn a_lead_changes_the_task_that_was_on_the_screen_and_nobody_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        let mut draft = TaskDraft { question: "Spam?".into(), ..TaskDraft::default() };
        draft.insert_label(0, "spam");
        draft.insert_label(1, "ham");
        let before = draft.to_task().unwrap();
        let mut store = Store::create(&path, NewProject { seed: 1, shares: SplitShares::default() }).unwrap();
        let (_, session) = store.begin_session("Grace").unwrap();
        store.set_task(&before, session).unwrap();
        drop(store);
        let mut changed = TaskDraft::of(&before);
        changed.labels[0].name = "junk".into();
        let after = changed.to_task().unwrap();

        let mut bob = Session::open(&path, "bob", OnClose::ReleaseCases).unwrap();
        assert!(bob.change_task(&before, after.clone()).unwrap_err().to_string().contains("only a lead"));
        assert!(!standing(&path, "bob").unwrap().may_change);
        let mut grace = Session::open(&path, "Grace", OnClose::ReleaseCases).unwrap();
        assert!(standing(&path, "Grace").unwrap().may_change);
        assert_eq!(grace.change_task(&before, after.clone()).unwrap(), 2);
        assert_eq!(grace.task().labels[0].id, "spam", "a renamed label keeps its answers");
        assert!(grace.change_task(&before, after).unwrap_err().to_string().contains("meanwhile"));
    }
}
