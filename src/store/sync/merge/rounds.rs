//! Rounds and cases of a copy: one round and its cases in one commit.
//!
//! What can differ between copies has a larger state, and that wins: a round that was closed anywhere is closed, and then its cases are as those
//! left them who closed it; of copies that agree in that, a case that stands in one stands. A place kept for a repeat is smaller than the repeat
//! that somebody was handed there. Round 0 is drawn from the texts alone, so it is one round in
//! all copies, its cases known by their texts; so is a repeat known by whose and of which text it is. Of two UUIDs for one thing the smaller stays.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::ids::Ids;
use crate::domain::log::{CaseLine, RoundLine};
use crate::store::db::convert::{Json, Uuid16};

/// How a round stands in the two files that come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    /// Open in both, or closed in both, or not here yet.
    Alike,
    /// Closed here alone: who holds the copy does not know.
    ClosedHere,
    /// Closed there alone: it is closed here, too, once its cases are in.
    ClosedThere,
}

/// A round on its way in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// Its number here.
    pub id: i64,
    pub zero: bool,
    pub meeting: Meeting,
}

/// The round here, new or not; none where the predictor that it was mined from is unknown.
pub(super) fn take_round(
    tx: &Transaction<'_>,
    ids: &Ids,
    round: &RoundLine,
) -> rusqlite::Result<Option<Taken>> {
    let known: Option<(i64, bool)> = tx
        .query_row(
            "SELECT id, closed_ms IS NOT NULL FROM round WHERE uuid = ?1 OR (number = 0 AND ?2 = 0)",
            (Uuid16(round.uuid), round.number),
            |r| Ok((r.get(0)?, r.get(1)?)),
        )
        .optional()?;
    let taken = |id, meeting| Ok(Some(Taken { id, zero: round.number == 0, meeting }));
    if let Some((id, closed)) = known {
        tx.execute(
            "UPDATE round SET closed_ms = max(closed_ms, ?2) WHERE id = ?1 AND closed_ms < ?2",
            (id, round.closed_ms),
        )?;
        tx.execute(
            "UPDATE round SET uuid = ?2, strategy = ?3, budget = ?4, seed = ?5, created_ms = ?6 WHERE id = ?1 AND number = 0 AND uuid > ?2",
            (id, Uuid16(round.uuid), &round.strategy, round.budget, round.seed, round.created_ms),
        )?;
        return match (closed, round.closed_ms.is_some()) {
            (true, false) => taken(id, Meeting::ClosedHere),
            (false, true) => taken(id, Meeting::ClosedThere),
            _ => taken(id, Meeting::Alike),
        };
    }
    let predictor = round.predictor.and_then(|uuid| ids.predictors.get(&uuid).copied());
    if predictor.is_none() != (round.number == 0) {
        return Ok(None);
    }
    tx.execute(
        "INSERT INTO round (uuid, number, strategy, budget, seed, predictor, note, created_ms, closed_ms,
                            overlap)
         VALUES (?1, iif(EXISTS (SELECT 1 FROM round WHERE number = ?2), (SELECT max(number) + 1 FROM round), ?2),
                 ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            Uuid16(round.uuid),
            round.number,
            round.strategy,
            round.budget,
            round.seed,
            predictor,
            round.note,
            round.created_ms,
            round.closed_ms,
            round.overlap.map(Json)
        ],
    )?;
    taken(tx.last_insert_rowid(), Meeting::Alike)
}

/// Closes a round as it was closed in the copy, whose cases it has by now. What the copy does not know of was opened after that, where nobody knew
/// of the close: it is withdrawn with the rest.
pub(super) fn close(
    tx: &Transaction<'_>,
    id: i64,
    closed_ms: Option<i64>,
    known: &HashSet<i64>,
) -> rusqlite::Result<()> {
    let known: Vec<i64> = known.iter().copied().collect();
    tx.execute(
        "UPDATE label_case SET withdrawn_ms = ?3
         WHERE round = ?1 AND withdrawn_ms IS NULL AND id NOT IN (SELECT value FROM json_each(?2))",
        (id, Json(known), UNKNOWN_TO_WHO_CLOSED),
    )?;
    tx.execute("UPDATE round SET closed_ms = ?2 WHERE id = ?1 AND closed_ms IS NULL", (id, closed_ms))
        .map(drop)
}

/// When a case was withdrawn that only copies had which did not know of the close: the same in every file, and before every real time.
const UNKNOWN_TO_WHO_CLOSED: i64 = 0;

