//! How many annotations the cases of open rounds have, still need, and could still get.
//!
//! A case needs labels of as many persons as its overlap says, but never of more than are active: those with an answer or a session since the
//! round was opened, or in the last 30 days. It is complete with those, or when every active person has had it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::comes_back::comes_back;
use crate::domain::event::Action;
use crate::domain::fault::Result;
use crate::domain::ids::{CaseId, ExpertId, ItemId, RoundId};
use crate::domain::outstanding::Outstanding;
use crate::domain::overlap::ACTIVE_DAYS;
use crate::store::db::clock::now_ms;
use crate::store::db::open::Store;
use crate::store::db::person::ME;

/// The same in milliseconds.
const ACTIVE_MS: i64 = ACTIVE_DAYS * 24 * 60 * 60 * 1_000;

/// A table `active_annotators (round, person)` of the active persons of each open round, for the expert ?1 who asks at the time ?2, and who is
/// always in it. A session in which only the task or the experts were changed does not count.
pub(in crate::store) fn active_annotators() -> String {
    let since = format!("min(r.created_ms, ?2 - {ACTIVE_MS})");
    format!(
        "active_annotators (round, person) AS MATERIALIZED (
           SELECT DISTINCT r.id, p.person FROM round r CROSS JOIN person p WHERE r.closed_ms IS NULL AND (p.expert = ?1
             OR EXISTS (
               SELECT 1 FROM session s WHERE s.expert = p.expert
                 AND (s.started_ms >= {since} OR s.ended_ms >= {since}
                      OR (SELECT e.at_ms FROM label_event e WHERE e.session = s.id ORDER BY e.seq DESC LIMIT 1) >= {since})
                 AND (EXISTS (SELECT 1 FROM label_event e WHERE e.session = s.id)
                      OR NOT EXISTS (SELECT 1 FROM task_revision t WHERE t.session = s.id)
                         AND NOT EXISTS (SELECT 1 FROM expert_event x WHERE x.session = s.id)))))"
    )
}

/// Whether the case `c`, which is not a repeat, needs another annotation: fewer persons have labelled its item or hold it than are to see it. Used
/// with [`active_annotators`].
pub(in crate::store) const NEEDS_ANNOTATION: &str = "
    (SELECT count(*) FROM
       (SELECT a.person FROM current_answer a WHERE a.item = c.item AND a.action = 'set'
        UNION SELECT q.person FROM lease l CROSS JOIN person q ON q.expert = l.expert WHERE l.label_case = c.id))
    < min(c.overlap, (SELECT count(*) FROM active_annotators w WHERE w.round = c.round))";

/// Whether the case `c` stands: it was not withdrawn, or it was withdrawn in a copy that did not know of an answer to it.
pub(in crate::store) const STANDS: &str = "(c.withdrawn_ms IS NULL
    OR EXISTS (SELECT 1 FROM upheld_event u WHERE u.label_case = c.id AND u.action IN ('set', 'skip')))";

/// What a case of an open round has and could get.
#[derive(Clone, Debug)]
struct CaseNeed {
    item: ItemId,
    /// Persons' labels.
    labels: usize,
    /// Active persons who have neither labelled nor skipped it; of a repeat, the one whose it is.
    could: BTreeSet<ExpertId>,
    complete: bool,
}

/// What an open round still needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnotationsNeeded {
    /// Cases, those kept for repeats included.
    pub cases: usize,
    /// Of these, cases that have all they need.
    pub complete: usize,
    /// Cases that nobody has labelled.
    pub first: usize,
    /// Cases that were labelled and are to be seen by another expert.
    pub more: usize,
    /// How many of the open cases each person could still answer.
    pub by: BTreeMap<ExpertId, usize>,
}

impl AnnotationsNeeded {
    /// Cases that are open.
    pub fn open(&self) -> usize {
        self.cases - self.complete
    }

    /// Whether anybody other than this person could still answer.
    pub fn waits_for_others(&self, person: Option<ExpertId>) -> bool {
        self.by.keys().any(|other| Some(*other) != person)
    }
}

impl Store {
    /// The active persons of an open round, the expert who asks included.
    pub fn active(&self, round: RoundId, asks: Option<ExpertId>) -> Result<BTreeSet<ExpertId>> {
        let sql =
            format!("WITH {} SELECT person FROM active_annotators WHERE round = ?3", active_annotators());
        let active =
            self.all_rows_of(&sql, (asks, now_ms(), round), "read the experts", |r| r.get::<_, ExpertId>(0))?;
        Ok(active.into_iter().collect())
    }

    /// What an open round still needs, as the expert who asks sees it.
    pub fn annotations_needed(&self, round: RoundId, asks: Option<ExpertId>) -> Result<AnnotationsNeeded> {
        let mut needed = AnnotationsNeeded::default();
        for case in self.case_needs(round, asks)? {
            needed.cases += 1;
            if case.complete {
                needed.complete += 1;
                continue;
            }
            if case.labels == 0 {
                needed.first += 1;
            } else {
                needed.more += 1;
            }
            for person in case.could {
                *needed.by.entry(person).or_default() += 1;
            }
        }
        Ok(needed)
    }

