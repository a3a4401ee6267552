//! Disagreements: items on which experts gave different labels, as far as the viewer may know of them.
//!
//! A lead sees them at any time, other experts only after the case is closed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::answer::Answer;
use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::ids::{CaseId, ExpertId, ItemId};
use crate::domain::task::Task;
use crate::insight::viewer::Viewer;
use crate::store::Store;

/// Characters of a text shown in a list.
const BEGINNING: usize = 200;

/// An expert's answer, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    pub expert: String,
    /// `None` for a skip.
    pub label: Option<String>,
    /// The labels by name, where a text may have several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
}

/// An item on which experts disagree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dispute {
    pub item: ItemId,
    pub case: Option<CaseId>,
    /// The number of the case's round.
    pub round: Option<i64>,
    /// `train`, `eval` or `audit`.
    pub split: &'static str,
    /// The beginning of the text.
    pub beginning: String,
    /// Everybody's answers; empty if the viewer has yet to answer.
    pub answers: Vec<Said>,
    /// Whether the viewer has yet to answer. Looking at the item then makes that answer not blind.
    pub yours_to_answer: bool,
    /// What was decided, by name.
    pub decided: Option<String>,
}

/// Names of experts and labels; several names of one person become the first.
pub struct Names<'a> {
    task: &'a Task,
    experts: BTreeMap<ExpertId, String>,
}

impl<'a> Names<'a> {
    pub fn read(store: &Store, task: &'a Task) -> Result<Self> {
        let names: BTreeMap<ExpertId, String> = store.experts()?.into_iter().collect();
        let first = |(name, person)| (name, names.get(&person).cloned().unwrap_or_default());
        Ok(Self { task, experts: store.persons()?.into_iter().map(first).collect() })
    }

    pub fn expert(&self, id: ExpertId) -> String {
        self.experts.get(&id).cloned().unwrap_or_default()
    }

    /// What an answer says.
    pub fn answer(&self, answer: &Answer) -> String {
        self.task.in_words(answer)
    }

    /// The names of its labels, where a text may have several.
    pub fn labels(&self, answer: &Answer) -> Option<Vec<String>> {
        self.task.kind.is_several().then(|| self.task.names_of(answer))
    }

    /// Who said what.
    pub fn said(&self, expert: ExpertId, answer: Option<&Answer>) -> Said {
        Said {
            expert: self.expert(expert),
            label: answer.map(|answer| self.answer(answer)),
            labels: answer.and_then(|answer| self.labels(answer)),
        }
    }
}

/// The disagreements that the viewer may know of, undecided ones first; none for a name that is not enrolled.
pub fn disputes(store: &Store, task: &Task, viewer: &Viewer) -> Result<Vec<Dispute>> {
    let Some(expert) = viewer.expert else { return Ok(Vec::new()) };
    let names = Names::read(store, task)?;
    let lead = viewer.role == Role::Lead;
    let decided: BTreeMap<ItemId, String> = store
        .decisions(None)?
        .into_iter()
        .filter(|decision| !decision.overtaken)
        .map(|decision| (decision.item, names.answer(&decision.answer)))
        .collect();
    let mut found = Vec::new();
    for item in store.disputed_items()? {
        let closed = store.is_closed(expert, item)?;
        if !(lead || closed && viewer.sees_all_of(item)) {
            continue;
        }
        let given = store.answers_on(item)?;
        let answered = given.iter().any(|a| Some(a.expert) == viewer.person || a.expert == expert);
        let yours_to_answer = !closed && (!answered || store.repeat_under_way(expert, item)?.is_some());
        let said = |a: &crate::store::rounds::disputes::Given| names.said(a.expert, a.answer.as_ref());
        let case = store.case_of_item(item)?;
        let (text, _) = store.item_text_and_id(item)?;
        found.push(Dispute {
            item,
            case: case.as_ref().map(|c| c.id),
            round: case.as_ref().map(|c| c.round_number),
            split: store.split_of(item)?.map_or("", |split| split.as_str()),
            beginning: text.chars().take(BEGINNING).collect(),
            answers: match yours_to_answer {
                true => Vec::new(),
                false => given.iter().filter(|a| !a.overtaken && a.answer.is_some()).map(said).collect(),
            },
            yours_to_answer,
            decided: decided.get(&item).cloned(),
        });
    }
    found.sort_by_key(|dispute| (dispute.decided.is_some(), dispute.item));
    Ok(found)
}
