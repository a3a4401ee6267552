//! Imports: rows arrive in slices under a source that nobody sees until one last commit makes it ready.
//!
//! The keys of new items are listed later than the items, many at a time and in order: they are hashes, and a slice of some hundred of
//! them would touch as many pages of the list.

use std::borrow::Cow;
use std::collections::HashMap;

use rusqlite::{CachedStatement, OptionalExtension, Transaction};

use crate::domain::fault::Result;
use crate::domain::ids::{ItemId, SourceId};
use crate::domain::item::ItemKey;
use crate::domain::split::Split;
use crate::store::db::attempt::Attempt;
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;

/// Keys of new items that are kept in memory before they are listed: some 10 MB.
const MOST_UNLISTED: usize = 128 * 1024;

/// An import under way. After an error there is only [`Store::clear_abandoned_sources`] for it.
pub struct Load {
    source: SourceId,
    /// Items of this import whose keys are not in `item_key` yet.
    unlisted: HashMap<ItemKey, ItemId>,
    loaded: Loaded,
}

impl Load {
    /// What it has counted so far.
    pub fn loaded(&self) -> Loaded {
        self.loaded
    }
}

/// A row on its way into the file.
pub trait ImportRow {
    /// Its number in the source, from 1.
    fn row(&self) -> i64;
    /// The text exactly as it stands.
    fn text(&self) -> &str;
    /// The key of the item it belongs to.
    fn key(&self) -> ItemKey;
    /// The split of that item.
    fn split(&self) -> Split;
    /// The file's own id.
    fn external_id(&self) -> Option<&str>;
    /// The known label.
    fn gold(&self) -> Option<&str>;
    /// The columns shown with the text, as a JSON object.
    fn meta(&self) -> Option<&str>;
    /// The whole row as JSON, without the text where the item holds the same to the byte.
    fn fields(&self, item_holds_text: bool) -> Cow<'_, str>;
}

/// What an import counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Rows kept.
    pub rows: i64,
    /// Items that were new.
    pub items: i64,
}

/// An import that is ready.
#[derive(Clone, Debug)]
pub struct Source {
    pub id: SourceId,
    /// The file's name.
    pub name: String,
    /// How it was read, as JSON of the format room.
    pub found: String,
    /// Rows kept.
    pub rows: i64,
    /// Items that were new.
    pub items: i64,
    /// Rows without a text, which were left out.
    pub empty: i64,
    /// Rows refused.
    pub rejected: i64,
    /// When it was ready, UTC milliseconds.
    pub finished_ms: i64,
}

impl Store {
    /// Begins an import. Its rows stay unseen until [`Store::finish_source`].
    pub fn begin_source(&mut self, name: &str, found: &str) -> Result<Load> {
        let source = self.write("begin the import", |tx| {
            tx.execute(
                "INSERT INTO source (uuid, name, found, state, started_ms) VALUES (?1, ?2, ?3, 'loading', ?4)",
                (Uuid16(new_uuid()), name, found, now_ms()),
            )?;
            Ok(SourceId(tx.last_insert_rowid()))
        })?;
        Ok(Load { source, unlisted: HashMap::new(), loaded: Loaded::default() })
    }

    /// Adds rows; exact duplicates fold into the item that is there.
    pub fn add_rows<R: ImportRow>(
        &mut self,
        load: &mut Load,
        rows: impl IntoIterator<Item = R>,
    ) -> Result<()> {
        self.write_in_slices("import rows", rows, |tx, slice| {
            let mut statements = RowStatements::new(tx)?;
            slice.try_for_each(|row| statements.add(load, &row))
        })?;
        if load.unlisted.len() >= MOST_UNLISTED { self.list_keys(load) } else { Ok(()) }
    }

    /// In the order of the keys: each page of the list is written once, and a fresh list grows at its end.
    fn list_keys(&mut self, load: &mut Load) -> Result<()> {
        let mut keys: Vec<_> = load.unlisted.drain().collect();
        keys.sort_unstable();
        self.write_in_slices("import rows", keys, |tx, slice| {
            let mut insert = tx.prepare_cached("INSERT INTO item_key (key, item) VALUES (?1, ?2)")?;
            slice.try_for_each(|(key, item)| insert.execute((&key.0, item)).map(drop))
        })
        .map(drop)
    }

