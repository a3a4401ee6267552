//! The label log of a file, in the form in which it travels.

use rusqlite::Row;
use uuid::Uuid;

use super::settings::Carries;
use crate::domain::encoder_reading::EncoderReading;
use crate::domain::fault::Result;
use crate::domain::ids::{ItemId, PredictorId};
use crate::domain::item::ItemKey;
use crate::domain::log::*;
use crate::domain::overlap::Overlap;
use crate::domain::settings::IdMap;
use crate::store::db::attempt::Attempt;
use crate::store::db::convert::{Json, Uuid16};
use crate::store::db::open::Store;

const WHAT: &str = "read the label log";

/// Some rows alone: a condition, and the number for which `?1` stands in it.
pub(in crate::store) type Which<'a> = Option<(&'a str, i64)>;

fn uuid(r: &Row<'_>, at: usize) -> rusqlite::Result<Uuid> {
    Ok(r.get::<_, Uuid16>(at)?.0)
}

fn maybe_uuid(r: &Row<'_>, at: usize) -> rusqlite::Result<Option<Uuid>> {
    Ok(r.get::<_, Option<Uuid16>>(at)?.map(|u| u.0))
}

impl Store {
    /// The UUID that all copies of the project share.
    pub fn project_uuid(&self) -> Result<Uuid> {
        Ok(self.one("SELECT uuid FROM project", (), WHAT, |r| uuid(r, 0))?.unwrap_or_default())
    }

    /// The whole log, as it stands at one moment.
    ///
    /// # Errors
    /// A row of it is not as it was written.
    pub fn log(&self) -> Result<Log> {
        self.check_labels(WHAT)?;
        self.conn.execute_batch("BEGIN").attempting(WHAT)?;
        let log = self.read_log();
        self.conn.execute_batch("COMMIT").attempting(WHAT)?;
        log
    }

    fn read_log(&self) -> Result<Log> {
        let (mut adapters, mut predictors) = (self.adapter_lines(None)?, self.predictor_lines(None)?);
        let mut item = |id: &ItemId| self.key_of(*id);
        let mut predictor = |id: &PredictorId| self.predictor_uuid(*id);
        let mut ids = IdMap { item: &mut item, predictor: &mut predictor };
        for adapter in &mut adapters {
            adapter.settings = adapter.settings_mapped(&mut ids);
        }
        for predictor in &mut predictors {
            predictor.settings = predictor.settings_mapped(&mut ids);
        }
        Ok(Log {
            project: self.project_uuid()?,
            lamport_heard: self.one("SELECT lamport_heard FROM project", (), WHAT, |r| r.get(0))?.unwrap_or(0),
            experts: self.expert_lines(None)?,
            sessions: self.session_lines(None)?,
            revisions: self.revision_lines(None)?,
            models: self.model_lines(None)?,
            adapters,
            predictors,
            rounds: self.round_lines(None)?,
            cases: self.case_lines(None)?,
            events: self.event_lines()?,
            expert_events: self.expert_event_lines()?,
            reveals: self.all_rows(
                "SELECT e.name, i.key, v.at_ms FROM reveal v JOIN expert e ON e.id = v.expert JOIN item i ON i.id = v.item
                 ORDER BY v.expert, v.item",
                WHAT,
                |r| Ok(RevealLine { expert: r.get(0)?, item: ItemKey(r.get(1)?), at_ms: r.get(2)? }),
            )?,
            label_sources: self.all_rows(
                "SELECT name, uuid, weight, changes, created_ms FROM label_source ORDER BY created_ms, name",
                WHAT,
                |r| {
                    Ok(LabelSourceLine {
                        name: r.get(0)?,
                        uuid: uuid(r, 1)?,
                        weight: r.get(2)?,
                        changes: r.get(3)?,
                        created_ms: r.get(4)?,
                    })
                },
            )?,
            imported_labels: self.all_rows(
                "SELECT s.name, i.key, l.file, l.place, l.answer, l.at_ms FROM imported_label l
                 JOIN label_source s ON s.id = l.label_source JOIN item i ON i.id = l.item
                 WHERE i.source NOT IN (SELECT id FROM source WHERE state = 'loading')
                   AND (l.import IS NULL OR l.import NOT IN (SELECT id FROM source WHERE state = 'loading'))
                 ORDER BY s.name, i.key, l.file, l.place",
                WHAT,
                |r| {
                    Ok(ImportedLabelLine {
                        source: r.get(0)?,
                        item: ItemKey(r.get(1)?),
                        file: r.get(2)?,
                        place: r.get(3)?,
                        labels: r.get(4)?,
                        at_ms: r.get(5)?,
                    })
                },
            )?,
            forgotten: self.all_rows(
                "SELECT i.key, i.split, f.at_ms FROM forgotten f JOIN item i ON i.id = f.item ORDER BY i.key",
                WHAT,
                |r| Ok(ForgottenLine { item: ItemKey(r.get(0)?), split: r.get(1)?, at_ms: r.get(2)? }),
            )?,
        })
    }

