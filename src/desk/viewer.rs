//! Who looks at a project, and whose answers that person may see: until a case is closed the own alone, a lead all.

use std::collections::HashSet;

use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId};
use crate::store::Store;

/// Who looks.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The name, where it is enrolled.
    pub expert: Option<ExpertId>,
    /// The first name of the person who bears it.
    pub person: Option<ExpertId>,
    /// What the person may do.
    pub role: Role,
    closed: HashSet<ItemId>,
}

impl Viewer {
    /// Whoever looks under that name. A name that is not enrolled does not lead.
    pub fn read(store: &Store, name: &str) -> Result<Self> {
        let expert = store.find_expert(name)?;
        Ok(Self {
            expert,
            person: expert.map(|expert| store.person_of(expert)).transpose()?,
            role: expert.map_or(Ok(Role::Expert), |expert| store.role(expert))?,
            closed: store.closed_to(expert)?,
        })
    }

    /// Whether an answer of that person to that item may be seen.
    pub fn sees(&self, item: ItemId, person: ExpertId) -> bool {
        self.sees_all_of(item) || self.person == Some(person)
    }

    /// Whether everybody's answers to that item may be seen.
    pub fn sees_all_of(&self, item: ItemId) -> bool {
        !self.closed.contains(&item)
    }
}
