//! Which answers of others the reader of an export may see, and the label of each text that the reader may know.

use std::collections::{BTreeMap, HashSet};

use crate::domain::answer::{Vote, decided};
use crate::domain::event::LabelEvent;
use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId};
use crate::domain::split::Split;
use crate::store::Store;

/// Whose answers the reader may see.
pub(crate) struct Visible {
    /// For each expert, the first name under which the same person labels.
    pub persons: BTreeMap<ExpertId, ExpertId>,
    /// The reader's first name.
    pub reader: Option<ExpertId>,
    /// Texts whose cases are open to the reader.
    pub open: HashSet<ItemId>,
    /// Those among them that others have answered.
    pub hidden: HashSet<ItemId>,
}

impl Visible {
    pub fn read(store: &Store, reader: &str) -> Result<Self> {
        let expert = store.find_expert(reader)?;
        let open = store.closed_to(expert)?;
        let persons = store.persons()?;
        let reader = expert.and_then(|expert| persons.get(&expert).copied());
        let others: HashSet<ItemId> = store
            .standing_labels()?
            .into_iter()
            .filter(|(_, person, _)| reader != Some(*person))
            .map(|(item, ..)| item)
            .collect();
        let hidden = open.intersection(&others).copied().collect();
        Ok(Self { persons, reader, open, hidden })
    }

    /// Whether the reader may see an event.
    pub fn includes(&self, event: &LabelEvent) -> bool {
        !self.hidden.contains(&event.event.item)
            || self.reader.is_some() && self.persons.get(&event.event.expert).copied() == self.reader
    }
}

/// The label of each text that the reader may know: while its case is open to the reader, the one they gave themselves.
pub(crate) fn all_decided(store: &Store, visible: &Visible) -> Result<BTreeMap<ItemId, String>> {
    let mut votes = all_votes(store)?;
    votes.retain(|vote| !visible.hidden.contains(&vote.item));
    let mut all = decided(&votes);
    for (item, person, label) in store.standing_labels()? {
        if visible.hidden.contains(&item) && visible.reader == Some(person) {
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
