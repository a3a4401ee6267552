//! A file that is about to take a project's place: who is at it, what it replaces, and what a kill left of it.
//!
//! One process at a time holds `.NAME.replacing`, from before it reads the project to after it is replaced. Before the place is emptied, that file
//! says which file is put aside under which name and which one comes. A new file is taken for the rest of an interrupted replacement only if
//! the very file that it was to replace lies aside under that name; any other is removed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::hex::hex;
use crate::store::db::clock::new_uuid;
use crate::store::db::connected::identity;
use crate::store::db::mark::mark_of_file;
use crate::store::db::wal::sidecar;

/// What grows next to a project for this process alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Growing {
    /// The file that is to take the place.
    Successor,
    /// A copy that is only read.
    Copy,
}

impl Growing {
    fn end(self) -> &'static str {
        match self {
            Self::Successor => ".successor",
            Self::Copy => ".under-repair",
        }
    }
}

/// What SQLite keeps next to any of them.
const ENDS: [&str; 4] = ["", "-journal", "-wal", "-shm"];
/// What the lock is called, after the project's name.
const LOCK: &str = "replacing";
/// How often it is looked whether the lock is free. Those who only ask hold it for a moment.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// What is written down before a place is emptied. Names are of files in the project's folder.
#[derive(Serialize, Deserialize)]
struct Intent {
    successor: String,
    aside: String,
    /// The mark in the file that is put aside.
    replaces: Option<String>,
}

/// The right to replace a project. Given back when dropped, also by a kill.
pub(in crate::store) struct PlaceLock {
    project: PathBuf,
    path: PathBuf,
    file: File,
    /// The place may be empty: what is written stays for the next process.
    intends: bool,
}

/// A replacement that a kill cut short in the moment in which the place is empty.
pub(in crate::store) struct Unfinished {
    pub successor: PathBuf,
    /// The file that was there.
    pub aside: PathBuf,
}

impl PlaceLock {
    /// # Errors
    /// Another process holds it, or the folder cannot be written.
    pub fn take(project: &Path, attempted: &str) -> Result<Self> {
        let io = |e: std::io::Error| Fault::new(attempted, io_reason(&e)).because(e);
        let path = hidden(project, LOCK);
        for again in 0..TRIES {
            if again > 0 {
                pause();
            }
            let file = open_own(&path, true).map_err(io)?;
            // On a file system without such locks, those on the project itself are left.
            if matches!(flock(&file, FlockOperation::NonBlockingLockExclusive), Err(Errno::WOULDBLOCK)) {
                continue;
            }
            // The process that held it may have removed it meanwhile.
            if is_at(&file, &path) {
                let intends = file.metadata().is_ok_and(|meta| meta.len() > 0);
                return Ok(Self { project: project.to_owned(), path, file, intends });
            }
        }
        Err(Fault::new(attempted, "another restore or repair of it is under way")
            .hint("Run it again when that has ended"))
    }

    /// What a kill left half done.
    pub fn unfinished(&self) -> Option<Unfinished> {
        unfinished_by(&self.project, &self.file)
    }

    /// Writes down what is about to be done; on disk when this returns.
    pub fn intend(&mut self, successor: &Path, aside: &Path) -> std::io::Result<()> {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let intent = Intent { successor: name(successor), aside: name(aside), replaces: mark(&self.project) };
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&serde_json::to_vec(&intent)?)?;
        self.intends = true;
        self.file.sync_all()
    }

    /// It is done, or was never begun.
    pub fn forget(&mut self) {
        self.intends = false;
    }

    /// Removes what killed processes left next to the project. Returns the new files among them that were to take its place.
    pub fn sweep(&mut self) -> Vec<PathBuf> {
        self.forget();
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut gone = Vec::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some((kind, main)) = name.to_str().and_then(|name| grown(&self.project, name)) else {
                continue;
            };
            if std::fs::remove_file(entry.path()).is_ok() && main && kind == Growing::Successor {
                gone.push(entry.path());
            }
        }
        gone
    }
}

