//! Experts and their sessions.

use rusqlite::{OptionalExtension, Transaction};

use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ExpertId, SessionId};
use crate::domain::look_alike::look_alike;
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::db::process;
use crate::store::db::seals::{EXPERTS, SESSIONS, seal_new};

impl Store {
    /// Begins a session of the expert of that name, who is enrolled at first use.
    ///
    /// # Errors
    /// A name that is empty or holds a control character.
    pub fn begin_session(&mut self, name: &str) -> Result<(ExpertId, SessionId)> {
        let name = checked_name(name)?;
        self.refuse_look_alike(name)?;
        let uuid = new_uuid();
        let begun = self.write("begin a session", |tx| {
            let expert = enrol(tx, name)?;
            tx.execute(
                "INSERT INTO session (uuid, expert, login, uid, host, process, program, started_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                (
                    Uuid16(uuid),
                    expert,
                    process::login(),
                    process::uid(),
                    process::host(),
                    process::identity(),
                    process::program(),
                    now_ms(),
                ),
            )?;
            let session = SessionId(tx.last_insert_rowid());
            seal_new(tx, "main", SESSIONS)?;
            Ok((expert, session))
        })?;
        self.kept.session = Some(uuid);
        Ok(begun)
    }

    /// Ends a session in order. Its leases end with it unless `keep_leases`: a script that asks for one case a process keeps its case.
    pub fn end_session(&mut self, session: SessionId, keep_leases: bool) -> Result<()> {
        self.write("end the session", |tx| {
            if !keep_leases {
                tx.execute("DELETE FROM lease WHERE session = ?1", [session])?;
            }
            tx.execute(
                "UPDATE session SET ended_ms = ?2, ended_how = 'closed' WHERE id = ?1 AND ended_ms IS NULL",
                (session, now_ms()),
            )
            .map(drop)
        })
    }

    /// A name that people would take for one that is there already: its labels would count as those of somebody else.
    ///
    /// # Errors
    /// The name is new and looks like another.
    pub(in crate::store) fn refuse_look_alike(&self, name: &str) -> Result<()> {
        if self.find_expert(name)?.is_some() {
            return Ok(());
        }
        match self.experts()?.into_iter().find(|(_, known)| look_alike(known, name)) {
            None => Ok(()),
            Some((_, known)) => {
                let why =
                    format!("an expert called {known:?} is in the project, and the two names look alike");
                Err(Fault::usage(format!("work as the expert {name:?}"), why).hint(format!(
                    "Use --as {known:?} if that is you; else choose a name that nobody takes for it"
                )))
            }
        }
    }

    /// Names of different people that look alike, each pair once.
    pub fn names_alike(&self) -> Result<Vec<(String, String)>> {
        let (experts, persons) = (self.experts()?, self.persons()?);
        let mut pairs = Vec::new();
        for (i, (one, name)) in experts.iter().enumerate() {
            let others = experts[i + 1..].iter().filter(|(other, _)| persons.get(one) != persons.get(other));
            pairs.extend(
                others
                    .filter(|(_, other)| look_alike(name, other))
                    .map(|(_, other)| (name.clone(), other.clone())),
            );
        }
        Ok(pairs)
    }

    /// The expert of that name, where there is one.
    pub fn find_expert(&self, name: &str) -> Result<Option<ExpertId>> {
        self.one("SELECT id FROM expert WHERE name = ?1", [name.trim()], "read the experts", |r| r.get(0))
    }

    /// The names under which this process's login has labelled, the last first.
    pub fn experts_of_login(&self) -> Result<Vec<String>> {
        self.all_rows_of(
            "SELECT e.name FROM session s JOIN expert e ON e.id = s.expert WHERE s.login = ?1 AND s.uid = ?2
               AND EXISTS (SELECT 1 FROM label_event v WHERE v.session = s.id)
             GROUP BY e.id ORDER BY max(s.id) DESC",
            (process::login(), process::uid()),
            "read the experts",
            |r| r.get(0),
        )
    }

    /// The lead who works under this process's login, the one enrolled first where there are several.
    pub fn lead_of_login(&self) -> Result<Option<String>> {
        self.one(
            "SELECT e.name FROM expert e JOIN person p ON p.expert = e.id
             WHERE p.person IN (SELECT person FROM lead)
               AND EXISTS (SELECT 1 FROM session s WHERE s.expert = e.id AND s.login = ?1 AND s.uid = ?2)
             ORDER BY e.created_ms, e.uuid LIMIT 1",
            (process::login(), process::uid()),
            "read the experts",
            |r| r.get(0),
        )
    }

    /// The name of a lead who is only this process's login: nobody else is in the project, and nobody was asked for a name yet.
    pub fn unnamed_lead(&self) -> Result<Option<ExpertId>> {
        self.one(
            "SELECT e.id FROM expert e WHERE e.name = ?1
               AND (SELECT count(*) FROM expert) = 1 AND NOT EXISTS (SELECT 1 FROM label_event)
               AND EXISTS (SELECT 1 FROM session s WHERE s.expert = e.id AND s.login = ?1 AND s.uid = ?2)",
            (process::login(), process::uid()),
            "read the experts",
            |r| r.get(0),
        )
    }

    /// The user ids under which the project was worked on.
    pub fn uids(&self) -> Result<Vec<u32>> {
        self.all("SELECT DISTINCT uid FROM session ORDER BY uid", "read the sessions")
    }

    /// All experts, by id.
    pub fn experts(&self) -> Result<Vec<(ExpertId, String)>> {
        self.all_rows("SELECT id, name FROM expert ORDER BY id", "read the experts", |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
    }
}

