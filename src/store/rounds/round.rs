//! Rounds and their cases.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, Transaction};

use super::annotations_needed::{NEEDS_ANNOTATION, active_annotators};
use crate::domain::case::{Proposal, Reason};
use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId, PredictorId, RoundId};
use crate::domain::overlap::Overlap;
use crate::domain::split::Split;
use crate::store::db::attempt::Attempt;
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::convert::{Json, Uuid16};
use crate::store::db::open::Store;
use crate::store::db::person::{ME, MY_NAMES};

/// A round on its way into the file.
#[derive(Clone, Debug)]
pub struct NewRound<'a> {
    pub strategy: &'a str,
    /// Cases asked for.
    pub budget: usize,
    pub seed: u64,
    /// Whose prelabels it was mined from.
    pub predictor: PredictorId,
    /// For example that the strategy fell back to margin, and why.
    pub note: Option<&'a str>,
    /// The cases in the order in which they are shown.
    pub cases: &'a [Proposal],
    /// How many experts are to see them.
    pub overlap: Overlap,
    /// What becomes of rounds that are open and wait for somebody's answers.
    pub incomplete: Incomplete,
}

/// What becomes of a round that is open and not complete, once the next is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incomplete {
    /// It is closed. Cases of it that nobody has answered and nobody holds are withdrawn.
    Closes,
    /// It goes on collecting answers, where they can come from others than this person.
    StaysOpenForOthersThan(Option<ExpertId>),
}

/// A round that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub number: i64,
    /// How many of its cases two experts or more are to see.
    pub shared: usize,
}

/// A round as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    pub id: RoundId,
    /// Counted from 1; 0 for the cases that were drawn before anything was scouted.
    pub number: i64,
    pub strategy: String,
    /// For example that the strategy fell back to margin, and why.
    pub note: Option<String>,
    /// When it was opened, UTC milliseconds.
    pub created_ms: i64,
    /// When the next one took its place.
    pub closed_ms: Option<i64>,
    /// Cases that were not withdrawn.
    pub cases: usize,
    /// Of these, cases with a label.
    pub answered: usize,
    /// Of these, cases that were skipped and have no label.
    pub skipped: usize,
}

/// The cases that stand, those with a label, and those that were only skipped. One that was withdrawn before its answer came from another copy
/// stands with it. A repeat and a place kept for one are cases like any other:
/// otherwise the counts would tell which case is one.
const ROUND: &str = "
    SELECT r.id, r.number, r.strategy, r.note, r.created_ms, r.closed_ms,
        (SELECT count(*) FROM label_case c WHERE c.round = r.id AND (c.withdrawn_ms IS NULL
            OR EXISTS (SELECT 1 FROM upheld_event u WHERE u.label_case = c.id AND u.action IN ('set', 'skip')))),
        (SELECT count(*) FROM label_case c WHERE c.round = r.id AND (c.withdrawn_ms IS NULL
            OR EXISTS (SELECT 1 FROM upheld_event u WHERE u.label_case = c.id AND u.action IN ('set', 'skip'))) AND CASE c.reason
            WHEN 'repeat' THEN EXISTS (SELECT 1 FROM repeat_answer e WHERE e.label_case = c.id AND e.action = 'set')
            ELSE EXISTS (SELECT 1 FROM standing_event e WHERE e.item = c.item AND e.action = 'set') END),
        (SELECT count(*) FROM label_case c WHERE c.round = r.id AND (c.withdrawn_ms IS NULL
            OR EXISTS (SELECT 1 FROM upheld_event u WHERE u.label_case = c.id AND u.action IN ('set', 'skip'))) AND CASE c.reason
            WHEN 'repeat' THEN EXISTS (SELECT 1 FROM repeat_answer e WHERE e.label_case = c.id AND e.action = 'skip')
            ELSE EXISTS (SELECT 1 FROM standing_event e WHERE e.item = c.item AND e.action = 'skip')
                 AND NOT EXISTS (SELECT 1 FROM standing_event e WHERE e.item = c.item AND e.action = 'set') END)
    FROM round r";

