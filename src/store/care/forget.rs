//! Texts that somebody wants removed: blanked everywhere in the file, which is then written anew. What stays is the item's key, so that nothing brings
//! the text back, and its events without their notes: who labelled it, when, and as what.
//!
//! This alone changes events and revisions that are written: for that it takes the trigger which refuses it away and puts it back in one
//! transaction, and seals the rows again. It must never change a label.

use std::collections::HashSet;

use rusqlite::Transaction;
use uuid::Uuid;

use crate::domain::adapter::AdapterKind;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ItemId, PredictorId};
use crate::domain::item::ItemKey;
use crate::domain::log::ForgottenLine;
use crate::domain::predictor::PredictorKind;
use crate::domain::settings::IdMap;
use crate::domain::task_examples::toml_without_examples;
use crate::store::db::clock::now_ms;
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::db::seals::{EVENTS, REVISIONS, Sealed};
use crate::store::pool::items::FORGOTTEN;

const WHAT: &str = "remove texts from the project";
/// Characters of a text's beginning by which a quotation of it is known.
const BEGINNING: usize = 30;
/// A beginning shorter than this is no sign of a quotation.
const SHORTEST: usize = 8;

/// What a project holds of texts that are to be removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct HeldOfTexts {
    /// Texts that are not removed yet.
    pub texts: usize,
    /// Imported rows with their columns.
    pub rows: usize,
    /// Label events, which stay without their notes.
    pub events: usize,
    /// Notes on them, begun ones included.
    pub notes: usize,
    /// Vectors, hidden states and predictions.
    pub computed: usize,
    /// Labels that were imported for them.
    pub imported_labels: usize,
    /// Adapters that were trained while they were there: what they learned from a text cannot be taken out.
    pub adapters: usize,
}

/// What is removed, in an order in which each statement finds what it needs. Each speaks of all removed texts and changes nothing the second time.
const BLANK: &[&str] = &[
    "UPDATE source SET rows = rows - (SELECT count(*) FROM source_row r JOIN forgotten f ON f.item = r.item WHERE r.source = source.id)
     WHERE id IN (SELECT r.source FROM source_row r JOIN forgotten f ON f.item = r.item)",
    "DELETE FROM source_row WHERE item IN (SELECT item FROM forgotten)",
    "UPDATE source SET items = items - (SELECT count(*) FROM item i JOIN forgotten f ON f.item = i.id WHERE i.source = source.id)
     WHERE state <> 'forgotten' AND id IN (SELECT i.source FROM item i JOIN forgotten f ON f.item = i.id)",
    "UPDATE item SET text = '', source = (SELECT id FROM source WHERE state = 'forgotten')
     WHERE id IN (SELECT item FROM forgotten) AND text <> ''",
    "DELETE FROM embedding WHERE model IN (SELECT id FROM model) AND adapter IN (SELECT 0 UNION SELECT id FROM adapter)
     AND item IN (SELECT item FROM forgotten)",
    "DELETE FROM prediction WHERE predictor IN (SELECT id FROM predictor) AND item IN (SELECT item FROM forgotten)",
    "DELETE FROM hidden_state WHERE judge IN (SELECT id FROM predictor) AND item IN (SELECT item FROM forgotten)",
    "DELETE FROM draft WHERE expert IN (SELECT id FROM expert) AND item IN (SELECT item FROM forgotten)",
    "DELETE FROM imported_label WHERE item IN (SELECT item FROM forgotten)",
    "DELETE FROM lease WHERE label_case IN (SELECT id FROM label_case WHERE item IN (SELECT item FROM forgotten))",
    "UPDATE label_case SET withdrawn_ms = (SELECT f.at_ms FROM forgotten f WHERE f.item = label_case.item)
     WHERE withdrawn_ms IS NULL AND item IN (SELECT item FROM forgotten)",
    "UPDATE label_case SET partner = NULL, similarity = NULL, side = NULL WHERE partner IN (SELECT item FROM forgotten)",
];

impl Store {
    /// The items whose texts were removed.
    pub fn forgotten_items(&self) -> Result<HashSet<ItemId>> {
        Ok(self.all("SELECT item FROM forgotten", WHAT)?.into_iter().collect())
    }

    /// Refuses to say anything more of a text that was removed.
    ///
    /// # Errors
    /// It was.
    pub(in crate::store) fn refuse_forgotten(&self, item: ItemId, attempted: &str) -> Result<()> {
        match self.count("SELECT count(*) FROM forgotten WHERE item = ?1", [item], attempted)? {
            0 => Ok(()),
            _ => Err(Fault::new(attempted, format!("the text of item {item} was removed from the project"))
                .hint("Go on with the next case")),
        }
    }

