//! Imports: rows arrive in slices under a source that nobody sees until one last commit makes it ready.
//!
//! The keys of new items are listed later than the items, many at a time and in order: they are hashes, and a slice of some hundred of
//! them would touch as many pages of the list.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use rusqlite::{CachedStatement, OptionalExtension, Transaction};

use super::imported_file::{FileFacts, facts_in};
use super::known_rows::{Earlier, Met, RowPlace};
use crate::domain::answer::Answer;
use crate::domain::fault::Result;
use crate::domain::ids::{ItemId, LabelSourceId, SourceId};
use crate::domain::item::ItemKey;
use crate::domain::split::Split;
use crate::store::db::attempt::Attempt;
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::log::imported_labels::{NewImportedLabel, Put, put_imported_label};

/// Keys of new items that are kept in memory before they are listed: some 10 MB.
const MOST_UNLISTED: usize = 128 * 1024;

/// An import under way. After an error there is only [`Store::clear_abandoned_sources`] for it.
pub struct Load {
    source: SourceId,
    /// Items of this import whose keys are not in `item_key` yet.
    unlisted: HashMap<ItemKey, ItemId>,
    loaded: Loaded,
    options: LoadOptions,
    /// The rows of earlier imports of the same file; none if there was none.
    earlier: Option<Earlier>,
    labels: LabelsToLoad,
    /// Known rows that the file gives a gold label, and whether it is another than before.
    golds: Vec<(RowPlace, String)>,
    /// Texts that were removed: no import brings them back.
    forgotten: HashSet<ItemId>,
}

/// How an import meets what is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions {
    /// Whose labels the rows hold.
    pub label_source: Option<LabelSourceId>,
    pub again: Again,
    pub rows: Rows,
}

/// What the rows of an import are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rows {
    #[default]
    Texts,
    /// Labels of texts that are there, named by their ids; no text comes with them.
    LabelsById,
}

/// What becomes of rows that an earlier import of a file with the same name has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// They are added once more: nothing says that it is the same file.
    Added,
    /// They are left out, and what has changed is told and left as it was.
    #[default]
    Told,
    /// They are left out, and what has changed is followed.
    Followed,
}

/// The labels of a source, on their way.
#[derive(Debug, Default)]
struct LabelsToLoad {
    /// Hash of the file's name.
    file: i64,
    /// How many labels of each item there were so far.
    places: HashMap<ItemId, i64>,
    /// Those that the file gives otherwise than before.
    differing: Vec<NewImportedLabel>,
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
    /// The answers that somebody has given it before.
    fn answers(&self) -> &[Answer] {
        &[]
    }
    /// When these were given, UTC milliseconds.
    fn labelled_at_ms(&self) -> i64 {
        0
    }
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
    /// Rows that an earlier import of the file has, which were left out.
    pub known: i64,
    /// Ids with another text than in every earlier import of the file.
    pub changed: i64,
    /// Of these, those whose earlier text stays because it was put before somebody.
    pub kept: i64,
    /// Known rows that got a gold label.
    pub golds: i64,
    /// Known rows of which the file gives another gold label or another label of the source than before.
    pub differing: i64,
    /// Labels of the source that were new.
    pub labels: i64,
    /// Rows whose id no text has, where texts are named by their ids.
    pub unknown: i64,
    /// Rows whose text was removed from the project.
    pub forgotten: i64,
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
    /// The file as it was when it was read last, where it was one.
    pub file: Option<FileFacts>,
}

