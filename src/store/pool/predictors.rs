//! Models, predictors and their predictions.

use std::collections::HashSet;

use super::embeddings::Space;
use crate::domain::adapter::AdapterKind;
use crate::domain::encoder_reading::EncoderReading;
use crate::domain::fault::Result;
use crate::domain::ids::{AdapterId, ItemId, ModelId, PredictorId};
use crate::domain::predictor::{Method, MethodColumns, Predictor};
use crate::store::db::attempt::Attempt;
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::convert::{Json, Uuid16, f32_bytes, f32_values};
use crate::store::db::open::Store;
use crate::store::db::row_seals::{broken, is_whole};

/// Whether a row of `prediction` has a number for each label of its predictor, `?1`.
const OF_ITS_LABELS: &str =
    "length(probabilities) = 4 * (SELECT json_array_length(labels) FROM predictor WHERE id = ?1)";

/// What a project calls the architecture of a model of which it has vectors that were made elsewhere, and nothing else.
pub const VECTORS: &str = "vectors";

/// A model file as the project knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Hash of the whole file, and of `reading` where that says something: see [`EncoderReading::identity`].
    pub sha256: Vec<u8>,
    /// The name inside the file, or the file's own.
    pub name: String,
    /// Where it was found; empty for the embedded one, and for predictions and vectors that were made elsewhere.
    pub path: String,
    /// llama.cpp's name of the architecture; `endpoint` of a server's model, `predictions` and [`VECTORS`] of those that were
    /// made elsewhere.
    pub architecture: String,
    /// For example `Q8_0`.
    pub quantisation: String,
    /// Values of one vector.
    pub dimensions: usize,
    /// Size of the file.
    pub bytes: u64,
    /// What a person has said of how it reads texts.
    pub reading: EncoderReading,
}

impl Model {
    /// Whether all there is of it are vectors that were made elsewhere: nothing here can read a text with it.
    pub fn is_vectors_alone(&self) -> bool {
        self.architecture == VECTORS
    }
}

impl Predictor {
    /// The vectors that it makes predictions from.
    pub fn space(&self) -> Space {
        Space { model: self.model, adapter: self.lora() }
    }
}

const MODEL: &str =
    "SELECT sha256, name, path, architecture, quantisation, dimensions, bytes, reading FROM model";

fn model(r: &rusqlite::Row<'_>) -> rusqlite::Result<Model> {
    Ok(Model {
        sha256: r.get(0)?,
        name: r.get(1)?,
        path: r.get(2)?,
        architecture: r.get(3)?,
        quantisation: r.get(4)?,
        dimensions: r.get::<_, i64>(5)?.unsigned_abs() as usize,
        bytes: r.get::<_, i64>(6)?.unsigned_abs(),
        reading: r.get::<_, Json<EncoderReading>>(7)?.0,
    })
}

const PREDICTOR: &str =
    "SELECT id, kind, model, adapter, (SELECT a.kind FROM adapter a WHERE a.id = predictor.adapter), prompt, revision, labels, settings,
       created_ms FROM predictor";

/// A task has as many labels at least, and so has what predicts them.
const FEWEST_LABELS: usize = 2;

fn predictor(r: &rusqlite::Row<'_>) -> rusqlite::Result<Predictor> {
    let adapter: Option<AdapterId> = r.get(3)?;
    let adapter_kind: Option<AdapterKind> = r.get(4)?;
    let columns = MethodColumns {
        kind: r.get(1)?,
        adapter: adapter.zip(adapter_kind),
        prompt: r.get(5)?,
        settings: r.get(8)?,
    };
    let labels = r.get::<_, Json<Vec<String>>>(7)?.0;
    if labels.len() < FEWEST_LABELS {
        return Err(rusqlite::Error::InvalidColumnType(7, "labels".into(), rusqlite::types::Type::Text));
    }
    let no_adapter = || rusqlite::Error::InvalidColumnType(3, "adapter".into(), rusqlite::types::Type::Null);
    Ok(Predictor {
        id: r.get(0)?,
        method: Method::read(columns).ok_or_else(no_adapter)?,
        model: r.get(2)?,
        revision: r.get(6)?,
        labels,
        created_ms: r.get(9)?,
    })
}

