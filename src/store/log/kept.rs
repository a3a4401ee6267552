//! What was labelled through an open project, in memory as well: where the file is taken away meanwhile, this is what is left.

use std::collections::HashSet;

use rusqlite::Connection;
use uuid::Uuid;

use crate::domain::event::LabelEvent;
use crate::domain::item::ItemKey;
use crate::domain::log::{EventLine, Log, RevealLine};
use crate::store::db::attempt::is_busy;
use crate::store::db::convert::Uuid16;

/// The label events since a project was opened, with what they refer to.
#[derive(Debug, Default)]
pub(in crate::store) struct Kept {
    pub log: Log,
    /// Tables and numbers of rows that are in the log already.
    pub known: HashSet<(&'static str, i64)>,
    /// The session that was begun last.
    pub session: Option<Uuid>,
}

/// What an event refers to, as other copies name it.
pub(in crate::store) struct Referred {
    pub session: Uuid,
    pub expert: String,
    pub item: ItemKey,
    pub case: Option<Uuid>,
    pub revision: Uuid,
}

impl Kept {
    /// Whether an open file holds what was saved through it last. Nothing is ever removed: one that lacks it is another, older one.
    pub fn is_in(&self, conn: &Connection) -> bool {
        let of = |table: &str, uuid: Option<Uuid>| {
            let Some(uuid) = uuid else { return Ok(true) };
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE uuid = ?1)");
            conn.query_row(&sql, [Uuid16(uuid)], |row| row.get::<_, bool>(0))
        };
        let last = self.log.events.last().map(|event| event.uuid);
        let found = of("session", self.session).and_then(|there| Ok(there && of("label_event", last)?));
        // One that cannot be read is a mixture of two; one that is locked is asked again.
        found.unwrap_or_else(|error| is_busy(&error))
    }

    /// Adds an event, and that the model's view of its item was shown after it.
    pub fn add(&mut self, written: LabelEvent, to: Referred, reveals: bool) {
        let LabelEvent { uuid, lamport, seq, at_ms, event, revealed, seen_prelabel, .. } = written;
        let is_new = |line: &RevealLine| line.expert != to.expert || line.item != to.item;
        if reveals && self.log.reveals.iter().all(is_new) {
            self.log.reveals.push(RevealLine { expert: to.expert.clone(), item: to.item, at_ms });
        }
        self.log.events.push(EventLine {
            uuid,
            lamport,
            session: to.session,
            seq,
            expert: to.expert,
            item: to.item,
            case: to.case,
            action: event.action.as_str().to_owned(),
            target: event.target,
            labels: event.answer,
            confidence: event.confidence.map(i64::from),
            note: event.note,
            revision: to.revision,
            seen_prelabel,
            revealed,
            duration_ms: event.duration_ms,
            at_ms,
        });
    }
}
