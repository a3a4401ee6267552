//! Who leads, which names are one person, and which logins they are tied to: the log of experts, appended to and read.
//!
//! Each rule is a view of `schema.sql`, so that every copy of a project that has the same events reads the same of them.

use std::collections::BTreeMap;

use rusqlite::Transaction;

use super::events::NEXT_LAMPORT;
use crate::domain::expert::{Change, Changed, Role};
use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, SessionId};
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::db::person::{ME, MY_NAMES};
use crate::store::db::seals::{EXPERT_EVENTS, seal_new};

/// A name as the file knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    pub expert: ExpertId,
    pub name: String,
    /// The first name of the person who bears it.
    pub person: ExpertId,
    /// What that person may do.
    pub role: Role,
    /// When it was enrolled, UTC milliseconds.
    pub since_ms: i64,
    /// Standing labels that were given under it and are the person's last.
    pub labels: usize,
    /// Standing labels under it from a login that it is not tied to.
    pub untied: usize,
    /// The logins of its sessions, the first one first; each with whether it is tied to the person.
    pub logins: Vec<(String, bool)>,
}

impl Store {
    /// What an expert may do. All names of a person may the same.
    pub fn role(&self, expert: ExpertId) -> Result<Role> {
        let leads = format!("SELECT count(*) FROM lead WHERE person = {ME}");
        Ok(if self.count(&leads, [expert], "read the roles")? > 0 { Role::Lead } else { Role::Expert })
    }

    /// The first name of the person who bears each name.
    pub fn persons(&self) -> Result<BTreeMap<ExpertId, ExpertId>> {
        let rows = self.all_rows("SELECT expert, person FROM person", "read the experts", |r| {
            Ok((r.get(0)?, r.get(1)?))
        })?;
        Ok(rows.into_iter().collect())
    }

    /// The first name of the person who bears this one.
    pub fn person_of(&self, expert: ExpertId) -> Result<ExpertId> {
        let person =
            self.one("SELECT person FROM person WHERE expert = ?1", [expert], "read the experts", |r| {
                r.get(0)
            })?;
        Ok(person.unwrap_or(expert))
    }

    /// The names of those who lead, each person's first.
    pub fn leads(&self) -> Result<Vec<String>> {
        self.all(
            "SELECT e.name FROM lead l JOIN expert e ON e.id = l.person ORDER BY e.created_ms, e.uuid",
            "read the roles",
        )
    }

    /// All names in the order in which they were enrolled.
    pub fn enrolled(&self) -> Result<Vec<Enrolled>> {
        let what = "read the experts";
        let mut enrolled = self.all_rows(
            "SELECT e.id, e.name, p.person, p.person IN (SELECT person FROM lead), e.created_ms,
               (SELECT count(*) FROM current_answer a WHERE a.expert = e.id AND a.action = 'set'),
               (SELECT count(*) FROM current_answer a WHERE a.expert = e.id AND a.action = 'set'
                  AND a.session IN (SELECT session FROM untied_session))
             FROM expert e JOIN person p ON p.expert = e.id ORDER BY e.created_ms, e.uuid",
            what,
            |r| {
                let count = |i| r.get::<_, i64>(i).map(|n| n.unsigned_abs() as usize);
                Ok(Enrolled {
                    expert: r.get(0)?,
                    name: r.get(1)?,
                    person: r.get(2)?,
                    role: if r.get(3)? { Role::Lead } else { Role::Expert },
                    since_ms: r.get(4)?,
                    labels: count(5)?,
                    untied: count(6)?,
                    logins: Vec::new(),
                })
            },
        )?;
        let logins: Vec<(ExpertId, String, bool)> = self.all_rows(
            "SELECT s.expert, s.login, s.id NOT IN (SELECT session FROM untied_session)
             FROM session s GROUP BY s.expert, s.login, s.uid ORDER BY min(s.started_ms), min(s.id)",
            what,
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )?;
        for name in &mut enrolled {
            for (_, login, tied) in logins.iter().filter(|(expert, ..)| *expert == name.expert) {
                if !name.logins.contains(&(login.clone(), *tied)) {
                    name.logins.push((login.clone(), *tied));
                }
            }
        }
        Ok(enrolled)
    }

