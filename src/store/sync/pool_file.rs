//! A project that asks something else about the same texts: the pool with its vectors, and no answer, label, person or question.

use std::path::Path;

use crate::domain::fault::Result;
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::db::process;

/// Sources are those that were read to their end. Rows keep all their columns, and lose what was known of the other question. Vectors are those of models as
/// they are: an adapter's follow the answers.
const FILL: &str = "
    INSERT INTO part.source (id, uuid, name, found, state, rows, items, empty, rejected, started_ms, finished_ms)
      SELECT id, uuid, name, found, state, rows, items, empty, rejected, started_ms, finished_ms FROM main.source WHERE state = 'ready';
    INSERT INTO part.item (id, key, text, split, source)
      SELECT id, key, text, split, source FROM main.item WHERE source IN (SELECT id FROM part.source);
    INSERT INTO part.item_key SELECT key, id FROM part.item ORDER BY key;
    INSERT INTO part.source_row (source, row, external_id, gold, meta, fields, item)
      SELECT source, row, external_id, NULL, meta, fields, item FROM main.source_row WHERE source IN (SELECT id FROM part.source);
    INSERT INTO part.model (id, sha256, name, path, architecture, quantisation, dimensions, bytes, reading)
      SELECT id, sha256, name, path, architecture, quantisation, dimensions, bytes, reading FROM main.model
      WHERE id IN (SELECT model FROM main.embedding WHERE adapter = 0);
    INSERT INTO part.embedding (model, adapter, item, vector, cut_at)
      SELECT model, adapter, item, vector, cut_at FROM main.embedding WHERE adapter = 0 AND item IN (SELECT id FROM part.item);";

impl Store {
    /// Writes a new project file at `path` with the texts of this one and their vectors. It is another project: nothing of the two can be merged.
    ///
    /// # Errors
    /// The file exists, or cannot be written: then nothing is left of it.
    pub fn write_pool(&self, path: &Path, seed: u64) -> Result<()> {
        self.fill_new_file(path, |conn| {
            conn.execute_batch(FILL)?;
            conn.execute(
                "INSERT INTO part.project (id, uuid, created_ms, created_by, seed, audit_share, eval_share)
                 SELECT 1, ?1, ?2, ?3, ?4, audit_share, eval_share FROM main.project",
                (Uuid16(new_uuid()), now_ms(), process::program(), seed.cast_signed()),
            )?;
            Ok(())
        })
    }
}
