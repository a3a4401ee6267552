//! Model artifacts that a copy has and this file lacks: adapters' bytes, vectors, the predictions that matter, the record of jobs.

use std::collections::{HashMap, HashSet};

use super::texts::Texts;
use crate::domain::fault::Result;
use crate::domain::ids::PredictorId;
use crate::domain::predictor::PredictorKind;
use crate::store::db::attempt::Attempt;
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;

const WHAT: &str = "bring in what jobs computed";

/// Rows of a copy that this file lacks: of what there, and the copy's items.
pub struct Lacking {
    /// The model's hash and the adapter's UUID, or the predictor's UUID.
    of: Vec<u8>,
    /// Its number in the copy, and the adapter's, where vectors are meant.
    there: (i64, i64),
    items: Vec<i64>,
}

/// Artifacts that this file lacks.
pub struct ArtifactsLacking {
    vectors: Vec<Lacking>,
    predictions: Vec<Lacking>,
    /// Adapters whose bytes are here no more, or never were.
    bytes: Vec<Uuid16>,
    /// Jobs that ended.
    runs: Vec<Uuid16>,
    /// The predictor that becomes active, where the file has none.
    adopted: Option<Uuid16>,
}

impl ArtifactsLacking {
    pub fn vectors(&self) -> usize {
        self.vectors.iter().map(|l| l.items.len()).sum()
    }

    pub fn predictions(&self) -> usize {
        self.predictions.iter().map(|l| l.items.len()).sum()
    }

    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Whether the copy's active model becomes the file's, because that has none.
    pub fn adopts(&self) -> bool {
        self.adopted.is_some()
    }
}

impl Store {
    /// Compares the artifacts of a copy with what is here. Reads only.
    pub fn compare_artifacts(&self, copy: &Self, texts: &Texts) -> Result<ArtifactsLacking> {
        let adopted = match self.active_predictor()? {
            Some(_) => None,
            None => copy.one(
                "SELECT uuid FROM predictor WHERE id = (SELECT active_predictor FROM project)",
                (),
                WHAT,
                |r| r.get(0),
            )?,
        };
        let uuids = |store: &Self, sql: &str| -> Result<HashSet<Vec<u8>>> {
            Ok(store.all(sql, WHAT)?.into_iter().collect())
        };
        let lacks = |sql: &str, ours: &HashSet<Vec<u8>>| -> Result<Vec<Uuid16>> {
            let theirs: Vec<Uuid16> = copy.all(sql, WHAT)?;
            Ok(theirs.into_iter().filter(|u| !ours.contains(&u.0.as_bytes()[..])).collect())
        };
        let whole = uuids(self, "SELECT uuid FROM adapter WHERE length(bytes) > 0")?;
        let runs = uuids(self, "SELECT uuid FROM run")?;
        Ok(ArtifactsLacking {
            vectors: self.vectors_lacking(copy, texts)?,
            predictions: self.predictions_lacking(copy, texts, adopted.is_some())?,
            bytes: lacks("SELECT uuid FROM adapter WHERE length(bytes) > 0 ORDER BY id", &whole)?,
            runs: lacks("SELECT uuid FROM run WHERE ended_ms IS NOT NULL ORDER BY id", &runs)?,
            adopted,
        })
    }

