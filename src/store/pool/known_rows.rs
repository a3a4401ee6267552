//! A file that is imported again: which of its rows were there, under which of its ids it has another text, and the rows that go.
//!
//! A row is known by its id and its text, or by its text alone where the file has no ids: as often as the text was there, wherever it stands now. An
//! id has changed where none of its texts was there.

use rusqlite::{OptionalExtension, Transaction};

use crate::domain::fault::Result;
use crate::domain::ids::{ItemId, SourceId};
use crate::domain::item::ItemKey;
use crate::domain::rows_to_come::RowsToCome;
use crate::store::db::attempt::Attempt;
use crate::store::db::open::Store;

/// The place of a row in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowPlace {
    pub source: SourceId,
    pub row: i64,
}

/// What an earlier import has of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    Known(RowPlace),
    /// Its id, with another text.
    OtherText,
    New,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct EarlierRow {
    /// Hash of the row's id; 0 without one.
    id: u64,
    item: ItemId,
    place: RowPlace,
}

/// The rows of all earlier imports of a file, and what of them has been met.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    rows: Vec<EarlierRow>,
    /// At the first row of each id and text: how many of them were met.
    met: Vec<u32>,
    /// Rows of the new import, with the hash of their id, under which there was another text.
    other: Vec<(u64, i64)>,
}

impl Earlier {
    fn of(mut rows: Vec<EarlierRow>) -> Self {
        rows.sort_unstable();
        Self { met: vec![0; rows.len()], rows, other: Vec::new() }
    }

    /// What is known of a row; `item` is the one of its text, where there is one.
    pub fn meet(&mut self, external_id: Option<&str>, item: Option<ItemId>) -> Met {
        let id = external_id.map_or(0, hash_of);
        if let Some(item) = item {
            let from = self.rows.partition_point(|row| (row.id, row.item) < (id, item));
            let met = self.met.get(from).map_or(0, |met| *met as usize);
            let is_same = |row: &&EarlierRow| (row.id, row.item) == (id, item);
            if let Some(place) = self.rows.get(from + met).filter(is_same).map(|row| row.place) {
                self.met[from] += 1;
                return Met::Known(place);
            }
            if met > 0 {
                return Met::New;
            }
        }
        if id != 0 && !self.with_id(id).is_empty() { Met::OtherText } else { Met::New }
    }

    /// Notes that a row of the new import has an id under which there was another text.
    pub fn note_other_text(&mut self, external_id: Option<&str>, row: i64) {
        self.other.push((external_id.map_or(0, hash_of), row));
    }

    /// The rows that have an id, with their items.
    pub fn of_id(&self, external_id: &str) -> Vec<(RowPlace, ItemId)> {
        self.with_id(hash_of(external_id)).iter().map(|row| (row.place, row.item)).collect()
    }

    fn with_id(&self, id: u64) -> &[EarlierRow] {
        let from = self.rows.partition_point(|row| row.id < id);
        let to = self.rows.partition_point(|row| row.id <= id);
        &self.rows[from..to]
    }

    /// The ids of which no text was met, each with its rows of the new import.
    pub fn changed(&mut self) -> Vec<Changed> {
        let mut other = std::mem::take(&mut self.other);
        other.sort_unstable();
        let mut changed = Vec::new();
        for rows in other.chunk_by(|a, b| a.0 == b.0) {
            let from = self.rows.partition_point(|row| row.id < rows[0].0);
            let earlier = self.with_id(rows[0].0);
            if self.met[from..from + earlier.len()].iter().all(|met| *met == 0) {
                changed.push(Changed {
                    new: rows.iter().map(|(_, row)| *row).collect(),
                    earlier: earlier.iter().map(|row| (row.place, row.item)).collect(),
                });
            }
        }
        changed
    }
}

/// A file, row by row, held against its earlier imports.
pub struct ComparedFile {
    earlier: Earlier,
    new: usize,
    /// Rows so far.
    rows: i64,
}