/// The name without what surrounds it.
///
/// # Errors
/// It is empty, long, or holds a control character.
pub(in crate::store) fn checked_name(name: &str) -> Result<&str> {
    let name = name.trim();
    if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
        return Err(Fault::usage(format!("work as the expert {name:?}"), "that is not a name")
            .hint("Give a short name with --as NAME"));
    }
    Ok(name)
}

pub(in crate::store) fn enrol(tx: &Transaction<'_>, name: &str) -> rusqlite::Result<ExpertId> {
    let known = tx.query_row("SELECT id FROM expert WHERE name = ?1", [name], |r| r.get(0)).optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    tx.execute(
        "INSERT INTO expert (uuid, name, created_ms) VALUES (?1, ?2, ?3)",
        (Uuid16(new_uuid()), name, now_ms()),
    )?;
    let expert = ExpertId(tx.last_insert_rowid());
    seal_new(tx, "main", EXPERTS)?;
    Ok(expert)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::split::SplitShares;
    use crate::store::NewProject;

    #[test]
    fn the_lead_of_a_login_is_who_made_the_project_there_whoever_else_works_at_it() {
        let dir = tempfile::tempdir().unwrap();
        let new = NewProject { seed: 1, shares: SplitShares::default() };
        let mut store = Store::create(&dir.path().join("p"), new).unwrap();
        assert_eq!(store.lead_of_login().unwrap(), None);
        let maker = process::login();
        store.begin_session(&maker).unwrap();
        assert!(store.unnamed_lead().unwrap().is_some());
        store.begin_session("bob").unwrap();
        assert_eq!(store.unnamed_lead().unwrap(), None, "somebody has a name");
        assert_eq!(store.lead_of_login().unwrap(), Some(maker));
        store.conn.execute("UPDATE session SET uid = uid + 1", []).unwrap();
        assert_eq!(store.lead_of_login().unwrap(), None, "the same login of another system");
    }

    #[test]
    fn a_name_that_looks_like_another_is_refused_and_two_that_are_there_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let new = NewProject { seed: 1, shares: SplitShares::default() };
        let mut store = Store::create(&dir.path().join("p"), new).unwrap();
        store.begin_session("ada").unwrap();
        for other in ["Ada", "\u{430}da", "a\u{200b}da"] {
            let refused = store.begin_session(other).unwrap_err();
            assert_eq!(refused.exit_code(), 2);
            assert!(
                refused.to_string().contains("look alike") && refused.to_string().contains("--as \"ada\""),
                "{refused}"
            );
        }
        store.begin_session("ada").unwrap();
        store.begin_session("bob").unwrap();
        assert!(store.names_alike().unwrap().is_empty());
        // As a merge may bring it in.
        store.write("enrol", |tx| enrol(tx, "Bob")).unwrap();
        assert_eq!(store.names_alike().unwrap(), [("bob".to_owned(), "Bob".to_owned())]);
    }
}
