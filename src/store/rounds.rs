//! Rounds and their cases.

use std::collections::BTreeMap;

use rusqlite::Transaction;
use uuid::Uuid;

use super::clock::now_ms;
use super::convert::Uuid16;
use super::open::Store;
use crate::domain::case::Proposal;
use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId, PredictorId, RoundId};

/// A round on its way into the file.
#[derive(Clone, Debug)]
pub struct NewRound<'a> {
    /// The strategy's name.
    pub strategy: &'a str,
    /// Cases asked for.
    pub budget: usize,
    /// Its seed.
    pub seed: u64,
    /// Whose prelabels it was mined from.
    pub predictor: PredictorId,
    /// For example that the strategy fell back to margin, and why.
    pub note: Option<&'a str>,
    /// The cases in the order in which they are shown.
    pub cases: &'a [Proposal],
}

/// A round as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// Its id.
    pub id: RoundId,
    /// Counted from 1.
    pub number: i64,
    /// The strategy's name.
    pub strategy: String,
    /// Whose prelabels it was mined from.
    pub predictor: PredictorId,
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

/// The cases that stand and have a label, and those that were only skipped.
const ROUND: &str = "
    SELECT r.id, r.number, r.strategy, r.predictor, r.note, r.created_ms, r.closed_ms,
        (SELECT count(*) FROM label_case c WHERE c.round = r.id AND c.withdrawn_ms IS NULL),
        (SELECT count(*) FROM label_case c WHERE c.round = r.id AND c.withdrawn_ms IS NULL AND EXISTS
            (SELECT 1 FROM standing_event e WHERE e.item = c.item AND e.action = 'set')),
        (SELECT count(*) FROM label_case c WHERE c.round = r.id AND c.withdrawn_ms IS NULL
            AND EXISTS (SELECT 1 FROM standing_event e WHERE e.item = c.item AND e.action = 'skip')
            AND NOT EXISTS (SELECT 1 FROM standing_event e WHERE e.item = c.item AND e.action = 'set'))
    FROM round r";

fn round(r: &rusqlite::Row<'_>) -> rusqlite::Result<Round> {
    let count = |i| r.get::<_, i64>(i).map(|n| n.unsigned_abs() as usize);
    Ok(Round {
        id: r.get(0)?,
        number: r.get(1)?,
        strategy: r.get(2)?,
        predictor: r.get(3)?,
        note: r.get(4)?,
        created_ms: r.get(5)?,
        closed_ms: r.get(6)?,
        cases: count(7)?,
        answered: count(8)?,
        skipped: count(9)?,
    })
}

/// Where one expert stands in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceInRound {
    /// The round's number.
    pub round: i64,
    /// Its cases.
    pub cases: usize,
    /// Of these with a label by anybody.
    pub answered: usize,
    /// Of these with a label by this expert.
    pub mine: usize,
}

impl Store {
    /// Closes the open round and opens the next, in one commit. Cases of the old one that nobody has answered and nobody holds are
    /// withdrawn; one on somebody's screen stays, and its late answer counts in its own round.
    ///
    /// Returns the new round's number.
    pub fn open_round(&mut self, new: &NewRound<'_>) -> Result<i64> {
        self.write("open the round", |tx| {
            let now = now_ms();
            close_open_rounds(tx, now)?;
            let number: i64 =
                tx.query_row("SELECT coalesce(max(number), 0) + 1 FROM round", [], |r| r.get(0))?;
            tx.execute(
                "INSERT INTO round (uuid, number, strategy, budget, seed, predictor, note, created_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                (
                    Uuid16(Uuid::now_v7()),
                    number,
                    new.strategy,
                    new.budget as i64,
                    new.seed.cast_signed(),
                    new.predictor,
                    new.note,
                    now,
                ),
            )?;
            let round = RoundId(tx.last_insert_rowid());
            for (position, case) in new.cases.iter().enumerate() {
                add_case(tx, round, position, case)?;
            }
            Ok(number)
        })
    }

    /// The round that is open.
    pub fn open_round_row(&self) -> Result<Option<Round>> {
        let sql = format!("{ROUND} WHERE r.closed_ms IS NULL ORDER BY r.number DESC LIMIT 1");
        self.one(&sql, (), "read the round", round)
    }

    /// Where an expert stands in the open round.
    pub fn place_in_round(&self, expert: ExpertId) -> Result<Option<PlaceInRound>> {
        self.one(
            "SELECT r.number, count(*),
                    count(EXISTS (SELECT 1 FROM standing_event e WHERE e.item = c.item AND e.action = 'set') OR NULL),
                    count(EXISTS (SELECT 1 FROM standing_event e
                                  WHERE e.item = c.item AND e.action = 'set' AND e.expert = ?1) OR NULL)
             FROM round r JOIN label_case c ON c.round = r.id AND c.withdrawn_ms IS NULL
             WHERE r.id = (SELECT max(id) FROM round WHERE closed_ms IS NULL) GROUP BY r.id",
            [expert],
            "read the round",
            |r| {
                let count = |i| r.get::<_, i64>(i).map(|n| n.unsigned_abs() as usize);
                Ok(PlaceInRound { round: r.get(0)?, cases: count(1)?, answered: count(2)?, mine: count(3)? })
            },
        )
    }

    /// All rounds, oldest first.
    pub fn rounds(&self) -> Result<Vec<Round>> {
        self.all_rows(&format!("{ROUND} ORDER BY r.number"), "read the rounds", round)
    }

    /// How many audit cases each round drew, by its number, withdrawn ones included.
    pub fn audit_draws(&self) -> Result<BTreeMap<i64, usize>> {
        let rows = self.all_rows(
            "SELECT r.number, count(*) FROM label_case c JOIN round r ON r.id = c.round
             WHERE c.split = 'audit' GROUP BY r.number",
            "count the audit cases",
            |r| Ok((r.get(0)?, r.get::<_, i64>(1)?.unsigned_abs() as usize)),
        )?;
        Ok(rows.into_iter().collect())
    }

    /// Items that must not be proposed again: answered by anybody, or in a case that still stands.
    pub fn taken_items(&self) -> Result<Vec<ItemId>> {
        self.all(
            "SELECT item FROM label_event WHERE action IN ('set', 'skip', 'adjudicate')
             UNION SELECT item FROM label_case WHERE withdrawn_ms IS NULL",
            "read the cases",
        )
    }
}

fn close_open_rounds(tx: &Transaction<'_>, now: i64) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE label_case SET withdrawn_ms = ?1
         WHERE withdrawn_ms IS NULL
           AND round IN (SELECT id FROM round WHERE closed_ms IS NULL)
           AND NOT EXISTS (SELECT 1 FROM standing_event e WHERE e.item = label_case.item AND e.action IN ('set', 'skip'))
           AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.label_case = label_case.id AND l.expires_ms > ?1)",
        [now],
    )?;
    tx.execute("UPDATE round SET closed_ms = ?1 WHERE closed_ms IS NULL", [now]).map(drop)
}

fn add_case(tx: &Transaction<'_>, round: RoundId, position: usize, case: &Proposal) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO label_case (uuid, round, position, item, split, reason, partner, similarity, margin, inclusion)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute((
        Uuid16(Uuid::now_v7()),
        round,
        position as i64,
        case.item,
        case.split,
        case.reason,
        case.partner.map(|p| p.item),
        case.partner.map(|p| f64::from(p.similarity)),
        f64::from(case.margin),
        case.inclusion,
    ))
    .map(drop)
}
