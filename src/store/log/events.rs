//! The log of label events: appended to, read, never changed.

use rusqlite::{Row, Transaction};
use uuid::Uuid;

use crate::domain::event::{Action, LabelEvent, NewEvent};
use crate::domain::fault::Result;
use crate::domain::ids::{CaseId, ExpertId, ItemId, SessionId};
use crate::store::db::clock::now_ms;
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::db::person::{ME, MY_NAMES};
use crate::store::db::seals::{EVENTS, seal_new};
use crate::store::rounds::leases::hold_after_retract;

pub(in crate::store) const EVENT: &str = "SELECT uuid, lamport, session, seq, expert, item, label_case, action, target, label, confidence, note, revision,
    seen_prelabel, revealed, duration_ms, at_ms FROM";

pub(in crate::store) fn event(r: &Row<'_>) -> rusqlite::Result<LabelEvent> {
    Ok(LabelEvent {
        uuid: r.get::<_, Uuid16>(0)?.0,
        lamport: r.get(1)?,
        session: r.get(2)?,
        seq: r.get(3)?,
        at_ms: r.get(16)?,
        event: NewEvent {
            expert: r.get(4)?,
            item: r.get(5)?,
            case: r.get(6)?,
            action: r.get(7)?,
            target: r.get::<_, Option<Uuid16>>(8)?.map(|u| u.0),
            label: r.get(9)?,
            confidence: r.get(10)?,
            note: r.get(11)?,
            revision: r.get(12)?,
            seen_prelabel: r.get(13)?,
            revealed: r.get(14)?,
            duration_ms: r.get(15)?,
        },
    })
}

/// The number of the next event: the logs of labels and of experts are one order.
pub(in crate::store) const NEXT_LAMPORT: &str = "(SELECT lamport FROM next_lamport)";

/// Whether an answer is followed by the model's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reveals {
    /// The expert sees it next.
    Yes,
    /// It stays hidden.
    No,
}

/// Notes in the same transaction that an expert was shown the model's view of an item, in the case where there was one.
pub(in crate::store) fn note_reveal(
    tx: &Transaction<'_>,
    expert: ExpertId,
    item: ItemId,
    case: Option<CaseId>,
) -> rusqlite::Result<()> {
    let now = now_ms();
    tx.prepare_cached("INSERT OR IGNORE INTO reveal (expert, item, at_ms) VALUES (?1, ?2, ?3)")?
        .execute((expert, item, now))?;
    // Of a repeat the case says it: the item may have been revealed the first time.
    tx.prepare_cached(&format!(
        "UPDATE label_case SET revealed_ms = ?3 WHERE id = ?2 AND expert IN {MY_NAMES} AND revealed_ms IS NULL"
    ))?
    .execute((expert, case, now))
    .map(drop)
}

impl Store {
    /// Appends an event and gives the case back; with [`Reveals::Yes`], the same commit notes that the model's view of the item is
    /// shown from now on. The case of an answer that is taken back stays with its expert. When this returns, the event is on disk.
    pub fn append(&mut self, session: SessionId, new: NewEvent, reveals: Reveals) -> Result<LabelEvent> {
        if new.action != Action::Set {
            self.searched = None;
        }
        self.write("save the label", |tx| {
            let event = insert(tx, session, new)?;
            if reveals == Reveals::Yes {
                note_reveal(tx, event.event.expert, event.event.item, event.event.case)?;
            }
            if let (Some(case), Action::Set | Action::Skip | Action::Restore) =
                (event.event.case, event.event.action)
            {
                tx.prepare_cached(&format!(
                    "DELETE FROM lease WHERE expert IN {MY_NAMES} AND label_case = ?2"
                ))?
                .execute((event.event.expert, case))?;
            }
            if event.event.action == Action::Retract {
                hold_after_retract(tx, session, &event.event)?;
            }
            Ok(event)
        })
    }

    /// All events of an expert in order, under whichever name, for undo and redo.
    pub fn events_of(&self, expert: ExpertId) -> Result<Vec<LabelEvent>> {
        let sql = format!("{EVENT} label_event WHERE expert IN {MY_NAMES} ORDER BY lamport, uuid");
        self.all_rows_of(&sql, [expert], "read the labels", event)
    }

