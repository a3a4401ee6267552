//! The pool's texts. Items of an import that is still loading are never returned.

use super::embeddings::Space;
use crate::domain::fault::Result;
use crate::domain::ids::{ItemId, ModelId, PredictorId};
use crate::domain::item::ItemKey;
use crate::domain::split::Split;
use crate::store::db::attempt::Attempt;
use crate::store::db::open::Store;
use crate::store::db::row_seals::{broken, is_whole};

/// Items that everybody may see.
const READY: &str = "source NOT IN (SELECT id FROM source WHERE state <> 'ready')";

/// Every item with its text, the columns that are shown with it, and the file that it came from.
const ORIGIN: &str = "SELECT i.id, i.text, (SELECT meta FROM source_row r WHERE r.item = i.id AND meta IS NOT NULL LIMIT 1), s.name
    FROM item i JOIN source s ON s.id = i.source WHERE s.state = 'ready'";

/// Stands where the text of an item that was removed stood.
pub const FORGOTTEN: &str = "(forgotten)";

/// A text as it is shown. No imported text is empty.
fn shown(text: String) -> String {
    if text.is_empty() { FORGOTTEN.into() } else { text }
}

/// An item with what a case shows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownItem {
    pub id: ItemId,
    /// The text exactly as first imported.
    pub text: String,
    /// Columns shown with the text, as a JSON object, from the first row that had them.
    pub meta: Option<String>,
}

/// A text with what came with it.
#[derive(Clone, Debug, PartialEq)]
pub struct TextOrigin {
    pub text: String,
    /// Columns shown with it, as in [`ShownItem`].
    pub meta: Option<String>,
    /// The name of the file that it first came from.
    pub source: String,
}

impl Store {
    /// How many items the pool has.
    pub fn item_count(&self) -> Result<usize> {
        self.count("SELECT coalesce(sum(items), 0) FROM source WHERE state = 'ready'", (), "count the items")
    }

    /// How many rows were imported, duplicates included.
    pub fn row_count(&self) -> Result<usize> {
        self.count("SELECT coalesce(sum(rows), 0) FROM source WHERE state = 'ready'", (), "count the rows")
    }

    /// One item as a case shows it; of one that was removed, [`FORGOTTEN`] in the place of its text.
    pub fn item(&self, id: ItemId) -> Result<Option<ShownItem>> {
        Ok(self.stored_item(id)?.map(|item| ShownItem { text: shown(item.text), ..item }))
    }

