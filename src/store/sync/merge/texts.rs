//! Texts and imported rows that a copy has and this file lacks.
//!
//! An import that is new here arrives as it would from a file: unseen until one last commit. Rows of an import that is here in part are
//! seen at once, so their texts are listed under their keys in the same commit.

use std::collections::{HashMap, HashSet};

use rusqlite::{Rows, Transaction};

use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::item::{ItemKey, normalise};
use crate::domain::split::SplitShares;
use crate::store::db::attempt::Attempt;
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;

const WHAT: &str = "bring texts in";

/// The texts of a copy compared with those of this file.
pub struct Texts {
    /// Items of the copy that this file has, too, with their number here.
    pub(super) here: HashMap<i64, i64>,
    /// Items of the copy whose text was removed here: it stays away.
    pub(super) forgotten: HashSet<i64>,
    sources: Vec<Source>,
    /// What this file lacks.
    pub lacking: TextsLacking,
}

/// What this file lacks of texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextsLacking {
    /// Imports of which nothing is here.
    pub imports: usize,
    /// Rows, those included that are here without their columns.
    pub rows: usize,
    pub texts: usize,
}

/// An import of the copy.
struct Source {
    id: i64,
    found: String,
    here: Option<i64>,
    /// The rows to bring, ascending; none for all.
    rows: Option<Vec<i64>>,
}

/// Writes the text into a packed row that left it out: how the source was read, the row, the text.
pub type Fill<'a> = dyn Fn(&str, &str, &str) -> Result<String> + 'a;

/// A row on its way.
struct Row {
    row: i64,
    external_id: Option<String>,
    gold: Option<String>,
    meta: Option<String>,
    fields: String,
    item: i64,
    key: [u8; 32],
    text: String,
}

impl Store {
    /// Compares the texts of a copy with those that are here. Reads only.
    pub fn compare_texts(&self, copy: &Self) -> Result<Texts> {
        let mut here = shared_items(self, copy)?;
        let theirs =
            copy.count(&format!("SELECT count(*) FROM ({})", copy.keys_sql(Removed::LeftOut)?), (), WHAT)?;
        let mut lacking = TextsLacking { texts: theirs - here.len(), ..TextsLacking::default() };
        let removed = self.forgotten_items()?;
        let forgotten: HashSet<i64> = here
            .iter()
            .filter(|(_, own)| removed.contains(&ItemId(**own)))
            .map(|(theirs, _)| *theirs)
            .collect();
        here.retain(|theirs, _| !forgotten.contains(theirs));
        let ready: Vec<(i64, Uuid16, String)> = copy.all_rows(
            "SELECT id, uuid, found FROM source WHERE state = 'ready' ORDER BY id",
            WHAT,
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )?;
        let mut sources = Vec::new();
        for (id, uuid, found) in ready {
            let here: Option<i64> =
                self.one("SELECT id FROM source WHERE uuid = ?1 AND state = 'ready'", [uuid], WHAT, |r| {
                    r.get(0)
                })?;
            let rows = here.map(|here| rows_lacking((self, here), (copy, id), &forgotten)).transpose()?;
            match &rows {
                Some(rows) if rows.is_empty() => continue,
                Some(rows) => lacking.rows += rows.len(),
                None => {
                    lacking.imports += 1;
                    lacking.rows +=
                        copy.count("SELECT count(*) FROM source_row WHERE source = ?1", [id], WHAT)?;
                }
            }
            sources.push(Source { id, found, here, rows });
        }
        Ok(Texts { here, forgotten, sources, lacking })
    }

    /// Takes out what came of a copy in words and quotes a text that was removed here.
    pub fn forget_quotes(&mut self, copy: &Self, texts: &Texts) -> Result<()> {
        let items: Vec<ItemId> = texts.forgotten.iter().copied().map(ItemId).collect();
        let texts: Vec<String> = copy.keys_and_texts(&items)?.into_iter().map(|(_, text)| text).collect();
        self.blank_quotes(&texts)
    }

    /// Brings in what [`Store::compare_texts`] found lacking; `each` hears how many rows came in so far. No import may run at the same time.
    ///
    /// # Errors
    /// A text of the copy that does not belong to its key: the copy is damaged. Of that import nothing is seen then.
    pub fn take_texts(
        &mut self,
        copy: &Self,
        texts: &mut Texts,
        fill: &Fill<'_>,
        mut each: impl FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        let mut done = 0;
        for source in std::mem::take(&mut texts.sources) {
            done += self.take_source(copy, &source, (&mut texts.here, &texts.forgotten), fill)?;
            each(done)?;
        }
        Ok(())
    }

