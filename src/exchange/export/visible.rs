//! What the reader of an export or a prediction may see of the model's view and of others' answers, and the label of each text that the reader may
//! know. Every output of `exchange/` asks here.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::Serialize;

use crate::domain::answer::{Answer, Vote, decided};
use crate::domain::event::LabelEvent;
use crate::domain::expert::Role;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{CaseId, ExpertId, ItemId};
use crate::domain::split::Split;
use crate::store::rounds::blindness::Blindness;
use crate::store::{Access, Store};

/// What an output shows of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    /// Who answered what.
    Answers,
    /// The whole log: who answered what, and why a text became a case.
    Log,
    /// What a model says, and what was decided.
    ModelAndAnswers,
}

/// Whether the reader also gets what would make later answers of theirs not blind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reveal {
    /// It is left out, and counted.
    No,
    /// It is shown, and the project records that it was.
    Yes,
}

/// What was left out of an output because its reader may still be asked, or may not see it yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Texts without the model's view: the reader may still be asked about them.
    pub views: usize,
    /// Texts without others' answers.
    pub answers: usize,
    /// Cases in a label log without their texts: the reader may still be asked about them.
    pub texts: usize,
    /// Label events of others that only a lead gets.
    pub events: usize,
    /// The reader's own skips, flags and notes of cases that they may still answer.
    pub unanswered: usize,
    /// Whether the reader is a lead, who gets others' answers with [`Reveal::Yes`].
    pub by_lead: bool,
}

/// What the reader may see.
pub(crate) struct Visible {
    /// For each expert, the first name under which the same person labels.
    pub persons: BTreeMap<ExpertId, ExpertId>,
    /// The reader's first name.
    pub reader: Option<ExpertId>,
    /// Texts of which only the reader's own answers may be seen.
    pub open: HashSet<ItemId>,
    /// Those among them on which others have left something.
    pub hidden: HashSet<ItemId>,
    /// Texts about which the reader may still be asked, blind.
    to_answer: BTreeMap<ItemId, CaseId>,
    role: Role,
}

impl Visible {
    /// What the reader of this name may see. With [`Reveal::Yes`] that is more, and what is shown of texts that they may still be asked about is
    /// recorded in the project first.
    ///
    /// # Errors
    /// A reveal for a name that the project does not know, or in a project that cannot be written.
    pub fn read(store: &Store, reader: &str, shows: Shows, reveal: Reveal) -> Result<Self> {
        let expert = store.find_expert(reader)?;
        let persons = store.persons()?;
        let person = expert.and_then(|expert| persons.get(&expert).copied());
        let Blindness { role, to_answer, own_only } = store.blindness(expert)?;
        let hidden = own_only.intersection(&store.items_of_others(person)?).copied().collect();
        let mut visible = Self { reader: person, open: own_only, hidden, to_answer, role, persons };
        if reveal == Reveal::Yes {
            visible.reveal(store.path(), (expert, reader), shows)?;
        }
        Ok(visible)
    }

    fn reveal(
        &mut self,
        project: &Path,
        (expert, name): (Option<ExpertId>, &str),
        shows: Shows,
    ) -> Result<()> {
        // Others' answers are not for an expert who is not a lead, revealed or not.
        if self.role != Role::Lead && shows != Shows::ModelAndAnswers {
            return Ok(());
        }
        let mut shown = std::mem::take(&mut self.to_answer);
        if shows == Shows::Answers {
            shown.retain(|item, _| self.hidden.contains(item));
        }
        record_reveal(project, (expert, name), shown.iter().map(|(item, case)| (*item, *case)).collect())?;
        if self.role == Role::Lead {
            self.open.retain(|item| !shown.contains_key(item));
            self.hidden.retain(|item| !shown.contains_key(item));
        }
        Ok(())
    }

    fn is_own(&self, event: &LabelEvent) -> bool {
        self.reader.is_some() && self.persons.get(&event.event.expert).copied() == self.reader
    }

    /// Whether the reader may see an event.
    pub fn includes(&self, event: &LabelEvent) -> bool {
        !self.open.contains(&event.event.item) || self.is_own(event)
    }

    /// Whether the reader may see what a model says of a text, and which use its label has.
    pub fn shows_view_of(&self, item: ItemId) -> bool {
        !self.to_answer.contains_key(&item)
    }

    /// The texts about which the reader may still be asked, blind.
    pub fn to_answer(&self) -> impl Iterator<Item = ItemId> {
        self.to_answer.keys().copied()
    }

    /// What is left out of an output that shows this.
    pub fn left_out(&self, shows: Shows) -> LeftOut {
        let views = if shows == Shows::ModelAndAnswers { self.to_answer.len() } else { 0 };
        LeftOut { views, answers: self.hidden.len(), by_lead: self.role == Role::Lead, ..LeftOut::default() }
    }
}

/// Records that these texts are shown to an expert, so that a later answer is not logged as blind.
///
/// # Errors
/// A name that the project does not know, or a project that cannot be written.
pub(crate) fn record_reveal(
    project: &Path,
    (expert, name): (Option<ExpertId>, &str),
    shown: Vec<(ItemId, CaseId)>,
) -> Result<()> {
    if shown.is_empty() {
        return Ok(());
    }
    let attempted = || format!("reveal what {name} has yet to answer");
    let expert = expert.ok_or_else(|| {
        Fault::usage(attempted(), "nobody of that name has joined the project, so it could not be recorded")
            .hint("Leave --reveal out, or add --as NAME with the name that you label under")
    })?;
    let mut store = Store::open(project, Access::Session).map_err(|f| f.while_trying(attempted()))?;
    store.reveal_all(expert, shown)
}

/// The label of each text that the reader may know: while its case is open to the reader, the one they gave themselves.
pub(crate) fn all_decided(store: &Store, visible: &Visible) -> Result<BTreeMap<ItemId, Answer>> {
    let mut votes = all_votes(store)?;
    votes.retain(|vote| !visible.open.contains(&vote.item));
    let mut all = decided(&votes, store.task()?.task.kind);
    for (item, person, label) in store.standing_labels()? {
        if visible.open.contains(&item) && visible.reader == Some(person) {
            all.insert(item, label);
        }
    }
    Ok(all)
}

/// The votes of every item that has any.
pub(crate) fn all_votes(store: &Store) -> Result<Vec<Vote>> {
    let mut votes = Vec::new();
    for split in [Split::Train, Split::Eval, Split::Audit] {
        votes.extend(store.votes(split)?);
    }
    Ok(votes)
}