    /// Sessions under a name that is not tied to their login.
    pub fn untied_sessions(&self) -> Result<Vec<SessionId>> {
        self.all("SELECT session FROM untied_session", "read the sessions")
    }

    /// How many standing labels came from a login that their name is not tied to.
    pub fn untied_label_count(&self) -> Result<usize> {
        self.count(
            "SELECT count(*) FROM current_answer WHERE action = 'set' AND session IN (SELECT session FROM untied_session)",
            (),
            "count the labels",
        )
    }

    /// Appends a change of roles or names, if the expert of the session may make it and it changes anything. When this returns, it
    /// is on disk.
    pub fn change_experts(
        &mut self,
        (speaker, session): (ExpertId, SessionId),
        change: Change,
    ) -> Result<Changed> {
        self.write("note the change of experts", |tx| {
            let leads: bool =
                tx.query_row(&format!("SELECT {ME} IN (SELECT person FROM lead)"), [speaker], |r| r.get(0))?;
            if !leads {
                return Ok(Changed::NotLead);
            }
            match change {
                Change::Role(expert, role) => set_role(tx, session, expert, role),
                Change::Same(one, other) if are_one(tx, one, other)? => Ok(Changed::Already),
                Change::Same(one, other) => {
                    append(tx, session, "same", (one, Some(other))).map(|()| Changed::Yes)
                }
                Change::Apart(one, other) => part(tx, session, one, other),
            }
        })
    }
}

fn set_role(
    tx: &Transaction<'_>,
    session: SessionId,
    expert: ExpertId,
    role: Role,
) -> rusqlite::Result<Changed> {
    let (leads, others): (bool, bool) = tx.query_row(
        &format!(
            "SELECT {ME} IN (SELECT person FROM lead), EXISTS (SELECT 1 FROM lead WHERE person <> {ME})"
        ),
        [expert],
        |r| Ok((r.get(0)?, r.get(1)?)),
    )?;
    match role {
        _ if leads == (role == Role::Lead) => return Ok(Changed::Already),
        Role::Expert if !others => return Ok(Changed::LastLead),
        Role::Lead => append(tx, session, role.as_str(), (expert, None))?,
        Role::Expert => {
            // A person leads by any of the names.
            let names: Vec<ExpertId> = tx
                .prepare(&format!("SELECT expert FROM person WHERE expert IN {MY_NAMES}"))?
                .query_map([expert], |r| r.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            names.into_iter().try_for_each(|name| append(tx, session, role.as_str(), (name, None)))?;
        }
    }
    Ok(Changed::Yes)
}

fn are_one(tx: &Transaction<'_>, one: ExpertId, other: ExpertId) -> rusqlite::Result<bool> {
    tx.query_row(&format!("SELECT {ME} = (SELECT person FROM person WHERE expert = ?2)"), [one, other], |r| {
        r.get(0)
    })
}

fn part(
    tx: &Transaction<'_>,
    session: SessionId,
    one: ExpertId,
    other: ExpertId,
) -> rusqlite::Result<Changed> {
    if !are_one(tx, one, other)? {
        return Ok(Changed::Already);
    }
    let last: Option<String> = tx.query_row(
        "SELECT (SELECT action FROM expert_event WHERE action IN ('same', 'apart')
                 AND min(expert, other) = min(?1, ?2) AND max(expert, other) = max(?1, ?2)
                 ORDER BY lamport DESC, uuid DESC LIMIT 1)",
        [one, other],
        |r| r.get(0),
    )?;
    if last.as_deref() != Some("same") {
        return Ok(Changed::TiedByOthers);
    }
    append(tx, session, "apart", (one, Some(other))).map(|()| Changed::Yes)
}

