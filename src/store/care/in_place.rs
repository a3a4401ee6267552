//! A file in the place of another: nobody may have the project open, and the file that was there is set aside under a dated name with its
//! log, never removed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{FlockOperation, fcntl_lock};

use super::backups::{aside_name, followed, share_file, sync_folder};
use super::orphan_log::{has_foreign_log, set_log_aside};
use super::replacing::{Growing, PlaceLock, growing_name, remove_grown};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::store::db::attempt::Attempt;
use crate::store::db::clock::now_ms;
use crate::store::db::connected::{Connected, identity};
use crate::store::db::log_mark::owner_of;
use crate::store::db::mark::Owner;
use crate::store::db::open::{Access, Store, refuse_unseen_locks};
use crate::store::db::private::create_private;
use crate::store::db::process;
use crate::store::db::wal::sidecar;
use crate::store::log::runs::is_gone;

/// A project that only this process holds: nobody else can open or replace it until this is dropped. Where this process opens and closes the
/// file itself, the system gives the lock back: the caller then calls [`Alone::hold_again`].
pub struct Alone {
    project: PathBuf,
    // In this order: the lock is given back before others may replace the file, and the file closed before it is read freely again.
    lock: Option<File>,
    connected: Connected,
    place: PlaceLock,
    /// Length and time of the file when it was taken.
    taken: Option<(u64, SystemTime)>,
    finished: Option<PathBuf>,
    removed: Vec<PathBuf>,
}

impl Alone {
    /// Takes a project, or the place of one that is not there. What an interrupted replacement left is finished or removed first.
    ///
    /// # Errors
    /// Somebody has it open (named where the file says who) or replaces it, or it cannot be written.
    pub fn with(project: &Path, attempted: &str) -> Result<Self> {
        refuse_unseen_locks(project).map_err(|fault| fault.while_trying(attempted))?;
        let mut place = PlaceLock::take(project, attempted)?;
        let mut finished = None;
        if let Some(left) = place.unfinished() {
            put_in_place(project, &left.successor, &left.aside)
                .map_err(|e| Fault::new(attempted, io_reason(&e)).because(e))?;
            finished = Some(left.aside);
        }
        let removed = place.sweep();
        // Before the lock, which closing the file would give back. Locks may not reach other machines, so the file is asked.
        let who = works_elsewhere(project);
        if !who.is_empty() {
            return Err(used(attempted, &who));
        }
        let connected = Connected::of(project);
        let mut alone = Self {
            project: project.to_owned(),
            lock: None,
            connected,
            place,
            taken: None,
            finished,
            removed,
        };
        alone.lock = alone.locked(attempted)?;
        alone.taken = alone.lock.as_ref().and_then(stamp);
        Ok(alone)
    }

