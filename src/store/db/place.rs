//! Whether an open project is still the file that its path names.
//!
//! A synchronised folder, git, rsync and many editors put a new file in the place of an old one; people move and delete files. SQLite goes on
//! with the file that it has open, whatever its path names by then, and nothing that is saved there is found again.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::connected::{Identity, identity, identity_of};
use super::log_mark::{Salts, owner_of_open, salts};
use super::mark::{Mark, Marks, Owner, mark_of_file, mark_of_file_anew};
use super::wal::sidecar;
use crate::domain::fault::{Fault, FaultKind};

/// Where a project was when it was opened; nothing is known of one that is only read.
#[derive(Default)]
pub(in crate::store) struct Place {
    path: PathBuf,
    /// Where links lead to: what lies next to the file lies there.
    real: PathBuf,
    file: Option<Identity>,
    /// The write-ahead log, where there is one.
    log: Option<(File, Option<Identity>)>,
    index: Option<Identity>,
    /// The mark in the file itself when it was last known to be the log's; without a log, when it was last known to hold what was saved here.
    mark: Option<Mark>,
    /// The log in which the mark was renewed last.
    renewed: Option<Salts>,
}

/// What happened to a project while it was open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum Displaced {
    /// Nothing has its name; where the file is now, if anywhere.
    Gone(Option<PathBuf>),
    /// Its folder is on another drive now, or cannot be reached.
    DriveGone,
    /// Another file has its name; where the file is now, if anywhere.
    Replaced(Option<PathBuf>),
    /// Another file was copied over it.
    Overwritten,
    /// Its log, or the index of that, is gone or another one.
    LogGone,
}

impl Place {
    /// That of a project, `file`, which SQLite has just opened.
    pub fn of(path: &Path, file: Option<Identity>) -> Self {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let log = File::open(sidecar(&real, "-wal")).ok().map(|log| {
            let id = log.metadata().ok().and_then(|meta| identity(&meta));
            (log, id)
        });
        let index = log.as_ref().and_then(|_| identity_of(&sidecar(&real, "-shm")));
        let mark = mark_of_file(path);
        Self { path: path.to_owned(), real, file, log, index, mark, renewed: None }
    }

    /// What has become of it, where it is not in its place any more.
    pub fn displaced(&mut self) -> Option<Displaced> {
        let file = self.file?;
        match identity_of(&self.path) {
            now if now != Some(file) && self.drive_is_gone() => return Some(Displaced::DriveGone),
            None => return Some(Displaced::Gone(whereabouts(file))),
            Some(other) if other != file => return Some(Displaced::Replaced(whereabouts(file))),
            Some(_) => {}
        }
        let (log, id) = self.log.as_ref()?;
        let mark = mark_of_file(&self.path);
        if mark != self.mark {
            // A checkpoint brings over a mark that the log has set.
            if mark.is_none() || owner_of_open(log, &self.path) == Owner::Another {
                return Some(Displaced::Overwritten);
            }
            self.mark = mark;
        }
        let next_to_it = |end: &str| identity_of(&sidecar(&self.real, end));
        if next_to_it("-wal") != *id || next_to_it("-shm") != self.index {
            return Some(Displaced::LogGone);
        }
        None
    }

    /// Whether the drive that the file lies on is not mounted where it was: what is written next to its name lands where nobody looks.
    pub fn drive_is_gone(&self) -> bool {
        let Some((drive, _)) = self.file else { return false };
        for folder in self.real.ancestors().skip(1) {
            match std::fs::metadata(folder) {
                Ok(meta) => return identity(&meta).is_some_and(|(now, _)| now != drive),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                // A network file system whose server is gone still has its mount point.
                Err(e) => return e.kind() != std::io::ErrorKind::PermissionDenied,
            }
        }
        false
    }

    /// The file's own path, with no link in it.
    pub fn real(&self) -> &Path {
        &self.real
    }

    /// The log as it stands; none where there is no log, or nothing in it.
    pub fn log_now(&self) -> Option<Salts> {
        self.log.as_ref().and_then(|(log, _)| salts(log))
    }

    /// Whether the next commit has to renew the mark: the first of each log, and every one without a log.
    pub fn needs_mark(&self) -> bool {
        self.has_no_log() || self.log.is_some() && (self.renewed.is_none() || self.renewed != self.log_now())
    }

