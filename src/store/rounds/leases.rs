//! Who holds which case, and until when.

use rusqlite::Transaction;

use super::annotations_needed::{NEEDS_ANNOTATION, active_annotators};
use crate::domain::event::NewEvent;
use crate::domain::fault::Result;
use crate::domain::ids::{CaseId, ExpertId, SessionId};
use crate::store::db::clock::now_ms;
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::db::person::ME;
use crate::store::db::process;
use crate::store::db::process::Life;

/// How long a case stays with an expert who does not answer, milliseconds.
pub const LEASE_MS: i64 = 10 * 60 * 1_000;

/// A lease that ends later than any given out at ?1 could: it comes from a clock that was put back since, or from another host's. What an expert
/// reserved for another, and what is reserved for longer than anybody sits, is left alone.
const TOO_LATE: &str = "(expires_ms > ?1 + ?2 AND expires_ms - shown_ms < 12 * 3600 * 1000
    AND EXISTS (SELECT 1 FROM session s WHERE s.id = lease.session AND s.expert = lease.expert))";

impl Store {
    /// Puts a case before all others that this expert holds, as after an undo.
    pub fn lease_first(
        &mut self,
        case: CaseId,
        expert: ExpertId,
        session: SessionId,
        lease_ms: i64,
    ) -> Result<()> {
        self.searched = None;
        self.write("fetch the case", |tx| {
            let now = now_ms();
            let first: Option<i64> =
                tx.query_row("SELECT min(shown_ms) FROM lease WHERE expert = ?1", [expert], |r| r.get(0))?;
            let shown = first.map_or(now, |first| now.min(first - 1));
            tx.execute("DELETE FROM lease WHERE label_case = ?1 AND expert = ?2", (case, expert))?;
            hold(tx, case, expert, session, (shown, now + lease_ms))
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

    /// Frees leases that have expired or whose process ended without closing its session. One that ends too late gets the time that a new one
    /// has. Those of the session itself stay, whatever the clock says: their cases are on its screen.
    pub(in crate::store) fn end_leases(&mut self, session: SessionId, what: &str) -> Result<()> {
        let gone = self.sessions_gone(session)?;
        let now = now_ms();
        let sql =
            format!("SELECT count(*) FROM lease WHERE expires_ms <= ?1 AND session <> ?3 OR {TOO_LATE}");
        if gone.is_empty() && self.count(&sql, (now, LEASE_MS, session), what)? == 0 {
            return Ok(());
        }
        self.searched = None;
        self.write(what, |tx| {
            let shorten = format!("UPDATE lease SET expires_ms = ?1 + ?2 WHERE {TOO_LATE}");
            tx.execute(&shorten, (now, LEASE_MS))?;
            tx.execute("DELETE FROM lease WHERE expires_ms <= ?1 AND session <> ?2", (now, session))?;
            gone.iter().try_for_each(|session| free_lost(tx, *session))
        })
    }

    /// Sessions of this host that hold cases and whose process has ended without a word; of one in another container nothing is known. They stay as they are, so that the next opening
    /// checks the file.
    fn sessions_gone(&self, own: SessionId) -> Result<Vec<SessionId>> {
        let open: Vec<(SessionId, String)> = self.all_rows_of(
            "SELECT DISTINCT s.id, s.process FROM lease l JOIN session s ON s.id = l.session
             WHERE s.ended_ms IS NULL AND s.host = ?1 AND s.id <> ?2",
            (process::host(), own),
            "read the leases",
            |r| Ok((r.get(0)?, r.get(1)?)),
        )?;
        Ok(open.into_iter().filter(|(_, p)| process::life(p) == Life::Gone).map(|(id, _)| id).collect())
    }
}

/// Frees what a session held whose process was seen to be gone. One that has ended in order all the same, between the look at its row and the look at
/// its process, keeps its cases for the next process of the same expert.
pub(in crate::store) fn free_lost(tx: &Transaction<'_>, session: SessionId) -> rusqlite::Result<()> {
    tx.execute(
        "DELETE FROM lease WHERE session = ?1 AND EXISTS (SELECT 1 FROM session s WHERE s.id = ?1 AND s.ended_ms IS NULL)",
        [session],
    )
    .map(drop)
}

/// Leases a case, after all that the expert holds, also where the clock was put back.
pub(in crate::store) fn lease(
    tx: &Transaction<'_>,
    case: CaseId,
    expert: ExpertId,
    session: SessionId,
    (now, expires): (i64, i64),
) -> rusqlite::Result<()> {
    let last: Option<i64> = tx
        .prepare_cached("SELECT max(shown_ms) FROM lease WHERE expert = ?1")?
        .query_row([expert], |r| r.get(0))?;
    hold(tx, case, expert, session, (last.map_or(now, |last| last.max(now)), expires))
}

/// Gives the case of an answer that was just taken back to the expert who took it back, in the same commit, unless others have labelled it
/// since: nobody else gets it before the answer is put back.
pub(in crate::store) fn hold_after_retract(
    tx: &Transaction<'_>,
    session: SessionId,
    taken_back: &NewEvent,
) -> rusqlite::Result<()> {
    let NewEvent { case: Some(case), expert, target: Some(target), .. } = *taken_back else { return Ok(()) };
    let now = now_ms();
    let unanswered = tx
        .prepare_cached(&format!(
            "WITH {} SELECT 1 FROM label_case c WHERE c.id = ?3 AND c.withdrawn_ms IS NULL
               AND EXISTS (SELECT 1 FROM label_event e WHERE e.uuid = ?4 AND e.action IN ('set', 'skip'))
               AND NOT EXISTS (SELECT 1 FROM repeat_answer a WHERE a.label_case = c.id)
               AND (c.reason = 'repeat' OR {NEEDS_ANNOTATION}
                    AND NOT EXISTS (SELECT 1 FROM current_answer a WHERE a.item = c.item AND a.person = {ME}))",
            active_annotators()
        ))?
        .exists((expert, now, case, Uuid16(target)))?;
    if unanswered { lease(tx, case, expert, session, (now, now + LEASE_MS)) } else { Ok(()) }
}

fn hold(
    tx: &Transaction<'_>,
    case: CaseId,
    expert: ExpertId,
    session: SessionId,
    (shown, expires): (i64, i64),
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO lease (label_case, expert, session, shown_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET session = iif(lease.expires_ms > excluded.expires_ms, lease.session, excluded.session),
                                   expires_ms = max(lease.expires_ms, excluded.expires_ms)",
    )?
    .execute((case, expert, session, shown, expires))
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::split::SplitShares;
    use crate::store::NewProject;

    #[test]
    fn a_session_that_ends_in_order_while_another_looks_at_its_process_keeps_its_cases() {
        let dir = tempfile::tempdir().unwrap();
        let new = NewProject { seed: 1, shares: SplitShares::default() };
        let mut store = Store::create(&dir.path().join("x.hardcase"), new).unwrap();
        let (ada, in_order) = store.begin_session("ada").unwrap();
        let (bob, killed) = store.begin_session("bob").unwrap();
        // The cases themselves do not matter here.
        store.conn.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        let held = |store: &mut Store| {
            store
                .write("lease", |tx| {
                    hold(tx, CaseId(1), ada, in_order, (now_ms(), now_ms() + LEASE_MS))?;
                    hold(tx, CaseId(2), bob, killed, (now_ms(), now_ms() + LEASE_MS))
                })
                .unwrap();
        };
        held(&mut store);
        store.end_session(in_order, true).unwrap();
        store.write("free", |tx| [in_order, killed].iter().try_for_each(|s| free_lost(tx, *s))).unwrap();
        assert!(store.shown_ms(CaseId(1), ada).unwrap().is_some());
        assert!(store.shown_ms(CaseId(2), bob).unwrap().is_none());
    }
}