    fn locked(&self, attempted: &str) -> Result<Option<File>> {
        let file = match File::options().read(true).write(true).open(&self.project) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Fault::new(attempted, io_reason(&e)).because(e)),
        };
        // SQLite's locks are of this kind: with a write-ahead log, every connection holds one as long as it is open.
        let locked = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
        if !locked {
            drop(file);
            return Err(used(attempted, &who_works(&self.project)));
        }
        if file.metadata().ok().and_then(|meta| identity(&meta)) != self.connected.file() {
            return Err(
                Fault::new(attempted, "another file took its place at this moment").hint("Run it again")
            );
        }
        Ok(Some(file))
    }

    /// Takes the lock again, after this process closed the file.
    ///
    /// # Errors
    /// Somebody opened it meanwhile.
    pub fn hold_again(&mut self, attempted: &str) -> Result<()> {
        match &self.lock {
            Some(file) if fcntl_lock(file, FlockOperation::NonBlockingLockExclusive).is_err() => {
                Err(used(attempted, &[]))
            }
            _ => Ok(()),
        }
    }

    /// The file that is there, to be read without closing it.
    pub fn file(&self) -> Option<&File> {
        self.lock.as_ref()
    }

    /// What was there before an interrupted replacement that is finished now.
    pub fn finished(&self) -> Option<&Path> {
        self.finished.as_deref()
    }

    /// New files of interrupted replacements, of which it was not known that they were to replace this one: they were removed.
    pub fn removed(&self) -> &[PathBuf] {
        &self.removed
    }

    /// A name for a copy of the project. What a kill leaves of it, the next one removes.
    pub fn name_for_copy(&self) -> PathBuf {
        growing_name(&self.project, Growing::Copy)
    }

    /// Writes a file that is to take the project's place: next to it, with its rights, whole or not at all. It is gone when it is dropped.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn write_successor(&self, write: impl FnOnce(&Path) -> Result<()>) -> Result<Successor> {
        let successor = Successor(growing_name(&self.project, Growing::Successor));
        let attempted = format!("write {}", successor.0.display());
        create_private(&successor.0, &attempted)?;
        write(&successor.0)?;
        share_file(&self.project, &successor.0);
        File::open(&successor.0)
            .and_then(|file| file.sync_all())
            .map_err(|e| Fault::new(&attempted, io_reason(&e)).because(e))?;
        Ok(successor)
    }

    /// Sets what is there aside as `NAME.DATE.WHY.hardcase`, and puts the new file in its place. Returns where the old file is now; none where
    /// there was none.
    ///
    /// The place is empty for a moment, so that at no time the log of one file lies next to the other. After a kill in that moment the same
    /// command goes on.
    pub fn replace_by(mut self, new: Successor, why: &str) -> Result<Option<PathBuf>> {
        let attempted = format!("put {} in its place", self.project.display());
        let io = |e: std::io::Error| Fault::new(&attempted, io_reason(&e)).because(e);
        if has_foreign_log(&self.project) {
            set_log_aside(&self.project, "-wal").map_err(io)?;
        }
        self.hold_again(&attempted)?;
        if self.lock.as_ref().and_then(stamp) != self.taken {
            return Err(Fault::new(attempted, "somebody wrote to the project meanwhile").hint("Run it again"));
        }
        if sidecar(&new.0, "-wal").metadata().is_ok_and(|log| log.len() > 0) {
            return Err(
                Fault::new(attempted, "the new file still needs a log of its own").hint("Run it again")
            );
        }
        let aside = aside_name(&self.project, now_ms(), why);
        let there = self.lock.is_some();
        if there {
            self.place.intend(&new.0, &aside).map_err(io)?;
            if let Err(e) = std::fs::rename(&self.project, &aside) {
                self.place.forget();
                return Err(io(e));
            }
        }
        let placed = put_in_place(&self.project, &new.0, &aside);
        // Where the old file is aside and the new one not in its place, the next restore or repair goes on.
        if placed.is_err() && there {
            new.keep();
        } else {
            self.place.forget();
        }
        placed.map_err(io)?;
        Ok(there.then_some(aside))
    }
}

fn stamp(file: &File) -> Option<(u64, SystemTime)> {
    file.metadata().and_then(|meta| Ok((meta.len(), meta.modified()?))).ok()
}

/// A file that is to take a project's place. Dropped, it is gone.
pub struct Successor(PathBuf);

impl Successor {
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn keep(mut self) {
        self.0 = PathBuf::new();
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            remove_grown(&self.0);
        }
    }
}

/// Fills an empty place with a new file. What is left there of the file that is aside now goes to it first.
fn put_in_place(project: &Path, new: &Path, aside: &Path) -> std::io::Result<()> {
    for end in ["-wal", "-journal"] {
        let log = sidecar(project, end);
        if log.symlink_metadata().is_err() {
            continue;
        }
        let theirs = end == "-wal" && owner_of(&log, aside) == Owner::Another;
        if theirs || sidecar(aside, end).exists() {
            set_log_aside(project, end)?;
        } else {
            std::fs::rename(&log, sidecar(aside, end))?;
        }
    }
    // An index of the log, which the next process to open the file makes again.
    let _ = std::fs::remove_file(sidecar(project, "-shm"));
    rename_to_free(new, project)?;
    sync_folder(project);
    Ok(())
}

/// Gives a file a name that nothing has, where the system can tell.
fn rename_to_free(from: &Path, to: &Path) -> std::io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            done => return done.map_err(std::io::Error::from),
        }
    }
    std::fs::rename(from, to)
}

impl Store {
    /// Whether the drive that the project lies on is not there any more.
    pub fn drive_is_gone(&self) -> bool {
        self.place.drive_is_gone()
    }

    /// Puts the log of the file that this process opened under another name, where another file lies in its place now: nobody reads the one into
    /// the other. Returns where it is.
    pub fn leave_place_clean(&self) -> Option<PathBuf> {
        let real = followed(self.path());
        let is_foreign = self.place.log_is_own() && has_foreign_log(&real);
        if is_foreign { set_log_aside(&real, "-wal").ok() } else { None }
    }
}

fn used(attempted: &str, who: &[String]) -> Fault {
    let why = match who {
        [] => "another program has it open".into(),
        who => format!("{} at work on it", who.join(", ")),
    };
    Fault::new(attempted, why).hint("Run it again when everybody has left and no job is running")
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