    /// Whether a text was removed and the file not written anew since: its bytes may still be in free pages.
    pub fn is_wipe_owed(&self) -> Result<bool> {
        Ok(self.count("SELECT count(*) FROM forgotten WHERE wiped = 0", (), WHAT)? > 0)
    }

    /// What there is of these texts.
    ///
    /// # Errors
    /// One of them is not there.
    pub fn held_of(&self, items: &[ItemId]) -> Result<HeldOfTexts> {
        let mut held = HeldOfTexts::default();
        for item in items.iter().collect::<HashSet<_>>() {
            if self.item(*item)?.is_none() {
                return Err(Fault::usage(WHAT, format!("there is no item {item}"))
                    .hint("The number of a text stands on the screen Items, and in `item` of an export"));
            }
            let count = |sql: &str| self.count(sql, [*item], WHAT);
            held.texts += count("SELECT count(*) FROM item WHERE id = ?1 AND text <> ''")?;
            held.rows += count("SELECT count(*) FROM source_row WHERE item = ?1")?;
            held.events += count("SELECT count(*) FROM label_event WHERE item = ?1")?;
            held.notes += count(
                "SELECT (SELECT count(*) FROM label_event WHERE item = ?1 AND note IS NOT NULL) + (SELECT count(*) FROM draft WHERE item = ?1)",
            )?;
            held.computed += count(
                "SELECT (SELECT count(*) FROM embedding WHERE item = ?1) + (SELECT count(*) FROM prediction WHERE item = ?1)
                   + (SELECT count(*) FROM hidden_state WHERE item = ?1)",
            )?;
            held.imported_labels += count("SELECT count(*) FROM imported_label WHERE item = ?1")?;
        }
        held.adapters = self.count("SELECT count(*) FROM adapter", (), WHAT)?;
        Ok(held)
    }

    /// The keys and texts of items, those that were removed without a text.
    pub fn keys_and_texts(&self, items: &[ItemId]) -> Result<Vec<(ItemKey, String)>> {
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            found.extend(self.one("SELECT key, text FROM item WHERE id = ?1", [*item], WHAT, |r| {
                Ok((ItemKey(r.get(0)?), r.get(1)?))
            })?);
        }
        Ok(found)
    }

    /// Removes texts for good. When this returns, none of their bytes are in the file or its write-ahead log; a kill before that leaves them removed, and
    /// the bytes go the next time. Takes as much room on the disk as the file has.
    pub fn forget(&mut self, items: &[ItemId]) -> Result<()> {
        self.write(WHAT, |tx| {
            let mut mark =
                tx.prepare_cached("INSERT OR IGNORE INTO forgotten (item, at_ms, wiped) VALUES (?1, ?2, 0)")?;
            let now = now_ms();
            items.iter().try_for_each(|item| mark.execute((item, now)).map(drop))?;
            blank(tx)
        })?;
        self.wipe_forgotten()
    }

    /// Removes here what was removed in a copy; of two times the earlier stays.
    pub(in crate::store) fn take_forgotten(&mut self, lines: &[ForgottenLine]) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.write(WHAT, |tx| {
            for line in lines {
                let here = tx
                    .prepare_cached("SELECT item FROM item_key WHERE key = ?1")?
                    .query_map([line.item.0], |r| r.get::<_, i64>(0))?
                    .next()
                    .transpose()?;
                let item = match here {
                    Some(item) => item,
                    None => {
                        let source = source_of_forgotten(tx)?;
                        tx.execute(
                            "INSERT INTO item (key, text, split, source) VALUES (?1, '', ?2, ?3)",
                            (line.item.0, &line.split, source),
                        )?;
                        let item = tx.last_insert_rowid();
                        tx.execute("INSERT INTO item_key (key, item) VALUES (?1, ?2)", (line.item.0, item))?;
                        item
                    }
                };
                tx.execute(
                    "INSERT INTO forgotten (item, at_ms, wiped) VALUES (?1, ?2, 0)
                     ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms WHERE excluded.at_ms < forgotten.at_ms",
                    (item, line.at_ms),
                )?;
            }
            blank(tx)
        })
    }

    /// Blanks what came back of removed texts, as rows of a merge.
    pub(in crate::store) fn blank_forgotten(&mut self) -> Result<()> {
        if self.count("SELECT count(*) FROM forgotten", (), WHAT)? == 0 {
            return Ok(());
        }
        self.write(WHAT, blank)
    }

    /// Takes out what notes and jobs say in words that quotes one of these texts.
    pub(in crate::store) fn blank_quotes(&mut self, texts: &[String]) -> Result<()> {
        if texts.is_empty() {
            return Ok(());
        }
        self.write(WHAT, |tx| {
            if blank_notes(tx, texts)? + blank_words(tx, texts)? > 0 {
                // They were in the file for a moment.
                tx.execute("UPDATE forgotten SET wiped = 0", ())?;
            }
            Ok(())
        })
    }

    /// Writes the file anew where a text was removed since that was done last.
    pub fn wipe_forgotten(&mut self) -> Result<()> {
        if !self.is_wipe_owed()? {
            return Ok(());
        }
        self.write_anew(WHAT)?;
        self.write(WHAT, |tx| tx.execute("UPDATE forgotten SET wiped = 1 WHERE wiped = 0", ()).map(drop))
    }
}