    /// The key of an item that settings name by its number.
    fn key_of(&self, id: ItemId) -> Option<ItemKey> {
        self.one("SELECT key FROM item WHERE id = ?1", [id], WHAT, |r| r.get(0).map(ItemKey)).ok()?
    }

    fn predictor_uuid(&self, id: PredictorId) -> Option<Uuid> {
        self.one("SELECT uuid FROM predictor WHERE id = ?1", [id], WHAT, |r| uuid(r, 0)).ok()?
    }

    pub(in crate::store) fn session_lines(&self, which: Which<'_>) -> Result<Vec<SessionLine>> {
        self.lines(
            "SELECT s.uuid, e.name, s.login, s.uid, s.host, s.process, s.program, s.started_ms, s.ended_ms, s.ended_how
             FROM session s JOIN expert e ON e.id = s.expert",
            (which, "ORDER BY s.started_ms, s.uuid"),
            |r| {
                Ok(SessionLine {
                    uuid: uuid(r, 0)?,
                    expert: r.get(1)?,
                    login: r.get(2)?,
                    uid: r.get(3)?,
                    host: r.get(4)?,
                    process: r.get(5)?,
                    program: r.get(6)?,
                    started_ms: r.get(7)?,
                    ended_ms: r.get(8)?,
                    ended_how: r.get(9)?,
                })
            },
        )
    }

    pub(in crate::store) fn revision_lines(&self, which: Which<'_>) -> Result<Vec<RevisionLine>> {
        self.lines(
            "SELECT t.uuid, t.generation, t.number, s.uuid, t.created_ms, t.toml
             FROM task_revision t JOIN session s ON s.id = t.session",
            (which, "ORDER BY t.generation, t.uuid"),
            |r| {
                Ok(RevisionLine {
                    uuid: uuid(r, 0)?,
                    generation: r.get(1)?,
                    number: r.get(2)?,
                    session: uuid(r, 3)?,
                    created_ms: r.get(4)?,
                    toml: r.get(5)?,
                })
            },
        )
    }

    pub(in crate::store) fn adapter_lines(&self, which: Which<'_>) -> Result<Vec<AdapterLine>> {
        self.lines(
            "SELECT a.uuid, a.kind, m.sha256, p.uuid, r.uuid, t.uuid, a.labels, a.settings, a.training_hash, a.training_n, a.created_ms
             FROM adapter a JOIN model m ON m.id = a.model JOIN task_revision t ON t.id = a.revision
             LEFT JOIN adapter p ON p.id = a.parent LEFT JOIN round r ON r.id = a.round",
            (which, "ORDER BY a.id"),
            |r| {
                Ok(AdapterLine {
                    uuid: uuid(r, 0)?,
                    adapts: r.get(1)?,
                    model: Hex(r.get(2)?),
                    parent: maybe_uuid(r, 3)?,
                    round: maybe_uuid(r, 4)?,
                    revision: uuid(r, 5)?,
                    labels: r.get::<_, Json<Vec<String>>>(6)?.0,
                    settings: r.get(7)?,
                    training_hash: Hex(r.get(8)?),
                    training_n: r.get(9)?,
                    created_ms: r.get(10)?,
                })
            },
        )
    }