    /// Of every model its own vectors, and those of the adapter that is active here.
    fn vectors_lacking(&self, copy: &Self, texts: &Texts) -> Result<Vec<Lacking>> {
        let active = self.active_predictor()?.and_then(|p| p.space().adapter);
        let active: Option<Vec<u8>> = match active {
            Some(id) => self.one("SELECT uuid FROM adapter WHERE id = ?1", [id], WHAT, |r| r.get(0))?,
            None => None,
        };
        type Space = (i64, i64, Vec<u8>, Option<Vec<u8>>);
        let spaces: Vec<Space> = copy.all_rows(
            "SELECT m.id, 0, m.sha256, NULL FROM model m
             UNION ALL SELECT a.model, a.id, m.sha256, a.uuid FROM adapter a JOIN model m ON m.id = a.model",
            WHAT,
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)),
        )?;
        let mut lacking = Vec::new();
        for (model, adapter, sha256, uuid) in spaces {
            if uuid.is_some() && uuid != active {
                continue;
            }
            let ours: HashSet<i64> = self
                .all_rows_of(
                    "SELECT e.item FROM embedding e WHERE e.model = (SELECT id FROM model WHERE sha256 = ?1)
                     AND e.adapter = coalesce((SELECT id FROM adapter WHERE uuid = ?2), 0)",
                    (&sha256, &uuid),
                    WHAT,
                    |r| r.get(0),
                )?
                .into_iter()
                .collect();
            let mut theirs: Vec<i64> = copy.all_rows_of(
                "SELECT item FROM embedding WHERE model = ?1 AND adapter = ?2 ORDER BY item",
                (model, adapter),
                WHAT,
                |r| r.get(0),
            )?;
            theirs.retain(|item| !texts.forgotten.contains(item));
            let items = absent(theirs, &texts.here, &ours);
            if !items.is_empty() {
                let of = sha256.into_iter().chain(uuid.into_iter().flatten()).collect();
                lacking.push(Lacking { of, there: (model, adapter), items });
            }
        }
        Ok(lacking)
    }

    /// Of every predictor what it says of items that were put before an expert in either file; all of it of judges, which cannot be
    /// asked again, and of the active predictor.
    fn predictions_lacking(&self, copy: &Self, texts: &Texts, adopting: bool) -> Result<Vec<Lacking>> {
        const SHOWN: &str = "SELECT item FROM label_case UNION SELECT item FROM label_event";
        let here = &texts.here;
        let shown_here: HashSet<i64> = self.all(SHOWN, WHAT)?.into_iter().collect();
        let shown_there: HashSet<i64> = copy.all(SHOWN, WHAT)?.into_iter().collect();
        let active: Option<Vec<u8>> = self.one(
            "SELECT uuid FROM predictor WHERE id = (SELECT active_predictor FROM project)",
            (),
            WHAT,
            |r| r.get(0),
        )?;
        let theirs: Vec<(i64, Vec<u8>, PredictorKind, bool)> = copy.all_rows(
            "SELECT id, uuid, kind, id IS (SELECT active_predictor FROM project) FROM predictor ORDER BY id",
            WHAT,
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)),
        )?;
        let mut lacking = Vec::new();
        for (id, uuid, kind, active_there) in theirs {
            let whole = matches!(kind, PredictorKind::Judge | PredictorKind::States)
                || active.as_ref() == Some(&uuid)
                || (adopting && active_there);
            let ours: HashSet<i64> = self
                .all_rows_of(
                    "SELECT item FROM prediction WHERE predictor = (SELECT id FROM predictor WHERE uuid = ?1)",
                    [&uuid],
                    WHAT,
                    |r| r.get(0),
                )?
                .into_iter()
                .collect();
            let mut theirs: Vec<i64> = copy.all_rows_of(
                "SELECT item FROM prediction WHERE predictor = ?1 ORDER BY item",
                [id],
                WHAT,
                |r| r.get(0),
            )?;
            theirs.retain(|item| !texts.forgotten.contains(item));
            let matters = |item: &i64| {
                whole
                    || shown_there.contains(item)
                    || here.get(item).is_some_and(|item| shown_here.contains(item))
            };
            let items = absent(theirs.into_iter().filter(matters).collect(), here, &ours);
            if !items.is_empty() {
                lacking.push(Lacking { of: uuid, there: (id, 0), items });
            }
        }
        Ok(lacking)
    }

    /// Brings in what [`Store::compare_artifacts`] found lacking, after the texts and the log. The file's active model stays.
    pub fn take_artifacts(&mut self, copy: &Self, texts: &Texts, lacking: &ArtifactsLacking) -> Result<()> {
        for uuid in &lacking.bytes {
            let bytes: Option<Vec<u8>> =
                copy.one("SELECT bytes FROM adapter WHERE uuid = ?1", [uuid], WHAT, |r| r.get(0))?;
            self.write(WHAT, |tx| {
                tx.execute(
                    "UPDATE adapter SET bytes = ?2 WHERE uuid = ?1 AND length(bytes) = 0",
                    (uuid, bytes),
                )
            })?;
        }
        for part in &lacking.vectors {
            self.take_vectors(copy, texts, part)?;
        }
        for part in &lacking.predictions {
            self.take_predictions(copy, texts, part)?;
        }
        self.take_runs(copy, &lacking.runs)?;
        if let Some(uuid) = &lacking.adopted {
            let known = self.one("SELECT id FROM predictor WHERE uuid = ?1", [uuid], WHAT, |r| r.get(0))?;
            if let (Some(id), None) = (known, self.active_predictor()?) {
                self.activate(PredictorId(id))?;
            }
        }
        Ok(())
    }

    fn take_vectors(&mut self, copy: &Self, texts: &Texts, part: &Lacking) -> Result<()> {
        let (sha256, uuid) = part.of.split_at(part.of.len().min(32));
        let known: Option<(i64, i64, i64)> = self.one(
            "SELECT id, coalesce((SELECT id FROM adapter WHERE uuid = ?2), 0), dimensions FROM model WHERE sha256 = ?1",
            (sha256, uuid),
            WHAT,
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )?;
        let Some((model, adapter, dimensions)) = known else { return Ok(()) };
        let mut read = copy
            .conn
            .prepare_cached(
                "SELECT vector, cut_at FROM embedding WHERE model = ?1 AND adapter = ?2 AND item = ?3",
            )
            .attempting(WHAT)?;
        self.write_in_slices(WHAT, &part.items, |tx, slice| {
            let mut insert = tx.prepare_cached(
                "INSERT OR IGNORE INTO embedding (model, adapter, item, vector, cut_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            slice.try_for_each(|there| {
                let Some(item) = texts.here.get(there) else { return Ok(()) };
                let at = (part.there.0, part.there.1, there);
                let (vector, cut_at): (Vec<u8>, Option<i64>) =
                    read.query_row(at, |r| Ok((r.get(0)?, r.get(1)?)))?;
                if vector.len() as i64 != dimensions * 2 {
                    return Ok(());
                }
                insert.execute((model, adapter, item, vector, cut_at)).map(drop)
            })
        })
        .map(drop)
    }

    fn take_predictions(&mut self, copy: &Self, texts: &Texts, part: &Lacking) -> Result<()> {
        let known: Option<(i64, i64)> = self.one(
            "SELECT id, json_array_length(labels) FROM predictor WHERE uuid = ?1",
            [&part.of],
            WHAT,
            |r| Ok((r.get(0)?, r.get(1)?)),
        )?;
        let Some((predictor, labels)) = known else { return Ok(()) };
        let mut read = copy
            .conn
            .prepare_cached("SELECT probabilities FROM prediction WHERE predictor = ?1 AND item = ?2")
            .attempting(WHAT)?;
        self.write_in_slices(WHAT, &part.items, |tx, slice| {
            let mut insert = tx.prepare_cached(
                "INSERT OR IGNORE INTO prediction (predictor, item, probabilities) VALUES (?1, ?2, ?3)",
            )?;
            slice.try_for_each(|there| {
                let Some(item) = texts.here.get(there) else { return Ok(()) };
                let probabilities: Vec<u8> = read.query_row((part.there.0, there), |r| r.get(0))?;
                if probabilities.len() as i64 != labels * 4 {
                    return Ok(());
                }
                insert.execute((predictor, item, probabilities)).map(drop)
            })
        })
        .map(drop)
    }

    fn take_runs(&mut self, copy: &Self, runs: &[Uuid16]) -> Result<()> {
        const COLUMNS: &str = "uuid, kind, arguments, host, process, program, started_ms, heartbeat_ms, progress, ended_ms, outcome, message";
        let mut read = copy
            .conn
            .prepare_cached(&format!("SELECT {COLUMNS} FROM run WHERE uuid = ?1"))
            .attempting(WHAT)?;
        self.write_in_slices(WHAT, runs, |tx, slice| {
            let mut insert = tx.prepare_cached(&format!(
                "INSERT OR IGNORE INTO run ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
            ))?;
            slice.try_for_each(|uuid| {
                let values = read.query_row([uuid], |r| {
                    (0..12).map(|i| r.get::<_, rusqlite::types::Value>(i)).collect::<rusqlite::Result<Vec<_>>>()
                })?;
                insert.execute(rusqlite::params_from_iter(values)).map(drop)
            })
        })
        .map(drop)
    }
}

/// Items that the file does not have among its own.
fn absent(theirs: Vec<i64>, here: &HashMap<i64, i64>, ours: &HashSet<i64>) -> Vec<i64> {
    theirs.into_iter().filter(|item| here.get(item).is_none_or(|item| !ours.contains(item))).collect()
}
