//! Texts that were found and labelled without having been drawn for a round: their answers name no case.

use std::collections::HashSet;

use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId, RoundId};
use crate::store::db::open::Store;
use crate::store::db::person::ME;
use crate::store::rounds::annotations_needed::STANDS;

impl Store {
    /// Texts that never were a case, and that others than this person have labelled. The person may find and label them too, and an answer that is
    /// read before is none of one's own.
    pub fn found_by_others(&self, expert: Option<ExpertId>) -> Result<HashSet<ItemId>> {
        let sql = format!(
            "SELECT DISTINCT a.item FROM current_answer a WHERE a.action = 'set' AND a.label_case IS NULL AND a.person IS NOT {ME}
               AND NOT EXISTS (SELECT 1 FROM current_answer o WHERE o.item = a.item AND o.person = {ME} AND o.action = 'set')
               AND NOT EXISTS (SELECT 1 FROM label_case c WHERE c.item = a.item AND c.reason <> 'repeat' AND {STANDS})"
        );
        Ok(self.all_rows_of(&sql, [expert], "read the labels", |r| r.get(0))?.into_iter().collect())
    }

    /// Whether a round still collects answers.
    pub fn is_open_round(&self, round: RoundId) -> Result<bool> {
        Ok(self.count(
            "SELECT count(*) FROM round WHERE id = ?1 AND closed_ms IS NULL",
            [round],
            "read the round",
        )? > 0)
    }
}
