//! Labels that existed before the project: the one file that reads them for anything but a copy of them. They are no events, so that whatever counts
//! answers cannot count them; here they meet the experts' votes, for training alone.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Transaction};

use crate::domain::answer::Answer;
use crate::domain::fault::Result;
use crate::domain::ids::{ItemId, LabelSourceId, SourceId};
use crate::domain::imported_label::{
    ImportedLabel, LabelSource, TrainingLabel, checked_source_name, checked_weight, training_labels,
};
use crate::domain::split::Split;
use crate::store::care::row_damage::refuse;
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::db::row_seals::RowSealed;

/// Texts of the training range that imported labels teach, at most: they are read into memory and fitted on at once. Beyond that, those whose keys come
/// first, which are hashes: a random sample, the same in every copy.
const MOST_TAUGHT: usize = 20_000;

/// Labels whose import is ready, on texts that everybody may see.
const SEEN: &str = "(l.import IS NULL OR l.import NOT IN (SELECT id FROM source WHERE state = 'loading'))
    AND i.source NOT IN (SELECT id FROM source WHERE state = 'loading')";

/// How much a source has given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    pub labels: usize,
    /// The texts that have one.
    pub texts: usize,
    /// Of these, texts of the training range.
    pub training: usize,
}

/// A label on its way into the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewImportedLabel {
    pub item: ItemId,
    /// Which of the item's labels in the file, from 0.
    pub place: i64,
    pub answer: Answer,
    /// When it was given, or else imported, UTC milliseconds.
    pub at_ms: i64,
}

impl Store {
    /// The label that each text of the training range is trained with: the experts' votes, and for the others that were scouted what sources said before.
    /// Whatever learns asks here, and whatever measures asks elsewhere.
    ///
    /// # Errors
    /// An imported label, or a text that has one, is not as it was written.
    pub fn training_labels(&self) -> Result<BTreeMap<ItemId, TrainingLabel>> {
        self.check_imported_labels("read the imported labels")?;
        let sql = format!(
            "SELECT l.item, l.label_source, s.weight, l.answer FROM imported_label l
             JOIN label_source s ON s.id = l.label_source JOIN item i ON i.id = l.item
             WHERE i.split = ?1 AND s.weight > 0 AND {SEEN} AND EXISTS
               (SELECT 1 FROM model m JOIN embedding e ON e.model = m.id AND e.adapter = 0 AND e.item = l.item)
             ORDER BY i.key"
        );
        let mut imported = self.all_rows_of(&sql, [Split::Train], "read the imported labels", |r| {
            Ok(ImportedLabel { item: r.get(0)?, source: r.get(1)?, weight: r.get(2)?, answer: r.get(3)? })
        })?;
        let mut taken = BTreeSet::new();
        imported
            .retain(|one| taken.contains(&one.item) || taken.len() < MOST_TAUGHT && taken.insert(one.item));
        Ok(training_labels(&self.votes(Split::Train)?, &imported, self.task()?.task.kind))
    }

    /// The sources in the order in which they came, with what each has given.
    ///
    /// # Errors
    /// An imported label, or a text that has one, is not as it was written.
    pub fn label_sources(&self) -> Result<Vec<(LabelSource, Given)>> {
        self.check_imported_labels("count the imported labels")?;
        let sources = self.all_rows(
            "SELECT id, name, weight FROM label_source ORDER BY created_ms, name",
            "read the sources of labels",
            |r| Ok(LabelSource { id: r.get(0)?, name: r.get(1)?, weight: r.get(2)? }),
        )?;
        let counts = self.all_rows(
            &format!(
                "SELECT l.label_source, count(*), count(DISTINCT l.item), count(DISTINCT iif(i.split = 'train', l.item, NULL))
                 FROM imported_label l JOIN item i ON i.id = l.item WHERE {SEEN} GROUP BY l.label_source"
            ),
            "count the imported labels",
            |r| {
                let count = |at| r.get::<_, i64>(at).map(|n| n.unsigned_abs() as usize);
                Ok((r.get::<_, LabelSourceId>(0)?, Given { labels: count(1)?, texts: count(2)?, training: count(3)? }))
            },
        )?;
        let mut counts: BTreeMap<LabelSourceId, Given> = counts.into_iter().collect();
        Ok(sources
            .into_iter()
            .map(|s| {
                let given = counts.remove(&s.id).unwrap_or_default();
                (s, given)
            })
            .collect())
    }

    /// Whether imported labels, and the texts that have one, are as they were written: no opening looks at them, for there may be many.
    fn check_imported_labels(&self, attempted: &str) -> Result<()> {
        let mut found = Vec::new();
        self.note_lines("PRAGMA integrity_check('imported_label')", &mut found)?;
        for (table, which) in
            [("imported_label", ""), ("item", " AND id IN (SELECT item FROM imported_label)")]
        {
            for sealed in RowSealed::of(table) {
                let sql =
                    format!("SELECT {} FROM {table} WHERE {}{which}", sealed.number, sealed.is_broken());
                self.note_numbers(
                    &sql,
                    &format!("{} are not as they were written", sealed.called),
                    &mut found,
                )?;
            }
        }
        refuse(attempted, &found)
    }

