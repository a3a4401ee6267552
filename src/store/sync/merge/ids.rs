//! Numbers in this file of what a log names by UUID, key, name or hash. Decides nothing.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Transaction};
use uuid::Uuid;

use crate::domain::item::ItemKey;

/// Numbers here of what a log names.
#[derive(Default)]
pub(super) struct Ids {
    pub experts: HashMap<String, i64>,
    pub sessions: HashMap<Uuid, i64>,
    pub revisions: HashMap<Uuid, i64>,
    pub models: HashMap<Vec<u8>, i64>,
    pub adapters: HashMap<Uuid, i64>,
    pub predictors: HashMap<Uuid, i64>,
    pub rounds: HashMap<Uuid, i64>,
    pub cases: HashMap<Uuid, i64>,
    pub items: HashMap<ItemKey, Option<i64>>,
}

impl Ids {
    /// The item of a key, where everybody may see it.
    pub fn item(&mut self, tx: &Transaction<'_>, key: &ItemKey) -> rusqlite::Result<Option<i64>> {
        if let Some(known) = self.items.get(key) {
            return Ok(*known);
        }
        let found = tx
            .prepare_cached(
                "SELECT i.id FROM item_key k CROSS JOIN item i ON i.id = k.item WHERE k.key = ?1
                 AND i.source NOT IN (SELECT id FROM source WHERE state = 'loading')",
            )?
            .query_row([key.0], |r| r.get(0))
            .optional()?;
        self.items.insert(*key, found);
        Ok(found)
    }
}