    /// The same; of one that was removed, no text.
    fn stored_item(&self, id: ItemId) -> Result<Option<ShownItem>> {
        let what = "read an item";
        let sql = format!(
            "SELECT i.text, (SELECT meta FROM source_row r WHERE r.item = i.id AND meta IS NOT NULL LIMIT 1), {}
             FROM item i WHERE i.id = ?1 AND source NOT IN (SELECT id FROM source WHERE state = 'loading')",
            is_whole("item")
        );
        let read = |r: &rusqlite::Row<'_>| {
            Ok((ShownItem { id, text: r.get(0)?, meta: r.get(1)? }, r.get::<_, bool>(2)?))
        };
        match self.one(&sql, [id], what, read)? {
            Some((_, false)) => Err(broken(what, &format!("text {id} is"))),
            found => Ok(found.map(|(item, _)| item)),
        }
    }

    /// An item's text with what came with it.
    pub fn text_origin(&self, id: ItemId) -> Result<Option<TextOrigin>> {
        self.one(&format!("{ORIGIN} AND i.id = ?1"), [id], "read an item", |r| {
            Ok(TextOrigin { text: r.get(1)?, meta: r.get(2)?, source: r.get(3)? })
        })
    }

    /// Calls `each` with every item by id: its text, its columns as in [`TextOrigin`], and where it came from.
    pub fn for_each_origin(
        &self,
        mut each: impl FnMut(ItemId, &str, Option<&str>, &str) -> Result<()>,
    ) -> Result<()> {
        let what = "read the pool";
        let mut statement = self.conn.prepare_cached(&format!("{ORIGIN} ORDER BY i.id")).attempting(what)?;
        let mut rows = statement.query([]).attempting(what)?;
        while let Some(r) = rows.next().attempting(what)? {
            let text = |i: usize| -> rusqlite::Result<Option<&str>> { Ok(r.get_ref(i)?.as_str_or_null()?) };
            each(
                r.get(0).attempting(what)?,
                text(1).attempting(what)?.unwrap_or_default(),
                text(2).attempting(what)?,
                text(3).attempting(what)?.unwrap_or_default(),
            )?;
        }
        Ok(())
    }

    /// The columns of the first row that became this item, packed, and how its file was read.
    pub fn first_row_of(&self, id: ItemId) -> Result<Option<(String, String)>> {
        self.one(
            &format!(
                "SELECT r.fields, s.found FROM source_row r JOIN source s ON s.id = r.source
                 WHERE r.item = ?1 AND r.{READY} ORDER BY r.source, r.row LIMIT 1"
            ),
            [id],
            "read the columns of an imported row",
            |r| Ok((r.get(0)?, r.get(1)?)),
        )
    }

    /// The items of the rows that have this id in their files, in the order of their numbers.
    pub fn items_of_external_id(&self, id: &str) -> Result<Vec<ItemId>> {
        self.all_rows_of(
            "SELECT DISTINCT item FROM source_row WHERE external_id = ?1
             AND source NOT IN (SELECT id FROM source WHERE state = 'loading') ORDER BY item",
            [id],
            "find a text by its own id",
            |r| r.get(0),
        )
    }

    /// The file's own id of an item, from the first row that has one.
    pub fn own_id(&self, id: ItemId) -> Result<Option<String>> {
        self.one(
            "SELECT external_id FROM source_row WHERE item = ?1 AND external_id IS NOT NULL
             AND source NOT IN (SELECT id FROM source WHERE state = 'loading') ORDER BY source, row LIMIT 1",
            [id],
            "read an item",
            |r| r.get(0),
        )
    }

    /// An item's text, and the file's own id from the first row that had one.
    pub fn item_text_and_id(&self, id: ItemId) -> Result<(String, Option<String>)> {
        let found = self.one(
            "SELECT text, (SELECT external_id FROM source_row r WHERE r.item = ?1 AND external_id IS NOT NULL LIMIT 1)
             FROM item WHERE id = ?1",
            [id],
            "read an item",
            |r| Ok((r.get(0)?, r.get(1)?)),
        )?;
        let (text, own_id) = found.unwrap_or_default();
        Ok((shown(text), own_id))
    }

    /// The text of a key, where it is here.
    pub fn text_of_key(&self, key: &ItemKey) -> Result<Option<String>> {
        let what = "read an item";
        let sql = "SELECT i.text FROM item_key k CROSS JOIN item i ON i.id = k.item WHERE k.key = ?1";
        let text: Option<String> = self.one(sql, [key.0], what, |r| r.get(0))?;
        if text.as_deref() == Some("") {
            return Ok(None);
        }
        // One that is there, and not found under its key, is found by looking at all of them.
        let is_right = match &text {
            Some(text) => ItemKey::of(text) == *key,
            None => self.count("SELECT count(*) FROM item WHERE key = ?1", [key.0], what)? == 0,
        };
        if is_right { Ok(text) } else { Err(broken(what, "the list of texts is")) }
    }

    /// The text with that key, where it is here.
    pub fn item_of_key(&self, key: &ItemKey) -> Result<Option<ItemId>> {
        let sql = format!(
            "SELECT i.id FROM item_key k CROSS JOIN item i ON i.id = k.item WHERE k.key = ?1 AND i.key = k.key AND i.{READY}"
        );
        self.one(&sql, [key.0], "find a text", |r| r.get(0))
    }

    /// The split of an item.
    pub fn split_of(&self, id: ItemId) -> Result<Option<Split>> {
        self.one("SELECT split FROM item WHERE id = ?1", [id], "read an item", |r| r.get(0))
    }

    /// The texts of these items, in that order; those that are not there, or were removed, are left out.
    pub fn texts(&self, items: &[ItemId]) -> Result<Vec<(ItemId, String)>> {
        let mut texts = Vec::with_capacity(items.len());
        for &id in items {
            let item = self.stored_item(id)?.filter(|item| !item.text.is_empty());
            texts.extend(item.map(|item| (id, item.text)));
        }
        Ok(texts)
    }

    /// Ids and splits of the whole pool, by id.
    pub fn splits(&self) -> Result<Vec<(ItemId, Split)>> {
        self.all_rows(
            &format!("SELECT id, split FROM item WHERE {READY} ORDER BY id"),
            "read the pool",
            |r| Ok((r.get(0)?, r.get(1)?)),
        )
    }

    /// Up to `limit` items after `after` that have no vector there yet, by id.
    pub fn items_without_vector(
        &self,
        space: Space,
        after: ItemId,
        limit: usize,
    ) -> Result<Vec<(ItemId, String)>> {
        let sql = format!(
            "SELECT id, text FROM item i WHERE id > ?3 AND {READY} AND NOT EXISTS
             (SELECT 1 FROM embedding e WHERE e.model = ?1 AND e.adapter = ?2 AND e.item = i.id)
             AND (?2 = 0 OR EXISTS (SELECT 1 FROM embedding e WHERE e.model = ?1 AND e.adapter = 0 AND e.item = i.id))
             ORDER BY id LIMIT ?4"
        );
        let parameters = (space.model, space.number(), after, limit as i64);
        self.all_rows_of(&sql, parameters, "read the pool", |r| Ok((r.get(0)?, r.get(1)?)))
    }

    /// Of the first `limit` items in the order of their hashes, a random sample of the pool, those without a vector.
    pub fn sample_without_vector(&self, model: ModelId, limit: usize) -> Result<Vec<(ItemId, String)>> {
        let sql = format!(
            "SELECT id, text FROM (SELECT id, text FROM item_key k CROSS JOIN item ON id = k.item
                                   WHERE {READY} ORDER BY k.key LIMIT ?2) i WHERE NOT EXISTS
             (SELECT 1 FROM embedding e WHERE e.model = ?1 AND e.adapter = 0 AND e.item = i.id)"
        );
        self.all_rows_of(&sql, (model, limit as i64), "read the pool", |r| Ok((r.get(0)?, r.get(1)?)))
    }

    /// The texts of the first `limit` items in the order of their hashes: a random sample of the pool, the same at every call.
    pub fn sample_texts(&self, limit: usize) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT text FROM item_key k CROSS JOIN item ON id = k.item WHERE {READY} ORDER BY k.key LIMIT ?1"
        );
        self.all_rows_of(&sql, [limit as i64], "read the pool", |r| r.get(0))
    }

    /// How many items have a vector there.
    pub fn vector_count(&self, space: Space) -> Result<usize> {
        self.count(
            "SELECT count(*) FROM embedding WHERE model = ?1 AND adapter = ?2",
            (space.model, space.number()),
            "count the vectors",
        )
    }

    /// The items that have a vector there, by id.
    pub fn items_with_vector(&self, space: Space) -> Result<Vec<ItemId>> {
        self.all_rows_of(
            "SELECT item FROM embedding WHERE model = ?1 AND adapter = ?2 ORDER BY item",
            (space.model, space.number()),
            "read which texts have a vector",
            |r| r.get(0),
        )
    }

    /// How many items have a prediction of that predictor.
    pub fn prediction_count(&self, predictor: PredictorId) -> Result<usize> {
        self.count(
            "SELECT count(*) FROM prediction WHERE predictor = ?1",
            [predictor],
            "count the predictions",
        )
    }

    /// Calls `each` with every item by id: its text, the external id of its first row, and the gold of the first row that has one.
    pub fn for_each_item(
        &self,
        mut each: impl FnMut(ItemId, &str, Option<&str>, Option<&str>) -> Result<()>,
    ) -> Result<()> {
        let what = "read the pool";
        let sql = format!(
            "SELECT i.id, i.text, r.external_id, coalesce(r.gold, (
               SELECT g.gold FROM source_row g WHERE g.item = i.id AND g.gold IS NOT NULL AND g.{READY} ORDER BY g.source, g.row LIMIT 1))
             FROM item i
             LEFT JOIN source_row r ON r.source = i.source AND r.item = i.id AND r.row =
               (SELECT min(f.row) FROM source_row f WHERE f.item = i.id AND f.source = i.source)
             WHERE i.{READY} ORDER BY i.id"
        );
        let mut statement = self.conn.prepare_cached(&sql).attempting(what)?;
        let mut rows = statement.query([]).attempting(what)?;
        while let Some(r) = rows.next().attempting(what)? {
            let text = |i: usize| -> rusqlite::Result<Option<&str>> { Ok(r.get_ref(i)?.as_str_or_null()?) };
            let id = r.get(0).attempting(what)?;
            each(
                id,
                text(1).attempting(what)?.unwrap_or_default(),
                text(2).attempting(what)?,
                text(3).attempting(what)?,
            )?;
        }
        Ok(())
    }
}
