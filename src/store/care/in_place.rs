//! A file in the place of another: nobody may have the project open, and the file that was there is set aside under a dated name with its
//! log, never removed.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock};

use super::backups::{aside_name, followed, last_aside, partial_name, sync_folder, write_whole};
use super::orphan_log::{has_foreign_log, set_log_aside};
use super::replacing::{is_unfinished, successor_of};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::store::db::attempt::Attempt;
use crate::store::db::connected::Connected;
use crate::store::db::log_mark::{Owner, owner_of};
use crate::store::db::open::{Access, Store};
use crate::store::db::process;
use crate::store::db::wal::sidecar;
use crate::store::log::runs::is_gone;

/// A project that only this process holds: nobody else can open it until this is dropped. This process must not have it open either, because
/// closing it would give the lock back.
pub struct Alone {
    project: PathBuf,
    _lock: Option<File>,
}

impl Alone {
    /// Takes a project, or the place of one that is not there.
    ///
    /// # Errors
    /// Somebody has it open (named where the file says who), or it cannot be written.
    pub fn with(project: &Path, attempted: &str) -> Result<Self> {
        // Before the lock, which closing the file would give back. Locks may not reach other machines, so the file is asked.
        let who = works_elsewhere(project);
        if !who.is_empty() {
            return Err(used(attempted, &who));
        }
        let lock = match File::options().read(true).write(true).open(project) {
            Ok(file) => Some(file),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(Fault::new(attempted, io_reason(&e)).because(e)),
        };
        // SQLite's locks are of this kind: every connection to a project holds one as long as it is open.
        if let Some(file) = &lock
            && fcntl_lock(file, FlockOperation::NonBlockingLockExclusive).is_err()
        {
            drop(lock);
            return Err(used(attempted, &who_works(project)));
        }
        Ok(Self { project: project.to_owned(), _lock: lock })
    }

    /// Sets what is there aside as `NAME.DATE.WHY.hardcase`, and puts the file `new`, which lies in the same folder, in its place. Returns where
    /// the old file is now; none where there was none.
    ///
    /// The place is empty for a moment, so that at no time the log of one file lies next to the other. After a kill in that moment the same
    /// command goes on.
    pub fn replace_by(self, new: &Path, now_ms: i64, why: &str) -> Result<Option<PathBuf>> {
        let attempted = format!("put {} in its place", self.project.display());
        let io = |e: std::io::Error| Fault::new(&attempted, io_reason(&e)).because(e);
        let there = self.project.symlink_metadata().is_ok();
        if has_foreign_log(&self.project) {
            set_log_aside(&self.project).map_err(io)?;
        }
        // A log without its file was left by a kill in that moment: it belongs to what was set aside last.
        let aside = match (there, last_aside(&self.project)) {
            (false, Some(last)) if !sidecar(&last, "-wal").exists() && is_log_of(&self.project, &last) => {
                last
            }
            _ => aside_name(&self.project, now_ms, why),
        };
        if there {
            std::fs::rename(&self.project, &aside).map_err(io)?;
        }
        for end in ["-wal", "-journal"] {
            let log = sidecar(&self.project, end);
            if log.symlink_metadata().is_ok() {
                std::fs::rename(&log, sidecar(&aside, end)).map_err(io)?;
            }
        }
        // An index of the log, which the next process to open the file makes again.
        let _ = std::fs::remove_file(sidecar(&self.project, "-shm"));
        std::fs::rename(new, &self.project).map_err(io)?;
        sync_folder(&self.project);
        Ok(there.then_some(aside))
    }
}

/// Whether the log at a place that is empty is that of another file.
fn is_log_of(project: &Path, file: &Path) -> bool {
    !sidecar(project, "-wal").exists() || owner_of(&sidecar(project, "-wal"), file) != Owner::Another
}

impl Store {
    /// Puts the log of the file that this process opened under another name, where another file lies in its place now: nobody reads the one into
    /// the other. Returns where it is.
    pub fn leave_place_clean(&self) -> Option<PathBuf> {
        let real = followed(self.path());
        let is_foreign = self.place.log_is_own() && has_foreign_log(&real);
        if is_foreign { set_log_aside(&real).ok() } else { None }
    }
}

fn used(attempted: &str, who: &[String]) -> Fault {
    let why = match who {
        [] => "another program has it open".into(),
        who => format!("{} at work on it", who.join(", ")),
    };
    Fault::new(attempted, why).hint("Run it again when everybody has left and no job is running")
}

/// Writes a file that is to take a project's place: next to it, with its rights, whole or not at all. One that a killed process left is
/// overwritten.
///
/// # Errors
/// Those of `write`.
pub fn write_successor(project: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let target = successor_of(project);
    for left in [&target, &partial_name(&target)] {
        for end in ["", "-journal", "-wal", "-shm"] {
            let _ = std::fs::remove_file(sidecar(left, end));
        }
    }
    write_whole(project, &target, write)?;
    Ok(target)
}

/// Puts the new file in the place that a kill left empty. Returns where the old one is; none where no place was empty.
///
/// # Errors
/// It cannot be put there.
pub fn finish_replacement(project: &Path, attempted: &str) -> Result<Option<PathBuf>> {
    if !is_unfinished(project) {
        return Ok(None);
    }
    let aside = last_aside(project);
    Alone::with(project, attempted)?.replace_by(&successor_of(project), 0, "aside")?;
    Ok(aside)
}

/// Who has a project open, in words; empty where the file cannot say.
fn who_works(project: &Path) -> Vec<String> {
    Store::open(project, Access::Read).and_then(|store| store.at_work(Where::Anywhere)).unwrap_or_default()
}

/// The same, of other computers only. Reads the file as it lies and changes nothing: it may be damaged.
fn works_elsewhere(project: &Path) -> Vec<String> {
    let read = || -> Result<Vec<String>> {
        let attempted = "see who works on the project";
        let uri = crate::store::db::open::read_only_uri(project);
        if uri.ends_with("?mode=ro") {
            return Ok(Vec::new());
        }
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_URI;
        let connected = Connected::of(project);
        let conn = rusqlite::Connection::open_with_flags(uri, flags).attempting(attempted)?;
        Store::reading(conn, project, connected)?.at_work(Where::OnOtherMachines)
    };
    read().unwrap_or_default()
}

/// Whose signs of life count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    Anywhere,
    OnOtherMachines,
}

impl Store {
    /// Sessions and jobs that have not ended.
    fn at_work(&self, at: Where) -> Result<Vec<String>> {
        let what = "see who works on the project";
        let host = process::host();
        let mut found: Vec<String> = self
            .all_rows(
                "SELECT kind, host, process, heartbeat_ms FROM run WHERE ended_ms IS NULL",
                what,
                |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, is_gone(r, 1)?)),
            )?
            .into_iter()
            .filter(|(_, on, gone)| !gone && (at == Where::Anywhere || *on != host))
            .map(|(kind, on, _)| format!("the job {kind} on {on} is"))
            .collect();
        if at == Where::Anywhere {
            let session = self.all_rows_of(
                "SELECT DISTINCT e.name, s.process FROM session s JOIN expert e ON e.id = s.expert
                 WHERE s.ended_ms IS NULL AND s.host = ?1",
                [&host],
                what,
                |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)),
            )?;
            found.extend(
                session
                    .into_iter()
                    .filter(|(_, p)| process::life(p) == process::Life::Alive)
                    .map(|(name, _)| format!("{name} is")),
            );
        }
        found.dedup();
        Ok(found)
    }
}
