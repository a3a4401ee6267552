//! How many hands the cases of open rounds have, want, and could still get.
//!
//! A case wants as many persons' labels as it was wished for, but never more than there are active persons: those with an answer or a
//! session since the round was opened, or in the last 30 days. It is complete with those, or when every active person has had it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use crate::domain::event::Action;
use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::ids::{CaseId, ExpertId, ItemId, RoundId};
use crate::domain::overlap::ACTIVE_DAYS;
use crate::store::db::clock::now_ms;
use crate::store::db::open::Store;
use crate::store::db::person::ME;

/// The same in milliseconds.
const ACTIVE_MS: i64 = ACTIVE_DAYS * 24 * 60 * 60 * 1_000;

/// A table `active_annotators (round, person)` of the active persons of each open round, for whoever asks as ?1 at the time ?2. Whoever asks is there. A
/// session in which only the task was set, or something said of experts, is no session.
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

/// Whether the case `c`, no repeat, wants one more hand: fewer persons have labelled its item or hold it than it is to be seen by. Needs
/// [`active_annotators`].
pub(in crate::store) const WANTS_A_HAND: &str = "
    (SELECT count(*) FROM
       (SELECT a.person FROM current_answer a WHERE a.item = c.item AND a.action = 'set'
        UNION SELECT q.person FROM lease l CROSS JOIN person q ON q.expert = l.expert WHERE l.label_case = c.id))
    < min(c.overlap, (SELECT count(*) FROM active_annotators w WHERE w.round = c.round))";

/// Whether the case `c` stands: it was not withdrawn, or was where nobody knew of an answer to it that came from another copy.
pub(in crate::store) const STANDS: &str = "(c.withdrawn_ms IS NULL
    OR EXISTS (SELECT 1 FROM upheld_event u WHERE u.label_case = c.id AND u.action IN ('set', 'skip')))";

/// A case of an open round.
#[derive(Clone, Debug)]
struct Hands {
    item: ItemId,
    /// Persons' labels.
    labels: usize,
    /// Active persons who have had it neither labelled nor skipped; of a repeat, whose it is.
    could: BTreeSet<ExpertId>,
    complete: bool,
}

/// What an open round still wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnotationsNeeded {
    /// Cases, those kept for repeats included.
    pub cases: usize,
    /// Of these, cases that have what they want.
    pub complete: usize,
    /// Cases that nobody has labelled.
    pub first: usize,
    /// Cases that were labelled and are to be seen by one more.
    pub more: usize,
    /// How many of the open cases each person could still answer.
    pub by: BTreeMap<ExpertId, usize>,
}

impl AnnotationsNeeded {
    /// Cases that are open.
    pub fn open(&self) -> usize {
        self.cases - self.complete
    }

    /// Whether any of it waits for somebody other than this person.
    pub fn waits_for_others(&self, person: Option<ExpertId>) -> bool {
        self.by.keys().any(|other| Some(*other) != person)
    }
}

/// What a round still wants, and of whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outstanding {
    /// The round's number.
    pub round: i64,
    /// Its cases.
    pub cases: usize,
    /// Of these, cases that nobody has labelled.
    pub first: usize,
    /// Of these, cases that were labelled and are to be seen by one more expert.
    pub more: usize,
    /// How many of the open cases each expert can still answer, by first name.
    pub by: BTreeMap<String, usize>,
}

impl Outstanding {
    /// Of the open round of that number.
    pub fn of(store: &Store, round: i64, wanting: &AnnotationsNeeded) -> Result<Self> {
        let names: BTreeMap<ExpertId, String> = store.experts()?.into_iter().collect();
        let by = wanting.by.iter().map(|(id, n)| (names.get(id).cloned().unwrap_or_default(), *n));
        Ok(Self { round, cases: wanting.cases, first: wanting.first, more: wanting.more, by: by.collect() })
    }

    /// Cases that are open.
    pub fn open(&self) -> usize {
        self.first + self.more
    }

