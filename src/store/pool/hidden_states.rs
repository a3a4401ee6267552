//! Hidden states: the mean over a text's tokens, from a language model without an adapter: f16 in the file, f32 in memory.
//!
//! They depend on the model and on the prompt before the text, and on nothing else: all judges of one model with one prompt share them.

use super::embeddings::{Vectors, bytes_of};
use crate::domain::fault::Result;
use crate::domain::ids::{ItemId, ModelId, PredictorId};
use crate::store::db::attempt::Attempt;
use crate::store::db::open::Store;
use crate::store::db::row_seals::{broken, is_whole};

const SAME_PROMPT: &str =
    "judge IN (SELECT id FROM predictor WHERE kind = 'judge' AND model = ?1 AND prompt = ?2)";

impl Store {
    /// Writes what `judge` saw. `states` has one row of `width` values per item, depth after depth.
    pub fn put_hidden_states(
        &mut self,
        judge: PredictorId,
        items: &[ItemId],
        states: &[f32],
        width: usize,
    ) -> Result<()> {
        let rows = items.iter().zip(states.chunks_exact(width.max(1)));
        self.write_in_slices("save hidden states", rows, |tx, slice| {
            let mut insert = tx.prepare_cached(
                "INSERT OR REPLACE INTO hidden_state (judge, item, states) VALUES (?1, ?2, ?3)",
            )?;
            slice.try_for_each(|(item, states)| insert.execute((judge, item, bytes_of(states))).map(drop))
        })
        .map(drop)
    }

    /// The items of which the model has hidden states behind that prompt, ascending.
    pub fn items_with_hidden_states(&self, model: ModelId, prompt: &[u8]) -> Result<Vec<ItemId>> {
        self.all_rows_of(
            &format!("SELECT DISTINCT item FROM hidden_state WHERE {SAME_PROMPT} ORDER BY item"),
            (model, prompt),
            "read the hidden states",
            |r| r.get(0),
        )
    }

    /// Of each reading the judge whose texts have hidden states, how many these are, and their bytes.
    pub fn hidden_state_sizes(&self) -> Result<Vec<(PredictorId, usize, u64)>> {
        self.all_rows_of(
            "SELECT judge, count(*), sum(length(states)) FROM hidden_state GROUP BY judge ORDER BY judge",
            (),
            "count the hidden states",
            |r| {
                Ok((
                    r.get(0)?,
                    r.get::<_, i64>(1)?.unsigned_abs() as usize,
                    r.get::<_, i64>(2)?.unsigned_abs(),
                ))
            },
        )
    }

    /// Drops the hidden states that a judge saw.
    pub fn drop_hidden_states(&mut self, judge: PredictorId) -> Result<usize> {
        let what = "drop hidden states";
        let items: Vec<ItemId> =
            self.all_rows_of("SELECT item FROM hidden_state WHERE judge = ?1", [judge], what, |r| r.get(0))?;
        self.write_in_slices(what, items, |tx, slice| {
            let mut delete = tx.prepare_cached("DELETE FROM hidden_state WHERE judge = ?1 AND item = ?2")?;
            slice.try_for_each(|item| delete.execute((judge, item)).map(drop))
        })
    }

    /// The hidden states of the model behind that prompt, by item; rows that are not as wide as the first are left out.
    pub fn hidden_states(&self, model: ModelId, prompt: &[u8]) -> Result<Vectors> {
        let what = "read the hidden states";
        let sql = format!(
            "SELECT item, states, {} FROM hidden_state WHERE {SAME_PROMPT} ORDER BY item, judge",
            is_whole("hidden_state")
        );
        let mut statement = self.conn.prepare(&sql).attempting(what)?;
        let mut rows = statement.query((model, prompt)).attempting(what)?;
        let mut out = Vectors::default();
        while let Some(r) = rows.next().attempting(what)? {
            if !r.get::<_, bool>(2).attempting(what)? {
                return Err(broken(what, "hidden states are"));
            }
            let item: ItemId = r.get(0).attempting(what)?;
            let blob = r.get_ref(1).and_then(|v| v.as_blob().map_err(Into::into)).attempting(what)?;
            if out.items.is_empty() {
                out.dimensions = blob.len() / 2;
            }
            if out.items.last() == Some(&item) || blob.len() != out.dimensions * 2 {
                continue;
            }
            out.push(item, blob);
        }
        Ok(out)
    }
}
