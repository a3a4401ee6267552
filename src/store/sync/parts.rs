//! A part of a project for one expert elsewhere: the cases, with what labelling them needs, in a file that never held anything else.
//!
//! Gold labels, columns that are not shown, other people's answers and every text but those of the cases and their partners stay
//! behind.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

use crate::domain::adapter::AdapterKind;
use crate::domain::fault::Result;
use crate::domain::ids::{AdapterId, CaseId, ExpertId, PredictorId, SessionId};
use crate::domain::part::Models;
use crate::domain::predictor::PredictorKind;
use crate::store::db::attempt::Attempt;
use crate::store::db::clock::now_ms;
use crate::store::db::open::Store;
use crate::store::db::person::{ME, MY_NAMES};
use crate::store::pool::embeddings::Space;
use crate::store::rounds::annotations_needed::{NEEDS_ANNOTATION, active_annotators};

/// Bytes that a part was not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOutBytes {
    /// The adapter's number.
    pub adapter: i64,
    /// `head`, `lora` or `alora`.
    pub kind: String,
    /// How many bytes they are.
    pub bytes: i64,
    /// Their hash.
    pub sha256: Vec<u8>,
}

/// Selects cases `c` of open rounds `r` that expert ?1 has not labelled, that are not reserved for that expert already, and that still need
/// annotations at the time ?2.
fn assignable(selected: &str) -> String {
    format!(
        "WITH {} SELECT {selected} FROM label_case c JOIN round r ON r.id = c.round
         WHERE r.closed_ms IS NULL AND c.withdrawn_ms IS NULL AND c.reason <> 'repeat'
           AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.label_case = c.id AND l.expert IN {MY_NAMES} AND l.expires_ms > ?2)
           AND NOT EXISTS (SELECT 1 FROM current_answer a WHERE a.item = c.item AND a.person = {ME} AND a.action = 'set')
           AND {NEEDS_ANNOTATION}",
        active_annotators()
    )
}

impl Store {
    /// Up to `limit` cases that can be given to an expert, in the order in which they would come.
    pub fn cases_to_give(&self, expert: ExpertId, limit: usize) -> Result<Vec<CaseId>> {
        self.all_rows_of(
            &(assignable("c.id") + " ORDER BY r.number, c.position LIMIT ?3"),
            (expert, now_ms(), i64::try_from(limit).unwrap_or(i64::MAX)),
            "choose the cases",
            |r| r.get(0),
        )
    }

    /// Enrols an expert without a session.
    ///
    /// # Errors
    /// A name that is none.
    pub fn enrol_expert(&mut self, name: &str) -> Result<ExpertId> {
        let name = crate::store::log::experts::checked_name(name)?;
        self.refuse_look_alike(name)?;
        self.write("enrol the expert", |tx| crate::store::log::experts::enrol(tx, name))
    }

    /// Reserves cases for an expert until `until_ms`, all of them or none. False where one is not free any more.
    pub fn reserve(
        &mut self,
        cases: &[CaseId],
        expert: ExpertId,
        session: SessionId,
        until_ms: i64,
    ) -> Result<bool> {
        self.write("reserve the cases", |tx| {
            let now = now_ms();
            {
                let mut free = tx.prepare(&(assignable("1") + " AND c.id = ?3"))?;
                for case in cases {
                    if !free.exists((expert, now, case))? {
                        return Ok(false);
                    }
                }
            }
            let mut lease = tx.prepare(
                "INSERT OR REPLACE INTO lease (label_case, expert, session, shown_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            cases.iter().try_for_each(|case| lease.execute((case, expert, session, now, until_ms)).map(drop))?;
            Ok(true)
        })
    }

    /// Writes a new project file at `path` with these cases for this expert.
    ///
    /// # Errors
    /// The file exists, or cannot be written: then nothing is left of it.
    pub fn write_part(&self, path: &Path, cases: &[CaseId], expert: ExpertId, models: Models) -> Result<()> {
        let filled = self.fill_new_file(path, |conn| copy_into_part(conn, cases, expert, models));
        let dropped = self
            .conn
            .execute_batch("DROP TABLE IF EXISTS temp.given_case; DROP TABLE IF EXISTS temp.given_item")
            .attempting("write the part");
        filled.and(dropped)
    }

    /// What this file was not given, and still lacks; empty for a whole project.
    pub fn left_out_bytes(&self) -> Result<Vec<LeftOutBytes>> {
        self.all_rows(
            "SELECT l.adapter, a.kind, l.bytes, l.sha256 FROM left_out l JOIN adapter a ON a.id = l.adapter
             WHERE length(a.bytes) = 0 ORDER BY l.adapter",
            "read what is missing",
            |r| Ok(LeftOutBytes { adapter: r.get(0)?, kind: r.get(1)?, bytes: r.get(2)?, sha256: r.get(3)? }),
        )
    }

    /// Whether this is a part of a project that was given without models, and still lacks what the active one computes with: it can be labelled
    /// and merged back, and nothing can be tuned or mined in it.
    pub fn is_part_without_models(&self) -> Result<bool> {
        let lacks = self.count(
            "SELECT count(*) FROM project p JOIN predictor q ON q.id = p.active_predictor
             WHERE (q.settings = '{}' AND q.kind NOT IN ('head', 'lora'))
                OR EXISTS (SELECT 1 FROM left_out l JOIN adapter a ON a.id = l.adapter WHERE a.id = q.adapter AND length(a.bytes) = 0)",
            (),
            "read what is missing",
        )?;
        Ok(lacks > 0)
    }

    /// How many texts have no vector in `space`.
    pub fn texts_without_vector(&self, space: Space) -> Result<usize> {
        self.count(
            "SELECT count(*) FROM item i WHERE i.text <> '' AND NOT EXISTS
               (SELECT 1 FROM embedding e WHERE e.model = ?1 AND e.adapter = ?2 AND e.item = i.id)",
            (space.model, space.number()),
            "count the vectors",
        )
    }

    /// When the last reservation of an expert ends, where there is one.
    pub fn reserved_until(&self, expert: ExpertId) -> Result<Option<i64>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT max(expires_ms) FROM lease WHERE expert = ?1")
            .attempting("read the reservations")?;
        statement
            .query_row([expert], |r| r.get(0))
            .optional()
            .map(Option::flatten)
            .attempting("read the reservations")
    }
}