/// The case's number here, new or not; none where its text is not here, or where it is a place that is taken.
pub(super) fn take_case(
    tx: &Transaction<'_>,
    ids: &mut Ids,
    taken: Taken,
    case: &CaseLine,
) -> rusqlite::Result<Option<i64>> {
    let Taken { id: round, zero, meeting } = taken;
    let Some(item) = ids.item(tx, &case.item)? else { return Ok(None) };
    let partner = match &case.partner {
        Some(key) => ids.item(tx, key)?,
        None => None,
    };
    let expert = case.expert.as_ref().and_then(|name| ids.experts.get(name).copied());
    let reannotation = case.reannotation.and_then(|uuid| ids.revisions.get(&uuid).copied());
    if case.reannotation.is_some() && reannotation.is_none() {
        return Ok(None);
    }
    let by_uuid = "SELECT id FROM label_case WHERE uuid = ?1";
    let same = if case.expert.is_some() {
        // Sent for re-annotation, withdrawn and sent again, there are two of one kind: each keeps its identity.
        tx.prepare_cached(
            "SELECT id FROM label_case WHERE expert = ?1 AND item = ?2 AND reannotation IS ?3
             ORDER BY uuid = ?4 DESC, withdrawn_ms IS NULL DESC, id LIMIT 1",
        )?
        .query_row((expert, item, reannotation, Uuid16(case.uuid)), |r| r.get(0))
        .optional()?
    } else if zero && case.reason != "repeat" {
        tx.prepare_cached("SELECT id FROM label_case WHERE round = ?1 AND item = ?2 AND reason <> 'repeat'")?
            .query_row((round, item), |r| r.get(0))
            .optional()?
    } else {
        tx.prepare_cached(by_uuid)?.query_row([Uuid16(case.uuid)], |r| r.get(0)).optional()?
    };
    if let Some(id) = same {
        join(tx, (id, meeting), case)?;
        return Ok(Some(id));
    }
    let withdrawn = match meeting {
        Meeting::ClosedHere => Some(UNKNOWN_TO_WHO_CLOSED),
        Meeting::Alike | Meeting::ClosedThere => case.withdrawn_ms,
    };
    if case.reason == "repeat" && reannotation.is_none() {
        let place: Option<(i64, bool)> = tx
            .prepare_cached(
                "SELECT id, expert IS NULL FROM label_case WHERE round = ?1 AND position = ?2 AND reason = 'repeat'",
            )?
            .query_row((round, case.position), |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?;
        match place {
            Some((id, true)) if expert.is_some() => {
                tx.prepare_cached(
                    "UPDATE label_case SET uuid = ?2, expert = ?3, item = ?4, partner = ?5, similarity = ?6, side = ?7, margin = ?8,
                            withdrawn_ms = ?9, revealed_ms = ?10 WHERE id = ?1",
                )?
                .execute(params![
                    id,
                    Uuid16(case.uuid),
                    expert,
                    item,
                    partner,
                    partner.and(case.similarity),
                    partner.and(case.side.as_deref()),
                    case.margin,
                    withdrawn,
                    case.revealed_ms
                ])?;
                return Ok(Some(id));
            }
            Some(_) if expert.is_none() => return Ok(None),
            _ => {}
        }
    }
    let added = tx
        .prepare_cached(
            "INSERT OR IGNORE INTO label_case (uuid, round, position, item, split, reason, partner, similarity, side, margin, inclusion,
                                               overlap, withdrawn_ms, expert, revealed_ms, reannotation)
             VALUES (?1, ?2, iif(EXISTS (SELECT 1 FROM label_case WHERE round = ?2 AND position = ?3),
                                 (SELECT max(position) + 1 FROM label_case WHERE round = ?2), ?3),
                     ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            Uuid16(case.uuid),
            round,
            case.position,
            item,
            case.split,
            case.reason,
            partner,
            partner.and(case.similarity),
                    partner.and(case.side.as_deref()),
            case.margin,
            case.inclusion,
            case.overlap,
            withdrawn,
            expert,
            case.revealed_ms,
            reannotation
        ])?;
    Ok((added > 0).then(|| tx.last_insert_rowid()))
}

/// Brings a case that both have to the larger of its two states.
fn join(tx: &Transaction<'_>, (id, meeting): (i64, Meeting), case: &CaseLine) -> rusqlite::Result<()> {
    let withdrawn = match meeting {
        Meeting::Alike => "max(withdrawn_ms, ?2)",
        Meeting::ClosedHere => "withdrawn_ms",
        Meeting::ClosedThere => "?2",
    };
    tx.prepare_cached(&format!(
        "UPDATE OR IGNORE label_case SET withdrawn_ms = {withdrawn}, overlap = max(overlap, ?3),
                revealed_ms = coalesce(min(revealed_ms, ?4), revealed_ms, ?4),
                uuid = iif(EXISTS (SELECT 1 FROM label_case o WHERE o.uuid = ?5 AND o.id <> ?1), uuid, min(uuid, ?5))
         WHERE id = ?1 AND (withdrawn_ms IS NOT {withdrawn} OR overlap < ?3 OR uuid > ?5
                            OR revealed_ms IS NOT coalesce(min(revealed_ms, ?4), revealed_ms, ?4))"
    ))?
    .execute((id, case.withdrawn_ms, case.overlap, case.revealed_ms, Uuid16(case.uuid)))
    .map(drop)
}

/// The cases of a log by their round.
pub(super) fn by_round(cases: &[CaseLine]) -> HashMap<Uuid, Vec<&CaseLine>> {
    let mut rounds: HashMap<Uuid, Vec<&CaseLine>> = HashMap::new();
    for case in cases {
        rounds.entry(case.round).or_default().push(case);
    }
    rounds
}