    fn take_source(
        &mut self,
        copy: &Self,
        source: &Source,
        (here, forgotten): (&mut HashMap<i64, i64>, &HashSet<i64>),
        fill: &Fill<'_>,
    ) -> Result<usize> {
        let shares = self.project()?.shares;
        let into = match source.here {
            Some(id) => id,
            None => self.begin_copied_source(copy, source.id)?,
        };
        let mut statement = copy
            .conn
            .prepare_cached(
                "SELECT r.row, r.external_id, r.gold, r.meta, r.fields, r.item, i.key, i.text
                 FROM source_row r JOIN item i ON i.id = r.item WHERE r.source = ?1 ORDER BY r.row",
            )
            .attempting(WHAT)?;
        let rows = statement
            .query_map([source.id], |r| {
                let row = r.get(0)?;
                if source.rows.as_ref().is_some_and(|wanted| wanted.binary_search(&row).is_err()) {
                    return Ok(None);
                }
                if forgotten.contains(&r.get(5)?) {
                    return Ok(None);
                }
                Ok(Some(Row {
                    row,
                    external_id: r.get(1)?,
                    gold: r.get(2)?,
                    meta: r.get(3)?,
                    fields: r.get(4)?,
                    item: r.get(5)?,
                    key: r.get(6)?,
                    text: r.get(7)?,
                }))
            })
            .attempting(WHAT)?
            .filter_map(std::result::Result::transpose);
        let mut unlisted: Vec<([u8; 32], i64)> = Vec::new();
        let mut fault = None;
        let taken = self.write_in_slices(WHAT, rows, |tx, slice| {
            let (mut rows, mut items) = (0, 0);
            for row in slice.by_ref() {
                let mut row = row?;
                let target = RowTarget { source: into, found: &source.found, shares };
                let added = match take_row(tx, &target, &mut row, here, fill) {
                    Ok(added) => added?,
                    Err(why) => {
                        fault.get_or_insert(why);
                        return Err(rusqlite::Error::QueryReturnedNoRows);
                    }
                };
                rows += i64::from(added.row);
                if let Some(item) = added.item {
                    items += 1;
                    if source.here.is_some() {
                        tx.prepare_cached("INSERT INTO item_key (key, item) VALUES (?1, ?2)")?
                            .execute((row.key, item))?;
                    } else {
                        unlisted.push((row.key, item));
                    }
                }
            }
            tx.prepare_cached("UPDATE source SET rows = rows + ?2, items = items + ?3 WHERE id = ?1")?
                .execute((into, rows, items))
                .map(drop)
        });
        let taken = match (fault, taken) {
            (Some(fault), _) => return Err(fault),
            (None, taken) => taken?,
        };
        unlisted.sort_unstable();
        self.write_in_slices(WHAT, unlisted, |tx, slice| {
            let mut insert = tx.prepare_cached("INSERT INTO item_key (key, item) VALUES (?1, ?2)")?;
            slice.try_for_each(|(key, item)| insert.execute((key, item)).map(drop))
        })?;
        if source.here.is_none() {
            self.write(WHAT, |tx| tx.execute("UPDATE source SET state = 'ready' WHERE id = ?1", [into]))?;
        }
        Ok(taken)
    }

    fn begin_copied_source(&mut self, copy: &Self, id: i64) -> Result<i64> {
        type Head = (Uuid16, String, String, i64, i64, i64, Option<i64>);
        let head: Option<Head> = copy.one(
            "SELECT uuid, name, found, empty, rejected, started_ms, finished_ms FROM source WHERE id = ?1",
            [id],
            WHAT,
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?)),
        )?;
        self.write(WHAT, |tx| {
            tx.execute(
                "INSERT INTO source (state, uuid, name, found, empty, rejected, started_ms, finished_ms)
                 VALUES ('loading', ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                head.ok_or(rusqlite::Error::QueryReturnedNoRows)?,
            )?;
            Ok(tx.last_insert_rowid())
        })
    }

    /// Every text's key, in order, but of imports that are still loading.
    fn keys_sql(&self, removed: Removed) -> Result<&'static str> {
        let unseen = match removed {
            Removed::Kept => "SELECT count(*) FROM source WHERE state = 'loading'",
            Removed::LeftOut => "SELECT count(*) FROM source WHERE state <> 'ready'",
        };
        let unseen = self.count(unseen, (), WHAT)?;
        Ok(if unseen == 0 {
            "SELECT key, item FROM item_key ORDER BY key"
        } else if removed == Removed::Kept {
            "SELECT k.key, k.item FROM item_key k CROSS JOIN item i ON i.id = k.item
             WHERE i.source NOT IN (SELECT id FROM source WHERE state = 'loading') ORDER BY k.key"
        } else {
            "SELECT k.key, k.item FROM item_key k CROSS JOIN item i ON i.id = k.item
             WHERE i.source NOT IN (SELECT id FROM source WHERE state <> 'ready') ORDER BY k.key"
        })
    }
}

/// Whether texts that were removed are among the keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Removed {
    Kept,
    LeftOut,
}