    /// How many ids of an import have another text than in every earlier import of a file with the same name.
    pub fn ids_with_another_text(&self, load: &Load) -> Result<i64> {
        let sql = "SELECT count(*) FROM (
               SELECT n.external_id FROM source_row n
               JOIN (SELECT r.external_id, r.item FROM source_row r JOIN source s ON s.id = r.source
                     JOIN source new ON new.id = ?1 AND s.name = new.name
                     WHERE s.state = 'ready' AND s.id <> ?1 AND r.external_id IS NOT NULL) o
                 ON o.external_id = n.external_id
               WHERE n.source = ?1
               GROUP BY n.external_id HAVING max(o.item = n.item) = 0)";
        Ok(self.one(sql, [load.source], "compare the import with earlier ones", |r| r.get(0))?.unwrap_or(0))
    }

    /// The last commit of an import: everything in it is seen from here on.
    pub fn finish_source(&mut self, mut load: Load, empty: u64, rejected: u64) -> Result<Loaded> {
        self.list_keys(&mut load)?;
        let Load { source, loaded, .. } = load;
        self.write("finish the import", |tx| {
            tx.execute(
                "UPDATE source SET state = 'ready', rows = ?2, items = ?3, empty = ?4, rejected = ?5, finished_ms = ?6
                 WHERE id = ?1",
                (source, loaded.rows, loaded.items, empty.cast_signed(), rejected.cast_signed(), now_ms()),
            )?;
            Ok(loaded)
        })
    }

    /// Clears imports that were abandoned before they were ready. Returns how many there were.
    pub fn clear_abandoned_sources(&mut self) -> Result<usize> {
        let what = "clear an abandoned import";
        let abandoned: Vec<SourceId> = self.all("SELECT id FROM source WHERE state = 'loading'", what)?;
        for &source in &abandoned {
            // Backwards, so that a clearing that is itself cut short leaves a shorter load of the same shape.
            while self.write_slice(what, |tx| {
                tx.execute(
                    "DELETE FROM source_row WHERE source = ?1 AND row IN
                     (SELECT row FROM source_row WHERE source = ?1 ORDER BY row DESC LIMIT 1000)",
                    [source],
                )
            })? > 0
            {}
            while self.write_slice(what, |tx| {
                let first: i64 = tx.query_row(
                    "SELECT coalesce(max(id) - 500, 0) FROM item WHERE source = ?1",
                    [source],
                    |r| r.get(0),
                )?;
                tx.execute(
                    "DELETE FROM item_key WHERE item >= ?2 AND key IN
                       (SELECT key FROM item WHERE source = ?1 AND id >= ?2)",
                    (source, first),
                )?;
                tx.execute("DELETE FROM item WHERE source = ?1 AND id >= ?2", (source, first))
            })? > 0
            {}
            self.write(what, |tx| tx.execute("DELETE FROM source WHERE id = ?1", [source]))?;
        }
        Ok(abandoned.len())
    }

    /// The imports that are ready, in the order they came.
    pub fn sources(&self) -> Result<Vec<Source>> {
        self.all_rows(
            "SELECT id, name, found, rows, items, empty, rejected, coalesce(finished_ms, started_ms)
             FROM source WHERE state = 'ready' ORDER BY id",
            "read the imports",
            |r| {
                Ok(Source {
                    id: r.get(0)?,
                    name: r.get(1)?,
                    found: r.get(2)?,
                    rows: r.get(3)?,
                    items: r.get(4)?,
                    empty: r.get(5)?,
                    rejected: r.get(6)?,
                    finished_ms: r.get(7)?,
                })
            },
        )
    }

    /// Calls `each` with every row of a source in order: item and packed fields.
    pub fn for_each_row(
        &self,
        source: SourceId,
        mut each: impl FnMut(ItemId, &str) -> Result<()>,
    ) -> Result<()> {
        let what = "read the imported rows";
        let mut statement = self
            .conn
            .prepare_cached("SELECT item, fields FROM source_row WHERE source = ?1 ORDER BY row")
            .attempting(what)?;
        let mut rows = statement.query([source]).attempting(what)?;
        while let Some(row) = rows.next().attempting(what)? {
            let item = row.get(0).attempting(what)?;
            let fields = row.get_ref(1).and_then(|v| v.as_str().map_err(Into::into)).attempting(what)?;
            each(item, fields)?;
        }
        Ok(())
    }
}

/// What adds one row after the other within a transaction.
struct RowStatements<'t> {
    find: CachedStatement<'t>,
    compare: CachedStatement<'t>,
    add_item: CachedStatement<'t>,
    add_row: CachedStatement<'t>,
}

impl<'t> RowStatements<'t> {
    fn new(tx: &'t Transaction<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            find: tx.prepare_cached("SELECT item FROM item_key WHERE key = ?1")?,
            compare: tx.prepare_cached("SELECT text = ?2 FROM item WHERE id = ?1")?,
            add_item: tx
                .prepare_cached("INSERT INTO item (key, text, split, source) VALUES (?1, ?2, ?3, ?4)")?,
            add_row: tx.prepare_cached(
                "INSERT INTO source_row (source, row, external_id, gold, meta, fields, item)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
        })
    }

    fn add<R: ImportRow>(&mut self, load: &mut Load, row: &R) -> rusqlite::Result<()> {
        let (source, key) = (load.source, row.key());
        let known = match load.unlisted.get(&key) {
            Some(item) => Some(*item),
            None => self.find.query_row([&key.0], |r| r.get(0)).optional()?,
        };
        let (item, same_text) = match known {
            Some(item) => (item, self.compare.query_row((item, row.text()), |r| r.get(0))?),
            None => {
                let item = self.add_item.insert((&key.0, row.text(), row.split(), source)).map(ItemId)?;
                load.unlisted.insert(key, item);
                load.loaded.items += 1;
                (item, true)
            }
        };
        let fields = row.fields(same_text);
        self.add_row.execute((source, row.row(), row.external_id(), row.gold(), row.meta(), fields, item))?;
        load.loaded.rows += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
