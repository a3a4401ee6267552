//! Re-annotation: cases that are sent to their experts again under a newer revision of the task.
//!
//! Each is a case of one expert who answered the item under an older revision, blind as a repeat is. As soon as one of them has an answer, only
//! answers to the item under that revision or a newer one count: for training, for the figures and as a decision. Until then all answers count
//! as before.

use rusqlite::{OptionalExtension, Transaction};

use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId, RevisionId, RoundId};
use crate::store::db::clock::new_uuid;
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;

/// Whether the event `e` is overtaken: its item was answered again under a newer revision for which it was sent.
pub(in crate::store) const OVERTAKEN: &str = "EXISTS (SELECT 1 FROM label_case k
    JOIN task_revision asked ON asked.id = k.reannotation JOIN task_revision given ON given.id = e.revision
    WHERE k.item = e.item AND asked.generation > given.generation
      AND EXISTS (SELECT 1 FROM upheld_event u WHERE u.label_case = k.id AND u.action = 'set'))";

/// Items sent in one commit.
const SLICE: usize = 25;

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reannotation {
    pub items: usize,
    /// Cases: one for each expert who is to answer.
    pub cases: usize,
}

impl Store {
    /// The items with a standing label that was given under an older revision than this one and is not overtaken, by id.
    pub fn items_of_older_revisions(&self, than: RevisionId) -> Result<Vec<ItemId>> {
        let sql = format!(
            "SELECT DISTINCT e.item FROM current_answer e JOIN task_revision r ON r.id = e.revision
             WHERE e.action = 'set' AND r.generation < (SELECT generation FROM task_revision WHERE id = ?1)
               AND NOT {OVERTAKEN} ORDER BY e.item"
        );
        self.all_rows_of(&sql, [than], "read the labels", |r| r.get(0))
    }

    /// Opens a case of these items at the end of the newest open round for each expert who labelled them under an older revision and has none
    /// waiting. None where no round is open. Items that were never a case stay out.
    pub fn send_for_reannotation(
        &mut self,
        items: &[ItemId],
        revision: RevisionId,
    ) -> Result<Option<Reannotation>> {
        let mut sent = Reannotation::default();
        for slice in items.chunks(SLICE) {
            let done = self.write("send the cases for re-annotation", |tx| {
                let Some(round) = open_round(tx)? else { return Ok(None) };
                slice
                    .iter()
                    .map(|item| send(tx, round, *item, revision))
                    .collect::<rusqlite::Result<Vec<_>>>()
                    .map(Some)
            })?;
            let Some(cases) = done else { return Ok(None) };
            sent.items += cases.iter().filter(|n| **n > 0).count();
            sent.cases += cases.iter().sum::<usize>();
        }
        Ok(Some(sent))
    }

    /// How many cases of an item were sent for re-annotation and wait for an answer.
    pub fn reannotations_waiting(&self, item: ItemId) -> Result<usize> {
        self.count(
            "SELECT count(*) FROM label_case c WHERE c.item = ?1 AND c.reannotation IS NOT NULL AND c.withdrawn_ms IS NULL
               AND NOT EXISTS (SELECT 1 FROM repeat_answer e WHERE e.label_case = c.id AND e.action = 'set')",
            [item],
            "read the cases",
        )
    }
}

fn open_round(tx: &Transaction<'_>) -> rusqlite::Result<Option<RoundId>> {
    tx.query_row("SELECT id FROM round WHERE closed_ms IS NULL ORDER BY number DESC LIMIT 1", [], |r| {
        r.get(0)
    })
    .optional()
}

fn send(tx: &Transaction<'_>, round: RoundId, item: ItemId, revision: RevisionId) -> rusqlite::Result<usize> {
    let experts: Vec<ExpertId> = tx
        .prepare_cached(
            "SELECT a.expert FROM current_answer a JOIN task_revision r ON r.id = a.revision
             WHERE a.item = ?1 AND a.action = 'set'
               AND r.generation < (SELECT generation FROM task_revision WHERE id = ?2)
               AND NOT EXISTS (SELECT 1 FROM label_case c WHERE c.item = a.item AND c.expert = a.expert AND c.reannotation = ?2
                               AND c.withdrawn_ms IS NULL)
             ORDER BY a.expert",
        )?
        .query_map((item, revision), |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut opened = 0;
    for expert in experts {
        opened += tx
            .prepare_cached(
                "INSERT INTO label_case (uuid, round, position, item, split, reason, partner, similarity, side, margin, inclusion, expert, reannotation)
                 SELECT ?1, ?2, (SELECT coalesce(max(position), -1) + 1 FROM label_case WHERE round = ?2),
                        item, split, 'repeat', partner, similarity, side, margin, inclusion, ?4, ?5
                 FROM label_case WHERE item = ?3 AND reason <> 'repeat' ORDER BY id DESC LIMIT 1",
            )?
            .execute((Uuid16(new_uuid()), round, item, expert, revision))?;
    }
    Ok(opened)
}
