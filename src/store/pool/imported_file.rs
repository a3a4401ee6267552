//! What an imported file was when it was read, and whether the model has read what came last.

use std::fs::Metadata;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::domain::fault::Result;
use crate::store::db::convert::Json;
use crate::store::db::open::Store;
use crate::store::pool::predictors::VECTORS;

/// What tells cheaply that a file has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    pub bytes: u64,
    /// When it was changed last, UTC milliseconds; 0 where the system does not say.
    pub modified_ms: i64,
}

impl FileFacts {
    pub fn of(meta: &Metadata) -> Self {
        let since = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let modified_ms = since.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0);
        Self { bytes: meta.len(), modified_ms }
    }
}

/// The part of `found` that is about the file itself.
#[derive(Deserialize)]
struct OfFile {
    file: Option<FileFacts>,
}

/// What `found` of an import says of its file.
pub(super) fn facts_in(found: &str) -> Option<FileFacts> {
    serde_json::from_str::<OfFile>(found).ok()?.file
}

impl Store {
    /// Notes what the file of the newest import of this name was when it was read.
    pub fn note_file(&mut self, name: &str, file: FileFacts) -> Result<()> {
        self.write("finish the import", |tx| {
            tx.execute(
                "UPDATE source SET found = json_set(found, '$.file', json(?2))
                 WHERE id = (SELECT max(id) FROM source WHERE name = ?1 AND state = 'ready') AND json_valid(found)",
                (name, Json(file)),
            )
            .map(drop)
        })
    }

    /// Whether the active model has no prelabel of the text that came last. Only a scouting brings them, and it leaves none
    /// out. What has vectors from elsewhere and nothing else reads none.
    pub fn has_unread_texts(&self) -> Result<bool> {
        let found = self.one(
            "SELECT p.active_predictor IS NOT NULL AND NOT EXISTS
               (SELECT 1 FROM predictor q JOIN model m ON m.id = q.model WHERE q.id = p.active_predictor AND m.architecture = ?1)
               AND NOT EXISTS
               (SELECT 1 FROM prediction a WHERE a.predictor = p.active_predictor AND a.item =
                 (SELECT max(i.id) FROM item i WHERE i.source NOT IN (SELECT id FROM source WHERE state = 'loading')))
             FROM project p WHERE EXISTS (SELECT 1 FROM item)",
            [VECTORS],
            "read how far the texts are read",
            |r| r.get(0),
        )?;
        Ok(found.unwrap_or(false))
    }
}
