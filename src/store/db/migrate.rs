//! Bringing a file from its version to the newest: each step is one script, all run in one transaction, after a backup.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::attempt::Attempt;
use super::clock::now_ms;
use super::functions;
use super::header::{APPLICATION_ID, refuse_mark};
use super::log_mark;
use super::plain_path::plain;
use super::seals;
use super::version::{Marked, Version, marked};
use crate::domain::fault::{Fault, Result};
use crate::store::care::backups::{Backups, Holds};
use crate::store::care::copying::copy_pages;

/// Notes where each table and index begins: once they are made, and whenever the file was written anew.
pub(in crate::store) const LIST_ROOTS: &str = "DELETE FROM root_page; INSERT INTO root_page SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0;";
/// Says that the list is about to be out of date, because the file is written anew: whatever comes in between, it is not taken for damage.
pub(in crate::store) const ROOTS_MOVE: &str = "DELETE FROM root_page; INSERT INTO root_page VALUES ('', 0);";
const WHAT: &str = "bring the project to this program's file version";

/// Brings an open file from its version to the newest, after a check and a backup where it held anything.
///
/// Returns the backup's path where one was made.
///
/// # Errors
/// A file of a version that this program does not know, a damaged one, or no room for the backup: nothing is changed then.
pub(in crate::store) fn migrate(
    conn: &mut Connection,
    path: &Path,
    versions: &[Version],
) -> Result<Option<PathBuf>> {
    let from = version(conn, versions)?;
    if from as usize == versions.len() {
        return Ok(None);
    }
    let mut backup = None;
    if from > 0 {
        let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).attempting(WHAT)?;
        if verdict != "ok" {
            return Err(Fault::new(WHAT, format!("the file is damaged ({verdict})")).hint(seals::WAY_OUT));
        }
        backup = Some(back_up(conn, path)?);
    }
    apply(conn, versions)?;
    Ok(backup)
}

/// Brings an open file to the newest version in one commit, without a backup: for files that are new, or copies themselves.
pub(in crate::store) fn apply(conn: &mut Connection, versions: &[Version]) -> Result<()> {
    functions::install(conn).attempting(WHAT)?;
    let tx = Transaction::new(conn, TransactionBehavior::Immediate).attempting(WHAT)?;
    // Another process may have been first while this one waited for the lock.
    let from = version(&tx, versions)?;
    for step in versions.iter().skip(from as usize) {
        tx.execute_batch(step.script).attempting(WHAT)?;
    }
    let mark = (1..).zip(versions).last().map_or(0, |(number, newest)| newest.mark(number));
    tx.pragma_update(None, "application_id", APPLICATION_ID).attempting(WHAT)?;
    tx.pragma_update(None, "user_version", mark).attempting(WHAT)?;
    let path = tx.path().map(PathBuf::from).unwrap_or_default();
    log_mark::renew(&tx, &path).attempting(WHAT)?;
    tx.execute_batch(LIST_ROOTS).attempting(WHAT)?;
    tx.commit().attempting(WHAT)
}

/// The number of the version that an open file has; 0 of a new one.
///
/// # Errors
/// It is none of these versions.
pub(in crate::store) fn version(conn: &Connection, versions: &[Version]) -> Result<u32> {
    match marked(conn, versions).attempting(WHAT)? {
        Marked::Unmarked => Ok(0),
        Marked::Known(number) => Ok(number),
        other => Err(refuse_mark(other, WHAT)),
    }
}

fn back_up(conn: &Connection, path: &Path) -> Result<PathBuf> {
    let what = "back the project up before it is brought to this program's file version";
    let made = Backups::of(path).wait_to_hold()?.make(Holds::EarlierVersion, now_ms(), |to| {
        copy_pages(conn, to).attempting(what)?;
        // A file of its own: nobody should need a log to read it.
        let copy = Connection::open(plain(to)).attempting(what)?;
        copy.query_row("PRAGMA journal_mode = DELETE", (), |_| Ok(())).attempting(what)?;
        copy.close().map_err(|(_, e)| e).attempting(what)
    });
    Ok(made.map_err(|fault| fault.while_trying(what))?.path)
}