fn round(r: &rusqlite::Row<'_>) -> rusqlite::Result<Round> {
    let count = |i| r.get::<_, i64>(i).map(|n| n.unsigned_abs() as usize);
    Ok(Round {
        id: r.get(0)?,
        number: r.get(1)?,
        strategy: r.get(2)?,
        note: r.get(3)?,
        created_ms: r.get(4)?,
        closed_ms: r.get(5)?,
        cases: count(6)?,
        answered: count(7)?,
        skipped: count(8)?,
    })
}

/// Where one expert stands in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceInRound {
    /// The round's number.
    pub round: i64,
    pub cases: usize,
    /// Of these with a label by anybody.
    pub answered: usize,
    /// Of these with a label by this expert.
    pub mine: usize,
    /// Cases that wait for this expert: those on the screen, and those that could come next.
    pub left: usize,
}

impl Store {
    /// Closes the open rounds, but those that are to stay, and opens the next, in one commit. Cases of the old ones that nobody has answered and
    /// nobody holds are withdrawn; one on somebody's screen stays, and its late answer counts in its own round. A case that somebody came to
    /// while the new round was being mined is left out of that.
    pub fn open_round(&mut self, new: &NewRound<'_>) -> Result<Opened> {
        let staying = self.staying(new.incomplete)?;
        self.write("open the round", |tx| {
            let now = now_ms();
            close_open_rounds(tx, now, &staying)?;
            let number: i64 =
                tx.query_row("SELECT coalesce(max(number), 0) + 1 FROM round", [], |r| r.get(0))?;
            let taken = taken(tx, now, &staying)?;
            let free = |case: &&Proposal| case.reason == Reason::Repeat || !taken.contains(&case.item);
            let cases: Vec<Proposal> = new.cases.iter().filter(free).cloned().collect();
            let shared = add_round(tx, number, Some(new.predictor), &NewRound { cases: &cases, ..*new })?;
            Ok(Opened { number, shared })
        })
    }

    /// Open rounds that go on collecting. What came before the first is over with it.
    fn staying(&self, incomplete: Incomplete) -> Result<Vec<RoundId>> {
        let Incomplete::StaysOpenForOthersThan(expert) = incomplete else { return Ok(Vec::new()) };
        let person = expert.map(|expert| self.person_of(expert)).transpose()?;
        let mut staying = Vec::new();
        for round in self.open_rounds()? {
            let number: Option<i64> =
                self.one("SELECT number FROM round WHERE id = ?1", [round], "read the round", |r| r.get(0))?;
            if number > Some(0) && self.annotations_needed(round, None)?.waits_for_others(person) {
                staying.push(round);
            }
        }
        Ok(staying)
    }

    /// The overlap of the newest round that has one.
    pub fn last_overlap(&self) -> Result<Option<Overlap>> {
        self.one(
            "SELECT overlap FROM round WHERE overlap IS NOT NULL AND number > 0 ORDER BY number DESC LIMIT 1",
            (),
            "read the round",
            |r| r.get::<_, Json<Overlap>>(0).map(|overlap| overlap.0),
        )
    }

    /// Opens round 0: audit items drawn evenly, each with the same inclusion probability, to be labelled until the first round is mined.
    /// Nothing where there is a round or a prelabel already, or no audit item.
    pub fn open_round_0(&mut self, budget: usize, seed: u64) -> Result<bool> {
        let what = "draw the first audit cases";
        if self.count("SELECT count(*) FROM (SELECT 1 FROM round LIMIT 1)", (), what)? > 0
            || self.active_predictor()?.is_some()
        {
            return Ok(false);
        }
        // In the order of the keys, which are hashes: an even draw, and the same for everybody who has this pool.
        let items: Vec<ItemId> = self.all_rows_of(
            "SELECT i.id FROM item_key k CROSS JOIN item i ON i.id = k.item WHERE i.split = 'audit'
             AND i.source NOT IN (SELECT id FROM source WHERE state <> 'ready') ORDER BY k.key LIMIT ?1",
            [budget as i64],
            what,
            |r| r.get(0),
        )?;
        let all = self.count(
            "SELECT count(*) FROM item WHERE split = 'audit'
             AND source NOT IN (SELECT id FROM source WHERE state <> 'ready')",
            (),
            what,
        )?;
        let case = |item: &ItemId| Proposal {
            item: *item,
            split: Split::Audit,
            reason: Reason::Audit,
            partner: None,
            margin: 0.0,
            inclusion: Some(items.len() as f64 / all as f64),
        };
        let cases: Vec<Proposal> = items.iter().map(case).collect();
        if cases.is_empty() {
            return Ok(false);
        }
        self.write(what, |tx| {
            // Somebody else may have opened a round since.
            let rounds: i64 = tx.query_row("SELECT count(*) FROM round", [], |r| r.get(0))?;
            if rounds == 0 {
                let new = NewRound {
                    strategy: "audit",
                    budget,
                    seed,
                    predictor: PredictorId(0),
                    note: None,
                    cases: &cases,
                    overlap: Overlap::default(),
                    incomplete: Incomplete::Closes,
                };
                add_round(tx, 0, None, &new)?;
            }
            Ok(rounds == 0)
        })
    }