    /// The same with the experts' first names, for people.
    pub fn outstanding(&self, round: i64, needed: &AnnotationsNeeded) -> Result<Outstanding> {
        let names: BTreeMap<ExpertId, String> = self.experts()?.into_iter().collect();
        let by = needed.by.iter().map(|(id, n)| (names.get(id).cloned().unwrap_or_default(), *n));
        Ok(Outstanding {
            round,
            cases: needed.cases,
            first: needed.first,
            more: needed.more,
            by: by.collect(),
        })
    }

    /// The items of cases that need an answer, of those that come back to this expert, and of those on the expert's screen.
    pub fn items_of_open_cases(&self, asks: Option<ExpertId>) -> Result<HashSet<ItemId>> {
        let what = "read the cases";
        let mut items: HashSet<ItemId> = HashSet::new();
        for round in self.open_rounds()? {
            items.extend(
                self.case_needs(round, asks)?.into_iter().filter(|case| !case.complete).map(|case| case.item),
            );
        }
        // One that was on somebody's screen when its round was closed may still be answered there.
        let sql = format!(
            "SELECT c.item FROM lease l JOIN label_case c ON c.id = l.label_case JOIN person p ON p.expert = l.expert
             WHERE p.person = {ME} AND l.expires_ms > ?2 AND c.reason <> 'repeat'
               AND NOT EXISTS (SELECT 1 FROM current_answer a WHERE a.item = c.item AND a.person = p.person AND a.action = 'set')"
        );
        items.extend(self.all_rows_of(&sql, (asks, now_ms()), what, |r| r.get::<_, ItemId>(0))?);
        let sql =
            format!("SELECT c.item FROM label_case c JOIN round r ON r.id = c.round WHERE {}", comes_back());
        items.extend(self.all_rows_of(&sql, [asks], what, |r| r.get::<_, ItemId>(0))?);
        Ok(items)
    }

    /// Whether anybody has answered, skipped or flagged a case of the round.
    pub fn is_begun(&self, round: RoundId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM label_event e JOIN label_case c ON c.id = e.label_case WHERE c.round = ?1)";
        Ok(self.one(sql, [round], "read whether a round is begun", |r| r.get(0))?.unwrap_or(false))
    }

    /// The rounds that are open, oldest first.
    pub fn open_rounds(&self) -> Result<Vec<RoundId>> {
        self.all("SELECT id FROM round WHERE closed_ms IS NULL ORDER BY number", "read the round")
    }

    fn case_needs(&self, round: RoundId, asks: Option<ExpertId>) -> Result<Vec<CaseNeed>> {
        let what = "read the round";
        let active = self.active(round, asks)?;
        let mut had: HashMap<CaseId, Vec<(ExpertId, Action)>> = HashMap::new();
        let answers = self.all_rows_of(
            "SELECT c.id, a.person, a.action FROM label_case c CROSS JOIN current_answer a ON a.item = c.item
             WHERE c.round = ?1 AND c.withdrawn_ms IS NULL AND c.reason <> 'repeat'",
            [round],
            what,
            |r| Ok((r.get(0)?, (r.get(1)?, r.get(2)?))),
        )?;
        for (case, answer) in answers {
            had.entry(case).or_default().push(answer);
        }
        // A place for a repeat that nobody has come to yet is anybody's.
        self.all_rows_of(
            "SELECT c.id, c.item, c.overlap, c.reason = 'repeat', p.person,
               EXISTS (SELECT 1 FROM repeat_answer a WHERE a.label_case = c.id),
               EXISTS (SELECT 1 FROM repeat_answer a WHERE a.label_case = c.id AND a.action = 'set')
             FROM label_case c LEFT JOIN person p ON p.expert = c.expert
             WHERE c.round = ?1 AND c.withdrawn_ms IS NULL ORDER BY c.position",
            [round],
            what,
            |r| {
                let (case, wish): (CaseId, i64) = (r.get(0)?, r.get(2)?);
                let (repeat, whose): (bool, Option<ExpertId>) = (r.get(3)?, r.get(4)?);
                let had = had.get(&case).map_or(&[][..], Vec::as_slice);
                let mut could = active.clone();
                for (person, _) in had {
                    could.remove(person);
                }
                let mut labels = had.iter().filter(|(_, action)| *action == Action::Set).count();
                let wanted = (wish.unsigned_abs() as usize).min(active.len()).max(1);
                let mut complete = labels >= wanted || could.is_empty() && !had.is_empty();
                if repeat {
                    complete = r.get(5)?;
                    labels = usize::from(r.get::<_, bool>(6)?);
                    could.retain(|person| whose.is_none_or(|whose| whose == *person));
                }
                Ok(CaseNeed { item: r.get(1)?, labels, could, complete })
            },
        )
    }
}
