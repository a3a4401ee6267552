//! Takes in what this file lacks of a log, each kind after those that it refers to.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::ids::Ids;
use super::rounds::{Meeting, by_round, close, take_case, take_round};
use super::settings::Carries;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ItemId, PredictorId};
use crate::domain::item::ItemKey;
use crate::domain::log::*;
use crate::domain::scale_change;
use crate::domain::settings::{IdMap, LEFT_OUT};
use crate::domain::task::Task;
use crate::store::db::convert::{Json, Uuid16};
use crate::store::db::open::Store;
use crate::store::db::seals::{EVENTS, EXPERT_EVENTS, EXPERTS, REVISIONS, SESSIONS, seal_new};

const WHAT: &str = "take the log in";
/// Cases that one commit takes.
const CASES: usize = 500;

/// What could not be taken in of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Cases whose text is not here.
    pub cases: usize,
    /// Events whose text is not here.
    pub events: usize,
    /// Imported labels whose text is not here.
    pub labels: usize,
}

impl Store {
    /// Takes in what this file lacks. `each` hears how many events were looked at.
    ///
    /// What refers to a text that is not here is left out, and counted.
    pub fn take_log(&mut self, log: &Log, mut each: impl FnMut(usize) -> Result<()>) -> Result<LeftOut> {
        let mut ids = self.own_ids()?;
        self.check_revisions(log, &ids)?;
        self.take_forgotten(&log.forgotten)?;
        self.take_people(log, &mut ids)?;
        self.take_models(log, &mut ids)?;
        let mut left_out = LeftOut { cases: self.take_rounds(log, &mut ids)?, ..LeftOut::default() };
        for part in log.events.chunks(1_000) {
            left_out.events += self.take_events(part, &mut ids)?;
            each(part.len())?;
        }
        self.take_the_rest(log, &mut ids)?;
        left_out.labels = self.take_imported_labels(log, &mut ids)?;
        self.blank_forgotten()?;
        Ok(left_out)
    }

    /// Refuses a task that answers on one side do not allow: what is asked for, or the distance of levels, would be another for them.
    fn check_revisions(&self, log: &Log, ids: &Ids) -> Result<()> {
        let Some(own) = self.find_task()? else { return Ok(()) };
        let answered = !log.events.is_empty() || self.is_answered()?;
        for line in log.revisions.iter().filter(|line| !ids.revisions.contains_key(&line.uuid)) {
            let theirs = Task::from_toml(&line.toml, "of the copy")?;
            scale_change::check(&own.task, &theirs, answered, std::iter::empty()).map_err(|refused| {
                Fault::usage(WHAT, format!("its task and yours differ too much: {}", refused.why()))
                    .hint("Set the same task in both before you merge them, or keep the two projects apart")
            })?;
        }
        Ok(())
    }

    fn own_ids(&self) -> Result<Ids> {
        let by_uuid = |table: &str| -> Result<HashMap<Uuid, i64>> {
            let rows = self.all_rows(&format!("SELECT uuid, id FROM {table}"), WHAT, |r| {
                Ok((r.get::<_, Uuid16>(0)?.0, r.get(1)?))
            })?;
            Ok(rows.into_iter().collect())
        };
        Ok(Ids {
            sessions: by_uuid("session")?,
            revisions: by_uuid("task_revision")?,
            adapters: by_uuid("adapter")?,
            predictors: by_uuid("predictor")?,
            rounds: by_uuid("round")?,
            cases: by_uuid("label_case")?,
            ..Ids::default()
        })
    }

    fn take_people(&mut self, log: &Log, ids: &mut Ids) -> Result<()> {
        self.write_in_slices(WHAT, &log.experts, |tx, slice| {
            slice
                .try_for_each(|line| {
                    let id = take_expert(tx, line)?;
                    ids.experts.insert(line.name.clone(), id);
                    Ok(())
                })
                .and_then(|()| seal_new(tx, "main", EXPERTS))
        })?;
        self.write_in_slices(WHAT, &log.sessions, |tx, slice| {
            slice
                .try_for_each(|line| {
                    let id = take_session(tx, ids, line)?;
                    ids.sessions.extend(id.map(|id| (line.uuid, id)));
                    Ok(())
                })
                .and_then(|()| seal_new(tx, "main", SESSIONS))
        })?;
        let new: Vec<&RevisionLine> =
            log.revisions.iter().filter(|r| !ids.revisions.contains_key(&r.uuid)).collect();
        self.write_in_slices(WHAT, new, |tx, slice| {
            slice
                .try_for_each(|line| {
                    tx.execute(
                        "INSERT INTO task_revision (uuid, number, generation, toml, session, created_ms)
                     VALUES (?1, iif(EXISTS (SELECT 1 FROM task_revision WHERE number = ?2),
                                     (SELECT max(number) + 1 FROM task_revision), ?2), ?3, ?4, ?5, ?6)",
                        params![
                            Uuid16(line.uuid),
                            line.number,
                            line.generation,
                            line.toml,
                            ids.sessions.get(&line.session),
                            line.created_ms
                        ],
                    )?;
                    ids.revisions.insert(line.uuid, tx.last_insert_rowid());
                    Ok(())
                })
                .and_then(|()| seal_new(tx, "main", REVISIONS))
        })
        .map(drop)
    }

