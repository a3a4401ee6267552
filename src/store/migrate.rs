//! The file's versions: each migration is one script, run in one transaction, after a backup.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::attempt::Attempt;
use super::clock::now_ms;
use super::header::APPLICATION_ID;
use super::private::create_private;
use crate::domain::fault::{Fault, Result, io_reason};

/// Script `n` takes a file of version `n` to `n + 1`.
pub(super) const MIGRATIONS: &[&str] =
    &[include_str!("schema_v1.sql"), include_str!("schema_v2.sql"), include_str!("schema_v3.sql")];

/// The file version that this program writes.
pub const FILE_VERSION: u32 = MIGRATIONS.len() as u32;

/// Brings an open file from its version to the newest, after a check and a backup where it held anything.
///
/// Returns the backup's path where one was made.
///
/// # Errors
/// A damaged file, or no room for the backup: nothing is changed then.
pub(super) fn migrate(conn: &mut Connection, path: &Path, migrations: &[&str]) -> Result<Option<PathBuf>> {
    let what = "bring the project to this program's file version";
    let from = version(conn).attempting(what)? as usize;
    if from >= migrations.len() {
        return Ok(None);
    }
    let mut backup = None;
    if from > 0 {
        let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).attempting(what)?;
        if verdict != "ok" {
            return Err(Fault::new(what, format!("the file is damaged ({verdict})"))
                .hint("It was left as it is: run `hardcase doctor` on it, or go back to a backup"));
        }
        backup = Some(back_up(conn, path, from)?);
    }
    apply(conn, migrations)?;
    Ok(backup)
}

/// Brings an open file to the newest version in one commit, without a backup: for files that are copies themselves.
pub(super) fn apply(conn: &mut Connection, migrations: &[&str]) -> Result<()> {
    let what = "bring the project to this program's file version";
    let tx = Transaction::new(conn, TransactionBehavior::Immediate).attempting(what)?;
    // Another process may have been first while this one waited for the lock.
    let from = version(&tx).attempting(what)? as usize;
    for script in migrations.iter().skip(from) {
        tx.execute_batch(script).attempting(what)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID).attempting(what)?;
    tx.pragma_update(None, "user_version", migrations.len() as u32).attempting(what)?;
    tx.commit().attempting(what)
}

/// The file version that an open file has.
pub(super) fn version(conn: &Connection) -> rusqlite::Result<u32> {
    conn.query_row("PRAGMA user_version", [], |r| r.get(0))
}

fn back_up(conn: &Connection, path: &Path, version: usize) -> Result<PathBuf> {
    let what = "back the project up before its migration";
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".v{version}-{}.backup", now_ms()));
    let target = PathBuf::from(&name);
    // Under its own name only once it is whole: a backup that was cut short must not pass for one.
    name.push(".partial");
    let partial = PathBuf::from(name);
    create_private(&partial, what)?;
    let mut copy = Connection::open(&partial).attempting(what)?;
    rusqlite::backup::Backup::new(conn, &mut copy)
        .and_then(|b| b.run_to_completion(1_000, std::time::Duration::ZERO, None))
        .attempting(what)?;
    copy.close().map_err(|(_, e)| e).attempting(what)?;
    std::fs::rename(&partial, &target).map_err(|e| Fault::new(what, io_reason(&e)).because(e))?;
    Ok(target)
}

/// The tables, indexes, triggers and views that a whole file has, with their text.
pub(super) fn schema_of(conn: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut statement =
        conn.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name")?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    rows.collect()
}

/// The schema that the newest version has.
pub(super) fn expected_schema() -> rusqlite::Result<Vec<(String, String)>> {
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
