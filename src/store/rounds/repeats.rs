//! Repeats: evaluation cases that come back to the expert who answered them. A round keeps places for them; the first expert to come to one
//! gets one of their own answers back there, drawn at that moment.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::event::LabelEvent;
use crate::domain::fault::Result;
use crate::domain::ids::{CaseId, ExpertId, ItemId};
use crate::domain::item::ItemKey;
use crate::domain::repeat::{APART, draw};
use crate::store::db::clock::now_ms;
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::db::person::MY_NAMES;
use crate::store::log::events::{EVENT, event};

/// Evaluation items that this expert has answered blind in a case of theirs and stands by an answer to, never had again, and has not
/// touched since the event of that Lamport number. An item whose case would stand out among those of the round, because it has no neighbour, stays out; so
/// does one that would come with a note begun the first time.
fn open() -> String {
    format!(
        "
    SELECT i.id, i.key, max(c.id) FROM label_event e JOIN item i ON i.id = e.item JOIN label_case c ON c.id = e.label_case
    WHERE e.expert IN {MY_NAMES} AND e.action = 'set' AND e.revealed = 0 AND e.lamport < ?2
      AND i.split = 'eval' AND c.reason <> 'repeat'
      AND EXISTS (SELECT 1 FROM current_answer a WHERE a.item = i.id AND a.expert IN {MY_NAMES} AND a.action = 'set')
      AND NOT EXISTS (SELECT 1 FROM label_event l WHERE l.item = i.id AND l.expert IN {MY_NAMES} AND l.lamport >= ?2)
      AND NOT EXISTS (SELECT 1 FROM label_case k WHERE k.expert IN {MY_NAMES} AND k.item = i.id)
      AND NOT EXISTS (SELECT 1 FROM draft d WHERE d.expert IN {MY_NAMES} AND d.item = i.id)
      AND EXISTS (SELECT 1 FROM label_case o WHERE o.reason <> 'repeat' AND (o.partner IS NULL) = (c.partner IS NULL)
                  AND o.round = (SELECT round FROM label_case WHERE id = ?3))
    GROUP BY i.id"
    )
}

/// Makes a kept place the repeat of one of this expert's answers. Where none lies far enough back, the place is given up, and false returned.
pub(in crate::store) fn claim(
    tx: &Transaction<'_>,
    place: CaseId,
    expert: ExpertId,
) -> rusqlite::Result<bool> {
    match drawn(tx, place, expert)? {
        // Its UUID says whose and of which text it is: two copies may come to one place for different people.
        Some(first) => tx.execute(
            "UPDATE label_case SET (expert, item, partner, similarity, side, margin, uuid) =
               (SELECT ?2, c.item, c.partner, c.similarity, c.side, c.margin,
                       unhex(substr(hex(i.key), 1, 16) || substr(hex(e.uuid), 17, 16))
                FROM label_case c JOIN item i ON i.id = c.item JOIN expert e ON e.id = ?2 WHERE c.id = ?3) WHERE id = ?1",
            (place, expert, first),
        ),
        None => tx.execute("UPDATE label_case SET withdrawn_ms = ?2 WHERE id = ?1", (place, now_ms())),
    }?;
    tx.query_row("SELECT expert IS NOT NULL FROM label_case WHERE id = ?1", [place], |r| r.get(0))
}

/// The case whose answer comes back.
fn drawn(tx: &Transaction<'_>, place: CaseId, expert: ExpertId) -> rusqlite::Result<Option<CaseId>> {
    let before: Option<i64> = tx
        .query_row(
            &format!(
                "SELECT lamport FROM label_event WHERE expert IN {MY_NAMES} AND action = 'set'
                 ORDER BY lamport DESC, uuid DESC LIMIT 1 OFFSET ?2"
            ),
            params![expert, APART as i64 - 1],
            |r| r.get(0),
        )
        .optional()?;
    let Some(before) = before else { return Ok(None) };
    let seed: i64 = tx.query_row("SELECT seed FROM project", [], |r| r.get(0))?;
    let uuid: Uuid16 = tx.query_row("SELECT uuid FROM expert WHERE id = ?1", [expert], |r| r.get(0))?;
    let open: Vec<((ItemId, ItemKey), CaseId)> = tx
        .prepare_cached(&open())?
        .query_map((expert, before, place), |r| Ok(((r.get(0)?, ItemKey(r.get(1)?)), r.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let (items, cases): (Vec<_>, Vec<_>) = open.into_iter().unzip();
    let item = draw(&items, seed.cast_unsigned(), uuid.0);
    Ok(item.and_then(|item| items.iter().position(|(open, _)| *open == item)).map(|at| cases[at]))
}

impl Store {
    /// Makes a place that is kept for a repeat this expert's, as when it is handed out. False where nothing comes back there.
    pub fn claim_repeat(&mut self, place: CaseId, expert: ExpertId) -> Result<bool> {
        self.write("fetch the case", |tx| {
            let kept = tx
                .prepare_cached(
                    "SELECT 1 FROM label_case WHERE id = ?1 AND reason = 'repeat' AND expert IS NULL AND withdrawn_ms IS NULL",
                )?
                .exists([place])?;
            if kept { claim(tx, place, expert) } else { Ok(false) }
        })
    }

    /// The repeat in which an expert would answer for an item: one that waits for the answer, or the one that the expert was at last.
    pub fn repeat_under_way(&self, expert: ExpertId, item: ItemId) -> Result<Option<CaseId>> {
        let sql = format!(
            "SELECT c.id FROM label_case c WHERE c.expert IN {MY_NAMES} AND c.item = ?2 AND c.withdrawn_ms IS NULL AND (
               NOT EXISTS (SELECT 1 FROM repeat_answer a WHERE a.label_case = c.id AND a.action = 'set')
               OR c.id = (SELECT e.label_case FROM label_event e WHERE e.expert IN {MY_NAMES}
                          ORDER BY e.lamport DESC, e.uuid DESC LIMIT 1))"
        );
        self.one(&sql, (expert, item), "read the case", |r| r.get(0))
    }

    /// The last standing answer to a repeat.
    pub fn answer_to_repeat(&self, case: CaseId) -> Result<Option<LabelEvent>> {
        let sql = format!("{EVENT} repeat_answer WHERE label_case = ?1");
        self.one(&sql, [case], "read the label", event)
    }

    /// How many repeats have a label, of one expert or of all; re-annotations count only for one expert.
    pub fn repeat_count(&self, expert: Option<ExpertId>) -> Result<usize> {
        let sql = format!(
            "SELECT count(*) FROM repeat_answer WHERE action = 'set' AND CASE WHEN ?1 IS NULL
               THEN NOT EXISTS (SELECT 1 FROM label_case c WHERE c.id = label_case AND c.reannotation IS NOT NULL)
               ELSE expert IN {MY_NAMES} END"
        );
        self.count(&sql, [expert], "count the labels")
    }
}