/// Items of a copy with their number in the file: both lists of keys are in order.
fn shared_items(file: &Store, copy: &Store) -> Result<HashMap<i64, i64>> {
    let mut ours = file.conn.prepare_cached(file.keys_sql(Removed::Kept)?).attempting(WHAT)?;
    let mut theirs = copy.conn.prepare_cached(copy.keys_sql(Removed::LeftOut)?).attempting(WHAT)?;
    let (mut ours, mut theirs) = (ours.query(()).attempting(WHAT)?, theirs.query(()).attempting(WHAT)?);
    let mut shared = HashMap::new();
    let mut here = next_key(&mut ours).attempting(WHAT)?;
    while let Some((key, item)) = next_key(&mut theirs).attempting(WHAT)? {
        while here.is_some_and(|(mine, _)| mine < key) {
            here = next_key(&mut ours).attempting(WHAT)?;
        }
        if let Some((mine, number)) = here
            && mine == key
        {
            shared.insert(item, number);
        }
    }
    Ok(shared)
}

fn next_key(rows: &mut Rows<'_>) -> rusqlite::Result<Option<([u8; 32], i64)>> {
    rows.next()?.map(|r| Ok((r.get(0)?, r.get(1)?))).transpose()
}

/// Rows of an import that the file lacks, or has without their columns.
fn rows_lacking(
    (file, here): (&Store, i64),
    (copy, id): (&Store, i64),
    forgotten: &HashSet<i64>,
) -> Result<Vec<i64>> {
    let rows = |store: &Store, source: i64| {
        store.all_rows_of(
            "SELECT row, fields = '', item FROM source_row WHERE source = ?1 ORDER BY row",
            [source],
            WHAT,
            |r| Ok((r.get::<_, i64>(0)?, r.get::<_, bool>(1)?, r.get::<_, i64>(2)?)),
        )
    };
    let mut ours = rows(file, here)?.into_iter().peekable();
    let mut lacking = Vec::new();
    for (row, bare, item) in rows(copy, id)? {
        if forgotten.contains(&item) {
            continue;
        }
        while ours.next_if(|(mine, ..)| *mine < row).is_some() {}
        match ours.peek() {
            Some((mine, bare_here, _)) if *mine == row && (bare || !bare_here) => {}
            _ => lacking.push(row),
        }
    }
    Ok(lacking)
}

/// Where a row goes.
struct RowTarget<'a> {
    source: i64,
    found: &'a str,
    shares: SplitShares,
}

/// What was new about a row.
struct Added {
    row: bool,
    item: Option<i64>,
}

/// The outer result is what the copy is at fault for, the inner one the file's.
fn take_row(
    tx: &Transaction<'_>,
    target: &RowTarget<'_>,
    row: &mut Row,
    here: &mut HashMap<i64, i64>,
    fill: &Fill<'_>,
) -> Result<rusqlite::Result<Added>> {
    let mut new = None;
    let item = match here.get(&row.item) {
        Some(item) => {
            let same: rusqlite::Result<bool> = tx
                .prepare_cached("SELECT text = ?2 FROM item WHERE id = ?1")
                .and_then(|mut s| s.query_row((item, &row.text), |r| r.get(0)));
            match same {
                Ok(true) => {}
                // The text that is here stays, and the row keeps its own.
                Ok(false) if row.fields.is_empty() => {}
                Ok(false) => row.fields = fill(target.found, &row.fields, &row.text)?,
                Err(e) => return Ok(Err(e)),
            }
            *item
        }
        None => {
            let normalised = normalise(&row.text);
            if ItemKey::of_normalised(&normalised).0 != row.key {
                return Err(Fault::new(
                    WHAT,
                    "a text of the copy does not belong to its key: the copy is damaged",
                )
                .hint("Copy it once more from where it was made"));
            }
            let split = target.shares.split_normalised(&normalised);
            let added = tx
                .prepare_cached("INSERT INTO item (key, text, split, source) VALUES (?1, ?2, ?3, ?4)")
                .and_then(|mut s| s.insert((row.key, &row.text, split, target.source)));
            match added {
                Ok(item) => {
                    here.insert(row.item, item);
                    new = Some(item);
                    item
                }
                Err(e) => return Ok(Err(e)),
            }
        }
    };
    Ok(put_row(tx, target.source, row, item).map(|row| Added { row, item: new }))
}

/// True where the row was not here; one that was here without its columns gets them.
fn put_row(tx: &Transaction<'_>, source: i64, row: &Row, item: i64) -> rusqlite::Result<bool> {
    let filled = tx
        .prepare_cached(
            "UPDATE source_row SET gold = ?3, meta = ?4, fields = ?5 WHERE source = ?1 AND row = ?2 AND fields = '' AND item = ?6",
        )?
        .execute((source, row.row, &row.gold, &row.meta, &row.fields, item))?;
    if filled > 0 {
        return Ok(false);
    }
    tx.prepare_cached(
        "INSERT OR IGNORE INTO source_row (source, row, external_id, gold, meta, fields, item)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((source, row.row, &row.external_id, &row.gold, &row.meta, &row.fields, item))
    .map(|n| n > 0)
}