/// Everything but what computes. Numbers stay as they are in the project.
const FILL: &str = "
    INSERT INTO temp.given_item SELECT item FROM main.label_case WHERE id IN (SELECT id FROM temp.given_case)
      UNION SELECT partner FROM main.label_case WHERE id IN (SELECT id FROM temp.given_case) AND partner IS NOT NULL;
    INSERT INTO part.expert (id, uuid, name, created_ms) SELECT id, uuid, name, created_ms FROM main.expert;
    INSERT INTO part.session (id, uuid, expert, login, uid, host, process, program, started_ms, ended_ms, ended_how) SELECT id, uuid, expert, login, uid, host, process, program, started_ms, ended_ms, ended_how FROM main.session
      WHERE id IN (SELECT session FROM main.task_revision UNION SELECT session FROM main.expert_event);
    INSERT INTO part.task_revision SELECT * FROM main.task_revision;
    INSERT INTO part.expert_event SELECT * FROM main.expert_event;
    INSERT INTO part.source (id, name, found, state, rows, items, empty, rejected, started_ms, finished_ms, uuid)
      SELECT s.id, s.name, s.found, s.state,
             (SELECT count(*) FROM main.source_row f WHERE f.source = s.id AND f.item IN (SELECT id FROM temp.given_item)),
             (SELECT count(*) FROM main.item i WHERE i.id IN (SELECT id FROM temp.given_item) AND i.source = s.id),
             0, 0, s.started_ms, s.finished_ms, s.uuid
      FROM main.source s WHERE s.state = 'ready' AND s.id IN
        (SELECT source FROM main.source_row WHERE item IN (SELECT id FROM temp.given_item));
    INSERT INTO part.item (id, key, text, split, source) SELECT id, key, text, split, source FROM main.item WHERE id IN (SELECT id FROM temp.given_item);
    INSERT INTO part.item_key SELECT key, id FROM part.item ORDER BY key;
    INSERT INTO part.source_row (source, row, external_id, gold, meta, fields, item)
      SELECT source, row, external_id, NULL, meta, '', item FROM main.source_row
      WHERE item IN (SELECT id FROM temp.given_item) AND source IN (SELECT id FROM part.source);
    INSERT INTO part.round (id, uuid, number, strategy, budget, seed, predictor, note, overlap, created_ms, closed_ms) SELECT id, uuid, number, strategy, budget, seed, predictor, note, overlap, created_ms, closed_ms FROM main.round
      WHERE id IN (SELECT round FROM main.label_case WHERE id IN (SELECT id FROM temp.given_case));
    INSERT INTO part.predictor (id, uuid, kind, model, adapter, revision, prompt, labels, settings, created_ms)
      SELECT id, uuid, kind, model, adapter, revision, prompt, labels, '{}', created_ms FROM main.predictor
      WHERE id IN (SELECT predictor FROM part.round UNION SELECT active_predictor FROM main.project);
    INSERT INTO part.adapter (id, uuid, kind, model, parent, round, revision, labels, settings, training_hash, training_n, bytes, created_ms)
      SELECT id, uuid, kind, model, NULL, NULL, revision, labels, '{}', training_hash, training_n, x'', created_ms FROM main.adapter
      WHERE id IN (SELECT adapter FROM part.predictor);
    INSERT INTO part.model (id, sha256, name, path, architecture, quantisation, dimensions, bytes, reading) SELECT id, sha256, name, path, architecture, quantisation, dimensions, bytes, reading FROM main.model
      WHERE id IN (SELECT model FROM part.predictor UNION SELECT model FROM part.adapter);
    INSERT INTO part.label_case (id, uuid, round, position, item, split, reason, partner, similarity, side, margin, inclusion, overlap, withdrawn_ms, expert, revealed_ms, reannotation) SELECT id, uuid, round, position, item, split, reason, partner, similarity, side, margin, inclusion, overlap, withdrawn_ms, expert, revealed_ms, reannotation FROM main.label_case WHERE id IN (SELECT id FROM temp.given_case);
    INSERT INTO part.prediction (predictor, item, probabilities) SELECT predictor, item, probabilities FROM main.prediction
      WHERE predictor IN (SELECT id FROM part.predictor) AND item IN (SELECT id FROM temp.given_item);
    INSERT INTO part.project (id, uuid, created_ms, created_by, seed, audit_share, eval_share, active_predictor, lamport_heard)
      SELECT id, uuid, created_ms, created_by, seed, audit_share, eval_share, active_predictor,
             (SELECT lamport - 1 FROM main.next_lamport) FROM main.project;";

