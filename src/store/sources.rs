//! Imports: rows arrive in slices under a source that nobody sees until one last commit makes it ready.

use std::borrow::Cow;

use rusqlite::Transaction;

use super::attempt::Attempt;
use super::clock::now_ms;
use super::open::Store;
use crate::domain::fault::Result;
use crate::domain::ids::{ItemId, SourceId};
use crate::domain::item::ItemKey;
use crate::domain::split::Split;

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
    /// The columns shown beside the text, as a JSON object.
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
    /// Its id.
    pub id: SourceId,
    /// The file's name.
    pub name: String,
    /// How it was read, as JSON of the format room.
    pub found: String,
    /// Rows kept.
    pub rows: i64,
    /// Items that were new.
    pub items: i64,
    /// Rows refused.
    pub rejected: i64,
}

impl Store {
    /// Begins an import. Its rows stay unseen until [`Store::finish_source`].
    pub fn begin_source(&mut self, name: &str, found: &str) -> Result<SourceId> {
        self.write("begin the import", |tx| {
            tx.execute(
                "INSERT INTO source (name, found, state, started_ms) VALUES (?1, ?2, 'loading', ?3)",
                (name, found, now_ms()),
            )?;
            Ok(SourceId(tx.last_insert_rowid()))
        })
    }

    /// Adds rows; exact duplicates fold into the item that is there.
    pub fn add_rows<R: ImportRow>(
        &mut self,
        source: SourceId,
        rows: impl IntoIterator<Item = R>,
    ) -> Result<Loaded> {
        let mut loaded = Loaded::default();
        self.write_in_slices("import rows", rows, |tx, slice| {
            slice.try_for_each(|row| {
                loaded.rows += 1;
                loaded.items += i64::from(add_row(tx, source, &row)?);
                Ok(())
            })
        })?;
        Ok(loaded)
    }

    /// The last commit of an import: everything in it is seen from here on.
    pub fn finish_source(
        &mut self,
        source: SourceId,
        loaded: Loaded,
        empty: u64,
        rejected: u64,
    ) -> Result<()> {
        self.write("finish the import", |tx| {
            tx.execute(
                "UPDATE source SET state = 'ready', rows = ?2, items = ?3, empty = ?4, rejected = ?5, finished_ms = ?6
                 WHERE id = ?1",
                (source, loaded.rows, loaded.items, empty.cast_signed(), rejected.cast_signed(), now_ms()),
            )
            .map(drop)
        })
    }

    /// Clears imports that were abandoned before they were ready. Returns how many there were.
    pub fn clear_abandoned_sources(&mut self) -> Result<usize> {
        let what = "clear an abandoned import";
        let abandoned: Vec<SourceId> = self.all("SELECT id FROM source WHERE state = 'loading'", what)?;
        for &source in &abandoned {
            // Backwards, so that a clearing that is itself cut short leaves a shorter load of the same shape.
            while self.write(what, |tx| {
                tx.execute(
                    "DELETE FROM source_row WHERE source = ?1 AND row IN
                     (SELECT row FROM source_row WHERE source = ?1 ORDER BY row DESC LIMIT 1000)",
                    [source],
                )
            })? > 0
            {}
            while self.write(what, |tx| {
                tx.execute(
                    "DELETE FROM item WHERE id IN (SELECT id FROM item WHERE source = ?1 AND id >=
                       (SELECT coalesce(max(id) - 500, 0) FROM item WHERE source = ?1))",
                    [source],
                )
            })? > 0
            {}
            self.write(what, |tx| tx.execute("DELETE FROM source WHERE id = ?1", [source]))?;
        }
        Ok(abandoned.len())
    }

    /// The imports that are ready, in the order they came.
    pub fn sources(&self) -> Result<Vec<Source>> {
        self.all_rows(
            "SELECT id, name, found, rows, items, rejected FROM source WHERE state = 'ready' ORDER BY id",
            "read the imports",
            |r| {
                Ok(Source {
                    id: r.get(0)?,
                    name: r.get(1)?,
                    found: r.get(2)?,
                    rows: r.get(3)?,
                    items: r.get(4)?,
                    rejected: r.get(5)?,
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

fn add_row<R: ImportRow>(tx: &Transaction<'_>, source: SourceId, row: &R) -> rusqlite::Result<bool> {
    let key = row.key().0;
    // Most rows are new, and an insertion that fails costs one look-up, as a question first would.
    let is_new = tx
        .prepare_cached(
            "INSERT INTO item (key, text, split, source) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute((&key, row.text(), row.split(), source))?
        == 1;
    let (item, same_text) = if is_new {
        (ItemId(tx.last_insert_rowid()), true)
    } else {
        tx.prepare_cached("SELECT id, text = ?2 FROM item WHERE key = ?1")?
            .query_row((&key, row.text()), |r| Ok((r.get(0)?, r.get(1)?)))?
    };
    tx.prepare_cached(
        "INSERT INTO source_row (source, row, external_id, gold, meta, fields, item) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((source, row.row(), row.external_id(), row.gold(), row.meta(), row.fields(same_text), item))?;
    Ok(is_new)
}
