//! Vectors: f16 in the file, f32 in memory, unit length.

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::domain::fault::Result;
use crate::domain::ids::{AdapterId, ItemId, ModelId, PredictorId};
use crate::store::db::attempt::Attempt;
use crate::store::db::open::Store;
use crate::store::db::row_seals::{broken, is_whole};

/// What vectors may be compared with each other: those of one model with one adapter, or with none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    pub model: ModelId,
    /// The low-rank adapter; none for the model as it is.
    pub adapter: Option<AdapterId>,
}

impl Space {
    /// The vectors of the model as it is.
    pub fn base(model: ModelId) -> Self {
        Self { model, adapter: None }
    }

    /// The adapter as the file counts it.
    pub(in crate::store) fn number(self) -> i64 {
        self.adapter.map_or(0, |adapter| adapter.0)
    }
}

/// Vectors read from the file: `values` holds one row of `dimensions` per item.
#[derive(Clone, Debug, Default)]
pub struct Vectors {
    /// Whose vectors they are, ascending.
    pub items: Vec<ItemId>,
    /// Row after row.
    pub values: Vec<f32>,
    /// Values of one row.
    pub dimensions: usize,
    /// One row on its way.
    halves: Vec<f16>,
}

impl Vectors {
    /// Adds a row as the file has it.
    pub(super) fn push(&mut self, item: ItemId, blob: &[u8]) {
        self.halves.clear();
        self.halves.extend(blob.as_chunks::<2>().0.iter().map(|bytes| f16::from_le_bytes(*bytes)));
        let start = self.values.len();
        self.values.resize(start + self.halves.len(), 0.0);
        self.halves.convert_to_f32_slice(&mut self.values[start..]);
        self.items.push(item);
    }
}

impl Store {
    /// Writes vectors. `values` has `dimensions` values per item.
    pub fn put_vectors(
        &mut self,
        space: Space,
        items: &[ItemId],
        values: &[f32],
        dimensions: usize,
    ) -> Result<()> {
        let rows = items.iter().zip(values.chunks_exact(dimensions.max(1)));
        self.write_in_slices("save vectors", rows, |tx, slice| {
            let mut insert = tx.prepare_cached(
                "INSERT OR REPLACE INTO embedding (model, adapter, item, vector) VALUES (?1, ?2, ?3, ?4)",
            )?;
            slice.try_for_each(|(item, vector)| {
                insert.execute((space.model, space.number(), item, bytes_of(vector))).map(drop)
            })
        })?;
        Ok(())
    }

    /// Records of some texts about how many of their bytes their vectors were made of.
    pub fn put_cuts(&mut self, model: ModelId, cuts: &[(ItemId, usize)]) -> Result<()> {
        self.write_in_slices("save how far texts were read", cuts, |tx, slice| {
            let mut update = tx.prepare_cached(
                "UPDATE embedding SET cut_at = ?3 WHERE model = ?1 AND adapter = 0 AND item = ?2",
            )?;
            slice.try_for_each(|(item, bytes)| update.execute((model, item, *bytes as i64)).map(drop))
        })
        .map(drop)
    }

    /// About how many bytes of a text the model in use has read; none where it has read all of it, or nothing.
    pub fn read_up_to(&self, item: ItemId) -> Result<Option<usize>> {
        let sql = "SELECT cut_at FROM embedding WHERE item = ?1 AND adapter = 0 AND cut_at IS NOT NULL
                   AND model = (SELECT model FROM predictor WHERE id = (SELECT active_predictor FROM project))";
        let read = self.one(sql, [item], "read how far the model has read", |r| r.get::<_, i64>(0))?;
        Ok(read.and_then(|bytes| usize::try_from(bytes).ok()))
    }

    /// All vectors, by item.
    pub fn vectors(&self, space: Space, dimensions: usize) -> Result<Vectors> {
        self.read_vectors("WHERE model = ?1 AND adapter = ?2 ORDER BY item", space, dimensions)
    }

    /// The vectors of every item that was ever put before an expert.
    pub fn vectors_of_cases(&self, space: Space, dimensions: usize) -> Result<Vectors> {
        self.read_vectors(
            "WHERE model = ?1 AND adapter = ?2
             AND item IN (SELECT item FROM label_case UNION SELECT item FROM label_event) ORDER BY item",
            space,
            dimensions,
        )
    }