    pub fn open_round_row(&self) -> Result<Option<Round>> {
        let sql = format!("{ROUND} WHERE r.closed_ms IS NULL ORDER BY r.number DESC LIMIT 1");
        self.one(&sql, (), "read the round", round)
    }

    /// Where an expert stands in the open round: the one whose case is on the expert's screen, else the newest. Places kept for repeats count
    /// from the beginning, and a repeat like any other case of its expert: otherwise the counts would tell which case is one.
    pub fn place_in_round(&self, expert: ExpertId) -> Result<Option<PlaceInRound>> {
        let sql = format!(
            "WITH {}, answered (item, mine) AS MATERIALIZED (
               SELECT a.item, max(a.person = {ME}) FROM label_case c CROSS JOIN current_answer a ON a.item = c.item
               WHERE a.action = 'set' AND c.round IN (SELECT id FROM round WHERE closed_ms IS NULL) GROUP BY a.item)
             SELECT r.number, count(*),
                    count(CASE c.reason
                        WHEN 'repeat' THEN EXISTS (SELECT 1 FROM repeat_answer e WHERE e.label_case = c.id AND e.action = 'set')
                        ELSE a.item IS NOT NULL END OR NULL),
                    count(CASE c.reason
                        WHEN 'repeat' THEN EXISTS (SELECT 1 FROM repeat_answer e WHERE e.label_case = c.id AND e.action = 'set')
                        ELSE a.mine END OR NULL),
                    count(CASE
                        WHEN c.reason = 'repeat' THEN NOT EXISTS (SELECT 1 FROM repeat_answer e WHERE e.label_case = c.id)
                        WHEN a.mine THEN 0
                        WHEN EXISTS (SELECT 1 FROM lease l WHERE l.label_case = c.id AND l.expert = ?1) THEN 1
                        ELSE NOT EXISTS (SELECT 1 FROM current_answer s WHERE s.item = c.item AND s.person = {ME}) AND {NEEDS_ANNOTATION}
                        END OR NULL)
             FROM round r JOIN label_case c ON c.round = r.id AND c.withdrawn_ms IS NULL AND coalesce(c.expert IN {MY_NAMES}, 1)
             LEFT JOIN answered a ON a.item = c.item
             WHERE r.id = coalesce(
               (SELECT o.id FROM lease l JOIN label_case k ON k.id = l.label_case JOIN round o ON o.id = k.round
                WHERE l.expert = ?1 AND o.closed_ms IS NULL ORDER BY o.number LIMIT 1),
               (SELECT id FROM round WHERE closed_ms IS NULL ORDER BY number DESC LIMIT 1)) GROUP BY r.id",
            active_annotators()
        );
        self.one(&sql, (expert, now_ms()), "read the round", |r| {
            let count = |i| r.get::<_, i64>(i).map(|n| n.unsigned_abs() as usize);
            Ok(PlaceInRound {
                round: r.get(0)?,
                cases: count(1)?,
                answered: count(2)?,
                mine: count(3)?,
                left: count(4)?,
            })
        })
    }

    /// All rounds, oldest first.
    pub fn rounds(&self) -> Result<Vec<Round>> {
        self.all_rows(&format!("{ROUND} ORDER BY r.number"), "read the rounds", round)
    }

    /// How many audit cases each round drew, by its number, withdrawn ones included.
    pub fn audit_draws(&self) -> Result<BTreeMap<i64, usize>> {
        let rows = self.all_rows(
            "SELECT r.number, count(*) FROM label_case c JOIN round r ON r.id = c.round
             WHERE c.split = 'audit' AND c.reannotation IS NULL GROUP BY r.number",
            "count the audit cases",
            |r| Ok((r.get(0)?, r.get::<_, i64>(1)?.unsigned_abs() as usize)),
        )?;
        Ok(rows.into_iter().collect())
    }

    /// Items that must not be proposed again: answered by anybody, or in a case that still stands once the next round is open. What opening
    /// it would withdraw is free.
    pub fn taken_items(&self, incomplete: Incomplete) -> Result<HashSet<ItemId>> {
        taken(&self.conn, now_ms(), &self.staying(incomplete)?).attempting("read the cases")
    }
}

