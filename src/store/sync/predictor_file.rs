//! A file with one model and nothing else: what computes, the labels' names, and no text, answer or person.

use std::path::Path;

use rusqlite::Connection;

use crate::domain::fault::Result;
use crate::domain::ids::PredictorId;
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;

use super::parts::fill_settings;

/// Whom a file without people names where a row must name somebody.
const NOBODY: &str = "hardcase";

impl Store {
    /// Writes a new project file at `path` in which this predictor is active and nothing else is. Its task is `toml`.
    ///
    /// # Errors
    /// The file exists, or cannot be written: then nothing is left of it.
    pub fn write_predictor(&self, path: &Path, predictor: PredictorId, toml: &str) -> Result<()> {
        self.fill_new_file(path, |conn| fill(conn, predictor, toml))
    }
}

fn fill(conn: &Connection, predictor: PredictorId, toml: &str) -> rusqlite::Result<()> {
    let now = now_ms();
    let uuid = || Uuid16(new_uuid());
    conn.execute(
        "INSERT INTO part.expert (id, uuid, name, created_ms) VALUES (1, ?1, ?2, ?3)",
        (uuid(), NOBODY, now),
    )?;
    conn.execute(
        "INSERT INTO part.session (id, uuid, expert, login, uid, host, process, program, started_ms, ended_ms, ended_how)
         VALUES (1, ?1, 1, ?2, 0, '', '', ?2, ?3, ?3, 'closed')",
        (uuid(), NOBODY, now),
    )?;
    conn.execute(
        "INSERT INTO part.task_revision (id, uuid, number, generation, toml, session, created_ms)
         SELECT revision, ?2, 1, 1, ?3, 1, ?4 FROM main.predictor WHERE id = ?1",
        (predictor, uuid(), toml, now),
    )?;
    conn.execute(
        "INSERT INTO part.predictor (id, uuid, kind, model, adapter, revision, prompt, labels, settings, created_ms)
         SELECT id, uuid, kind, model, adapter, revision, NULL, labels, '{}', created_ms FROM main.predictor WHERE id = ?1",
        [predictor],
    )?;
    conn.execute_batch(
        "INSERT INTO part.adapter (id, uuid, kind, model, parent, round, revision, labels, settings, training_hash, training_n, bytes, created_ms)
         SELECT a.id, a.uuid, a.kind, a.model, NULL, NULL, p.revision, a.labels, '{}', a.training_hash, a.training_n, a.bytes, a.created_ms
         FROM main.adapter a JOIN part.predictor p ON p.adapter = a.id;
         INSERT INTO part.model (id, sha256, name, path, architecture, quantisation, dimensions, bytes, reading)
         SELECT id, sha256, name, '', architecture, quantisation, dimensions, bytes, reading FROM main.model
         WHERE id IN (SELECT model FROM part.predictor UNION SELECT model FROM part.adapter);",
    )?;
    fill_settings(conn)?;
    conn.execute(
        "INSERT INTO part.project (id, uuid, created_ms, created_by, seed, audit_share, eval_share, active_predictor)
         SELECT id, ?2, ?3, created_by, seed, audit_share, eval_share, ?1 FROM main.project",
        (predictor, uuid(), now),
    )?;
    Ok(())
}