impl Store {
    /// Begins an import. Its rows stay unseen until [`Store::finish_source`].
    pub fn begin_source(&mut self, name: &str, found: &str, options: LoadOptions) -> Result<Load> {
        let earlier = match (options.rows, options.again) {
            (Rows::LabelsById, _) => self.earlier_rows(None)?,
            (Rows::Texts, Again::Added) => None,
            (Rows::Texts, _) => self.earlier_rows(Some(name))?,
        };
        let source = self.write("begin the import", |tx| {
            tx.execute(
                "INSERT INTO source (uuid, name, found, state, started_ms) VALUES (?1, ?2, ?3, 'loading', ?4)",
                (Uuid16(new_uuid()), name, found, now_ms()),
            )?;
            Ok(SourceId(tx.last_insert_rowid()))
        })?;
        let [a, b, c, d, e, f, g, h, ..] = *blake3::hash(name.as_bytes()).as_bytes();
        let labels =
            LabelsToLoad { file: i64::from_le_bytes([a, b, c, d, e, f, g, h]), ..LabelsToLoad::default() };
        let (unlisted, golds) = (HashMap::new(), Vec::new());
        let forgotten = self.forgotten_items()?;
        Ok(Load { source, unlisted, loaded: Loaded::default(), options, earlier, labels, golds, forgotten })
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

    /// The last commit of an import: everything in it is seen from here on. What it changes of earlier imports of the file follows at once.
    pub fn finish_source(&mut self, mut load: Load, empty: u64, rejected: u64) -> Result<Loaded> {
        self.list_keys(&mut load)?;
        let superseded = self.settle_changed(&mut load)?;
        let Load { source, mut loaded, options, labels, golds, .. } = load;
        self.write("finish the import", |tx| {
            // An import that brought nothing is none.
            if loaded.rows == 0 && loaded.labels == 0 {
                return tx.execute("DELETE FROM source WHERE id = ?1", [source]);
            }
            tx.execute(
                "UPDATE source SET state = 'ready', rows = ?2, items = ?3, empty = ?4, rejected = ?5, finished_ms = ?6
                 WHERE id = ?1",
                (source, loaded.rows, loaded.items, empty.cast_signed(), rejected.cast_signed(), now_ms()),
            )
        })?;
        self.remove_rows(superseded)?;
        loaded.golds += self.put_golds(golds)? as i64;
        if let Some(of) = options.label_source {
            self.put_imported_labels((of, labels.file), labels.differing)?;
            if loaded.rows == 0 {
                self.keep_labels_alone(source)?;
            }
        }
        Ok(loaded)
    }

    /// Counts the ids that have another text than before. Where changes are followed, returns the rows of the earlier texts that go once the new ones
    /// are there; else takes out the new rows, which nobody has seen.
    fn settle_changed(&mut self, load: &mut Load) -> Result<Vec<RowPlace>> {
        let changed = load.earlier.as_mut().map(Earlier::changed).unwrap_or_default();
        load.loaded.changed = changed.len() as i64;
        if load.options.again == Again::Followed {
            let mut superseded = Vec::new();
            for id in &changed {
                let free = self.without_answers(&id.earlier)?;
                load.loaded.kept += i64::from(free.len() < id.earlier.len());
                superseded.extend(free);
            }
            return Ok(superseded);
        }
        let source = load.source;
        let rows: Vec<RowPlace> =
            changed.iter().flat_map(|id| &id.new).map(|row| RowPlace { source, row: *row }).collect();
        load.loaded.rows -= rows.len() as i64;
        load.loaded.items -= self.remove_rows(rows)? as i64;
        Ok(Vec::new())
    }

    fn put_golds(&mut self, golds: Vec<(RowPlace, String)>) -> Result<usize> {
        self.write_in_slices("import known labels", golds, |tx, slice| {
            let mut put =
                tx.prepare_cached("UPDATE source_row SET gold = ?3 WHERE source = ?1 AND row = ?2")?;
            slice.try_for_each(|(place, gold)| put.execute((place.source, place.row, gold)).map(drop))
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
            self.write(what, |tx| tx.execute("DELETE FROM imported_label WHERE import = ?1", [source]))?;
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
        if !abandoned.is_empty() {
            // A source that one of them named first has given nothing.
            self.write(what, |tx| {
                tx.execute(
                    "DELETE FROM label_source WHERE id NOT IN (SELECT label_source FROM imported_label)",
                    (),
                )
            })?;
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
                let found: String = r.get(2)?;
                Ok(Source {
                    id: r.get(0)?,
                    name: r.get(1)?,
                    file: facts_in(&found),
                    found,
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
    tx: &'t Transaction<'t>,
    gold_of: CachedStatement<'t>,
    find: CachedStatement<'t>,
    compare: CachedStatement<'t>,
    add_item: CachedStatement<'t>,
    add_row: CachedStatement<'t>,
}

impl<'t> RowStatements<'t> {
    fn new(tx: &'t Transaction<'t>) -> rusqlite::Result<Self> {
        Ok(Self {
            tx,
            gold_of: tx.prepare_cached("SELECT gold FROM source_row WHERE source = ?1 AND row = ?2")?,
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
        if load.options.rows == Rows::LabelsById {
            return self.add_by_id(load, row);
        }
        let (source, key) = (load.source, row.key());
        let known = match load.unlisted.get(&key) {
            Some(item) => Some(*item),
            None => self.find.query_row([&key.0], |r| r.get(0)).optional()?,
        };
        if known.is_some_and(|item| load.forgotten.contains(&item)) {
            load.loaded.forgotten += 1;
            return Ok(());
        }
        match load.earlier.as_mut().map_or(Met::New, |earlier| earlier.meet(row.external_id(), known)) {
            Met::Known(place) => {
                load.loaded.known += 1;
                if let Some(gold) = row.gold() {
                    self.meet_gold(load, place, gold)?;
                }
                return known.map_or(Ok(()), |item| self.add_labels(load, item, row));
            }
            Met::OtherText => {
                if let Some(earlier) = &mut load.earlier {
                    earlier.note_other_text(row.external_id(), row.row());
                }
            }
            Met::New => {}
        }
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
        self.add_labels(load, item, row)
    }

    /// What a row says of the texts that have its id.
    fn add_by_id<R: ImportRow>(&mut self, load: &mut Load, row: &R) -> rusqlite::Result<()> {
        let of_id = load.earlier.as_ref().zip(row.external_id()).map(|(earlier, id)| earlier.of_id(id));
        let rows = of_id.unwrap_or_default();
        if rows.is_empty() {
            load.loaded.unknown += 1;
            return Ok(());
        }
        load.loaded.known += 1;
        if let Some(gold) = row.gold() {
            rows.iter().try_for_each(|(place, _)| self.meet_gold(load, *place, gold))?;
        }
        let mut items: Vec<ItemId> = rows.into_iter().map(|(_, item)| item).collect();
        items.sort_unstable();
        items.dedup();
        items.into_iter().try_for_each(|item| self.add_labels(load, item, row))
    }

    /// A row that is there keeps a gold label that it has, unless changes are followed.
    fn meet_gold(&mut self, load: &mut Load, place: RowPlace, gold: &str) -> rusqlite::Result<()> {
        let held: Option<String> = self.gold_of.query_row((place.source, place.row), |r| r.get(0))?;
        match held {
            Some(held) if held == gold => {}
            Some(_) => {
                load.loaded.differing += 1;
                if load.options.again == Again::Followed {
                    load.golds.push((place, gold.to_owned()));
                }
            }
            None => load.golds.push((place, gold.to_owned())),
        }
        Ok(())
    }

    fn add_labels<R: ImportRow>(&mut self, load: &mut Load, item: ItemId, row: &R) -> rusqlite::Result<()> {
        let Some(of) = load.options.label_source else { return Ok(()) };
        for answer in row.answers() {
            let next = load.labels.places.entry(item).or_default();
            let new =
                NewImportedLabel { item, place: *next, answer: answer.clone(), at_ms: row.labelled_at_ms() };
            *next += 1;
            match put_imported_label(self.tx, (of, load.labels.file, load.source), &new)? {
                Put::New => load.loaded.labels += 1,
                Put::Same => {}
                Put::Differs => {
                    load.loaded.differing += 1;
                    if load.options.again == Again::Followed {
                        load.labels.differing.push(new);
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