    fn take_models(&mut self, log: &Log, ids: &mut Ids) -> Result<()> {
        self.write_in_slices(WHAT, &log.models, |tx, slice| {
            slice.try_for_each(|m| {
                tx.execute(
                    "INSERT OR IGNORE INTO model (sha256, name, path, architecture, quantisation, dimensions, bytes, reading)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    (
                        &m.sha256.0,
                        &m.name,
                        &m.path,
                        &m.architecture,
                        &m.quantisation,
                        m.dimensions,
                        m.bytes,
                        Json(&m.reading),
                    ),
                )?;
                let id = tx.query_row("SELECT id FROM model WHERE sha256 = ?1", [&m.sha256.0], |r| r.get(0))?;
                ids.models.insert(m.sha256.0.clone(), id);
                Ok(())
            })
        })?;
        self.fill_settings(log, ids)?;
        let new: Vec<&AdapterLine> =
            log.adapters.iter().filter(|a| !ids.adapters.contains_key(&a.uuid)).collect();
        self.write_in_slices(WHAT, new, |tx, slice| {
            slice.try_for_each(|a| {
                let settings = own_settings(tx, ids, a);
                tx.execute(
                    "INSERT INTO adapter (uuid, kind, model, parent, revision, labels, settings, training_hash, training_n, bytes, created_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, x'', ?10)",
                    params![
                        Uuid16(a.uuid),
                        a.adapts,
                        ids.models.get(&a.model.0),
                        a.parent.and_then(|uuid| ids.adapters.get(&uuid)),
                        ids.revisions.get(&a.revision),
                        Json(&a.labels),
                        settings,
                        a.training_hash.0,
                        a.training_n,
                        a.created_ms
                    ],
                )?;
                ids.adapters.insert(a.uuid, tx.last_insert_rowid());
                Ok(())
            })
        })?;
        let new: Vec<&PredictorLine> =
            log.predictors.iter().filter(|p| !ids.predictors.contains_key(&p.uuid)).collect();
        self.write_in_slices(WHAT, new, |tx, slice| {
            slice.try_for_each(|p| {
                let settings = own_settings(tx, ids, p);
                tx.execute(
                    "INSERT INTO predictor (uuid, kind, model, adapter, revision, prompt, labels, settings, created_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                    params![
                        Uuid16(p.uuid),
                        p.predicts,
                        ids.models.get(&p.model.0),
                        p.adapter.and_then(|uuid| ids.adapters.get(&uuid)),
                        ids.revisions.get(&p.revision),
                        p.prompt.as_ref().map(|prompt| &prompt.0),
                        Json(&p.labels),
                        settings,
                        p.created_ms
                    ],
                )?;
                ids.predictors.insert(p.uuid, tx.last_insert_rowid());
                Ok(())
            })
        })
        .map(drop)
    }

    /// A part of a project comes without settings: they come from a copy that has them.
    fn fill_settings(&mut self, log: &Log, ids: &mut Ids) -> Result<()> {
        let bare = |table: &str| -> Result<HashSet<Uuid>> {
            let bare: Vec<Uuid16> =
                self.all(&format!("SELECT uuid FROM {table} WHERE settings = '{LEFT_OUT}'"), WHAT)?;
            Ok(bare.into_iter().map(|uuid| uuid.0).collect())
        };
        let (bare_adapters, bare_predictors) = (bare("adapter")?, bare("predictor")?);
        let adapters: Vec<&AdapterLine> = (log.adapters.iter())
            .filter(|a| a.settings != LEFT_OUT && bare_adapters.contains(&a.uuid))
            .collect();
        let predictors: Vec<&PredictorLine> = (log.predictors.iter())
            .filter(|p| p.settings != LEFT_OUT && bare_predictors.contains(&p.uuid))
            .collect();
        self.write_in_slices(WHAT, adapters, |tx, slice| {
            slice.try_for_each(|a| {
                let settings = own_settings(tx, ids, a);
                tx.execute("UPDATE adapter SET settings = ?2 WHERE uuid = ?1", (Uuid16(a.uuid), settings))
                    .map(drop)
            })
        })?;
        self.write_in_slices(WHAT, predictors, |tx, slice| {
            slice.try_for_each(|p| {
                let settings = own_settings(tx, ids, p);
                tx.execute("UPDATE predictor SET settings = ?2 WHERE uuid = ?1", (Uuid16(p.uuid), settings))
                    .map(drop)
            })
        })
        .map(drop)
    }

    /// Returns how many cases were left out.
    fn take_rounds(&mut self, log: &Log, ids: &mut Ids) -> Result<usize> {
        let cases = by_round(&log.cases);
        let mut left_out = 0;
        for round in &log.rounds {
            let all = cases.get(&round.uuid).map_or(&[][..], Vec::as_slice);
            let mut known = HashSet::new();
            // A round comes with its first cases, so that nobody finds it empty; one without a case is a part, too.
            let mut parts = all.chunks(CASES).chain(all.is_empty().then_some(all)).peekable();
            while let Some(part) = parts.next() {
                left_out += self.write(WHAT, |tx| {
                    let Some(taken) = take_round(tx, ids, round)? else { return Ok(part.len()) };
                    ids.rounds.insert(round.uuid, taken.id);
                    let mut left_out = 0;
                    for case in part {
                        match take_case(tx, ids, taken, case)? {
                            Some(id) => {
                                ids.cases.insert(case.uuid, id);
                                known.insert(id);
                            }
                            None => left_out += usize::from(!case.is_kept_place()),
                        }
                    }
                    // The last of all, so that a merge that is cut short finds the round as it was and does the same again.
                    if parts.peek().is_none() && taken.meeting == Meeting::ClosedThere {
                        close(tx, taken.id, round.closed_ms, &known)?;
                    }
                    Ok(left_out)
                })?;
            }
        }
        let trained: Vec<&AdapterLine> = log.adapters.iter().filter(|a| a.round.is_some()).collect();
        self.write_in_slices(WHAT, trained, |tx, slice| {
            slice.try_for_each(|a| {
                let round = a.round.and_then(|uuid| ids.rounds.get(&uuid));
                tx.prepare_cached(
                    "UPDATE adapter SET round = ?2 WHERE uuid = ?1 AND round IS NULL AND ?2 IS NOT NULL",
                )?
                .execute((Uuid16(a.uuid), round))
                .map(drop)
            })
        })?;
        Ok(left_out)
    }

    /// Returns how many events were left out.
    fn take_events(&mut self, events: &[EventLine], ids: &mut Ids) -> Result<usize> {
        let mut left_out = 0;
        self.write_in_slices(WHAT, events, |tx, slice| {
            slice
                .try_for_each(|event| {
                    left_out += usize::from(!take_event(tx, ids, event)?);
                    Ok(())
                })
                .and_then(|()| seal_new(tx, "main", EVENTS))
        })?;
        Ok(left_out)
    }

    fn take_the_rest(&mut self, log: &Log, ids: &mut Ids) -> Result<()> {
        self.write_in_slices(WHAT, &log.expert_events, |tx, slice| {
            slice.try_for_each(|v| {
                tx.prepare_cached(
                    "INSERT INTO expert_event (uuid, lamport, session, action, expert, other, at_ms)
                     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM expert_event WHERE uuid = ?1)",
                )?
                .execute(params![
                    Uuid16(v.uuid),
                    v.lamport,
                    ids.sessions.get(&v.session),
                    v.action,
                    ids.experts.get(&v.expert),
                    v.other.as_ref().and_then(|name| ids.experts.get(name)),
                    v.at_ms
                ])
                .map(drop)
            })
            .and_then(|()| seal_new(tx, "main", EXPERT_EVENTS))
        })?;
        self.write_in_slices(WHAT, &log.reveals, |tx, slice| {
            slice.try_for_each(|v| {
                let (expert, item) = (ids.experts.get(&v.expert).copied(), ids.item(tx, &v.item)?);
                let (Some(expert), Some(item)) = (expert, item) else { return Ok(()) };
                tx.prepare_cached(
                    "INSERT INTO reveal (expert, item, at_ms) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms WHERE excluded.at_ms < reveal.at_ms",
                )?
                .execute((expert, item, v.at_ms))
                .map(drop)
            })
        })?;
        self.write(WHAT, |tx| {
            tx.execute("UPDATE project SET lamport_heard = ?1 WHERE lamport_heard < ?1", [log.lamport_heard])
                .map(drop)
        })
    }
}

