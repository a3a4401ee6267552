//! Facts and counts of the whole file, for reports and comparisons. Nothing here depends on the time of reading.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use crate::domain::fault::Result;
use crate::domain::ids::{AdapterId, ItemId, PredictorId};
use crate::domain::item::ItemKey;
use crate::domain::split::Split;
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;

/// How the project came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    pub at_ms: i64,
    /// The program and its version.
    pub by: String,
}

/// An adapter's bytes as the file has them, or knows of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdapterBytes {
    /// They are in the file.
    Held(Vec<u8>),
    /// A part of the project was not given them: their SHA-256.
    LeftOut(Vec<u8>),
    /// They were dropped.
    Dropped,
}

impl Store {
    /// When the project was made, and by which program.
    pub fn made(&self) -> Result<Made> {
        let made = self.one("SELECT created_ms, created_by FROM project", (), "read the project", |r| {
            Ok(Made { at_ms: r.get(0)?, by: r.get(1)? })
        })?;
        Ok(made.unwrap_or(Made { at_ms: 0, by: String::new() }))
    }

    /// How many texts each split has.
    pub fn split_counts(&self) -> Result<BTreeMap<Split, usize>> {
        let rows = self.all_rows(
            "SELECT split, count(*) FROM item WHERE source NOT IN (SELECT id FROM source WHERE state <> 'ready') GROUP BY split",
            "count the texts",
            |r| Ok((r.get(0)?, r.get::<_, i64>(1)?.unsigned_abs() as usize)),
        )?;
        Ok(rows.into_iter().collect())
    }

    /// Every table with its number of rows, by name.
    pub fn rows_of_tables(&self) -> Result<Vec<(String, u64)>> {
        let what = "count the rows of the tables";
        let names: Vec<String> = self.all_rows(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
            what,
            |r| r.get(0),
        )?;
        let rows = |name: String| {
            let sql = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
            let n = self.one(&sql, (), what, |r| r.get::<_, i64>(0))?;
            Ok((name, n.unwrap_or(0).unsigned_abs()))
        };
        names.into_iter().map(rows).collect()
    }

    /// Each item that was ever a case or spoken of, with its key.
    pub fn keys_of_cases(&self) -> Result<Vec<(ItemId, ItemKey)>> {
        self.all_rows(
            "SELECT id, key FROM item WHERE id IN (SELECT item FROM label_case UNION SELECT item FROM label_event) ORDER BY id",
            "read the cases",
            |r| Ok((r.get(0)?, ItemKey(r.get(1)?))),
        )
    }

    /// An item's key and split.
    pub fn key_and_split(&self, item: ItemId) -> Result<Option<(ItemKey, Split)>> {
        self.one("SELECT key, split FROM item WHERE id = ?1", [item], "read an item", |r| {
            Ok((ItemKey(r.get(0)?), r.get(1)?))
        })
    }

    /// The events that are not taken back.
    pub fn upheld(&self) -> Result<HashSet<Uuid>> {
        let upheld: Vec<Uuid16> = self.all("SELECT uuid FROM upheld_event", "read the labels")?;
        Ok(upheld.into_iter().map(|uuid| uuid.0).collect())
    }

    /// The items for which somebody is asked, or may still answer, as the file alone says it: cases of open rounds with fewer answers than were
    /// asked for, no matter who is there to give them, those that were skipped and have no answer, and cases on a screen. At least those that are open to anybody at any time.
    pub fn items_still_asked_for(&self) -> Result<HashSet<ItemId>> {
        let items: Vec<ItemId> = self.all(
            "SELECT c.item FROM label_case c JOIN round r ON r.id = c.round
             WHERE r.closed_ms IS NULL AND c.withdrawn_ms IS NULL AND CASE c.reason
               WHEN 'repeat' THEN c.expert IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM repeat_answer e WHERE e.label_case = c.id AND e.action = 'set')
               ELSE (SELECT count(*) FROM current_answer a WHERE a.item = c.item AND a.action = 'set') < max(c.overlap, 1) END
             UNION SELECT c.item FROM label_case c WHERE c.withdrawn_ms IS NULL AND c.reason <> 'repeat'
               AND EXISTS (SELECT 1 FROM standing_event s WHERE s.item = c.item AND s.action = 'skip')
               AND NOT EXISTS (SELECT 1 FROM standing_event s WHERE s.item = c.item AND s.action IN ('set', 'adjudicate'))
             UNION SELECT c.item FROM lease l JOIN label_case c ON c.id = l.label_case JOIN person p ON p.expert = l.expert
             WHERE NOT EXISTS (SELECT 1 FROM current_answer a WHERE a.item = c.item AND a.person = p.person AND a.action = 'set')",
            "read the cases",
        )?;
        Ok(items.into_iter().collect())
    }

    pub fn predictor_uuids(&self) -> Result<BTreeMap<PredictorId, Uuid>> {
        let rows = self.all_rows("SELECT id, uuid FROM predictor", "read the predictors", |r| {
            Ok((r.get(0)?, r.get::<_, Uuid16>(1)?.0))
        })?;
        Ok(rows.into_iter().collect())
    }

    /// The bytes of the adapter of that UUID.
    pub fn bytes_of_adapter(&self, uuid: Uuid) -> Result<AdapterBytes> {
        let found = self.one(
            "SELECT a.id, l.sha256 FROM adapter a LEFT JOIN left_out l ON l.adapter = a.id WHERE a.uuid = ?1",
            [Uuid16(uuid)],
            "read the adapter",
            |r| Ok((r.get::<_, AdapterId>(0)?, r.get::<_, Option<Vec<u8>>>(1)?)),
        )?;
        let found = found.map(|(id, sha256)| Ok((self.adapter_bytes(id)?.unwrap_or_default(), sha256)));
        Ok(match found.transpose()? {
            Some((bytes, _)) if !bytes.is_empty() => AdapterBytes::Held(bytes),
            Some((_, Some(sha256))) => AdapterBytes::LeftOut(sha256),
            _ => AdapterBytes::Dropped,
        })
    }
}
