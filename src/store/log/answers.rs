//! Answers as tuning and figures need them.

use std::collections::BTreeMap;

use crate::domain::answer::{Answer, BlindAnswer, Vote};
use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId};
use crate::domain::split::Split;
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::db::person::{ME, MY_NAMES};
use crate::store::rounds::reannotation::OVERTAKEN;

/// A person's last standing answer on an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub item: ItemId,
    /// The first name of the person.
    pub person: ExpertId,
    /// None for a skip.
    pub answer: Option<Answer>,
    /// Number of the revision of the task under which it was given.
    pub revision: i64,
    /// Whether the item was answered again under a newer revision, so that this counts no more.
    pub overtaken: bool,
}

impl Store {
    /// Every standing answer, skips included, by item and in the order in which they were given.
    pub fn standing_answers(&self) -> Result<Vec<Standing>> {
        let sql = format!(
            "SELECT e.item, e.person, e.answer, r.number, {OVERTAKEN}
             FROM current_answer e JOIN task_revision r ON r.id = e.revision ORDER BY e.item, e.lamport, e.uuid"
        );
        self.all_rows(&sql, "read the labels", |r| {
            Ok(Standing {
                item: r.get(0)?,
                person: r.get(1)?,
                answer: r.get(2)?,
                revision: r.get(3)?,
                overtaken: r.get(4)?,
            })
        })
    }

    /// All standing labels and adjudications on items of a split, by item; of an item that was answered again under a newer revision, those
    /// from then on. A text that was found and not drawn teaches, and has no other use: of another split than training it has no vote.
    pub fn votes(&self, split: Split) -> Result<Vec<Vote>> {
        let sql = format!(
            "SELECT e.item, e.answer, 0 FROM current_answer e JOIN item i ON i.id = e.item
             WHERE i.split = ?1 AND e.action = 'set' AND NOT {OVERTAKEN} AND (i.split = 'train' OR e.label_case IS NOT NULL)
             UNION ALL
             SELECT e.item, e.answer, 1 FROM standing_event e JOIN item i ON i.id = e.item
             WHERE i.split = ?1 AND e.action = 'adjudicate' AND NOT {OVERTAKEN}
               AND (i.split = 'train' OR e.label_case IS NOT NULL) AND NOT EXISTS
                 (SELECT 1 FROM standing_event l WHERE l.item = e.item AND l.action = 'adjudicate'
                  AND (l.lamport, l.uuid) > (e.lamport, e.uuid))
             ORDER BY 1"
        );
        self.all_rows_of(&sql, [split], "read the labels", |r| {
            Ok(Vote { item: r.get(0)?, answer: r.get(1)?, adjudicated: r.get(2)? })
        })
    }

    /// Each person's first blind answer on each item, under the person's first name. One that was taken back counts only where the expert answered again after
    /// the model's view had been revealed; what no expert stands by any more is left out. Of an item that was answered again
    /// under a newer revision, only answers from that revision on count; such an answer has the round and the inclusion of the item's own case.
    /// An answer to a text that was found and not drawn is none of them: answers that people choose themselves measure nothing.
    pub fn first_blind_answers(&self) -> Result<Vec<BlindAnswer>> {
        self.blind_answers(
            "(c.reason <> 'repeat' OR c.reannotation IS NOT NULL)",
            "current_answer a WHERE a.item = e.item AND a.person = p.person",
        )
    }

    /// The same of repeats: each expert's first blind answer to each item that came back.
    pub fn first_blind_answers_to_repeats(&self) -> Result<Vec<BlindAnswer>> {
        self.blind_answers(
            "c.reason = 'repeat' AND c.reannotation IS NULL",
            "repeat_answer a WHERE a.label_case = e.label_case",
        )
    }

