//! Who looks at a project, and whose answers they may see: only their own until a case is closed; a lead, all but of cases that they may still be
//! asked about. Whatever counts answers by label, split or case asks here first: one open case makes such a count its answer.

use std::collections::HashSet;

use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId};
use crate::store::Store;

#[derive(Clone, Debug)]
pub struct Viewer {
    /// The name, if it is enrolled.
    pub expert: Option<ExpertId>,
    /// The person's first name: several names can be one person.
    pub person: Option<ExpertId>,
    pub role: Role,
    /// Texts that the viewer may still be asked about: others' answers to them stay hidden.
    hidden: HashSet<ItemId>,
}

impl Viewer {
    /// The viewer of this name. A name that is not enrolled is not a lead.
    pub fn read(store: &Store, name: &str) -> Result<Self> {
        Self::of(store, store.find_expert(name)?)
    }

    /// The viewer who bears an enrolled name; without one, somebody who has not labelled here so far.
    pub fn of(store: &Store, expert: Option<ExpertId>) -> Result<Self> {
        let role = expert.map_or(Ok(Role::Expert), |expert| store.role(expert))?;
        Ok(Self {
            expert,
            person: expert.map(|expert| store.person_of(expert)).transpose()?,
            role,
            hidden: store.blindness(expert)?.own_only,
        })
    }

    /// The viewer of a report, which depends on the file alone: the same at any time, and the same for everybody except leads. Except to a lead,
    /// nobody's answers are visible for items that still need an answer, not even the viewer's own.
    pub fn by_file(store: &Store, name: &str) -> Result<Self> {
        let expert = store.find_expert(name)?;
        let role = expert.map_or(Ok(Role::Expert), |expert| store.role(expert))?;
        let hidden = match role {
            Role::Lead => HashSet::new(),
            Role::Expert => store.items_still_asked_for()?,
        };
        Ok(Self { expert: None, person: None, role, hidden })
    }

    /// The items whose answers are not all visible.
    pub fn hidden(&self) -> &HashSet<ItemId> {
        &self.hidden
    }

    /// Whether an answer of that person to that item may be seen.
    pub fn sees(&self, item: ItemId, person: ExpertId) -> bool {
        self.sees_all_of(item) || self.person == Some(person)
    }

    /// Whether everybody's answers to that item may be seen.
    pub fn sees_all_of(&self, item: ItemId) -> bool {
        !self.hidden.contains(&item)
    }
}