impl ComparedFile {
    /// Takes the next row of the file.
    pub fn meet(&mut self, store: &Store, external_id: Option<&str>, key: &ItemKey) -> Result<()> {
        let item = store.one(
            "SELECT item, EXISTS (SELECT 1 FROM forgotten f WHERE f.item = k.item) FROM item_key k WHERE key = ?1",
            [&key.0],
            "compare a file with its import",
            |r| Ok((r.get(0)?, r.get::<_, bool>(1)?)),
        )?;
        self.rows += 1;
        if item.is_some_and(|(_, forgotten)| forgotten) {
            return Ok(());
        }
        match self.earlier.meet(external_id, item.map(|(item, _)| item)) {
            Met::Known(_) => {}
            Met::New => self.new += 1,
            Met::OtherText => self.earlier.note_other_text(external_id, self.rows),
        }
        Ok(())
    }

    /// What the rows come to.
    pub fn finish(mut self) -> RowsToCome {
        RowsToCome { new: self.new, changed: self.earlier.changed().len() }
    }
}

/// An id with another text than before.
pub(super) struct Changed {
    /// Its rows in the new import.
    pub new: Vec<i64>,
    /// Those of earlier imports.
    pub earlier: Vec<(RowPlace, ItemId)>,
}

fn hash_of(id: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *blake3::hash(id.as_bytes()).as_bytes();
    // 0 is a row without an id.
    u64::from_le_bytes([a, b, c, d, e, f, g, h]).max(1)
}

impl Store {
    /// The rows of imports of a file with this name, or of all; none if there was none.
    pub(super) fn earlier_rows(&self, name: Option<&str>) -> Result<Option<Earlier>> {
        let what = "compare the import with earlier ones";
        let rows = self.all_rows_of(
            "SELECT r.external_id, r.item, r.source, r.row FROM source s JOIN source_row r ON r.source = s.id
             WHERE s.state = 'ready' AND (?1 IS NULL OR s.name = ?1)",
            [name],
            what,
            |r| {
                let id = r.get_ref(0)?.as_str_or_null()?.map_or(0, hash_of);
                Ok(EarlierRow { id, item: r.get(1)?, place: RowPlace { source: r.get(2)?, row: r.get(3)? } })
            },
        )?;
        Ok((!rows.is_empty()).then(|| Earlier::of(rows)))
    }

    /// Begins to hold a file against its earlier imports.
    pub fn compare_file(&self, name: &str) -> Result<ComparedFile> {
        let earlier = self.earlier_rows(Some(name))?.unwrap_or_default();
        Ok(ComparedFile { earlier, new: 0, rows: 0 })
    }

    /// Takes rows out, and the texts that no other row has and that were never put before anybody. Returns how many texts went.
    pub(super) fn remove_rows(&mut self, rows: Vec<RowPlace>) -> Result<usize> {
        let what = "take out rows that have changed";
        // Every row that refers to a text that goes is taken out here; SQLite would search whole tables for more.
        self.conn.pragma_update(None, "foreign_keys", false).attempting(what)?;
        let mut gone = 0;
        let removed = self.write_in_slices(what, rows, |tx, slice| {
            slice.try_for_each(|place| {
                gone += usize::from(remove_row(tx, place)?);
                Ok(())
            })
        });
        self.conn.pragma_update(None, "foreign_keys", true).attempting(what)?;
        removed.map(|_| gone)
    }

    /// Of rows with their texts, those whose text was never put before anybody: nothing rests on it.
    pub(super) fn without_answers(&self, rows: &[(RowPlace, ItemId)]) -> Result<Vec<RowPlace>> {
        let mut free = Vec::new();
        for (place, item) in rows {
            let rests = self.count(&format!("SELECT {IN_USE}"), [item], "look for answers to a text")?;
            if rests == 0 {
                free.push(*place);
            }
        }
        Ok(free)
    }
}

/// Whether anything that a person saw or said refers to a text.
const IN_USE: &str =
    "EXISTS (SELECT 1 FROM label_case WHERE item = ?1) OR EXISTS (SELECT 1 FROM label_event WHERE item = ?1)
    OR EXISTS (SELECT 1 FROM label_case WHERE partner = ?1)";