/// One name is one expert; of two enrolments the earlier stays.
fn take_expert(tx: &Transaction<'_>, line: &ExpertLine) -> rusqlite::Result<i64> {
    let known =
        tx.query_row("SELECT id FROM expert WHERE name = ?1", [&line.name], |r| r.get(0)).optional()?;
    if let Some(id) = known {
        tx.execute(
            "UPDATE expert SET uuid = ?2, created_ms = ?3 WHERE id = ?1 AND (created_ms, uuid) > (?3, ?2)
             AND NOT EXISTS (SELECT 1 FROM expert WHERE uuid = ?2 AND id <> ?1)",
            (id, Uuid16(line.uuid), line.created_ms),
        )?;
        return Ok(id);
    }
    let renamed = tx
        .query_row("SELECT id FROM expert WHERE uuid = ?1", [Uuid16(line.uuid)], |r| r.get(0))
        .optional()?;
    if let Some(id) = renamed {
        return Ok(id);
    }
    tx.execute(
        "INSERT INTO expert (uuid, name, created_ms) VALUES (?1, ?2, ?3)",
        (Uuid16(line.uuid), &line.name, line.created_ms),
    )?;
    Ok(tx.last_insert_rowid())
}

/// A session that one copy saw closed was closed, whatever another says.
fn take_session(tx: &Transaction<'_>, ids: &Ids, s: &SessionLine) -> rusqlite::Result<Option<i64>> {
    let Some(expert) = ids.experts.get(&s.expert) else { return Ok(None) };
    tx.prepare_cached(
        "INSERT INTO session (uuid, expert, login, uid, host, process, program, started_ms, ended_ms, ended_how)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (uuid) DO UPDATE SET ended_ms = excluded.ended_ms, ended_how = excluded.ended_how
         WHERE excluded.ended_ms IS NOT NULL AND (session.ended_ms IS NULL
            OR (excluded.ended_how = 'closed', excluded.ended_ms) > (session.ended_how = 'closed', session.ended_ms))",
    )?
    .execute(params![
        Uuid16(s.uuid),
        expert,
        s.login,
        s.uid,
        s.host,
        s.process,
        s.program,
        s.started_ms,
        s.ended_ms,
        s.ended_how
    ])?;
    tx.prepare_cached("SELECT id FROM session WHERE uuid = ?1")?
        .query_row([Uuid16(s.uuid)], |r| r.get(0))
        .optional()
}