/// The one source of all removed texts, the same in every copy.
fn source_of_forgotten(tx: &Transaction<'_>) -> rusqlite::Result<i64> {
    tx.execute(
        "INSERT INTO source (uuid, name, found, state, started_ms, finished_ms)
         SELECT ?1, ?2, '{}', 'forgotten', ?3, ?3 WHERE NOT EXISTS (SELECT 1 FROM source WHERE state = 'forgotten')",
        (Uuid16(Uuid::nil()), FORGOTTEN, now_ms()),
    )?;
    tx.query_row("SELECT id FROM source WHERE state = 'forgotten'", (), |r| r.get(0))
}

fn blank(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    source_of_forgotten(tx)?;
    // Read while the texts are still there.
    let texts: Vec<String> =
        column(tx, "SELECT i.text FROM forgotten f JOIN item i ON i.id = f.item WHERE i.text <> ''")?;
    blank_notes(tx, &texts)?;
    blank_words(tx, &texts)?;
    blank_examples(tx)?;
    blank_settings(tx)?;
    BLANK.iter().try_for_each(|sql| tx.execute(sql, ()).map(drop))
}

fn column<T: rusqlite::types::FromSql>(tx: &Transaction<'_>, sql: &str) -> rusqlite::Result<Vec<T>> {
    tx.prepare_cached(sql)?.query_map((), |r| r.get(0))?.collect()
}

/// Whether words quote one of these texts: its beginning stands in them.
fn quotes(words: &str, texts: &[String]) -> bool {
    texts.iter().any(|text| {
        let first = text.trim().lines().next().unwrap_or_default();
        let beginning: String = first.chars().take(BEGINNING).collect();
        beginning.chars().count() >= SHORTEST && words.contains(&beginning)
    })
}

/// The notes on the texts, and notes on others that quote them. Returns how many went.
fn blank_notes(tx: &Transaction<'_>, texts: &[String]) -> rusqlite::Result<usize> {
    let mut rows: Vec<i64> = column(
        tx,
        "SELECT e.id FROM label_event e JOIN forgotten f ON f.item = e.item WHERE e.note IS NOT NULL",
    )?;
    if !texts.is_empty() {
        let mut all = tx.prepare_cached("SELECT id, note FROM label_event WHERE note IS NOT NULL")?;
        let mut found = all.query(())?;
        while let Some(row) = found.next()? {
            if quotes(row.get_ref(1)?.as_str()?, texts) {
                rows.push(row.get(0)?);
            }
        }
    }
    rewrite(tx, EVENTS, "label_event_is_never_updated", &rows, |id| {
        tx.execute("UPDATE label_event SET note = NULL WHERE id = ?1", [id]).map(drop)
    })?;
    Ok(rows.len())
}

