//! Labels that existed before, out of a copy's log. They are no events: of two copies that say otherwise the later label stays, and of a weight the one
//! that was changed more often, or else the smaller.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Transaction};

use super::ids::Ids;
use crate::domain::fault::Result;
use crate::domain::log::{LabelSourceLine, Log};
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;

const WHAT: &str = "take imported labels in";

impl Store {
    /// Returns how many labels were left out because their text is not here.
    pub(super) fn take_imported_labels(&mut self, log: &Log, ids: &mut Ids) -> Result<usize> {
        let mut sources: HashMap<&str, i64> = HashMap::new();
        self.write_in_slices(WHAT, &log.label_sources, |tx, slice| {
            slice.try_for_each(|line| {
                sources.insert(&line.name, take_source(tx, line)?);
                Ok(())
            })
        })?;
        let mut left_out = 0;
        self.write_in_slices(WHAT, &log.imported_labels, |tx, slice| {
            slice.try_for_each(|line| {
                let (Some(source), Some(item)) =
                    (sources.get(line.source.as_str()), ids.item(tx, &line.item)?)
                else {
                    left_out += 1;
                    return Ok(());
                };
                tx.prepare_cached(
                    "INSERT INTO imported_label (label_source, item, file, place, answer, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT DO UPDATE SET answer = excluded.answer, at_ms = excluded.at_ms
                     WHERE (excluded.at_ms, excluded.answer) > (imported_label.at_ms, imported_label.answer)",
                )?
                .execute((source, item, line.file, line.place, &line.labels, line.at_ms))
                .map(drop)
            })
        })?;
        Ok(left_out)
    }
}

/// One name is one source; of two enrolments the earlier stays.
fn take_source(tx: &Transaction<'_>, line: &LabelSourceLine) -> rusqlite::Result<i64> {
    let known: Option<i64> =
        tx.query_row("SELECT id FROM label_source WHERE name = ?1", [&line.name], |r| r.get(0)).optional()?;
    let Some(id) = known else {
        // Another name has this UUID only in a file that was written by hand: it gets one of its own.
        tx.execute(
            "INSERT INTO label_source (uuid, name, weight, changes, created_ms)
             VALUES (iif(EXISTS (SELECT 1 FROM label_source WHERE uuid = ?1), randomblob(16), ?1), ?2, ?3, ?4, ?5)",
            (Uuid16(line.uuid), &line.name, line.weight, line.changes, line.created_ms),
        )?;
        return Ok(tx.last_insert_rowid());
    };
    tx.execute(
        "UPDATE label_source SET weight = ?2, changes = ?3 WHERE id = ?1 AND (?3, -?2) > (changes, -weight)",
        (id, line.weight, line.changes),
    )?;
    tx.execute(
        "UPDATE label_source SET uuid = ?2, created_ms = ?3 WHERE id = ?1 AND (created_ms, uuid) > (?3, ?2)
         AND NOT EXISTS (SELECT 1 FROM label_source WHERE uuid = ?2 AND id <> ?1)",
        (id, Uuid16(line.uuid), line.created_ms),
    )?;
    Ok(id)
}