impl Drop for PlaceLock {
    fn drop(&mut self) {
        // While it is held: the next one finds either this file with its lock, or none.
        if !self.intends {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A name next to a project that nobody else can have thought of.
pub(in crate::store) fn growing_name(project: &Path, kind: Growing) -> PathBuf {
    hidden(project, &format!("{}{}", new_uuid().simple(), kind.end()))
}

/// Whether a file of that name grew next to the project, and whether it is the file itself and not what SQLite keeps next to it.
fn grown(project: &Path, name: &str) -> Option<(Growing, bool)> {
    let project = project.file_name()?.to_str()?;
    let rest = name.strip_prefix('.')?.strip_prefix(project)?.strip_prefix('.')?;
    let (id, rest) = rest.split_at_checked(32)?;
    let kind = [Growing::Successor, Growing::Copy].into_iter().find(|kind| rest.starts_with(kind.end()))?;
    let end = &rest[kind.end().len()..];
    (id.bytes().all(|b| b.is_ascii_hexdigit()) && ENDS.contains(&end)).then_some((kind, end.is_empty()))
}

/// The name of the project next to which a file of that name is kept while it is replaced.
pub(in crate::store) fn is_grown(name: &str) -> Option<&str> {
    let hidden = name.strip_prefix('.')?;
    if let Some(project) = hidden.strip_suffix(&format!(".{LOCK}")) {
        return Some(project);
    }
    let end = [Growing::Successor, Growing::Copy].into_iter().find_map(|kind| hidden.rfind(kind.end()))?;
    let (project, _) = hidden[..end].rsplit_once('.')?;
    grown(Path::new(project), name).map(|_| project)
}

/// Removes one, with what SQLite keeps next to it.
pub(in crate::store) fn remove_grown(path: &Path) {
    for end in ENDS {
        let _ = std::fs::remove_file(sidecar(path, end));
    }
}

/// Whether a kill left the place of a project empty, the new file lying next to it.
pub(in crate::store) fn is_unfinished(project: &Path) -> bool {
    open_own(&hidden(project, LOCK), false).is_ok_and(|file| unfinished_by(project, &file).is_some())
}

/// Whether another process is replacing the project now.
pub(in crate::store) fn is_under_way(project: &Path) -> bool {
    let Ok(file) = open_own(&hidden(project, LOCK), false) else { return false };
    matches!(flock(&file, FlockOperation::NonBlockingLockShared), Err(Errno::WOULDBLOCK))
}

/// Removes what an interrupted replacement left, once somebody goes on with the file that is there: it must never take the place of what is
/// labelled from now on.
pub(in crate::store) fn forget_interrupted(project: &Path) {
    let path = hidden(project, LOCK);
    if !path.exists() || is_under_way(project) || project.symlink_metadata().is_err() {
        return;
    }
    if let Ok(mut lock) = PlaceLock::take(project, "open the project")
        && lock.unfinished().is_none()
    {
        lock.sweep();
    }
}

fn unfinished_by(project: &Path, mut file: &File) -> Option<Unfinished> {
    if project.symlink_metadata().is_ok() {
        return None;
    }
    let mut said = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(1 << 16).read_to_string(&mut said).ok()?;
    let intent: Intent = serde_json::from_str(&said).ok()?;
    let (kind, is_main) = grown(project, &intent.successor)?;
    let start = format!("{}.", project.file_stem()?.to_str()?);
    if kind != Growing::Successor
        || !is_main
        || !intent.aside.starts_with(&start)
        || intent.aside.contains('/')
    {
        return None;
    }
    let (successor, aside) = (project.with_file_name(intent.successor), project.with_file_name(intent.aside));
    let whole = is_file(&successor) && !sidecar(&successor, "-wal").exists();
    (whole && is_file(&aside) && mark(&aside) == intent.replaces).then_some(Unfinished { successor, aside })
}

fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_file())
}

fn mark(file: &Path) -> Option<String> {
    mark_of_file(file).map(|mark| hex(&mark))
}

fn hidden(project: &Path, what: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(project.file_name().unwrap_or_default());
    name.push(".");
    name.push(what);
    project.with_file_name(name)
}

fn open_own(path: &Path, make: bool) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(make).create(make);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    options.open(path)
}

fn is_at(file: &File, path: &Path) -> bool {
    let of = |meta: std::io::Result<std::fs::Metadata>| meta.ok().map(|meta| identity(&meta));
    of(file.metadata()) == of(path.symlink_metadata())
}

#[expect(clippy::disallowed_methods, reason = "a lock of another process: there is no event to wait for")]
fn pause() {
    std::thread::sleep(PAUSE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_tied_to_the_one_that_it_was_to_replace_and_any_other_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("p.hardcase");
        let aside = dir.path().join("p.2026-01-01T000000.000Z.aside.hardcase");
        let other = dir.path().join(".p.hardcase.x.00112233445566778899aabbccddeeff.successor");
        std::fs::write(&other, "of a project that is called p.hardcase.x").unwrap();
        let successor = growing_name(&project, Growing::Successor);
        let begin = || {
            std::fs::write(&project, "old").unwrap();
            std::fs::write(&successor, "new").unwrap();
            let mut lock = PlaceLock::take(&project, "restore it").unwrap();
            lock.intend(&successor, &aside).unwrap();
        };
        // Killed before the place was empty, and the file was taken away by a person.
        begin();
        assert!(!is_unfinished(&project));
        std::fs::rename(&project, dir.path().join("elsewhere")).unwrap();
        assert!(!is_unfinished(&project));
        let mut lock = PlaceLock::take(&project, "restore it").unwrap();
        assert_eq!(lock.sweep(), std::slice::from_ref(&successor));
        drop(lock);
        // Killed while it was.
        begin();
        std::fs::rename(&project, &aside).unwrap();
        assert!(is_unfinished(&project) && !is_under_way(&project));
        let lock = PlaceLock::take(&project, "restore it").unwrap();
        assert!(is_under_way(&project) && lock.unfinished().is_some());
        let second = PlaceLock::take(&project, "restore it").err().map(|fault| fault.to_string());
        assert!(second.unwrap_or_default().contains("another restore or repair of it is under way"));
        drop(lock);
        assert!(is_unfinished(&project), "what is not done stays for the next one");
        // Put back by a person, who goes on with it.
        std::fs::rename(&aside, &project).unwrap();
        forget_interrupted(&project);
        std::fs::rename(&project, &aside).unwrap();
        assert!(!is_unfinished(&project));
        let mut left: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(
            left,
            [
                ".p.hardcase.x.00112233445566778899aabbccddeeff.successor",
                "elsewhere",
                "p.2026-01-01T000000.000Z.aside.hardcase"
            ]
        );
    }
}
