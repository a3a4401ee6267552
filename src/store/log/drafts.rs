//! Notes that were begun and not saved yet.

use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId};
use crate::store::db::open::Store;

impl Store {
    /// Keeps a half-written note; an empty one drops what was kept.
    pub fn keep_draft(&mut self, expert: ExpertId, item: ItemId, text: &str) -> Result<()> {
        self.write("keep the half-written note", |tx| {
            if text.is_empty() {
                tx.prepare_cached("DELETE FROM draft WHERE expert = ?1 AND item = ?2")?
                    .execute((expert, item))
            } else {
                tx.prepare_cached("INSERT OR REPLACE INTO draft (expert, item, text) VALUES (?1, ?2, ?3)")?
                    .execute((expert, item, text))
            }
            .map(drop)
        })
    }

    /// The half-written note of an expert on an item.
    pub fn draft(&self, expert: ExpertId, item: ItemId) -> Result<Option<String>> {
        self.one(
            "SELECT text FROM draft WHERE expert = ?1 AND item = ?2",
            (expert, item),
            "read the half-written note",
            |r| r.get(0),
        )
    }
}