fn append(
    tx: &Transaction<'_>,
    session: SessionId,
    action: &str,
    (expert, other): (ExpertId, Option<ExpertId>),
) -> rusqlite::Result<()> {
    tx.execute(
        &format!(
            "INSERT INTO expert_event (uuid, lamport, session, action, expert, other, at_ms)
             VALUES (?1, {NEXT_LAMPORT}, ?2, ?3, ?4, ?5, ?6)"
        ),
        (Uuid16(new_uuid()), session, action, expert, other, now_ms()),
    )?;
    seal_new(tx, "main", EXPERT_EVENTS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::split::SplitShares;
    use crate::store::NewProject;

    const NAMES: usize = 5;

    /// A project in which so many experts are enrolled, each with a session.
    fn store(dir: &tempfile::TempDir) -> (Store, Vec<(ExpertId, SessionId)>) {
        let new = NewProject { seed: 1, shares: SplitShares::default() };
        let mut store = Store::create(&dir.path().join("x.hardcase"), new).unwrap();
        let experts = (0..NAMES).map(|i| store.begin_session(&format!("name {i}")).unwrap()).collect();
        (store, experts)
    }

    fn any_change() -> impl Strategy<Value = (usize, usize, usize, usize)> {
        (0..NAMES, 0..4usize, 0..NAMES, 0..NAMES)
    }

    /// What the log says, by the plainest reading: the last word on each pair, then names joined until nothing changes.
    fn joined(
        pairs: &BTreeMap<(i64, i64), bool>,
        experts: &[(ExpertId, SessionId)],
    ) -> BTreeMap<ExpertId, ExpertId> {
        let mut person: BTreeMap<ExpertId, ExpertId> = experts.iter().map(|(e, _)| (*e, *e)).collect();
        loop {
            let before = person.clone();
            for ((one, other), _) in pairs.iter().filter(|(_, same)| **same) {
                let first = person[&ExpertId(*one)].min(person[&ExpertId(*other)]);
                for expert in [one, other] {
                    person.insert(ExpertId(*expert), first);
                }
            }
            if person == before {
                return person;
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn names_are_joined_as_the_log_says_and_somebody_always_leads(
            changes in prop::collection::vec(any_change(), 1..25),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let (mut store, experts) = store(&dir);
            let mut pairs = BTreeMap::new();
            for (who, what, one, other) in changes {
                let (one, other) = (experts[one].0, experts[other].0);
                let change = match what {
                    0 => Change::Role(one, Role::Lead),
                    1 => Change::Role(one, Role::Expert),
                    _ if one == other => continue,
                    2 => Change::Same(one, other),
                    _ => Change::Apart(one, other),
                };
                let led = store.role(experts[who].0).unwrap() == Role::Lead;
                let changed = store.change_experts(experts[who], change).unwrap();
                prop_assert_eq!(changed == Changed::NotLead, !led);
                if changed == Changed::Yes {
                    let pair = (one.0.min(other.0), one.0.max(other.0));
                    match change {
                        Change::Same(..) => drop(pairs.insert(pair, true)),
                        Change::Apart(..) => drop(pairs.insert(pair, false)),
                        Change::Role(expert, role) => prop_assert_eq!(store.role(expert).unwrap(), role),
                    }
                }
                prop_assert_eq!(store.persons().unwrap(), joined(&pairs, &experts));
                prop_assert!(!store.leads().unwrap().is_empty(), "a project keeps a lead");
                for (expert, person) in store.persons().unwrap() {
                    prop_assert_eq!(store.role(expert).unwrap(), store.role(person).unwrap());
                }
            }
            let log = store.all_rows("SELECT lamport FROM expert_event ORDER BY id", "", |r| r.get::<_, i64>(0)).unwrap();
            prop_assert!(log.windows(2).all(|w| w[0] < w[1]), "{:?}", log);
        }

        #[test]
        fn two_copies_of_one_log_read_the_same_in_whatever_order_its_lines_came(
            said in prop::collection::vec((0..4usize, 1..=NAMES as i64, 1..=NAMES as i64, 1..4i64), 0..14),
            turn in 0..14usize,
        ) {
            let read = |order: Vec<(usize, (usize, i64, i64, i64))>| {
                let dir = tempfile::tempdir().unwrap();
                let (store, _) = store(&dir);
                for n in 1..=NAMES as i64 {
                    store.conn.execute("UPDATE expert SET created_ms = ?1, uuid = ?2 WHERE id = ?1", (n, vec![n as u8; 16])).unwrap();
                }
                for (n, (what, one, other, lamport)) in order {
                    let (action, other) = match what {
                        0 => ("lead", None),
                        1 => ("expert", None),
                        2 => ("same", Some(other)),
                        _ => ("apart", Some(other)),
                    };
                    store.conn.execute(
                        "INSERT INTO expert_event (uuid, lamport, session, action, expert, other, at_ms)
                         VALUES (?1, ?2, 1, ?3, ?4, ?5, 0)",
                        (vec![n as u8; 16], lamport, action, one, other),
                    ).unwrap();
                }
                (store.persons().unwrap(), store.leads().unwrap())
            };
            let numbered: Vec<_> = said.into_iter().enumerate().collect();
            let mut turned = numbered.clone();
            turned.rotate_left(turn.min(numbered.len()));
            turned.reverse();
            let (persons, leads) = read(numbered);
            prop_assert!(!leads.is_empty(), "two leads may each have been made experts by the other");
            prop_assert_eq!(read(turned), (persons, leads));
        }
    }

    #[test]
    fn no_clock_moves_who_leads() {
        let dir = tempfile::tempdir().unwrap();
        let (store, e) = store(&dir);
        store
            .conn
            .execute("UPDATE expert SET created_ms = 0, uuid = zeroblob(16) WHERE id = ?1", [e[3].0])
            .unwrap();
        assert_eq!(store.leads().unwrap(), ["name 0"]);
        assert_eq!(store.role(e[3].0).unwrap(), Role::Expert);
    }

    #[test]
    fn a_person_is_the_first_name_and_apart_goes_back_on_same_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, e) = store(&dir);
        let mut says = |change| store.change_experts(e[0], change).unwrap();
        assert_eq!(says(Change::Same(e[3].0, e[1].0)), Changed::Yes);
        assert_eq!(says(Change::Same(e[3].0, e[4].0)), Changed::Yes);
        assert_eq!(says(Change::Same(e[1].0, e[4].0)), Changed::Already, "by way of a third");
        assert_eq!(says(Change::Apart(e[1].0, e[4].0)), Changed::TiedByOthers);
        assert_eq!(says(Change::Role(e[0].0, Role::Expert)), Changed::LastLead);
        assert_eq!(says(Change::Role(e[4].0, Role::Lead)), Changed::Yes);
        assert_eq!(store.role(e[1].0).unwrap(), Role::Lead, "one person has one role");
        let persons: BTreeSet<_> = store.persons().unwrap().into_values().collect();
        assert_eq!(persons, BTreeSet::from([e[0].0, e[1].0, e[2].0]));
        assert_eq!(store.change_experts(e[0], Change::Apart(e[1].0, e[3].0)).unwrap(), Changed::Yes);
        assert_eq!(store.person_of(e[1].0).unwrap(), e[1].0);
        assert_eq!(store.person_of(e[4].0).unwrap(), e[3].0);
        assert_eq!(store.role(e[1].0).unwrap(), Role::Expert, "who was made a lead was the other");
    }

    #[test]
    fn the_log_of_experts_is_never_changed_and_shares_the_numbers_of_the_labels() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, e) = store(&dir);
        store.change_experts(e[0], Change::Same(e[1].0, e[2].0)).unwrap();
        for sql in ["UPDATE expert_event SET action = 'apart'", "DELETE FROM expert_event"] {
            let refusal = store.conn.execute(sql, []).unwrap_err().to_string();
            assert!(refusal.contains("append-only"), "{sql}: {refusal}");
        }
        let next: i64 = store.conn.query_row(&format!("SELECT {NEXT_LAMPORT}"), [], |r| r.get(0)).unwrap();
        assert_eq!(next, 2);
    }
}
