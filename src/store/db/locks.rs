//! Whether file locks work: another process tries to get one that this one holds.
//!
//! Locks belong to processes, so one process alone cannot find out. Nothing of the project is touched: a separate file next to it is locked.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;

use super::attempt::{Attempt, is_busy};
use super::clock::new_uuid;
use super::plain_path::plain;
use super::private::create_private;
use crate::domain::fault::{Fault, FaultKind, Result};

/// The verb under which this program tries to get a lock that its parent holds.
pub const TRY_LOCK: &str = "try-lock";

/// What became of a lock that two processes asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locks {
    /// One got it.
    Kept,
    /// Both got it: two people could write at once.
    GivenTwice,
    /// It could not be tried: the folder cannot be written, or no process started.
    Untried,
}

/// Tries the locks of the file system that `project` lies on, or will lie on.
pub fn try_locks(project: &Path) -> Locks {
    let mut name = std::ffi::OsString::from(".");
    name.push(project.file_name().unwrap_or_default());
    name.push(format!(".locks-{}", new_uuid().simple()));
    let scratch = Scratch(project.with_file_name(name));
    tried(&scratch.0).unwrap_or(Locks::Untried)
}

fn tried(scratch: &Path) -> Result<Locks> {
    let what = "try the locks";
    create_private(scratch, what)?;
    let holder = Connection::open(plain(scratch)).attempting(what)?;
    holder.execute_batch("BEGIN EXCLUSIVE; CREATE TABLE held (by_me)").attempting(what)?;
    let failed = |e: std::io::Error| Fault::new(what, "no process can be started").because(e);
    let ended = Command::new(std::env::current_exe().map_err(failed)?)
        .arg(TRY_LOCK)
        .arg(scratch)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(failed)?;
    Ok(match ended.code() {
        Some(0) => Locks::Kept,
        Some(code) if code == i32::from(FaultKind::Check.exit_code()) => Locks::GivenTwice,
        _ => Locks::Untried,
    })
}

/// The other process's part.
///
/// # Errors
/// A check that was not met where the lock was given, although somebody holds it.
pub fn ask_for_lock(scratch: &Path) -> Result<()> {
    let what = "be kept from a lock that another process holds";
    let conn = Connection::open(plain(scratch)).attempting(what)?;
    conn.busy_timeout(std::time::Duration::ZERO).attempting(what)?;
    match conn.execute_batch("BEGIN IMMEDIATE") {
        Err(error) if is_busy(&error) => Ok(()),
        Err(error) => Err(error).attempting(what),
        Ok(()) => Err(Fault::new(what, "it was given").kind(FaultKind::Check)),
    }
}

/// A file that is gone, with its journal, when it is dropped.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        for end in ["", "-journal"] {
            let mut name = self.0.as_os_str().to_owned();
            name.push(end);
            let _ = std::fs::remove_file(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_nobody_holds_is_given_and_one_that_somebody_holds_is_not_asked_for_twice_in_one_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        assert_eq!(ask_for_lock(&path).unwrap_err().exit_code(), 3);
        let holder = Connection::open(&path).unwrap();
        holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
        ask_for_lock(&path).unwrap();
    }
}