/// True where its text goes with it.
fn remove_row(tx: &Transaction<'_>, place: RowPlace) -> rusqlite::Result<bool> {
    let at = (place.source, place.row);
    let item: Option<ItemId> = tx
        .prepare_cached("SELECT item FROM source_row WHERE source = ?1 AND row = ?2")?
        .query_row(at, |r| r.get(0))
        .optional()?;
    let Some(item) = item else { return Ok(false) };
    tx.prepare_cached("DELETE FROM source_row WHERE source = ?1 AND row = ?2")?.execute(at)?;
    tx.prepare_cached("UPDATE source SET rows = rows - 1 WHERE id = ?1 AND state = 'ready'")?
        .execute([place.source])?;
    let stays: bool = tx
        .prepare_cached(&format!("SELECT EXISTS (SELECT 1 FROM source_row WHERE item = ?1) OR {IN_USE}"))?
        .query_row([item], |r| r.get(0))?;
    if stays {
        return Ok(false);
    }
    for sql in [
        "DELETE FROM embedding WHERE model IN (SELECT id FROM model) AND adapter IN (SELECT 0 UNION SELECT id FROM adapter) AND item = ?1",
        "DELETE FROM prediction WHERE predictor IN (SELECT id FROM predictor) AND item = ?1",
        "DELETE FROM hidden_state WHERE judge IN (SELECT id FROM predictor) AND item = ?1",
        "DELETE FROM reveal WHERE expert IN (SELECT id FROM expert) AND item = ?1",
        "DELETE FROM draft WHERE expert IN (SELECT id FROM expert) AND item = ?1",
        "DELETE FROM imported_label WHERE item = ?1",
        "UPDATE source SET items = items - 1 WHERE id = (SELECT source FROM item WHERE id = ?1) AND state = 'ready'",
        "DELETE FROM item_key WHERE key = (SELECT key FROM item WHERE id = ?1)",
        "DELETE FROM item WHERE id = ?1",
    ] {
        tx.prepare_cached(sql)?.execute([item])?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: Option<&str>, item: i64, row: i64) -> EarlierRow {
        let place = RowPlace { source: SourceId(1), row };
        EarlierRow { id: id.map_or(0, hash_of), item: ItemId(item), place }
    }

    fn known(row: i64) -> Met {
        Met::Known(RowPlace { source: SourceId(1), row })
    }

    #[test]
    fn a_text_is_known_as_often_as_it_was_there_wherever_it_stands() {
        let mut earlier = Earlier::of(vec![row(None, 7, 1), row(None, 5, 2), row(None, 7, 3)]);
        let met: Vec<Met> = [5, 7, 7, 7, 9].map(|item| earlier.meet(None, Some(ItemId(item)))).into();
        assert_eq!(met, [known(2), known(1), known(3), Met::New, Met::New]);
        assert_eq!(earlier.meet(None, None), Met::New);
    }

    #[test]
    fn an_id_has_changed_where_none_of_its_texts_was_there() {
        let mut earlier = Earlier::of(vec![row(Some("a"), 1, 1), row(Some("b"), 2, 2), row(Some("c"), 3, 3)]);
        assert_eq!(earlier.meet(Some("a"), Some(ItemId(1))), known(1));
        // A second text under an id whose first is still there is a new row.
        for (id, item, row) in [("a", Some(ItemId(4)), 10), ("b", None, 11), ("b", Some(ItemId(3)), 12)] {
            assert_eq!(earlier.meet(Some(id), item), Met::OtherText, "{id}");
            earlier.note_other_text(Some(id), row);
        }
        assert_eq!(earlier.meet(Some("d"), Some(ItemId(3))), Met::New);
        let changed = earlier.changed();
        assert_eq!(changed.len(), 1);
        assert_eq!((changed[0].new.as_slice(), changed[0].earlier[0].1), ([11, 12].as_slice(), ItemId(2)));
    }
}