    /// A commit renewed the mark, in the log as it stands now or in the file.
    pub fn renewed(&mut self, to: Marks) {
        self.renewed = self.log_now();
        if self.has_no_log() {
            self.mark = Some(to.mark);
        }
    }

    /// Whether it is written through a rollback journal.
    fn has_no_log(&self) -> bool {
        self.file.is_some() && self.log.is_none()
    }

    /// Without a log: whether the file is another than the one that SQLite found when this write began. It goes by a counter alone, which
    /// another file may have, too, and by what the system last read.
    pub fn is_not_as(&self, found: Marks) -> bool {
        let now = self.mark_without_log();
        now.is_some_and(|now| now != found.before && now != found.mark)
    }

    /// Without a log: the mark in the file, where it is not the one that was seen last. Others wrote, or another file was copied over it.
    pub fn changed_mark(&self) -> Option<Mark> {
        self.mark_without_log().filter(|mark| self.mark != Some(*mark))
    }

    /// What was saved here is in the file with that mark.
    pub fn knows(&mut self, mark: Mark) {
        self.mark = Some(mark);
    }

    fn mark_without_log(&self) -> Option<Mark> {
        self.has_no_log().then(|| mark_of_file_anew(&self.path))?
    }

    /// Whether the log of that name is still the one that was opened with the file.
    pub fn log_is_own(&self) -> bool {
        let now = identity_of(&sidecar(&self.real, "-wal"));
        self.log.as_ref().is_some_and(|(_, log)| log.is_some() && *log == now)
    }
}

/// Where an open file is now; none where it has no name any more, or the system does not say.
fn whereabouts(file: Identity) -> Option<PathBuf> {
    let open = std::fs::read_dir("/proc/self/fd").ok()?.flatten();
    let name = |fd: std::fs::DirEntry| {
        let meta = std::fs::metadata(fd.path()).ok().filter(|meta| identity(meta) == Some(file))?;
        let name = std::fs::read_link(fd.path()).ok()?;
        // Of a file without a name the system says what it was called, and that it is deleted.
        let named = std::fs::metadata(&name).ok().and_then(|meta| identity(&meta));
        (named == identity(&meta)).then_some(name)
    };
    open.into_iter().find_map(name)
}

impl Displaced {
    /// As a failure of what was attempted.
    pub fn fault(&self, attempted: &str, path: &Path) -> Fault {
        let log = sidecar(path, "-wal");
        let log = log.file_name().unwrap_or_default().to_string_lossy();
        let why = match self {
            Self::Gone(Some(now)) => format!("the project file was moved to {} while it was open here", now.display()),
            Self::Gone(None) => "the project file was deleted while it was open here".into(),
            Self::DriveGone => "the drive that the project lies on was disconnected while it was open here".into(),
            Self::Replaced(None) => {
                "another file took the project's place while it was open here, as synchronised folders, git and editors do it".into()
            }
            Self::Replaced(Some(now)) => format!(
                "another file took the project's place while it was open here; the one that was open is now {}",
                now.display()
            ),
            Self::Overwritten => "another file was copied over the project while it was open here".into(),
            Self::LogGone => format!("the project's log ({log}) was deleted or replaced while it was open here"),
        };
        Fault::new(attempted, why).kind(FaultKind::Displaced)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_drive_that_was_disconnected_is_not_called_a_deleted_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub").join("p");
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        std::fs::write(&path, "").unwrap();
        let (drive, number) = identity_of(&path).unwrap();
        let mut here = Place::of(&path, Some((drive, number)));
        // The same with a file of a drive that is not mounted there any more.
        let mut elsewhere = Place::of(&path, Some((drive + 1, number)));
        assert_eq!((here.displaced(), elsewhere.displaced()), (None, Some(Displaced::DriveGone)));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(here.displaced(), Some(Displaced::Gone(None)));
        assert_eq!(elsewhere.displaced(), Some(Displaced::DriveGone));
        std::fs::remove_dir(dir.path().join("sub")).unwrap();
        assert_eq!((here.drive_is_gone(), elsewhere.drive_is_gone()), (false, true));
    }
}