    /// All events of the project in order.
    pub fn events(&self) -> Result<Vec<LabelEvent>> {
        self.all_rows(&format!("{EVENT} label_event ORDER BY lamport, uuid"), "read the labels", event)
    }

    /// The last standing answer of each person on each item, in the order in which they were given.
    pub fn current_answers(&self) -> Result<Vec<LabelEvent>> {
        self.all_rows(&format!("{EVENT} current_answer ORDER BY lamport, uuid"), "read the labels", event)
    }

    /// The standing answer of one expert on one item, under whichever name.
    pub fn current_answer(&self, expert: ExpertId, item: ItemId) -> Result<Option<LabelEvent>> {
        let sql = format!("{EVENT} current_answer WHERE person = {ME} AND item = ?2");
        self.one(&sql, (expert, item), "read the label", event)
    }

    /// The cases that an expert answered or skipped, in the order of the last answer, each with the item.
    pub fn answered_cases(&self, expert: ExpertId) -> Result<Vec<(CaseId, ItemId)>> {
        let sql = format!(
            "SELECT label_case, item, lamport, uuid FROM current_answer WHERE person = {ME} AND label_case IS NOT NULL
             UNION ALL SELECT label_case, item, lamport, uuid FROM repeat_answer a WHERE expert IN {MY_NAMES}
               AND EXISTS (SELECT 1 FROM label_case c WHERE c.id = a.label_case AND c.again IS NULL)
             ORDER BY lamport, uuid"
        );
        self.all_rows_of(&sql, [expert], "read the labels", |r| Ok((r.get(0)?, r.get(1)?)))
    }

    /// The last note of an expert on an item, be it its own event or given with an answer; of a repeat, the last one written in it.
    pub fn note_of(&self, expert: ExpertId, item: ItemId, repeat: Option<CaseId>) -> Result<Option<String>> {
        let sql = format!(
            "SELECT note FROM upheld_event WHERE expert IN {MY_NAMES} AND item = ?2 AND note IS NOT NULL
               AND (?3 IS NULL OR label_case = ?3)
             ORDER BY lamport DESC, uuid DESC LIMIT 1"
        );
        self.one(&sql, (expert, item, repeat), "read the notes", |r| r.get(0))
    }

    /// Whether an item is flagged by an expert; of a repeat, whether it was flagged in it.
    pub fn is_flagged(&self, expert: ExpertId, item: ItemId, repeat: Option<CaseId>) -> Result<bool> {
        let sql = format!(
            "SELECT action FROM upheld_event WHERE expert IN {MY_NAMES} AND item = ?2 AND action IN ('flag', 'unflag')
               AND (?3 IS NULL OR label_case = ?3)
             ORDER BY lamport DESC, uuid DESC LIMIT 1"
        );
        let last: Option<Action> = self.one(&sql, (expert, item, repeat), "read the flags", |r| r.get(0))?;
        Ok(last == Some(Action::Flag))
    }
}

fn insert(tx: &Transaction<'_>, session: SessionId, new: NewEvent) -> rusqlite::Result<LabelEvent> {
    let (uuid, at_ms) = (Uuid::now_v7(), now_ms());
    let (lamport, seq) = tx
        .prepare_cached(&format!(
            "INSERT INTO label_event (uuid, lamport, session, seq, expert, item, label_case, action, target, label,
                                      confidence, note, revision, seen_prelabel, revealed, duration_ms, at_ms)
             VALUES (?1, {NEXT_LAMPORT}, ?2,
                     (SELECT coalesce(max(seq), 0) + 1 FROM label_event WHERE session = ?2),
                     ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             RETURNING lamport, seq"
        ))?
        .query_row(
            rusqlite::params![
                Uuid16(uuid),
                session,
                new.expert,
                new.item,
                new.case,
                new.action,
                new.target.map(Uuid16),
                new.label,
                new.confidence,
                new.note,
                new.revision,
                new.seen_prelabel,
                new.revealed,
                new.duration_ms,
                at_ms
            ],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )?;
    seal_new(tx, "main", EVENTS)?;
    Ok(LabelEvent { uuid, lamport, session, seq, at_ms, event: new })
}
