//! Who leads.

use std::collections::BTreeMap;

use super::open::Store;
use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::ids::ExpertId;

impl Store {
    /// What an expert may do.
    pub fn role(&self, expert: ExpertId) -> Result<Role> {
        let first: Option<ExpertId> =
            self.one("SELECT min(id) FROM expert", (), "read the roles", |r| r.get(0))?;
        Ok(if first == Some(expert) { Role::Lead } else { Role::Expert })
    }

    /// The first name of the person who bears each name.
    pub fn persons(&self) -> Result<BTreeMap<ExpertId, ExpertId>> {
        Ok(self.experts()?.into_iter().map(|(id, _)| (id, id)).collect())
    }
}