    /// The first blind answers in cases that are `among`, where there is an answer `now`.
    fn blind_answers(&self, among: &str, now: &str) -> Result<Vec<BlindAnswer>> {
        struct Blind {
            answer: BlindAnswer,
            stands: bool,
        }
        let upheld = self.upheld()?;
        let sql = format!(
            "SELECT e.uuid, e.item, p.person, e.answer, i.split, r.number, o.inclusion
             FROM label_event e CROSS JOIN person p ON p.expert = e.expert JOIN item i ON i.id = e.item
             LEFT JOIN label_case c ON c.id = e.label_case
             LEFT JOIN label_case o ON o.id = CASE WHEN c.reannotation IS NULL THEN c.id ELSE
               (SELECT max(k.id) FROM label_case k WHERE k.item = e.item AND k.reason <> 'repeat') END
             LEFT JOIN round r ON r.id = o.round
             WHERE e.action = 'set' AND e.revealed = 0 AND {among} AND NOT {OVERTAKEN}
               AND NOT EXISTS (SELECT 1 FROM reveal v CROSS JOIN person q ON q.expert = v.expert
                               WHERE v.item = e.item AND q.person = p.person AND v.expert <> e.expert AND v.at_ms <= e.at_ms
                                 AND c.reason IS NOT 'repeat')
               AND EXISTS (SELECT 1 FROM {now} AND a.action = 'set') ORDER BY e.lamport, e.uuid"
        );
        let rows = self.all_rows(&sql, "read the labels", |r| {
            Ok(Blind {
                stands: upheld.contains(&r.get::<_, Uuid16>(0)?.0),
                answer: BlindAnswer {
                    item: r.get(1)?,
                    expert: r.get(2)?,
                    answer: r.get(3)?,
                    split: r.get(4)?,
                    round: r.get(5)?,
                    inclusion: r.get(6)?,
                },
            })
        })?;
        let mut first: BTreeMap<(ItemId, ExpertId), Blind> = BTreeMap::new();
        for row in rows {
            let key = (row.answer.item, row.answer.expert);
            match first.get(&key) {
                Some(held) if held.stands || !row.stands => {}
                _ => {
                    first.insert(key, row);
                }
            }
        }
        // By enrolment rather than by number, so that copies which met their experts in another order draw the same intervals.
        let enrolled: Vec<ExpertId> =
            self.all("SELECT id FROM expert ORDER BY created_ms, uuid", "read the experts")?;
        let place = |expert: ExpertId| enrolled.iter().position(|known| *known == expert);
        let mut answers: Vec<BlindAnswer> = first.into_values().map(|b| b.answer).collect();
        answers.sort_by_cached_key(|answer| (answer.item, place(answer.expert)));
        Ok(answers)
    }

    /// What a person skipped and has not labelled: the item and its split, once for each person.
    pub fn skips(&self) -> Result<Vec<(ItemId, Split)>> {
        self.all_rows(
            "SELECT e.item, i.split FROM current_answer e JOIN item i ON i.id = e.item WHERE e.action = 'skip'",
            "read the skips",
            |r| Ok((r.get(0)?, r.get(1)?)),
        )
    }

    /// How many standing labels there are, over all persons.
    pub fn label_count(&self) -> Result<usize> {
        self.count("SELECT count(*) FROM current_answer WHERE action = 'set'", (), "count the labels")
    }

    /// How many standing labels one expert has, under all their names.
    pub fn label_count_of(&self, expert: ExpertId) -> Result<usize> {
        let sql = format!("SELECT count(*) FROM current_answer WHERE action = 'set' AND person = {ME}");
        self.count(&sql, [expert], "count the labels")
    }

    /// How often each answer is among one expert's standing ones, under all their names.
    pub fn answer_uses_of(&self, expert: ExpertId) -> Result<Vec<(Answer, usize)>> {
        let sql = format!(
            "SELECT answer, count(*) FROM current_answer WHERE action = 'set' AND person = {ME} GROUP BY answer"
        );
        self.all_rows_of(&sql, [expert], "count the labels", |r| {
            Ok((r.get(0)?, r.get::<_, i64>(1)?.unsigned_abs() as usize))
        })
    }

    /// How many texts are labelled or in a case that was not withdrawn.
    pub fn asked_items(&self) -> Result<usize> {
        self.count(
            "SELECT count(*) FROM (SELECT item FROM current_answer WHERE action = 'set'
             UNION SELECT item FROM label_case WHERE withdrawn_ms IS NULL)",
            (),
            "count the texts that were asked about",
        )
    }

    /// The labels that the expert with the most has given, changed ones and those of repeats included.
    pub fn most_labels_of_one(&self) -> Result<usize> {
        self.count(
            "SELECT count(*) FROM label_event e JOIN person p ON p.expert = e.expert WHERE e.action = 'set'
             GROUP BY p.person ORDER BY 1 DESC LIMIT 1",
            (),
            "count the labels",
        )
    }

    /// How long an expert looked at each of the last `limit` cases labelled, in milliseconds, the last one first. A label that was
    /// taken back took its time too.
    pub fn answer_durations(&self, expert: ExpertId, limit: usize) -> Result<Vec<i64>> {
        let sql = format!(
            "SELECT duration_ms FROM label_event
             WHERE expert IN {MY_NAMES} AND action = 'set' AND duration_ms IS NOT NULL ORDER BY lamport DESC, uuid DESC LIMIT ?2"
        );
        self.all_rows_of(&sql, (expert, limit as i64), "read the pace", |r| r.get(0))
    }

    /// Every standing answer: the item, the first name of the person who gave it, and what it is.
    pub fn standing_labels(&self) -> Result<Vec<(ItemId, ExpertId, Answer)>> {
        self.all_rows(
            "SELECT item, person, answer FROM current_answer WHERE action = 'set'",
            "read the labels",
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )
    }
}