/// What jobs and rounds say in words. Returns how many went.
fn blank_words(tx: &Transaction<'_>, texts: &[String]) -> rusqlite::Result<usize> {
    if texts.is_empty() {
        return Ok(0);
    }
    let quoting = |sql: &str| -> rusqlite::Result<Vec<i64>> {
        let mut all = tx.prepare_cached(sql)?;
        let rows = all.query_map((), |r| Ok((r.get(0)?, r.get::<_, String>(1)?)))?;
        let rows: Vec<(i64, String)> = rows.collect::<rusqlite::Result<_>>()?;
        Ok(rows.into_iter().filter(|(_, words)| quotes(words, texts)).map(|(id, _)| id).collect())
    };
    let mut blanked = 0;
    for (find, update) in [
        (
            "SELECT id, arguments || ' ' || coalesce(progress, '') || ' ' || coalesce(message, '') FROM run",
            "UPDATE run SET arguments = ?2, progress = NULL, message = iif(message IS NULL, NULL, ?2) WHERE id = ?1",
        ),
        ("SELECT id, note FROM round WHERE note IS NOT NULL", "UPDATE round SET note = ?2 WHERE id = ?1"),
    ] {
        for id in quoting(find)? {
            blanked += tx.execute(update, (id, FORGOTTEN))?;
        }
    }
    Ok(blanked)
}

/// Examples in revisions of the task that are one of the texts.
fn blank_examples(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let keys: Vec<[u8; 32]> = column(tx, "SELECT i.key FROM forgotten f JOIN item i ON i.id = f.item")?;
    let keys: HashSet<ItemKey> = keys.into_iter().map(ItemKey).collect();
    let mut all = tx.prepare_cached("SELECT id, toml FROM task_revision")?;
    let all = all.query_map((), |r| Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?)))?;
    let all: Vec<(i64, String)> = all.collect::<rusqlite::Result<_>>()?;
    for (id, toml) in all {
        if let Some(without) = toml_without_examples(&toml, &keys) {
            rewrite(tx, REVISIONS, "task_revision_is_never_updated", &[id], |id| {
                tx.execute("UPDATE task_revision SET toml = ?2 WHERE id = ?1", (id, &without)).map(drop)
            })?;
        }
    }
    Ok(())
}

/// Settings of models that name the texts, as a judge's examples.
fn blank_settings(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let gone: HashSet<ItemId> = column(tx, "SELECT item FROM forgotten")?.into_iter().collect();
    for (table, map) in [
        (
            "predictor",
            predictor_settings as fn(&str, &str, &mut dyn FnMut(&ItemId) -> Option<ItemId>) -> Option<String>,
        ),
        ("adapter", adapter_settings),
    ] {
        let mut all = tx.prepare(&format!("SELECT id, kind, settings FROM {table}"))?;
        let all =
            all.query_map((), |r| Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?)))?;
        let all: Vec<_> = all.collect::<rusqlite::Result<_>>()?;
        for (id, kind, settings) in all {
            let mut found = false;
            let mapped = map(&kind, &settings, &mut |item| {
                let is_gone = gone.contains(item);
                found |= is_gone;
                (!is_gone).then_some(*item)
            });
            if let Some(mapped) = mapped.filter(|_| found) {
                tx.execute(&format!("UPDATE {table} SET settings = ?2 WHERE id = ?1"), (id, mapped))?;
            }
        }
    }
    Ok(())
}

fn predictor_settings(
    kind: &str,
    settings: &str,
    item: &mut dyn FnMut(&ItemId) -> Option<ItemId>,
) -> Option<String> {
    let mut predictor = |id: &PredictorId| Some(*id);
    let mut ids = IdMap { item, predictor: &mut predictor };
    Some(kind.parse::<PredictorKind>().ok()?.map_settings(settings, &mut ids))
}

fn adapter_settings(
    kind: &str,
    settings: &str,
    item: &mut dyn FnMut(&ItemId) -> Option<ItemId>,
) -> Option<String> {
    let mut predictor = |id: &PredictorId| Some(*id);
    let mut ids = IdMap { item, predictor: &mut predictor };
    Some(kind.parse::<AdapterKind>().ok()?.map_settings(settings, &mut ids))
}

/// Changes rows that a trigger keeps from being changed, and seals them again; the trigger is put back to the letter.
fn rewrite(
    tx: &Transaction<'_>,
    sealed: Sealed,
    trigger: &str,
    rows: &[i64],
    change: impl Fn(i64) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql: String =
        tx.query_row("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?1", [trigger], |r| {
            r.get(0)
        })?;
    tx.execute_batch(&format!("DROP TRIGGER {trigger}"))?;
    let Sealed { table, columns, .. } = sealed;
    let seal = format!(
        "UPDATE seal SET hash = (SELECT seal_of({columns}) FROM {table} WHERE id = ?1) WHERE of = '{table}' AND row = ?1"
    );
    for id in rows {
        change(*id)?;
        tx.execute(&seal, [id])?;
    }
    tx.execute_batch(&sql)
}

#[cfg(test)]
mod tests;