    pub(in crate::store) fn predictor_lines(&self, which: Which<'_>) -> Result<Vec<PredictorLine>> {
        self.lines(
            "SELECT p.uuid, p.kind, m.sha256, a.uuid, t.uuid, p.prompt, p.labels, p.settings, p.created_ms
             FROM predictor p JOIN model m ON m.id = p.model JOIN task_revision t ON t.id = p.revision
             LEFT JOIN adapter a ON a.id = p.adapter",
            (which, "ORDER BY p.id"),
            |r| {
                Ok(PredictorLine {
                    uuid: uuid(r, 0)?,
                    predicts: r.get(1)?,
                    model: Hex(r.get(2)?),
                    adapter: maybe_uuid(r, 3)?,
                    revision: uuid(r, 4)?,
                    prompt: r.get::<_, Option<Vec<u8>>>(5)?.map(Hex),
                    labels: r.get::<_, Json<Vec<String>>>(6)?.0,
                    settings: r.get(7)?,
                    created_ms: r.get(8)?,
                })
            },
        )
    }

    pub(in crate::store) fn round_lines(&self, which: Which<'_>) -> Result<Vec<RoundLine>> {
        self.lines(
            "SELECT r.uuid, r.number, r.strategy, r.budget, r.seed, p.uuid, r.note, r.created_ms, r.closed_ms,
               r.overlap
             FROM round r LEFT JOIN predictor p ON p.id = r.predictor",
            (which, "ORDER BY r.number"),
            |r| {
                Ok(RoundLine {
                    uuid: uuid(r, 0)?,
                    number: r.get(1)?,
                    strategy: r.get(2)?,
                    budget: r.get(3)?,
                    seed: r.get(4)?,
                    predictor: maybe_uuid(r, 5)?,
                    note: r.get(6)?,
                    created_ms: r.get(7)?,
                    closed_ms: r.get(8)?,
                    overlap: r.get::<_, Option<Json<Overlap>>>(9)?.map(|overlap| overlap.0),
                })
            },
        )
    }

    pub(in crate::store) fn case_lines(&self, which: Which<'_>) -> Result<Vec<CaseLine>> {
        self.lines(
            "SELECT c.uuid, r.uuid, c.position, i.key, c.split, c.reason, p.key, c.similarity, c.side, c.margin, c.inclusion, c.overlap,
                    c.withdrawn_ms, e.name, c.revealed_ms, a.uuid
             FROM label_case c JOIN round r ON r.id = c.round JOIN item i ON i.id = c.item
             LEFT JOIN item p ON p.id = c.partner LEFT JOIN expert e ON e.id = c.expert
             LEFT JOIN task_revision a ON a.id = c.reannotation",
            (which, "ORDER BY r.number, c.position"),
            |r| {
                Ok(CaseLine {
                    uuid: uuid(r, 0)?,
                    round: uuid(r, 1)?,
                    position: r.get(2)?,
                    item: ItemKey(r.get(3)?),
                    text: None,
                    split: r.get(4)?,
                    reason: r.get(5)?,
                    partner: r.get::<_, Option<[u8; 32]>>(6)?.map(ItemKey),
                    similarity: r.get(7)?,
                    side: r.get(8)?,
                    margin: r.get(9)?,
                    inclusion: r.get(10)?,
                    overlap: r.get(11)?,
                    withdrawn_ms: r.get(12)?,
                    expert: r.get(13)?,
                    revealed_ms: r.get(14)?,
                    reannotation: maybe_uuid(r, 15)?,
                })
            },
        )
    }