    /// Whose answers are missing: `bob can answer 12 of them, cy 6`; empty where nobody is there.
    pub fn whose(&self) -> String {
        let each = |(i, (name, n)): (usize, (&String, &usize))| match i {
            0 => format!("{name} can answer {n} of them"),
            _ => format!("{name} {n}"),
        };
        self.by.iter().enumerate().map(each).collect::<Vec<_>>().join(", ")
    }
}

/// `42 of 60 cases complete, 18 want a second answer (bob can answer 18 of them)`.
impl std::fmt::Display for Outstanding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} cases complete", self.cases - self.open(), self.cases)?;
        for (n, which) in [(self.first, "first"), (self.more, "second")] {
            if n > 0 {
                write!(f, ", {n} want{} a {which} answer", if n == 1 { "s" } else { "" })?;
            }
        }
        match self.whose() {
            nobody if nobody.is_empty() => Ok(()),
            whose => write!(f, " ({whose})"),
        }
    }
}

impl Store {
    /// The active persons of a round that is open, with whoever asks.
    pub fn active(&self, round: RoundId, asks: Option<ExpertId>) -> Result<BTreeSet<ExpertId>> {
        let sql =
            format!("WITH {} SELECT person FROM active_annotators WHERE round = ?3", active_annotators());
        let active =
            self.all_rows_of(&sql, (asks, now_ms(), round), "read the experts", |r| r.get::<_, ExpertId>(0))?;
        Ok(active.into_iter().collect())
    }

    /// What a round that is open still wants, for whoever asks.
    pub fn wanting(&self, round: RoundId, asks: Option<ExpertId>) -> Result<AnnotationsNeeded> {
        let mut wanting = AnnotationsNeeded::default();
        for case in self.hands(round, asks)? {
            wanting.cases += 1;
            if case.complete {
                wanting.complete += 1;
                continue;
            }
            if case.labels == 0 {
                wanting.first += 1;
            } else {
                wanting.more += 1;
            }
            for person in case.could {
                *wanting.by.entry(person).or_default() += 1;
            }
        }
        Ok(wanting)
    }

    /// The items on which an expert sees the own answers alone: those of cases that are not closed. None for a lead, who sees all.
    pub fn closed_to(&self, expert: Option<ExpertId>) -> Result<HashSet<ItemId>> {
        match expert {
            Some(expert) if self.role(expert)? == Role::Lead => Ok(HashSet::new()),
            _ => self.items_of_open_cases(expert),
        }
    }

    /// The items of cases that want an answer, and of those that this expert has on the screen.
    pub fn items_of_open_cases(&self, asks: Option<ExpertId>) -> Result<HashSet<ItemId>> {
        let what = "read the cases";
        let mut items: HashSet<ItemId> = HashSet::new();
        for round in self.open_rounds()? {
            items.extend(
                self.hands(round, asks)?.into_iter().filter(|case| !case.complete).map(|case| case.item),
            );
        }
        // One that was on somebody's screen when its round was closed may still be answered there.
        let sql = format!(
            "SELECT c.item FROM lease l JOIN label_case c ON c.id = l.label_case JOIN person p ON p.expert = l.expert
             WHERE p.person = {ME} AND l.expires_ms > ?2 AND c.reason <> 'repeat'
               AND NOT EXISTS (SELECT 1 FROM current_answer a WHERE a.item = c.item AND a.person = p.person AND a.action = 'set')"
        );
        items.extend(self.all_rows_of(&sql, (asks, now_ms()), what, |r| r.get::<_, ItemId>(0))?);
        Ok(items)
    }

    /// The rounds that are open, oldest first.
    pub fn open_rounds(&self) -> Result<Vec<RoundId>> {
        self.all("SELECT id FROM round WHERE closed_ms IS NULL ORDER BY number", "read the round")
    }

    fn hands(&self, round: RoundId, asks: Option<ExpertId>) -> Result<Vec<Hands>> {
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
        // A repeat that nobody has come to yet is anybody's.
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
                Ok(Hands { item: r.get(1)?, labels, could, complete })
            },
        )
    }
}
