//! A log whose file is not next to it any more: it may hold labels that were saved and are nowhere else, so it is named, kept, and never read
//! into another file.

use std::path::{Path, PathBuf};

use super::backups::aside_name;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::grouped::counted;
use crate::store::db::clock::now_ms;
use crate::store::db::log_mark::{Owner, owner};
use crate::store::db::wal::{commits, sidecar};

/// The log next to the place of a project that is not there, where it holds anything; in words.
pub fn log_without_file(project: &Path) -> Option<String> {
    let log = sidecar(project, "-wal");
    if project.symlink_metadata().is_ok() || !log.metadata().is_ok_and(|meta| meta.len() > 0) {
        return None;
    }
    let name = log.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let changes = match commits(project).whole {
        0 => String::new(),
        n => format!(" with {} that may be nowhere else", counted(n, "saved change", "saved changes")),
    };
    Some(format!("its log {name} is still there{changes}"))
}

/// What to do about such a log.
pub const PUT_TOGETHER: &str = "If the file was moved, move it back, or move the log along under the file's new name (its name and -wal). \
     `hardcase restore FILE` goes back to a backup and keeps the log under another name";

/// Whether another file's log lies next to a project.
pub fn has_foreign_log(project: &Path) -> bool {
    owner(project) == Owner::Another
}

/// Puts the log next to a project under another name, where it belongs to another file. Returns where it is now.
///
/// # Errors
/// The folder cannot be written.
pub fn set_foreign_log_aside(project: &Path, attempted: &str) -> Result<Option<PathBuf>> {
    if !has_foreign_log(project) {
        return Ok(None);
    }
    set_log_aside(project).map(Some).map_err(|e| Fault::new(attempted, io_reason(&e)).because(e))
}

/// Puts the log of a project under another name. Those who have it open go on with it there, and notice.
pub(in crate::store) fn set_log_aside(project: &Path) -> std::io::Result<PathBuf> {
    let aside = sidecar(&aside_name(project, now_ms(), "orphan"), "-wal");
    std::fs::rename(sidecar(project, "-wal"), &aside)?;
    // The index of that log, which would be taken for that of the next one.
    match std::fs::remove_file(sidecar(project, "-shm")) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(aside),
    }
}
