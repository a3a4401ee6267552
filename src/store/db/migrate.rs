//! The file's versions: each migration is one script, run in one transaction, after a backup.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::attempt::Attempt;
use super::clock::now_ms;
use super::header::APPLICATION_ID;
use super::{functions, seals};
use crate::domain::fault::{Fault, Result};
use crate::store::care::backups::{Backups, Holds};
use crate::store::care::copying::copy_pages;

/// Script `n` takes a file of version `n` to `n + 1`.
pub(in crate::store) const MIGRATIONS: &[&str] = &[
    include_str!("schema_v1.sql"),
    include_str!("schema_v2.sql"),
    include_str!("schema_v3.sql"),
    include_str!("schema_v4.sql"),
];

/// The file version that this program writes.
pub const FILE_VERSION: u32 = MIGRATIONS.len() as u32;

/// Brings an open file from its version to the newest, after a check and a backup where it held anything.
///
/// Returns the backup's path where one was made.
///
/// # Errors
/// A damaged file, or no room for the backup: nothing is changed then.
pub(in crate::store) fn migrate(
    conn: &mut Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<Option<PathBuf>> {
    let what = "bring the project to this program's file version";
    let from = version(conn).attempting(what)? as usize;
    if from >= migrations.len() {
        return Ok(None);
    }
    let mut backup = None;
    if from > 0 {
        let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).attempting(what)?;
        if verdict != "ok" {
            return Err(Fault::new(what, format!("the file is damaged ({verdict})")).hint(seals::WAY_OUT));
        }
        backup = Some(back_up(conn, path)?);
    }
    apply(conn, migrations)?;
    Ok(backup)
}

/// Brings an open file to the newest version in one commit, without a backup: for files that are copies themselves.
pub(in crate::store) fn apply(conn: &mut Connection, migrations: &[&str]) -> Result<()> {
    let what = "bring the project to this program's file version";
    functions::install(conn).attempting(what)?;
    let tx = Transaction::new(conn, TransactionBehavior::Immediate).attempting(what)?;
    // Another process may have been first while this one waited for the lock.
    let from = version(&tx).attempting(what)? as usize;
    for script in migrations.iter().skip(from) {
        tx.execute_batch(script).attempting(what)?;
    }
    if from < seals::SINCE_VERSION && migrations.len() >= seals::SINCE_VERSION {
        seals::ALL
            .into_iter()
            .try_for_each(|sealed| seals::seal_new(&tx, "main", sealed))
            .attempting(what)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID).attempting(what)?;
    tx.pragma_update(None, "user_version", migrations.len() as u32).attempting(what)?;
    tx.commit().attempting(what)
}

/// The file version that an open file has.
pub(in crate::store) fn version(conn: &Connection) -> rusqlite::Result<u32> {
    conn.query_row("PRAGMA user_version", [], |r| r.get(0))
}

fn back_up(conn: &Connection, path: &Path) -> Result<PathBuf> {
    let what = "back the project up before its migration";
    let made = Backups::of(path).wait_to_hold()?.make(Holds::EarlierVersion, now_ms(), |to| {
        copy_pages(conn, to).attempting(what)?;
        // A file of its own: nobody should need a log to read it.
        let copy = Connection::open(to).attempting(what)?;
        copy.query_row("PRAGMA journal_mode = DELETE", (), |_| Ok(())).attempting(what)?;
        copy.close().map_err(|(_, e)| e).attempting(what)
    });
    Ok(made.map_err(|fault| fault.while_trying(what))?.path)
}

/// The tables, indexes, triggers and views that a whole file has, with their text.
pub(in crate::store) fn schema_of(conn: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut statement =
        conn.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name")?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    rows.collect()
}

/// The schema that the newest version has.
pub(in crate::store) fn expected_schema() -> rusqlite::Result<Vec<(String, String)>> {
    let conn = Connection::open_in_memory()?;
    for script in MIGRATIONS {
        conn.execute_batch(script)?;
    }
    schema_of(&conn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_makes_a_backup_first_and_the_backup_is_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.hardcase");
        let mut conn = Connection::open(&path).unwrap();
        assert_eq!(
            migrate(&mut conn, &path, &["CREATE TABLE a (x); INSERT INTO a VALUES (1);"]).unwrap(),
            None
        );
        let two = ["", "ALTER TABLE a ADD COLUMN y DEFAULT 2;"];
        let backup = migrate(&mut conn, &path, &two).unwrap().expect("a backup");
        let sum = |c: &Connection, sql: &str| c.query_row(sql, [], |r| r.get::<_, i64>(0));
        assert_eq!(sum(&conn, "SELECT x + y FROM a").unwrap(), 3);
        let old = Connection::open(&backup).unwrap();
        assert_eq!(sum(&old, "SELECT x FROM a").unwrap(), 1);
        assert!(sum(&old, "SELECT y FROM a").is_err());
        assert_eq!(migrate(&mut conn, &path, &two).unwrap(), None, "a second run has nothing to do");
    }

    #[test]
    fn a_migration_that_fails_leaves_the_file_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.hardcase");
        let mut conn = Connection::open(&path).unwrap();
        migrate(&mut conn, &path, &["CREATE TABLE a (x);"]).unwrap();
        let broken = ["", "CREATE TABLE b (x); CREATE TABLE a (x);"];
        assert!(migrate(&mut conn, &path, &broken).is_err());
        assert_eq!(schema_of(&conn).unwrap().len(), 1);
    }
}