    /// The vectors of every item that may have a label to learn from, by an expert or by a source.
    pub fn vectors_of_training(&self, space: Space, dimensions: usize) -> Result<Vectors> {
        self.read_vectors(
            "WHERE model = ?1 AND adapter = ?2
             AND item IN (SELECT item FROM label_case UNION SELECT item FROM label_event UNION SELECT item FROM imported_label) ORDER BY item",
            space,
            dimensions,
        )
    }

    /// The vectors of some items, by item; of those that have none there is none.
    pub fn vectors_of(&self, space: Space, items: &[ItemId], dimensions: usize) -> Result<Vectors> {
        let items: Vec<String> = items.iter().map(|item| item.0.to_string()).collect();
        let sql =
            format!("WHERE model = ?1 AND adapter = ?2 AND item IN ({}) ORDER BY item", items.join(", "));
        self.read_vectors(&sql, space, dimensions)
    }

    /// The vectors of about `most` items, spread evenly over them, by item.
    pub fn sample_of_vectors(&self, space: Space, dimensions: usize, most: usize) -> Result<Vectors> {
        let all = self.vector_count(space)?;
        let step = all.div_ceil(most.max(1)).max(1);
        let sql = format!("WHERE model = ?1 AND adapter = ?2 AND item % {step} = 0 ORDER BY item");
        self.read_vectors(&sql, space, dimensions)
    }

    /// Drops the vectors of every adapter but this one; those of the model as it is stay.
    pub fn keep_vectors_of(&mut self, adapter: Option<AdapterId>) -> Result<usize> {
        let what = "tidy the vectors of earlier adapters";
        let rows: Vec<(ModelId, i64, ItemId)> = self.all_rows_of(
            "SELECT model, adapter, item FROM embedding WHERE adapter <> 0 AND adapter <> ?1",
            [adapter.map_or(0, |adapter| adapter.0)],
            what,
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )?;
        self.write_in_slices(what, rows, |tx, slice| {
            let mut delete =
                tx.prepare_cached("DELETE FROM embedding WHERE model = ?1 AND adapter = ?2 AND item = ?3")?;
            slice.try_for_each(|row| delete.execute(row).map(drop))
        })
    }

    /// The vectors of items that the predictor has not scored yet.
    pub fn vectors_without_prediction(
        &self,
        space: Space,
        predictor: PredictorId,
        dimensions: usize,
    ) -> Result<Vectors> {
        let sql = format!(
            "WHERE model = ?1 AND adapter = ?2 AND NOT EXISTS
             (SELECT 1 FROM prediction p WHERE p.predictor = {predictor} AND p.item = e.item) ORDER BY item"
        );
        self.read_vectors(&sql, space, dimensions)
    }

    fn read_vectors(&self, which: &str, space: Space, dimensions: usize) -> Result<Vectors> {
        let what = "read the vectors";
        let sql = format!("SELECT item, vector, {} FROM embedding e {which}", is_whole("embedding"));
        let mut statement = self.conn.prepare(&sql).attempting(what)?;
        let mut rows = statement.query((space.model, space.number())).attempting(what)?;
        let mut out = Vectors { dimensions, ..Vectors::default() };
        while let Some(r) = rows.next().attempting(what)? {
            let blob = r.get_ref(1).and_then(|v| v.as_blob().map_err(Into::into)).attempting(what)?;
            if blob.len() != dimensions * 2 {
                // A vector of another length cannot be this model's; without it the item counts as not scouted.
                continue;
            }
            if !r.get::<_, bool>(2).attempting(what)? {
                return Err(broken(what, "vectors are"));
            }
            out.push(r.get(0).attempting(what)?, blob);
        }
        Ok(out)
    }
}

pub(super) fn bytes_of(vector: &[f32]) -> Vec<u8> {
    let mut halves = vec![f16::ZERO; vector.len()];
    halves.convert_from_f32_slice(vector);
    halves.iter().flat_map(|h| h.to_le_bytes()).collect()
}
