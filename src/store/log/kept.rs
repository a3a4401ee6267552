//! What was labelled through an open project, in memory as well: where the file is taken away meanwhile, this is what is left.

use std::collections::HashSet;

use uuid::Uuid;

use crate::domain::event::LabelEvent;
use crate::domain::item::ItemKey;
use crate::domain::log::{EventLine, Log, RevealLine};

/// The label events since a project was opened, with what they refer to.
#[derive(Debug, Default)]
pub(in crate::store) struct Kept {
    pub log: Log,
    /// Tables and numbers of rows that are in the log already.
    pub known: HashSet<(&'static str, i64)>,
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
