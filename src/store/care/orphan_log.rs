//! A log whose file is not next to it any more: it may hold labels that were saved and are nowhere else, so it is named, kept, and never read
//! into another file.

use std::path::{Path, PathBuf};

use super::backups::aside_name;
use rusqlite::Connection;

use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::grouped::counted;
use crate::store::db::clock::now_ms;
use crate::store::db::mark::Owner;
use crate::store::db::plain_path::plain;
use crate::store::db::wal::{commits, sidecar};
use crate::store::db::{log_mark, rollback_journal};

/// The log or the journal next to the place of a project that is not there, where it holds anything; in words.
pub fn log_without_file(project: &Path) -> Option<String> {
    if project.symlink_metadata().is_ok() {
        return None;
    }
    let holds = |end: &&str| sidecar(project, end).metadata().is_ok_and(|meta| meta.len() > 0);
    let end = ["-wal", "-journal"].into_iter().find(holds)?;
    let log = sidecar(project, end);
    let name = log.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if end == "-journal" {
        return Some(format!("its journal {name}, of a write that was interrupted, is still there"));
    }
    let changes = match commits(project).whole {
        0 => String::new(),
        n => format!(" with {} that may be nowhere else", counted(n, "saved change", "saved changes")),
    };
    Some(format!("its log {name} is still there{changes}"))
}

/// What to do about such a log.
pub const PUT_TOGETHER: &str = "If the file was moved, move it back, or move that along under the file's new name (its name and -wal or -journal). \
     `hardcase restore FILE` goes back to a backup and keeps it under another name";

/// Whether another file's log lies next to a project.
pub(in crate::store) fn has_foreign_log(project: &Path) -> bool {
    log_mark::owner(project) == Owner::Another
}

/// What lies next to a project that is another file's, or may be, as a sentence.
pub fn foreign_log(project: &Path) -> Option<String> {
    let log = || "the log next to it belongs to another file".to_owned();
    has_foreign_log(project).then(log).or_else(|| rollback_journal::foreign(project))
}

/// Puts the logs next to a project under other names, where they belong to another file. Returns where they are now.
///
/// # Errors
/// The folder cannot be written.
pub fn set_foreign_logs_aside(project: &Path, attempted: &str) -> Result<Vec<PathBuf>> {
    let mut aside = Vec::new();
    for (end, owner) in [("-wal", log_mark::owner(project)), ("-journal", rollback_journal::owner(project))] {
        if owner == Owner::Another {
            aside.push(
                set_log_aside(project, end).map_err(|e| Fault::new(attempted, io_reason(&e)).because(e))?,
            );
        }
    }
    Ok(aside)
}

/// Puts the journal next to a project under another name. Returns where it is now.
///
/// # Errors
/// The folder cannot be written.
pub fn set_journal_aside(project: &Path, attempted: &str) -> Result<PathBuf> {
    set_log_aside(project, "-journal").map_err(|e| Fault::new(attempted, io_reason(&e)).because(e))
}

/// Has SQLite undo what a journal says was interrupted, in a copy that nobody else has. A copy that cannot be opened is left as it is.
pub fn play_journal(copy: &Path) {
    if let Ok(conn) = Connection::open(plain(copy)) {
        let _ = conn.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(()));
    }
}

/// Puts the log of a project (`-wal` or `-journal`) under another name. Those who have it open go on with it there, and notice.
pub(in crate::store) fn set_log_aside(project: &Path, end: &str) -> std::io::Result<PathBuf> {
    let aside = sidecar(&aside_name(project, now_ms(), "orphan"), end);
    std::fs::rename(sidecar(project, end), &aside)?;
    // The index of that log, which would be taken for that of the next one.
    match std::fs::remove_file(sidecar(project, "-shm")) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(aside),
    }
}