fn taken(conn: &Connection, now: i64, staying: &[RoundId]) -> rusqlite::Result<HashSet<ItemId>> {
    let sql = format!(
        "SELECT item FROM label_event WHERE action IN ('set', 'skip', 'adjudicate')
         UNION SELECT item FROM label_case WHERE withdrawn_ms IS NULL AND NOT ({TO_BE_WITHDRAWN})"
    );
    conn.prepare_cached(&sql)?.query_map((now, Json(staying)), |r| r.get(0))?.collect()
}

/// Cases of open rounds that nobody has answered and nobody holds at the time ?1, but for the rounds of the list ?2, which stay open.
const TO_BE_WITHDRAWN: &str = "withdrawn_ms IS NULL
    AND round IN (SELECT id FROM round WHERE closed_ms IS NULL AND id NOT IN (SELECT value FROM json_each(?2)))
    AND CASE reason
        WHEN 'repeat' THEN NOT EXISTS (SELECT 1 FROM repeat_answer e WHERE e.label_case = label_case.id)
        ELSE NOT EXISTS (SELECT 1 FROM standing_event e WHERE e.item = label_case.item AND e.action IN ('set', 'skip'))
        END
    AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.label_case = label_case.id AND l.expires_ms > ?1)";

fn add_round(
    tx: &Transaction<'_>,
    number: i64,
    predictor: Option<PredictorId>,
    new: &NewRound<'_>,
) -> rusqlite::Result<usize> {
    tx.execute(
        "INSERT INTO round (uuid, number, strategy, budget, seed, predictor, note, created_ms, overlap)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        (
            Uuid16(new_uuid()),
            number,
            new.strategy,
            new.budget as i64,
            new.seed.cast_signed(),
            predictor,
            new.note,
            now_ms(),
            Json(new.overlap),
        ),
    )?;
    let round = RoundId(tx.last_insert_rowid());
    let wishes = new.overlap.wishes(new.cases, new.seed);
    for (position, (case, wish)) in new.cases.iter().zip(&wishes).enumerate() {
        add_case(tx, round, (position, *wish), case)?;
    }
    Ok(wishes.iter().filter(|wish| **wish > 1).count())
}

fn close_open_rounds(tx: &Transaction<'_>, now: i64, staying: &[RoundId]) -> rusqlite::Result<()> {
    let sql = format!("UPDATE label_case SET withdrawn_ms = ?1 WHERE {TO_BE_WITHDRAWN}");
    tx.execute(&sql, (now, Json(staying)))?;
    tx.execute(
        "UPDATE round SET closed_ms = ?1 WHERE closed_ms IS NULL AND id NOT IN (SELECT value FROM json_each(?2))",
        (now, Json(staying)),
    )
    .map(drop)
}

fn add_case(
    tx: &Transaction<'_>,
    round: RoundId,
    (position, wish): (usize, usize),
    case: &Proposal,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO label_case (uuid, round, position, item, split, reason, partner, similarity, side, margin, inclusion, overlap)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute((
        Uuid16(new_uuid()),
        round,
        position as i64,
        case.item,
        case.split,
        case.reason,
        case.partner.map(|p| p.item),
        case.partner.map(|p| f64::from(p.similarity)),
        case.partner.map(|p| p.side),
        f64::from(case.margin),
        case.inclusion,
        wish as i64,
    ))
    .map(drop)
}
