//! Items on which experts differ, with what each of them said, and what was decided.

use super::annotations_needed::active_annotators;
use super::reannotation::OVERTAKEN;
use crate::domain::answer::Answer;
use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId};
use crate::store::db::clock::now_ms;
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::db::person::{ME, MY_NAMES};

/// One expert's last standing answer on an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub expert: ExpertId,
    /// None for a skip.
    pub answer: Option<Answer>,
    /// The first answer that this expert gave the item blind.
    pub first: Option<Answer>,
    /// The expert's last note on the item.
    pub note: Option<String>,
    /// How sure the expert was, 1 to 3.
    pub confidence: Option<u8>,
    /// Number of the revision under which it was given.
    pub revision: i64,
    /// Whether the item was answered again under a newer revision, so that this counts no more.
    pub overtaken: bool,
}

/// A decision that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub event: uuid::Uuid,
    pub item: ItemId,
    pub by: ExpertId,
    pub answer: Answer,
    pub reason: Option<String>,
    pub at_ms: i64,
    /// Number of the revision of the task under which it was decided.
    pub revision: i64,
    /// Whether the item was answered again under a newer revision since.
    pub overtaken: bool,
}

/// An answer as it was given, in the order of the log, for what can be read from how answers are given.
#[derive(Clone, Debug, PartialEq)]
pub struct AsGiven {
    pub expert: ExpertId,
    pub item: ItemId,
    pub answer: Answer,
    /// Number of the round of its case.
    pub round: Option<i64>,
    /// Milliseconds from the case on the screen to the answer.
    pub duration_ms: Option<i64>,
    /// Characters of the text.
    pub characters: i64,
}

impl Store {
    /// The items on which standing labels that count differ, by id.
    pub fn disputed_items(&self) -> Result<Vec<ItemId>> {
        let sql = format!(
            "SELECT e.item FROM current_answer e WHERE e.action = 'set' AND NOT {OVERTAKEN}
             GROUP BY e.item HAVING count(DISTINCT e.answer) > 1 ORDER BY e.item"
        );
        self.all(&sql, "read the labels")
    }

    /// What each expert last said of an item, in the order in which it was said.
    pub fn answers_on(&self, item: ItemId) -> Result<Vec<Given>> {
        let sql = format!(
            "SELECT e.expert, e.answer,
                (SELECT f.answer FROM standing_event f WHERE f.item = e.item AND f.expert = e.expert AND f.action = 'set' AND f.revealed = 0
                 ORDER BY f.lamport, f.uuid LIMIT 1),
                (SELECT n.note FROM upheld_event n WHERE n.item = e.item AND n.expert = e.expert AND n.note IS NOT NULL
                   AND n.action <> 'adjudicate' ORDER BY n.lamport DESC, n.uuid DESC LIMIT 1),
                e.confidence, r.number, {OVERTAKEN}
             FROM current_answer e JOIN task_revision r ON r.id = e.revision WHERE e.item = ?1 ORDER BY e.lamport, e.uuid"
        );
        self.all_rows_of(&sql, [item], "read the labels", |r| {
            Ok(Given {
                expert: r.get(0)?,
                answer: r.get(1)?,
                first: r.get(2)?,
                note: r.get(3)?,
                confidence: r.get(4)?,
                revision: r.get(5)?,
                overtaken: r.get(6)?,
            })
        })
    }

    /// The decision that counts on each item that has one, or on one item: the last that stands.
    pub fn decisions(&self, item: Option<ItemId>) -> Result<Vec<Decision>> {
        let sql = format!(
            "SELECT e.uuid, e.item, e.expert, e.answer, e.note, e.at_ms, r.number, {OVERTAKEN}
             FROM standing_event e JOIN task_revision r ON r.id = e.revision
             WHERE e.action = 'adjudicate' AND (?1 IS NULL OR e.item = ?1)
               AND NOT EXISTS (SELECT 1 FROM standing_event l WHERE l.item = e.item AND l.action = 'adjudicate'
                               AND (l.lamport, l.uuid) > (e.lamport, e.uuid))
             ORDER BY e.item"
        );
        self.all_rows_of(&sql, [item], "read the decisions", |r| {
            Ok(Decision {
                event: r.get::<_, Uuid16>(0)?.0,
                item: r.get(1)?,
                by: r.get(2)?,
                answer: r.get(3)?,
                reason: r.get(4)?,
                at_ms: r.get(5)?,
                revision: r.get(6)?,
                overtaken: r.get(7)?,
            })
        })
    }

    /// Every first label that an expert gave to an item in a case, in the order of the log.
    pub fn answers_as_given(&self) -> Result<Vec<AsGiven>> {
        self.all_rows(
            "SELECT e.expert, e.item, e.answer, r.number, e.duration_ms, length(i.text)
             FROM label_event e JOIN item i ON i.id = e.item
             LEFT JOIN label_case c ON c.id = e.label_case LEFT JOIN round r ON r.id = c.round
             WHERE e.action = 'set' AND NOT EXISTS (SELECT 1 FROM label_event f WHERE f.item = e.item AND f.expert = e.expert
                 AND f.action = 'set' AND f.label_case IS e.label_case AND (f.lamport, f.uuid) < (e.lamport, e.uuid))
             ORDER BY e.lamport, e.uuid",
            "read the labels",
            |r| {
                Ok(AsGiven {
                    expert: r.get(0)?,
                    item: r.get(1)?,
                    answer: r.get(2)?,
                    round: r.get(3)?,
                    duration_ms: r.get(4)?,
                    characters: r.get(5)?,
                })
            },
        )
    }

    /// Whether an item needs no more answers, including a repeat for this expert, so that others' answers may be seen. Of an expert who has not
    /// answered it, all that it is to have count: they may be asked once more people are active.
    pub fn is_closed(&self, expert: ExpertId, item: ItemId) -> Result<bool> {
        let sql = format!(
            "WITH {} SELECT count(*) FROM label_case c JOIN round r ON r.id = c.round
             WHERE c.item = ?3 AND c.withdrawn_ms IS NULL AND r.closed_ms IS NULL AND CASE c.reason
               WHEN 'repeat' THEN c.expert IN {MY_NAMES} AND NOT EXISTS
                   (SELECT 1 FROM repeat_answer e WHERE e.label_case = c.id AND e.action = 'set')
               ELSE (SELECT count(*) FROM current_answer a WHERE a.item = c.item AND a.action = 'set')
                 < CASE WHEN EXISTS (SELECT 1 FROM current_answer m WHERE m.item = c.item AND m.person = {ME} AND m.action = 'set')
                   THEN min(c.overlap, (SELECT count(*) FROM active_annotators w WHERE w.round = c.round))
                   ELSE max(c.overlap, 1) END
               END",
            active_annotators()
        );
        Ok(self.count(&sql, (expert, now_ms(), item), "read the case")? == 0)
    }
}
