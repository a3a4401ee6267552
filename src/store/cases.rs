//! Which case is next for an expert, and who holds which.

use rusqlite::{OptionalExtension, Row, Transaction};

use super::clock::now_ms;
use super::open::Store;
use crate::domain::case::{Partner, Reason};
use crate::domain::fault::Result;
use crate::domain::ids::{CaseId, ExpertId, ItemId, PredictorId, RoundId, SessionId};
use crate::domain::split::Split;

/// A case with its reason; what of it an expert may see is for the desk to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// Its round.
    pub round: RoundId,
    /// The round's number.
    pub round_number: i64,
    /// Whose prelabels it was mined from.
    pub predictor: PredictorId,
    /// The item.
    pub item: ItemId,
    /// Its split.
    pub split: Split,
    /// Why it was chosen.
    pub reason: Reason,
    /// The item across the boundary.
    pub partner: Option<Partner>,
    /// Margin of the prelabel when chosen.
    pub margin: f32,
}

const CASE: &str = "SELECT c.id, c.round, r.number, r.predictor, c.item, c.split, c.reason, c.partner, c.similarity, c.margin
    FROM label_case c JOIN round r ON r.id = c.round";

fn case(r: &Row<'_>) -> rusqlite::Result<Case> {
    let partner: Option<ItemId> = r.get(7)?;
    let similarity: Option<f64> = r.get(8)?;
    Ok(Case {
        id: r.get(0)?,
        round: r.get(1)?,
        round_number: r.get(2)?,
        predictor: r.get(3)?,
        item: r.get(4)?,
        split: r.get(5)?,
        reason: r.get(6)?,
        partner: partner.zip(similarity).map(|(item, s)| Partner { item, similarity: s as f32 }),
        margin: r.get::<_, f64>(9)? as f32,
    })
}

impl Store {
    /// The next case for this expert, leased until `lease_ms` from now. The same case again while the lease lasts and it has no
    /// answer. None where the expert has nothing left in the open round.
    ///
    /// A skipped case comes back once, after all others.
    pub fn lease_next_case(
        &mut self,
        expert: ExpertId,
        session: SessionId,
        lease_ms: i64,
    ) -> Result<Option<Case>> {
        self.write("fetch the next case", |tx| {
            let now = now_ms();
            tx.execute("DELETE FROM lease WHERE expires_ms <= ?1", [now])?;
            let found = match held_case(tx, expert)? {
                Some(held) => Some(held),
                None => free_case(tx, expert)?,
            };
            if let Some(case) = &found {
                tx.prepare_cached(
                    "INSERT INTO lease (label_case, expert, session, shown_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET session = excluded.session, expires_ms = excluded.expires_ms",
                )?
                .execute((case.id, expert, session, now, now + lease_ms))?;
            }
            Ok(found)
        })
    }

    /// When the case was first shown to the expert who holds it, UTC milliseconds.
    pub fn shown_ms(&self, case: CaseId, expert: ExpertId) -> Result<Option<i64>> {
        self.one(
            "SELECT shown_ms FROM lease WHERE label_case = ?1 AND expert = ?2",
            (case, expert),
            "read the lease",
            |r| r.get(0),
        )
    }

    /// The case in which an expert would answer for an item: the newest that was not withdrawn.
    pub fn case_of_item(&self, item: ItemId) -> Result<Option<Case>> {
        let sql = format!("{CASE} WHERE c.item = ?1 AND c.withdrawn_ms IS NULL ORDER BY c.id DESC LIMIT 1");
        self.one(&sql, [item], "read the case", case)
    }

    /// A case by id.
    pub fn case(&self, id: CaseId) -> Result<Option<Case>> {
        self.one(&format!("{CASE} WHERE c.id = ?1"), [id], "read the case", case)
    }

    /// Notes that the model's view of an item was shown to an expert.
    pub fn reveal(&mut self, expert: ExpertId, item: ItemId) -> Result<()> {
        self.write("note the reveal", |tx| {
            tx.execute(
                "INSERT OR IGNORE INTO reveal (expert, item, at_ms) VALUES (?1, ?2, ?3)",
                (expert, item, now_ms()),
            )
            .map(drop)
        })
    }

    /// Whether the model's view of an item has been shown to an expert.
    pub fn is_revealed(&self, expert: ExpertId, item: ItemId) -> Result<bool> {
        Ok(self.count(
            "SELECT count(*) FROM reveal WHERE expert = ?1 AND item = ?2",
            (expert, item),
            "read the reveals",
        )? > 0)
    }
}

/// The case this expert holds and has not answered.
fn held_case(tx: &Transaction<'_>, expert: ExpertId) -> rusqlite::Result<Option<Case>> {
    let sql = format!(
        "{CASE} JOIN lease l ON l.label_case = c.id AND l.expert = ?1
         WHERE c.withdrawn_ms IS NULL ORDER BY l.shown_ms, c.id LIMIT 1"
    );
    tx.prepare_cached(&sql)?.query_row([expert], case).optional()
}

/// The first case of the open round that this expert has not labelled and that still wants hands.
fn free_case(tx: &Transaction<'_>, expert: ExpertId) -> rusqlite::Result<Option<Case>> {
    let sql = format!(
        "{CASE} WHERE r.closed_ms IS NULL AND c.withdrawn_ms IS NULL
           AND NOT EXISTS (SELECT 1 FROM standing_event e
                           WHERE e.item = c.item AND e.expert = ?1 AND e.action = 'set')
           AND (SELECT count(*) FROM standing_event e
                WHERE e.item = c.item AND e.expert = ?1 AND e.action = 'skip') < 2
           AND (SELECT count(DISTINCT e.expert) FROM standing_event e
                WHERE e.item = c.item AND e.expert <> ?1 AND e.action = 'set')
             + (SELECT count(*) FROM lease l WHERE l.label_case = c.id AND l.expert <> ?1) < c.overlap
         ORDER BY (SELECT count(*) FROM standing_event e
                   WHERE e.item = c.item AND e.expert = ?1 AND e.action = 'skip'), r.number, c.position
         LIMIT 1"
    );
    tx.prepare_cached(&sql)?.query_row([expert], case).optional()
}
