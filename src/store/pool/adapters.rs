//! Adapters: what each tuning learned, the bytes themselves included.

use crate::domain::adapter::{AdapterKind, AdapterSettings};
use crate::domain::fault::Result;
use crate::domain::ids::{AdapterId, ModelId, RevisionId, RoundId};
use crate::domain::settings::Stored;
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::convert::{Json, Uuid16};
use crate::store::db::open::Store;
use crate::store::db::row_seals::{broken, is_whole};

/// An adapter on its way into the file.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAdapter {
    pub kind: AdapterKind,
    /// The model it adapts.
    pub model: ModelId,
    /// The adapter that was active before.
    pub parent: Option<AdapterId>,
    /// The newest round whose answers it saw.
    pub round: Option<RoundId>,
    /// The task revision.
    pub revision: RevisionId,
    /// Stable keys of its labels, in order.
    pub labels: Vec<String>,
    /// Hyperparameters and what was measured while training.
    pub settings: AdapterSettings,
    /// blake3 over the training items and labels, sorted.
    pub training_hash: [u8; 32],
    /// Number of training labels.
    pub training_n: usize,
    /// The adapter itself.
    pub bytes: Vec<u8>,
}

/// An adapter as a list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterRow {
    pub id: AdapterId,
    pub kind: AdapterKind,
    /// The model it adapts.
    pub model: ModelId,
    /// Stable keys of its labels, in order.
    pub labels: Vec<String>,
    /// Number of the round it was trained after.
    pub round: Option<i64>,
    /// Number of training labels.
    pub training_n: usize,
    /// Hyperparameters and what was measured while training.
    pub settings: Stored<AdapterSettings>,
    /// Hash of its training set.
    pub training_hash: Vec<u8>,
    /// When, UTC milliseconds.
    pub created_ms: i64,
}

impl Store {
    /// Enters an adapter; it is not active yet.
    pub fn add_adapter(&mut self, new: &NewAdapter) -> Result<AdapterId> {
        self.write("save the adapter", |tx| {
            tx.execute(
                "INSERT INTO adapter (uuid, kind, model, parent, round, revision, labels, settings, training_hash,
                                      training_n, bytes, created_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                rusqlite::params![
                    Uuid16(new_uuid()),
                    new.kind,
                    new.model,
                    new.parent,
                    new.round,
                    new.revision,
                    Json(&new.labels),
                    new.settings.write(),
                    new.training_hash,
                    new.training_n as i64,
                    new.bytes,
                    now_ms()
                ],
            )?;
            Ok(AdapterId(tx.last_insert_rowid()))
        })
    }

    /// An adapter's bytes.
    pub fn adapter_bytes(&self, id: AdapterId) -> Result<Option<Vec<u8>>> {
        let what = "read the adapter";
        let sql = format!("SELECT bytes, {} FROM adapter WHERE id = ?1", is_whole("adapter"));
        match self.one(&sql, [id], what, |r| Ok((r.get(0)?, r.get::<_, bool>(1)?)))? {
            Some((_, false)) => Err(broken(what, &format!("adapter {id} is"))),
            found => Ok(found.map(|(bytes, _)| bytes)),
        }
    }

    /// How many bytes an adapter has; 0 once they were dropped.
    pub fn adapter_size(&self, id: AdapterId) -> Result<usize> {
        self.count(
            "SELECT coalesce(max(length(bytes)), 0) FROM adapter WHERE id = ?1",
            [id],
            "read the adapter",
        )
    }

    /// Drops an adapter's bytes; its row and its predictions stay.
    pub fn drop_adapter_bytes(&mut self, id: AdapterId) -> Result<()> {
        self.write("drop the adapter's bytes", |tx| {
            tx.execute("UPDATE adapter SET bytes = x'' WHERE id = ?1", [id]).map(drop)
        })
    }

    /// All adapters, oldest first.
    pub fn adapters(&self) -> Result<Vec<AdapterRow>> {
        self.all_rows(
            "SELECT a.id, a.kind, r.number, a.training_n, a.settings, a.training_hash, a.created_ms,
                    a.model, a.labels
             FROM adapter a LEFT JOIN round r ON r.id = a.round ORDER BY a.id",
            "read the adapters",
            |r| {
                let kind = r.get(1)?;
                Ok(AdapterRow {
                    id: r.get(0)?,
                    kind,
                    round: r.get(2)?,
                    training_n: r.get::<_, i64>(3)?.unsigned_abs() as usize,
                    settings: AdapterSettings::read(kind, r.get_ref(4)?.as_str()?),
                    training_hash: r.get(5)?,
                    created_ms: r.get(6)?,
                    model: r.get(7)?,
                    labels: r.get::<_, Json<Vec<String>>>(8)?.0,
                })
            },
        )
    }
}
