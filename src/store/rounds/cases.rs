//! Which case is next for an expert.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::annotations_needed::{NEEDS_ANNOTATION, STANDS, active_annotators};
use super::comes_back::comes_back;
use super::leases::lease;
use super::repeats::claim;
use super::searched::{SearchPlace, Searched};
use crate::domain::case::{Partner, Reason, Side};
use crate::domain::fault::Result;
use crate::domain::ids::{CaseId, ExpertId, ItemId, RoundId, SessionId};
use crate::domain::split::Split;
use crate::store::db::attempt::Attempt;
use crate::store::db::clock::now_ms;
use crate::store::db::open::Store;
use crate::store::db::person::{ME, MY_NAMES};
use crate::store::log::events::note_reveal;

/// A case with its reason; the desk decides what an expert may see of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub id: CaseId,
    pub round: RoundId,
    /// The round's number.
    pub round_number: i64,
    pub item: ItemId,
    pub split: Split,
    /// Why it was chosen.
    pub reason: Reason,
    /// The similar text that a coin chose.
    pub partner: Option<Partner>,
    /// Margin of the prelabel when chosen.
    pub margin: f32,
    /// Whom alone it is for: of a repeat, once it has been handed out.
    pub expert: Option<ExpertId>,
    /// Whether the model's view has been shown in it, for a repeat.
    pub revealed: bool,
}

impl Case {
    /// Itself where it comes back to its expert: what was done to its item before does not show in it.
    pub fn as_repeat(&self) -> Option<CaseId> {
        matches!(self.reason, Reason::Repeat | Reason::Reannotate).then_some(self.id)
    }
}

const CASE: &str =
    "SELECT c.id, c.round, r.number, c.item, c.split, c.reason, c.partner, c.similarity, c.side, c.margin,
        c.expert, c.revealed_ms IS NOT NULL, c.reannotation IS NOT NULL, c.position
    FROM label_case c JOIN round r ON r.id = c.round";

fn case(r: &Row<'_>) -> rusqlite::Result<Case> {
    let partner: Option<ItemId> = r.get(6)?;
    let similarity: Option<f64> = r.get(7)?;
    let side: Option<Side> = r.get(8)?;
    Ok(Case {
        id: r.get(0)?,
        round: r.get(1)?,
        round_number: r.get(2)?,
        item: r.get(3)?,
        split: r.get(4)?,
        reason: if r.get(12)? { Reason::Reannotate } else { r.get(5)? },
        partner: partner.zip(similarity).zip(side).map(|((item, s), side)| Partner {
            item,
            similarity: s as f32,
            side,
        }),
        margin: r.get::<_, f64>(9)? as f32,
        expert: r.get(10)?,
        revealed: r.get(11)?,
    })
}

impl Store {
    /// Every item that was ever put before an expert, ascending.
    pub fn items_of_cases(&self) -> Result<Vec<ItemId>> {
        self.all(
            "SELECT item FROM label_case UNION SELECT item FROM label_event ORDER BY item",
            "read the cases",
        )
    }

    /// Puts the cases of the open round that nobody has seen in a new order: those of `order`, where they stand in it, first come first, in the
    /// places that they have together. Audit cases and repeats stay where they are, and so does what is on somebody's screen. Returns how many there were.
    pub fn rank_unseen_cases(&mut self, order: &[ItemId]) -> Result<usize> {
        let rank: std::collections::HashMap<ItemId, usize> =
            order.iter().enumerate().map(|(rank, item)| (*item, rank)).collect();
        self.write("rank the cases again", |tx| {
            let mut unseen: Vec<(i64, i64, ItemId)> = tx
                .prepare(
                    "SELECT c.id, c.position, c.item FROM label_case c JOIN round r ON r.id = c.round
                     WHERE r.id = (SELECT id FROM round WHERE closed_ms IS NULL ORDER BY number DESC LIMIT 1)
                       AND r.number > 0 AND c.withdrawn_ms IS NULL AND c.split <> 'audit' AND c.reason <> 'repeat'
                       AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.label_case = c.id)
                       AND NOT EXISTS (SELECT 1 FROM label_event e WHERE e.item = c.item)
                     ORDER BY c.position",
                )?
                .query_map((), |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let places: Vec<i64> = unseen.iter().map(|(_, position, _)| *position).collect();
            unseen.sort_by_key(|(_, _, item)| rank.get(item).copied().unwrap_or(usize::MAX));
            let mut update = tx.prepare("UPDATE label_case SET position = ?2 WHERE id = ?1")?;
            // No two cases of a round may have one place, not even for a moment.
            for (case, position, _) in &unseen {
                update.execute((case, -1 - position))?;
            }
            for ((case, ..), place) in unseen.iter().zip(&places) {
                update.execute((case, place))?;
            }
            Ok(unseen.len())
        })
    }