    /// The source of this name, which is enrolled at first use: with this weight, or 1.
    ///
    /// # Errors
    /// A name or a weight that is none.
    pub fn label_source(&mut self, name: &str, weight: Option<f64>) -> Result<LabelSourceId> {
        let name = checked_source_name(name)?;
        let weight = weight.map(checked_weight).transpose()?;
        self.write("enrol the source of the labels", |tx| {
            if let Some(id) = find(tx, name)? {
                return Ok(id);
            }
            tx.execute(
                "INSERT INTO label_source (uuid, name, weight, changes, created_ms) VALUES (?1, ?2, ?3, 0, ?4)",
                (Uuid16(new_uuid()), name, weight.unwrap_or(1.0), now_ms()),
            )?;
            Ok(LabelSourceId(tx.last_insert_rowid()))
        })
    }

    /// Changes what the labels of a source count. False where there is no source of this name.
    ///
    /// # Errors
    /// A weight that is none.
    pub fn weigh_label_source(&mut self, name: &str, weight: f64) -> Result<bool> {
        let weight = checked_weight(weight)?;
        self.write("weigh the labels", |tx| {
            let Some(id) = find(tx, name.trim())? else { return Ok(false) };
            weigh(tx, id, weight).map(|()| true)
        })
    }

    /// Forgets an import that brought labels and no row: the labels stay.
    pub(in crate::store) fn keep_labels_alone(&mut self, import: SourceId) -> Result<()> {
        let what = "import labels";
        let labels = self.all_rows_of(
            "SELECT label_source, item, file, place FROM imported_label WHERE import = ?1",
            [import],
            what,
            |r| {
                Ok((
                    r.get::<_, LabelSourceId>(0)?,
                    r.get::<_, ItemId>(1)?,
                    r.get::<_, i64>(2)?,
                    r.get::<_, i64>(3)?,
                ))
            },
        )?;
        self.write_in_slices(what, labels, |tx, slice| {
            let mut keep = tx.prepare_cached(
                "UPDATE imported_label SET import = NULL WHERE label_source = ?1 AND item = ?2 AND file = ?3 AND place = ?4",
            )?;
            slice.try_for_each(|label| keep.execute(label).map(drop))
        })?;
        self.write(what, |tx| tx.execute("DELETE FROM source WHERE id = ?1 AND rows = 0", [import]).map(drop))
    }

    /// Overwrites labels that a file gives otherwise than before.
    pub(in crate::store) fn put_imported_labels(
        &mut self,
        (source, file): (LabelSourceId, i64),
        labels: Vec<NewImportedLabel>,
    ) -> Result<usize> {
        self.write_in_slices("import labels", labels, |tx, slice| {
            slice.try_for_each(|new| {
                tx.prepare_cached(
                    "UPDATE imported_label SET answer = ?5, at_ms = ?6 WHERE label_source = ?1 AND item = ?2 AND file = ?3 AND place = ?4",
                )?
                .execute((source, new.item, file, new.place, &new.answer, new.at_ms))
                .map(drop)
            })
        })
    }
}

/// What became of a label of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Put {
    New,
    Same,
    /// The file gave another label there before, which stays.
    Differs,
}

/// Adds a label unless the file has given one in its place before.
pub(in crate::store) fn put_imported_label(
    tx: &Transaction<'_>,
    (source, file, import): (LabelSourceId, i64, SourceId),
    new: &NewImportedLabel,
) -> rusqlite::Result<Put> {
    let known: Option<bool> = tx
        .prepare_cached(
            "SELECT answer = ?5 FROM imported_label WHERE label_source = ?1 AND item = ?2 AND file = ?3 AND place = ?4",
        )?
        .query_row((source, new.item, file, new.place, &new.answer), |r| r.get(0))
        .optional()?;
    match known {
        Some(true) => Ok(Put::Same),
        Some(false) => Ok(Put::Differs),
        None => {
            tx.prepare_cached(
                "INSERT INTO imported_label (label_source, item, file, place, answer, at_ms, import) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((source, new.item, file, new.place, &new.answer, new.at_ms, import))?;
            Ok(Put::New)
        }
    }
}

fn find(tx: &Transaction<'_>, name: &str) -> rusqlite::Result<Option<LabelSourceId>> {
    tx.query_row("SELECT id FROM label_source WHERE name = ?1", [name], |r| r.get(0)).optional()
}

fn weigh(tx: &Transaction<'_>, id: LabelSourceId, weight: f64) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE label_source SET weight = ?2, changes = changes + 1 WHERE id = ?1 AND weight <> ?2",
        (id, weight),
    )
    .map(drop)
}
