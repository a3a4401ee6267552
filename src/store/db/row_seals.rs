//! Seals in the row itself: a checksum that SQLite computes when a row is written, in a generated column, and that is held against the row when it
//! is used.
//!
//! They cover what `seals.rs` does not: rows that change, and tables of a million rows. Like those they guard against accident, not against forgery.

use std::cell::RefCell;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

use super::seals::{WAY_OUT, kind_and_bytes};
use crate::domain::fault::Fault;

/// A table whose rows hold a seal over all their other columns, or over some of them: each column is in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct RowSealed {
    /// Its name.
    pub table: &'static str,
    /// The columns that the seal is over, in their order.
    pub columns: &'static str,
    /// The column that holds it.
    pub seal: &'static str,
    /// What a person calls its rows.
    pub called: &'static str,
    /// The column that numbers them.
    pub number: &'static str,
    pub checked: Checked,
}

/// When the rows of a table are held against their seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Checked {
    /// When the project is opened: there are few.
    WhenOpened,
    /// Before anything is exported, and where they are used.
    BeforeExport,
    /// Where they are used: no export holds any of it.
    WhereUsed,
}

macro_rules! sealed {
    ($($table:literal $called:literal $number:literal $checked:ident $seal:ident $columns:literal;)+) => {
        /// All of them.
        pub(in crate::store) const ROW_SEALED: &[RowSealed] = &[$(RowSealed {
            table: $table,
            columns: $columns,
            seal: stringify!($seal),
            called: $called,
            number: $number,
            checked: Checked::$checked,
        }),+];
    };
}

sealed! {
    "project" "settings of the project" "id" WhenOpened seal
        "id, uuid, created_ms, created_by, seed, audit_share, eval_share, active_predictor, lamport_heard";
    "source" "imports" "id" WhenOpened seal
        "id, uuid, name, found, state, rows, items, empty, rejected, started_ms, finished_ms";
    "item" "texts" "id" BeforeExport seal
        "id, key, text, split, source";
    "forgotten" "records of removed texts" "item" WhenOpened seal
        "item, at_ms, wiped";
    "source_row" "imported rows" "row" BeforeExport seal
        "source, row, external_id, gold, meta, fields, item";
    "label_source" "sources of imported labels" "id" WhenOpened seal
        "id, uuid, name, weight, changes, created_ms";
    "imported_label" "imported labels" "item" BeforeExport seal
        "label_source, item, file, place, answer, at_ms, import";
    "expert" "experts" "id" WhenOpened seal
        "id, uuid, name, created_ms";
    "session" "sessions" "id" WhenOpened seal
        "id, uuid, expert, login, uid, host, process, program, started_ms, ended_ms, ended_how";
    "model" "models" "id" WhenOpened seal
        "id, sha256, name, path, architecture, quantisation, dimensions, bytes, reading";
    "adapter" "adapters" "id" WhenOpened seal
        "id, uuid, kind, model, parent, round, revision, labels, settings, training_hash, training_n, created_ms";
    "adapter" "bytes of adapters" "id" BeforeExport bytes_seal
        "id, bytes";
    "left_out" "records of what was left out" "adapter" WhenOpened seal
        "adapter, bytes, sha256";
    "hidden_state" "hidden states" "item" WhereUsed seal
        "judge, item, states";
    "embedding" "vectors" "item" WhereUsed seal
        "model, adapter, item, vector, cut_at";
    "predictor" "predictors" "id" WhenOpened seal
        "id, uuid, kind, model, adapter, revision, prompt, labels, settings, created_ms";
    "prediction" "predictions" "item" BeforeExport seal
        "predictor, item, probabilities";
    "round" "rounds" "id" WhenOpened seal
        "id, uuid, number, strategy, budget, seed, predictor, note, overlap, created_ms, closed_ms";
    "label_case" "cases" "id" WhenOpened seal
        "id, uuid, round, position, item, split, reason, partner, similarity, side, margin, inclusion, overlap, withdrawn_ms, expert, revealed_ms, reannotation";
    "lease" "leases of cases" "label_case" WhenOpened seal
        "label_case, expert, session, shown_ms, expires_ms";
    "reveal" "reveals" "item" WhenOpened seal
        "expert, item, at_ms";
    "draft" "notes that were begun" "item" WhenOpened seal
        "expert, item, text";
    "run" "records of jobs" "id" WhenOpened seal
        "id, uuid, kind, arguments, host, process, program, started_ms, heartbeat_ms, progress, ended_ms, outcome, message";
    "metric" "figures" "id" WhenOpened seal
        "id, round, predictor, name, value, lo, hi, n, undefined, created_ms";
}

impl RowSealed {
    /// Those of one table: none has more than two.
    pub fn of(table: &str) -> impl Iterator<Item = &'static Self> {
        ROW_SEALED.iter().filter(move |sealed| sealed.table == table)
    }

    /// Whether a row is not as it was written, in SQL.
    pub fn is_broken(&self) -> String {
        format!("{} IS NOT check_of({})", self.seal, self.columns)
    }

    /// Whether this is the seal with which all of the table's pages are read.
    pub fn is_last(&self) -> bool {
        Self::of(self.table).last() == Some(self)
    }
}

/// Whether a row of a table is as it was written, as a column of a query. Empty for a table without seals.
pub(in crate::store) fn is_whole(table: &str) -> String {
    let seals: Vec<_> = RowSealed::of(table)
        .map(|sealed| format!("{} IS check_of({})", sealed.seal, sealed.columns))
        .collect();
    seals.join(" AND ")
}

/// Says that a row which was to be used is not as it was written.
pub(in crate::store) fn broken(attempted: &str, what: &str) -> Fault {
    Fault::new(attempted, format!("the project file is damaged: {what} not as written")).hint(WAY_OUT)
}

/// Gives a connection the function `check_of(…)`. Without it nobody can write to the file.
pub(in crate::store) fn install(conn: &Connection) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("check_of", -1, flags, |context| {
        Ok(check_of((0..context.len()).map(|i| context.get_raw(i))))
    })
}

thread_local! {
    static ROW: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The seal of a row's values: each with its kind and length before it, so that no two rows read the same.
pub(in crate::store) fn check_of<'v>(values: impl Iterator<Item = ValueRef<'v>>) -> i64 {
    ROW.with_borrow_mut(|row| {
        row.clear();
        for value in values {
            kind_and_bytes(value, |kind, bytes| {
                row.push(kind);
                row.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
                row.extend_from_slice(bytes);
            });
        }
        let hash = blake3::hash(row);
        // A text of many megabytes leaves no room behind.
        if row.capacity() > 1 << 20 {
            *row = Vec::new();
        }
        let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
        i64::from_le_bytes([a, b, c, d, e, f, g, h])
    })
}

#[cfg(test)]
mod tests;