    /// The next `count` cases for this expert, leased until `lease_ms` from now: first those held already, then free ones, of the oldest open
    /// round first. The same again while the leases last and they have no answer. Fewer where the open rounds have no more for this expert.
    /// What a process of this host held that has ended without a word is free.
    ///
    /// A skipped case comes back once, after all others, though its round is closed meanwhile. At a place that is kept for a repeat, an own answer comes back, where one is far
    /// enough behind; else the place is given up.
    ///
    /// Free cases are looked for before the lock is taken, and looked at once more under it: a search costs as much as the round is long.
    pub fn lease_cases(
        &mut self,
        expert: ExpertId,
        session: SessionId,
        count: usize,
        lease_ms: i64,
    ) -> Result<Vec<Case>> {
        let what = "fetch the next case";
        self.end_leases(session, what)?;
        let now = now_ms();
        let found = self.first_free_case(expert, now).attempting(what)?;
        self.write(what, |tx| {
            let mut cases = held_cases(tx, expert, count)?;
            for case in &cases {
                lease(tx, case.id, expert, session, (now, now + lease_ms))?;
            }
            let mut from = found;
            while cases.len() < count
                && let Some(begin) = from
                && let Some((place, mut case)) = free_case(tx, expert, now, Some(begin))?
            {
                from = Some(place);
                if case.reason == Reason::Repeat && case.expert.is_none() {
                    if !claim(tx, case.id, expert)? {
                        continue;
                    }
                    case = case_by_id(tx, case.id)?;
                }
                lease(tx, case.id, expert, session, (now, now + lease_ms))?;
                cases.push(case);
            }
            Ok(cases)
        })
    }

    /// Where the first free case is. What lies before the last one that was found is looked at again now and then, and before it is said that
    /// there is none: else each case would cost a look at all that were answered before it. A case that becomes free there, because somebody took
    /// an answer back or left, comes that much later.
    fn first_free_case(&mut self, expert: ExpertId, now: i64) -> rusqlite::Result<Option<SearchPlace>> {
        if let Some(known) = &mut self.searched
            && known.expert == expert
            && known.since.elapsed() < SEARCHED_FOR
            && let Some((place @ (0, ..), _)) = free_case(&self.conn, expert, now, Some(known.place))?
        {
            known.place = place;
            return Ok(Some(place));
        }
        let found = free_case(&self.conn, expert, now, None)?.map(|(place, _)| place);
        // Of cases that were skipped once, a newer one comes before.
        self.searched =
            found.filter(|place| place.0 == 0).map(|place| Searched { expert, place, since: Instant::now() });
        Ok(found)
    }

    /// Leases a case that this expert goes to by its number, if it needs another annotation. Returns whether the expert holds it then, or has answered it.
    pub fn lease_by_number(
        &mut self,
        case: CaseId,
        expert: ExpertId,
        session: SessionId,
        lease_ms: i64,
    ) -> Result<bool> {
        self.end_leases(session, "fetch the case")?;
        self.write("fetch the case", |tx| {
            let now = now_ms();
            let sql = format!(
                "WITH {} SELECT
                   EXISTS (SELECT 1 FROM current_answer a WHERE a.item = c.item AND a.person = {ME})
                   OR EXISTS (SELECT 1 FROM label_event e WHERE e.label_case = c.id AND e.expert IN {MY_NAMES})
                   OR EXISTS (SELECT 1 FROM lease l WHERE l.label_case = c.id AND l.expert = ?1),
                   c.reason <> 'repeat' AND c.withdrawn_ms IS NULL AND r.closed_ms IS NULL AND {NEEDS_ANNOTATION}
                 FROM label_case c JOIN round r ON r.id = c.round WHERE c.id = ?3",
                active_annotators()
            );
            let found: Option<(bool, bool)> = tx
                .prepare_cached(&sql)?
                .query_row((expert, now, case), |r| Ok((r.get(0)?, r.get(1)?)))
                .optional()?;
            match found {
                Some((false, true)) => {
                    lease(tx, case, expert, session, (now, now + lease_ms))?;
                    Ok(true)
                }
                Some((own, _)) => Ok(own),
                None => Ok(false),
            }
        })
    }

    /// The case in which anybody would answer for an item: the newest that was not withdrawn and is not a repeat.
    pub fn case_of_item(&self, item: ItemId) -> Result<Option<Case>> {
        let sql = format!(
            "{CASE} WHERE c.item = ?1 AND {STANDS} AND c.reason <> 'repeat' ORDER BY c.id DESC LIMIT 1"
        );
        self.one(&sql, [item], "read the case", case)
    }

    /// A case by id.
    pub fn case(&self, id: CaseId) -> Result<Option<Case>> {
        self.one(&format!("{CASE} WHERE c.id = ?1"), [id], "read the case", case)
    }

    /// Notes that the model's view of a case's item was shown to an expert.
    pub fn reveal(&mut self, expert: ExpertId, case: &Case) -> Result<()> {
        self.write("note the reveal", |tx| note_reveal(tx, expert, case.item, Some(case.id)))
    }

