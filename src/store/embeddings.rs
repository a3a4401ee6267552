//! Vectors: f16 in the file, f32 in memory, unit length.

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::attempt::Attempt;
use super::open::Store;
use crate::domain::fault::Result;
use crate::domain::ids::{ItemId, ModelId};

/// Vectors read from the file: `values` holds one row of `dimensions` per item.
#[derive(Clone, Debug, Default)]
pub struct Vectors {
    /// Whose vectors they are, ascending.
    pub items: Vec<ItemId>,
    /// Row after row.
    pub values: Vec<f32>,
    /// Values of one row.
    pub dimensions: usize,
}

impl Store {
    /// Writes vectors of the base model. `values` has `dimensions` values per item.
    pub fn put_vectors(
        &mut self,
        model: ModelId,
        items: &[ItemId],
        values: &[f32],
        dimensions: usize,
    ) -> Result<()> {
        let rows = items.iter().zip(values.chunks_exact(dimensions));
        self.write_in_slices("save vectors", rows, |tx, slice| {
            let mut insert = tx.prepare_cached(
                "INSERT OR REPLACE INTO embedding (model, adapter, item, vector) VALUES (?1, 0, ?2, ?3)",
            )?;
            slice.try_for_each(|(item, vector)| insert.execute((model, item, bytes_of(vector))).map(drop))
        })?;
        Ok(())
    }

    /// All vectors of the base model, by item.
    pub fn vectors(&self, model: ModelId, dimensions: usize) -> Result<Vectors> {
        self.read_vectors(
            "SELECT item, vector FROM embedding WHERE model = ?1 AND adapter = 0 ORDER BY item",
            model,
            dimensions,
        )
    }

    /// The vectors of every item that was ever put before an expert.
    pub fn vectors_of_cases(&self, model: ModelId, dimensions: usize) -> Result<Vectors> {
        self.read_vectors(
            "SELECT item, vector FROM embedding WHERE model = ?1 AND adapter = 0
             AND item IN (SELECT item FROM label_case UNION SELECT item FROM label_event) ORDER BY item",
            model,
            dimensions,
        )
    }

    /// The vectors of items that the predictor has not scored yet.
    pub fn vectors_without_prediction(
        &self,
        model: ModelId,
        predictor: crate::domain::ids::PredictorId,
        dimensions: usize,
    ) -> Result<Vectors> {
        let sql = format!(
            "SELECT item, vector FROM embedding e WHERE model = ?1 AND adapter = 0 AND NOT EXISTS
             (SELECT 1 FROM prediction p WHERE p.predictor = {predictor} AND p.item = e.item) ORDER BY item"
        );
        self.read_vectors(&sql, model, dimensions)
    }

    fn read_vectors(&self, sql: &str, model: ModelId, dimensions: usize) -> Result<Vectors> {
        let what = "read the vectors";
        let mut statement = self.conn.prepare(sql).attempting(what)?;
        let mut rows = statement.query([model]).attempting(what)?;
        let mut out = Vectors { dimensions, ..Vectors::default() };
        let mut halves = vec![f16::ZERO; dimensions];
        while let Some(r) = rows.next().attempting(what)? {
            let blob = r.get_ref(1).and_then(|v| v.as_blob().map_err(Into::into)).attempting(what)?;
            if blob.len() != dimensions * 2 {
                // A vector of another length cannot be this model's; without it the item counts as not scouted.
                continue;
            }
            for (half, bytes) in halves.iter_mut().zip(blob.as_chunks::<2>().0) {
                *half = f16::from_le_bytes(*bytes);
            }
            let start = out.values.len();
            out.values.resize(start + dimensions, 0.0);
            halves.convert_to_f32_slice(&mut out.values[start..]);
            out.items.push(r.get(0).attempting(what)?);
        }
        Ok(out)
    }
}

fn bytes_of(vector: &[f32]) -> Vec<u8> {
    let mut halves = vec![f16::ZERO; vector.len()];
    halves.convert_from_f32_slice(vector);
    halves.iter().flat_map(|h| h.to_le_bytes()).collect()
}