/// What the active model needs to predict; its settings come by [`fill_settings`].
const FILL_MODELS: &str = "
    INSERT INTO part.embedding (model, adapter, item, vector, cut_at) SELECT model, adapter, item, vector, cut_at FROM main.embedding
      WHERE model IN (SELECT id FROM part.model) AND item IN (SELECT id FROM temp.given_item)
        AND (adapter = 0 OR adapter IN (SELECT id FROM part.adapter));
    UPDATE part.adapter SET bytes = (SELECT a.bytes FROM main.adapter a WHERE a.id = adapter.id);";

fn copy_into_part(
    conn: &Connection,
    cases: &[CaseId],
    expert: ExpertId,
    models: Models,
) -> rusqlite::Result<()> {
    conn.execute_batch(
        "CREATE TEMP TABLE given_case (id INTEGER PRIMARY KEY); CREATE TEMP TABLE given_item (id INTEGER PRIMARY KEY);",
    )?;
    {
        let mut give = conn.prepare("INSERT INTO temp.given_case VALUES (?1)")?;
        cases.iter().try_for_each(|case| give.execute([case]).map(drop))?;
    }
    conn.execute_batch(FILL)?;
    conn.execute(
        "INSERT INTO part.reveal (expert, item, at_ms) SELECT expert, item, at_ms FROM main.reveal WHERE expert = ?1 AND item IN (SELECT id FROM temp.given_item)",
        [expert],
    )?;
    match models {
        Models::Included => {
            conn.execute_batch(FILL_MODELS)?;
            fill_settings(conn)?;
        }
        Models::LeftOut => {
            let mut adapters = conn.prepare(
                "SELECT id, length(bytes), bytes FROM main.adapter WHERE id IN (SELECT id FROM part.adapter) AND length(bytes) > 0",
            )?;
            let mut rows = adapters.query(())?;
            while let Some(r) = rows.next()? {
                let hash = Sha256::digest(r.get_ref(2)?.as_blob()?);
                conn.execute(
                    "INSERT INTO part.left_out (adapter, bytes, sha256) VALUES (?1, ?2, ?3)",
                    (r.get::<_, i64>(0)?, r.get::<_, i64>(1)?, hash.as_slice()),
                )?;
            }
        }
    }
    Ok(())
}

/// The settings of the part's adapters and predictors, without what they say of other people's answers.
pub(super) fn fill_settings(conn: &Connection) -> rusqlite::Result<()> {
    let mut adapters = conn
        .prepare("SELECT id, kind, settings FROM main.adapter WHERE id IN (SELECT id FROM part.adapter)")?;
    let mut rows = adapters.query(())?;
    while let Some(r) = rows.next()? {
        let settings = r.get::<_, AdapterKind>(1)?.settings_without_answers(r.get_ref(2)?.as_str()?);
        conn.execute(
            "UPDATE part.adapter SET settings = ?2 WHERE id = ?1",
            (r.get::<_, AdapterId>(0)?, settings),
        )?;
    }
    let mut predictors = conn.prepare(
        "SELECT id, kind, settings FROM main.predictor WHERE id IN (SELECT id FROM part.predictor)",
    )?;
    let mut rows = predictors.query(())?;
    while let Some(r) = rows.next()? {
        let settings = r.get::<_, PredictorKind>(1)?.settings_without_answers(r.get_ref(2)?.as_str()?);
        conn.execute(
            "UPDATE part.predictor SET settings = ?2 WHERE id = ?1",
            (r.get::<_, PredictorId>(0)?, settings),
        )?;
    }
    Ok(())
}