    /// Whether the model's view of an item has been shown to an expert, under whichever name.
    pub fn is_revealed(&self, expert: ExpertId, item: ItemId) -> Result<bool> {
        let sql = format!("SELECT count(*) FROM reveal WHERE expert IN {MY_NAMES} AND item = ?2");
        Ok(self.count(&sql, (expert, item), "read the reveals")? > 0)
    }
}

/// The cases this expert holds and has not answered, in the order in which they were leased.
fn held_cases(tx: &Transaction<'_>, expert: ExpertId, most: usize) -> rusqlite::Result<Vec<Case>> {
    let sql = format!(
        "{CASE} JOIN lease l ON l.label_case = c.id AND l.expert = ?1
         WHERE c.withdrawn_ms IS NULL ORDER BY l.shown_ms, r.number, c.position LIMIT ?2"
    );
    tx.prepare_cached(&sql)?.query_map((expert, most as i64), case)?.collect()
}

fn case_by_id(tx: &Transaction<'_>, id: CaseId) -> rusqlite::Result<Case> {
    tx.prepare_cached(&format!("{CASE} WHERE c.id = ?1"))?.query_row([id], case)
}

/// How long nobody looks before the case that was found last.
const SEARCHED_FOR: Duration = Duration::from_secs(20);

/// The first case of the open rounds, from a place on, that this person has not labelled and that still needs annotations, or a place that is kept for
/// a repeat; of cases that were never skipped first, and last those of closed rounds that are to come back. With the place where it was found.
fn free_case(
    conn: &Connection,
    expert: ExpertId,
    now: i64,
    from: Option<SearchPlace>,
) -> rusqlite::Result<Option<(SearchPlace, Case)>> {
    let open: Vec<RoundId> = conn
        .prepare_cached("SELECT id FROM round WHERE closed_ms IS NULL ORDER BY number")?
        .query_map((), |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    // In the order of the places, so that it ends with the first that fits.
    let sql = format!(
        "WITH {} {CASE} WHERE c.round = ?3 AND c.position >= ?5 AND c.withdrawn_ms IS NULL
           AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.label_case = c.id AND l.expert IN {MY_NAMES})
           AND CASE c.reason
             WHEN 'repeat' THEN coalesce(c.expert IN {MY_NAMES}, 1)
               AND NOT EXISTS (SELECT 1 FROM repeat_answer e WHERE e.label_case = c.id AND e.action = 'set')
             ELSE NOT EXISTS (SELECT 1 FROM current_answer a WHERE a.item = c.item AND a.person = {ME} AND a.action = 'set')
               AND {NEEDS_ANNOTATION}
             END
           AND ?4 = (SELECT count(*) FROM upheld_event e
             WHERE e.item = c.item AND e.expert IN {MY_NAMES} AND e.action = 'skip'
               AND (CASE c.reason WHEN 'repeat' THEN e.label_case = c.id ELSE NOT EXISTS
                      (SELECT 1 FROM label_case k WHERE k.id = e.label_case AND k.reason = 'repeat') END))
         ORDER BY c.position LIMIT 1",
        active_annotators()
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let (least, begin, first) = match from {
        Some((skips, round, position)) => (skips, open.iter().position(|r| *r == round), position),
        None => (0, None, i64::MIN),
    };
    for skips in least..CLOSED {
        for (i, round) in open.iter().enumerate().skip(if skips == least { begin.unwrap_or(0) } else { 0 }) {
            let position = if skips == least && begin == Some(i) { first } else { i64::MIN };
            let found = statement
                .query_row((expert, now, round, skips, position), |r| Ok((r.get(13)?, case(r)?)))
                .optional()?;
            if let Some((position, case)) = found {
                return Ok(Some(((skips, *round, position), case)));
            }
        }
    }
    let from = from.filter(|from| from.0 == CLOSED).map(|(_, round, position)| (round, position));
    let found = first_that_comes_back(conn, expert, from)?;
    Ok(found.map(|(position, case)| ((CLOSED, case.round, position), case)))
}

/// The place of cases of closed rounds, after those of open ones that were skipped once.
const CLOSED: i64 = 2;

/// The first case of a closed round, from a place on, that is to come back to this person and that nobody has on the screen.
fn first_that_comes_back(
    conn: &Connection,
    expert: ExpertId,
    from: Option<(RoundId, i64)>,
) -> rusqlite::Result<Option<(i64, Case)>> {
    let sql = format!(
        "{CASE} WHERE {} AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.label_case = c.id)
           AND (?2 IS NULL OR (r.number, c.position) >= ((SELECT f.number FROM round f WHERE f.id = ?2), ?3))
         ORDER BY r.number, c.position LIMIT 1",
        comes_back()
    );
    let (round, position) = from.unzip();
    conn.prepare_cached(&sql)?.query_row((expert, round, position), |r| Ok((r.get(13)?, case(r)?))).optional()
}