/// False where the event could not come in.
fn take_event(tx: &Transaction<'_>, ids: &mut Ids, e: &EventLine) -> rusqlite::Result<bool> {
    if tx.prepare_cached("SELECT 1 FROM label_event WHERE uuid = ?1")?.exists([Uuid16(e.uuid)])? {
        return Ok(true);
    }
    let Some(item) = ids.item(tx, &e.item)? else { return Ok(false) };
    let expert = ids.experts.get(&e.expert).copied();
    let case = e.case.and_then(|uuid| ids.cases.get(&uuid).copied());
    tx.prepare_cached(
        "INSERT INTO label_event (uuid, lamport, session, seq, expert, item, label_case, action, target, answer, confidence, note,
                                  revision, seen_prelabel, revealed, duration_ms, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?
    .execute(params![
        Uuid16(e.uuid),
        e.lamport,
        ids.sessions.get(&e.session),
        e.seq,
        expert,
        item,
        case,
        e.action,
        e.target.map(Uuid16),
        e.labels,
        e.confidence,
        e.note,
        ids.revisions.get(&e.revision),
        e.seen_prelabel,
        e.revealed,
        e.duration_ms,
        e.at_ms
    ])?;
    if case.is_some() && matches!(e.action.as_str(), "set" | "skip" | "restore") {
        tx.prepare_cached("DELETE FROM lease WHERE label_case = ?1 AND expert = ?2")?
            .execute((case, expert))?;
    }
    Ok(true)
}

/// A line's settings with the numbers of this file.
fn own_settings(tx: &Transaction<'_>, ids: &mut Ids, line: &impl Carries) -> String {
    let predictors = ids.predictors.clone();
    let mut item = |key: &ItemKey| ids.item(tx, key).ok()?.map(ItemId);
    let mut predictor = |uuid: &Uuid| predictors.get(uuid).copied().map(PredictorId);
    line.settings_mapped(&mut IdMap { item: &mut item, predictor: &mut predictor })
}
