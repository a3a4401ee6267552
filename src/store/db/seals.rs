//! Seals: a checksum of every row that a label rests on, so that a byte which a disk changed is noticed where SQLite reads it as valid.
//!
//! They guard against accident, not against forgery. A row is sealed once, in the transaction that writes it, over the columns that never
//! change. A text needs none: its key is a hash of it.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

use crate::domain::item::ItemKey;

/// A table whose rows are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Sealed {
    /// Its name, which stands in `seal.of`.
    pub table: &'static str,
    /// What never changes of a row, its number first.
    pub columns: &'static str,
    /// What a person calls its rows.
    pub called: &'static str,
}

impl Sealed {
    /// Where the sealed columns stand among these, in the order in which they are hashed.
    pub fn places(&self, columns: &[String]) -> Vec<usize> {
        self.columns.split(',').filter_map(|c| columns.iter().position(|have| have == c.trim())).collect()
    }
}

pub(in crate::store) const EVENTS: Sealed = Sealed {
    table: "label_event",
    columns: "id, uuid, lamport, session, seq, expert, item, label_case, action, target, answer, confidence, note, revision,
              seen_prelabel, revealed, duration_ms, at_ms",
    called: "label events",
};
pub(in crate::store) const EXPERT_EVENTS: Sealed = Sealed {
    table: "expert_event",
    columns: "id, uuid, lamport, session, action, expert, other, at_ms",
    called: "changes of roles and names",
};
pub(in crate::store) const REVISIONS: Sealed = Sealed {
    table: "task_revision",
    columns: "id, uuid, number, generation, toml, session, created_ms",
    called: "task revisions",
};
/// A merge may find an earlier enrolment of a name; the name itself stays.
pub(in crate::store) const EXPERTS: Sealed =
    Sealed { table: "expert", columns: "id, name", called: "experts" };
pub(in crate::store) const SESSIONS: Sealed = Sealed {
    table: "session",
    columns: "id, uuid, expert, login, uid, host, process, program, started_ms",
    called: "sessions",
};
/// All of them, each after those that it refers to.
pub(in crate::store) const ALL: [Sealed; 5] = [EXPERTS, SESSIONS, REVISIONS, EXPERT_EVENTS, EVENTS];

/// Bytes of a seal.
const LENGTH: usize = 16;

/// Gives a connection the functions `seal_of(…)`, the seal of its arguments, and `key_of(text)`, the key of a text.
pub(in crate::store) fn install(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("seal_of", -1, flags, |context| {
        let mut hash = blake3::Hasher::new();
        for i in 0..context.len() {
            take(&mut hash, context.get_raw(i));
        }
        Ok(finish(&hash).to_vec())
    })?;
    conn.create_scalar_function("key_of", 1, flags, |context| {
        Ok(match context.get_raw(0) {
            ValueRef::Text(text) => std::str::from_utf8(text).ok().map(|text| ItemKey::of(text).0.to_vec()),
            _ => None,
        })
    })
}

/// The seal of a row's values.
pub(in crate::store) fn seal_of<'v>(values: impl Iterator<Item = ValueRef<'v>>) -> [u8; LENGTH] {
    let mut hash = blake3::Hasher::new();
    values.for_each(|value| take(&mut hash, value));
    finish(&hash)
}

/// Each value with its kind and length before it, so that no two rows read the same.
fn take(hash: &mut blake3::Hasher, value: ValueRef<'_>) {
    kind_and_bytes(value, |kind, bytes| {
        hash.update(&[kind]);
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    });
}

/// Hands on what a seal takes of a value: a number for its kind, and its bytes.
pub(in crate::store) fn kind_and_bytes(value: ValueRef<'_>, part: impl FnOnce(u8, &[u8])) {
    match value {
        ValueRef::Null => part(0, &[]),
        ValueRef::Integer(n) => part(1, &n.to_le_bytes()),
        ValueRef::Real(x) => part(2, &x.to_le_bytes()),
        ValueRef::Text(text) => part(3, text),
        ValueRef::Blob(bytes) => part(4, bytes),
    }
}

fn finish(hash: &blake3::Hasher) -> [u8; LENGTH] {
    let mut seal = [0; LENGTH];
    hash.finalize_xof().fill(&mut seal);
    seal
}

/// Seals the rows that were added to a table since the last time, in the same transaction: rows are numbered upwards and none is ever
/// deleted. `schema` is `main`, or the name of an attached file.
pub(in crate::store) fn seal_new(conn: &Connection, schema: &str, sealed: Sealed) -> rusqlite::Result<()> {
    let Sealed { table, columns, .. } = sealed;
    conn.prepare_cached(&format!(
        "INSERT INTO {schema}.seal (of, row, hash) SELECT '{table}', id, seal_of({columns}) FROM {schema}.{table}
         WHERE id > (SELECT coalesce(max(row), 0) FROM {schema}.seal WHERE of = '{table}')"
    ))?
    .execute(())
    .map(drop)
}

/// What to do about a damaged file.
pub(in crate::store) const WAY_OUT: &str = "It was left as it is. Use `hardcase doctor FILE --repair` to save what is intact, or `hardcase restore FILE` to go back to a backup";
