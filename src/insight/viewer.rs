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

    /// What may be seen by whoever reads under that name, by what the file alone says: the same at any time, and the same for everybody who does
    /// not lead. Such a one sees nobody's answers to items for which somebody is still asked, not even the own.
    pub fn by_file(store: &Store, name: &str) -> Result<Self> {
        let expert = store.find_expert(name)?;
        let role = expert.map_or(Ok(Role::Expert), |expert| store.role(expert))?;
        let closed = match role {
            Role::Lead => HashSet::new(),
            Role::Expert => store.items_still_asked_for()?,
        };
        Ok(Self { expert: None, person: None, role, closed })
    }

    /// The items of which not everybody's answers may be seen.
    pub fn closed(&self) -> &HashSet<ItemId> {
        &self.closed
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
