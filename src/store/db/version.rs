//! The versions of the project file: what makes each of them, and the mark in the file's header that says which one a file has.
//!
//! Nothing has been released yet, so version 1 changes in place. The mark (`user_version`) therefore holds the number in its low byte and the
//! beginning of the hash of the schema above it: a file that a development version made is told from one of this program by its first
//! hundred bytes, before SQLite touches it.

use rusqlite::Connection;

/// A version of the file.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Version {
    /// What leads to it from the one before.
    pub script: &'static str,
    /// The hash of the schema that it has then.
    pub schema: u128,
}

/// All that this program knows, the newest last.
pub(in crate::store) const VERSIONS: &[Version] =
    &[Version { script: include_str!("schema.sql"), schema: SCHEMA }];

/// The hash of `schema.sql` as SQLite keeps it; a test says what it is after a change.
const SCHEMA: u128 = 0xa00b578203257d37be6f85ed9fdd5ebc;

/// The number of the file version that this program writes.
pub const FILE_VERSION: u32 = VERSIONS.len() as u32;

/// What the mark of a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Marked {
    /// Nothing: the file is new.
    Unmarked,
    /// It has the version of this number.
    Known(u32),
    /// A version of this number, which this program does not know.
    Newer(u32),
    /// A format that was never released.
    Development,
}

impl Version {
    /// The mark of this version, which is the one of that number. Below 2³¹, because SQLite keeps a signed number.
    pub fn mark(&self, number: u32) -> u32 {
        ((self.schema >> 105) as u32) << 8 | number
    }
}

pub(in crate::store) fn read_mark(mark: u32, versions: &[Version]) -> Marked {
    let number = mark & 0xFF;
    let own = (1..).zip(versions).find(|(number, version)| version.mark(*number) == mark);
    match own {
        _ if mark == 0 => Marked::Unmarked,
        Some((number, _)) => Marked::Known(number),
        // The first files had the number alone.
        None if number as usize > versions.len() && mark >> 8 != 0 => Marked::Newer(number),
        None => Marked::Development,
    }
}

/// What an open file is marked with.
pub(in crate::store) fn marked(conn: &Connection, versions: &[Version]) -> rusqlite::Result<Marked> {
    let mark: i32 = conn.query_row("PRAGMA user_version", (), |r| r.get(0))?;
    Ok(read_mark(mark.cast_unsigned(), versions))
}

/// The hash of everything that a file's schema says: tables, indexes, triggers and views.
pub(in crate::store) fn schema_hash(conn: &Connection) -> rusqlite::Result<u128> {
    let mut statement = conn.prepare_cached(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name",
    )?;
    let mut rows = statement.query(())?;
    let mut hash = blake3::Hasher::new();
    while let Some(row) = rows.next()? {
        for column in 0..4 {
            let text = row.get_ref(column)?.as_bytes()?;
            hash.update(&(text.len() as u64).to_le_bytes()).update(text);
        }
    }
    let mut first = [0; 16];
    hash.finalize_xof().fill(&mut first);
    Ok(u128::from_le_bytes(first))
}

/// The version of SQLite inside.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::functions;

    #[test]
    fn the_constant_is_the_hash_of_the_schema() {
        let conn = Connection::open_in_memory().unwrap();
        functions::install(&conn).unwrap();
        VERSIONS.iter().for_each(|version| conn.execute_batch(version.script).unwrap());
        let hash = schema_hash(&conn).unwrap();
        let pasted = format!("const SCHEMA: u128 = {hash:#034x};");
        assert!(hash == SCHEMA, "schema.sql was changed. Put this into version.rs: {pasted}");
    }

    #[test]
    fn a_file_is_of_this_program_of_a_newer_one_or_of_none_that_was_released() {
        let read = |mark| read_mark(mark, VERSIONS);
        let mark = VERSIONS[0].mark(1);
        assert!(mark < 1 << 31 && mark >> 8 > 1, "{mark:#x}");
        assert_eq!(
            (read(0), read(mark), read(mark + 1)),
            (Marked::Unmarked, Marked::Known(1), Marked::Newer(2))
        );
        for old in [1, 2, 3, 4, mark ^ 1 << 20] {
            assert_eq!(read(old), Marked::Development, "{old:#x}");
        }
    }

    #[test]
    fn any_change_of_the_schema_is_another_hash() {
        let hash = |sql: &str| {
            let conn = Connection::open_in_memory().unwrap();
            conn.execute_batch(sql).unwrap();
            schema_hash(&conn).unwrap()
        };
        let one = hash("CREATE TABLE a (x);");
        assert_eq!(one, hash("CREATE TABLE a (x); INSERT INTO a VALUES (1)"));
        for other in [
            "CREATE TABLE a (y);",
            "CREATE TABLE a (x); CREATE INDEX b ON a (x);",
            "CREATE TABLE a (x) ;;CREATE VIEW v AS SELECT 1;",
        ] {
            assert_ne!(one, hash(other), "{other}");
        }
    }
}