    pub(in crate::store) fn expert_lines(&self, which: Which<'_>) -> Result<Vec<ExpertLine>> {
        self.lines("SELECT name, uuid, created_ms FROM expert e", (which, "ORDER BY created_ms, uuid"), |r| {
            Ok(ExpertLine { name: r.get(0)?, uuid: uuid(r, 1)?, created_ms: r.get(2)? })
        })
    }

    pub(in crate::store) fn model_lines(&self, which: Which<'_>) -> Result<Vec<ModelLine>> {
        self.lines(
            "SELECT sha256, name, path, architecture, quantisation, dimensions, bytes, reading FROM model m",
            (which, "ORDER BY id"),
            |r| {
                Ok(ModelLine {
                    sha256: Hex(r.get(0)?),
                    name: r.get(1)?,
                    path: r.get(2)?,
                    architecture: r.get(3)?,
                    quantisation: r.get(4)?,
                    dimensions: r.get(5)?,
                    bytes: r.get(6)?,
                    reading: r.get::<_, Json<EncoderReading>>(7)?.0,
                })
            },
        )
    }

    /// The rows of a query, all or only those where `which` says so, in their order.
    fn lines<T>(
        &self,
        select: &str,
        (which, order): (Which<'_>, &str),
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        match which {
            None => self.all_rows(&format!("{select} {order}"), WHAT, read),
            Some((condition, id)) => {
                self.all_rows_of(&format!("{select} WHERE {condition} {order}"), [id], WHAT, read)
            }
        }
    }

    fn event_lines(&self) -> Result<Vec<EventLine>> {
        self.all_rows(
            "SELECT v.uuid, v.lamport, s.uuid, v.seq, e.name, i.key, c.uuid, v.action, v.target, v.answer, v.confidence, v.note, t.uuid,
                    v.seen_prelabel, v.revealed, v.duration_ms, v.at_ms
             FROM label_event v JOIN session s ON s.id = v.session JOIN expert e ON e.id = v.expert JOIN item i ON i.id = v.item
             JOIN task_revision t ON t.id = v.revision LEFT JOIN label_case c ON c.id = v.label_case ORDER BY v.lamport, v.uuid",
            WHAT,
            |r| {
                Ok(EventLine {
                    uuid: uuid(r, 0)?,
                    lamport: r.get(1)?,
                    session: uuid(r, 2)?,
                    seq: r.get(3)?,
                    expert: r.get(4)?,
                    item: ItemKey(r.get(5)?),
                    case: maybe_uuid(r, 6)?,
                    action: r.get(7)?,
                    target: maybe_uuid(r, 8)?,
                    labels: r.get(9)?,
                    confidence: r.get(10)?,
                    note: r.get(11)?,
                    revision: uuid(r, 12)?,
                    seen_prelabel: r.get(13)?,
                    revealed: r.get(14)?,
                    duration_ms: r.get(15)?,
                    at_ms: r.get(16)?,
                })
            },
        )
    }

    fn expert_event_lines(&self) -> Result<Vec<ExpertEventLine>> {
        self.all_rows(
            "SELECT v.uuid, v.lamport, s.uuid, v.action, e.name, o.name, v.at_ms
             FROM expert_event v JOIN session s ON s.id = v.session JOIN expert e ON e.id = v.expert
             LEFT JOIN expert o ON o.id = v.other ORDER BY v.lamport, v.uuid",
            WHAT,
            |r| {
                Ok(ExpertEventLine {
                    uuid: uuid(r, 0)?,
                    lamport: r.get(1)?,
                    session: uuid(r, 2)?,
                    action: r.get(3)?,
                    expert: r.get(4)?,
                    other: r.get(5)?,
                    at_ms: r.get(6)?,
                })
            },
        )
    }
}
