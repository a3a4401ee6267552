//! What may not be shown to a person yet, by whatever output: the one rule behind exports, predictions, figures and lists.

use std::collections::{BTreeMap, HashSet};

use super::comes_back::comes_back;
use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::ids::{CaseId, ExpertId, ItemId};
use crate::store::db::clock::now_ms;
use crate::store::db::open::Store;
use crate::store::db::person::{ME, MY_NAMES};
use crate::store::log::events::note_reveal;

/// What may not be shown to a person yet.
#[derive(Clone, Debug)]
pub struct Blindness {
    pub role: Role,
    /// Items of which neither the model's view nor others' answers may be shown, each with its case: the person may still be asked about them,
    /// and an answer would count as blind. Those of which the model's view was shown to the person before, or on which they decided, are not among them.
    pub to_answer: BTreeMap<ItemId, CaseId>,
    /// Items on which only the person's own answers may be shown: `to_answer` and, unless the person leads, every case that is not closed and every
    /// text that others found and the person may still find.
    pub own_only: HashSet<ItemId>,
}

impl Store {
    /// What may not be shown yet to the person who bears a name; without one, to somebody who has not labelled here so far.
    pub fn blindness(&self, expert: Option<ExpertId>) -> Result<Blindness> {
        let role = expert.map_or(Ok(Role::Expert), |expert| self.role(expert))?;
        let to_answer = self.still_to_answer(expert)?;
        let mut own_only = match role {
            Role::Lead => HashSet::new(),
            Role::Expert => {
                let mut items = self.items_of_open_cases(expert)?;
                items.extend(self.found_by_others(expert)?);
                items
            }
        };
        own_only.extend(to_answer.keys());
        Ok(Blindness { role, to_answer, own_only })
    }

    /// The items that a person may still be asked about, each with its newest case. As many annotators as a case is to have count, rather than as
    /// many as are active: a person who joins becomes active, and then is asked. One that was skipped and is to come back is among them, and so is one that
    /// others hold, because they may give it back; a repeat is not, because its absence from an output would tell that it is one.
    fn still_to_answer(&self, expert: Option<ExpertId>) -> Result<BTreeMap<ItemId, CaseId>> {
        let sql = format!(
            "SELECT item, max(id) FROM (
               SELECT c.item, c.id FROM label_case c JOIN round r ON r.id = c.round
               WHERE r.closed_ms IS NULL AND c.withdrawn_ms IS NULL AND CASE
                 WHEN c.reannotation IS NOT NULL THEN c.expert IN {MY_NAMES} AND c.revealed_ms IS NULL
                   AND NOT EXISTS (SELECT 1 FROM repeat_answer e WHERE e.label_case = c.id AND e.action = 'set')
                 WHEN c.reason = 'repeat' THEN 0
                 ELSE (SELECT count(*) FROM current_answer a WHERE a.item = c.item AND a.action = 'set') < max(c.overlap, 1) END
               UNION ALL SELECT c.item, c.id FROM label_case c JOIN round r ON r.id = c.round WHERE {}
               UNION ALL SELECT c.item, c.id FROM lease l JOIN label_case c ON c.id = l.label_case
               WHERE l.expert IN {MY_NAMES} AND l.expires_ms > ?2 AND c.reason <> 'repeat') asked
             WHERE (EXISTS (SELECT 1 FROM label_case k WHERE k.id = asked.id AND k.reannotation IS NOT NULL)
               OR NOT EXISTS (SELECT 1 FROM current_answer a WHERE a.item = asked.item AND a.person = {ME} AND a.action = 'set')
                 AND NOT EXISTS (SELECT 1 FROM reveal v WHERE v.item = asked.item AND v.expert IN {MY_NAMES}))
               AND NOT EXISTS (SELECT 1 FROM label_event d WHERE d.item = asked.item AND d.action = 'adjudicate' AND d.expert IN {MY_NAMES})
             GROUP BY item",
            comes_back()
        );
        let asked =
            self.all_rows_of(&sql, (expert, now_ms()), "read the cases", |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok(asked.into_iter().collect())
    }

    /// The items on which anybody other than this person has left an event.
    pub fn items_of_others(&self, person: Option<ExpertId>) -> Result<HashSet<ItemId>> {
        let items = self.all_rows_of(
            "SELECT DISTINCT e.item FROM label_event e JOIN person p ON p.expert = e.expert WHERE p.person IS NOT ?1",
            [person],
            "read the labels",
            |r| r.get(0),
        )?;
        Ok(items.into_iter().collect())
    }

    /// Notes that the model's view or others' answers to these items are shown to an expert from now on: later answers to them are not blind.
    pub fn reveal_all(
        &mut self,
        expert: ExpertId,
        items: impl IntoIterator<Item = (ItemId, CaseId)>,
    ) -> Result<()> {
        self.write_in_slices("note the reveal", items, |tx, slice| {
            slice.try_for_each(|(item, case)| note_reveal(tx, expert, item, Some(case)))
        })
        .map(drop)
    }
}