impl Store {
    /// The model with that hash, entered if it is new; the path is brought up to date.
    pub fn enter_model(&mut self, model: &Model) -> Result<ModelId> {
        self.write("note the model", |tx| {
            tx.query_row(
                "INSERT INTO model (sha256, name, path, architecture, quantisation, dimensions, bytes, reading)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (sha256) DO UPDATE SET path = excluded.path RETURNING id",
                (
                    &model.sha256,
                    &model.name,
                    &model.path,
                    &model.architecture,
                    &model.quantisation,
                    model.dimensions as i64,
                    model.bytes.cast_signed(),
                    Json(&model.reading),
                ),
                |r| r.get(0),
            )
        })
    }

    /// A model by id.
    pub fn model(&self, id: ModelId) -> Result<Option<Model>> {
        self.one(&format!("{MODEL} WHERE id = ?1"), [id], "read the model", model)
    }

    /// All models, in the order in which the project met them.
    pub fn models(&self) -> Result<Vec<Model>> {
        self.all_rows(&format!("{MODEL} ORDER BY id"), "read the models", model)
    }

    /// Enters a predictor; it is not active yet.
    pub fn add_predictor(&mut self, new: &Predictor) -> Result<PredictorId> {
        self.write("note the predictor", |tx| {
            tx.execute(
                "INSERT INTO predictor (uuid, kind, model, adapter, revision, prompt, labels, settings, created_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                (
                    Uuid16(new_uuid()),
                    new.kind(),
                    new.model,
                    new.adapter(),
                    new.revision,
                    new.method.prompt(),
                    Json(&new.labels),
                    new.method.settings_json(),
                    now_ms(),
                ),
            )?;
            Ok(PredictorId(tx.last_insert_rowid()))
        })
    }

    /// All predictors, oldest first.
    pub fn predictors(&self) -> Result<Vec<Predictor>> {
        self.all_rows(&format!("{PREDICTOR} ORDER BY id"), "read the predictors", predictor)
    }

    /// All judges, the active one first: the one started last.
    pub fn judges(&self) -> Result<Vec<Predictor>> {
        let sql = format!("{PREDICTOR} WHERE kind = 'judge' ORDER BY created_ms DESC, id DESC");
        self.all_rows(&sql, "read the predictors", predictor)
    }

    /// Makes a judge the active one.
    pub fn activate_judge(&mut self, judge: PredictorId) -> Result<()> {
        self.write("note the predictor", |tx| {
            tx.execute(
                "UPDATE predictor SET created_ms = max(?2, (SELECT 1 + max(created_ms) FROM predictor WHERE kind = 'judge'))
                 WHERE id = ?1 AND created_ms < (SELECT max(created_ms) FROM predictor WHERE kind = 'judge')",
                (judge, now_ms()),
            )
            .map(drop)
        })
    }

    /// The predictor whose prelabels count.
    pub fn active_predictor(&self) -> Result<Option<Predictor>> {
        let sql = format!("{PREDICTOR} WHERE id = (SELECT active_predictor FROM project)");
        self.one(&sql, (), "read the active model", predictor)
    }

    /// The predictor that the active one takes its vectors from: of a combination the scout beneath, else the active one itself.
    pub fn scouting_predictor(&self) -> Result<Option<Predictor>> {
        let Some(active) = self.active_predictor()? else { return Ok(None) };
        if !active.is_combined() {
            return Ok(Some(active));
        }
        let beneath = |p: &Predictor| !p.is_combined() && p.scout() == active.scout() && p.id < active.id;
        Ok(self.predictors()?.into_iter().rev().find(beneath))
    }

    /// Replaces a predictor's settings, as when a judge is calibrated on more labels.
    pub fn set_settings(&mut self, predictor: &Predictor) -> Result<()> {
        self.write("note the predictor", |tx| {
            tx.execute(
                "UPDATE predictor SET settings = ?2 WHERE id = ?1",
                (predictor.id, predictor.method.settings_json()),
            )
            .map(drop)
        })
    }

    /// Makes a predictor the active one, in one commit; its predictions must be there already.
    pub fn activate(&mut self, predictor: PredictorId) -> Result<()> {
        self.write("activate the model", |tx| {
            tx.execute("UPDATE project SET active_predictor = ?1", [predictor]).map(drop)
        })
    }

    /// Writes predictions, replacing earlier ones of the same predictor. `probabilities` has one row of `labels` values per item.
    pub fn put_predictions(
        &mut self,
        predictor: PredictorId,
        items: &[ItemId],
        probabilities: &[f32],
        labels: usize,
    ) -> Result<()> {
        let rows = items.iter().zip(probabilities.chunks_exact(labels.max(1)));
        self.write_in_slices("save prelabels", rows, |tx, slice| {
            let mut insert = tx.prepare_cached(
                "INSERT OR REPLACE INTO prediction (predictor, item, probabilities) VALUES (?1, ?2, ?3)",
            )?;
            slice.try_for_each(|(item, p)| insert.execute((predictor, item, f32_bytes(p))).map(drop))
        })?;
        Ok(())
    }

    /// All predictions of a predictor, by item: ids, and the probabilities row after row. A row of another length than the predictor's labels is not its, and
    /// is left out.
    pub fn predictions(&self, predictor: PredictorId) -> Result<(Vec<ItemId>, Vec<f32>)> {
        let what = "read the prelabels";
        let mut statement = self
            .conn
            .prepare_cached(&format!(
                "SELECT item, probabilities, {} FROM prediction WHERE predictor = ?1 AND {OF_ITS_LABELS} ORDER BY item",
                is_whole("prediction")
            ))
            .attempting(what)?;
        let mut rows = statement.query([predictor]).attempting(what)?;
        let (mut items, mut values) = (Vec::new(), Vec::new());
        while let Some(r) = rows.next().attempting(what)? {
            if !r.get::<_, bool>(2).attempting(what)? {
                return Err(broken(what, "predictions are"));
            }
            items.push(r.get(0).attempting(what)?);
            let blob = r.get_ref(1).and_then(|v| v.as_blob().map_err(Into::into)).attempting(what)?;
            values.extend(f32_values(blob));
        }
        Ok((items, values))
    }

    pub fn prediction(&self, predictor: PredictorId, item: ItemId) -> Result<Option<Vec<f32>>> {
        let what = "read a prelabel";
        let sql = format!(
            "SELECT probabilities, {} FROM prediction WHERE predictor = ?1 AND item = ?2 AND {OF_ITS_LABELS}",
            is_whole("prediction")
        );
        let found = self.one(&sql, (predictor, item), what, |r| {
            Ok((f32_values(r.get_ref(0)?.as_blob()?).collect(), r.get::<_, bool>(1)?))
        })?;
        match found {
            Some((_, false)) => Err(broken(what, "the prediction is")),
            found => Ok(found.map(|(values, _)| values)),
        }
    }

    /// Drops the predictions of predictors that are no longer active, except of items that were ever put before an expert. A judge's stay, and the newest
    /// of a head on hidden states: they cannot be computed from vectors again. Returns how many went.
    pub fn prune_predictions(&mut self) -> Result<usize> {
        let what = "tidy earlier prelabels";
        let earlier: Vec<PredictorId> = self.all(
            "SELECT id FROM predictor WHERE kind <> 'judge' AND id IS NOT (SELECT active_predictor FROM project)
               AND (kind <> 'states' OR id NOT IN (SELECT max(id) FROM predictor WHERE kind = 'states' GROUP BY model, prompt, labels))",
            what,
        )?;
        let kept: HashSet<ItemId> = self
            .all("SELECT item FROM label_case UNION SELECT item FROM label_event", what)?
            .into_iter()
            .collect();
        let mut dropped = 0;
        for predictor in earlier {
            let items = self.all_rows_of(
                "SELECT item FROM prediction WHERE predictor = ?1",
                [predictor],
                what,
                |r| r.get::<_, ItemId>(0),
            )?;
            let gone = items.into_iter().filter(|i| !kept.contains(i));
            dropped += self.write_in_slices(what, gone, |tx, slice| {
                let mut delete =
                    tx.prepare_cached("DELETE FROM prediction WHERE predictor = ?1 AND item = ?2")?;
                slice.try_for_each(|item| delete.execute((predictor, item)).map(drop))
            })?;
        }
        Ok(dropped)
    }
}
