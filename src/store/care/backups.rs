//! The folder of backups next to a project, and files that are set aside: names with their date, who may read them, and which ones stay.
//!
//! A backup appears whole or not at all: it is written under another name first. Nothing here removes a file that it did not make.

use std::fs::{File, Permissions};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::fault::{Fault, Result, io_reason};
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::private::create_private;

/// How many of the newest backups stay.
pub const NEWEST_KEPT: usize = 5;
/// Of how many days the last backup stays.
pub const DAYS_KEPT: usize = 7;

const DATE: &str = "%Y-%m-%dT%H%M%S";
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// How far the clocks of machines may differ.
const TOLERANCE_MS: i64 = 60_000;
const PARTIAL: &str = ".partial";

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holds {
    /// The whole project.
    Project,
    /// The label log alone, which a merge brings back into a backup of the whole project.
    Labels,
    /// The whole project as it was before a migration. Such a one is never removed.
    EarlierVersion,
}

impl Holds {
    fn end(self) -> &'static str {
        match self {
            Self::Project => ".hardcase",
            Self::Labels => ".labels.jsonl",
            Self::EarlierVersion => ".earlier.hardcase",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Where it is.
    pub path: PathBuf,
    /// What it holds.
    pub holds: Holds,
    /// When it was made, UTC milliseconds: its name says so.
    pub at_ms: i64,
    pub bytes: u64,
}

impl Backup {
    /// Whether its date has not come yet: the clock of the machine that made it, or of this one, is wrong, and it says nothing of what is newer.
    pub fn is_from_the_future(&self, now_ms: i64) -> bool {
        self.at_ms > now_ms + TOLERANCE_MS
    }
}

/// The backups of one project.
#[derive(Clone, Debug)]
pub struct Backups {
    project: PathBuf,
    folder: PathBuf,
    stem: String,
}

/// The folder, held by this process: nobody else makes or removes a backup meanwhile. Given back when dropped, also by a kill.
pub struct Held<'a> {
    of: &'a Backups,
    _folder: File,
}

impl Backups {
    /// Those of a project, in `FILE.backups` next to it, whether or not there are any.
    pub fn of(project: &Path) -> Self {
        let project = followed(project);
        let mut folder = project.as_os_str().to_owned();
        folder.push(".backups");
        Self { folder: folder.into(), stem: stem(&project), project }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All of them, newest first; those whose date has not come yet after all others.
    pub fn list(&self) -> Vec<Backup> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut found: Vec<Backup> = entries.filter_map(|entry| self.read(&entry.path())).collect();
        let now = now_ms();
        found.sort_by(|a, b| {
            let late = a.is_from_the_future(now).cmp(&b.is_from_the_future(now));
            late.then_with(|| {
                (b.at_ms, b.path.as_os_str().len(), &b.path).cmp(&(
                    a.at_ms,
                    a.path.as_os_str().len(),
                    &a.path,
                ))
            })
        });
        found
    }

    fn read(&self, path: &Path) -> Option<Backup> {
        let name = path.file_name()?.to_str()?.strip_prefix(&self.stem)?.strip_prefix('.')?;
        // The longest ending first: that of a project ends the others, too.
        let (date, holds) = [Holds::Labels, Holds::EarlierVersion, Holds::Project]
            .into_iter()
            .find_map(|holds| Some((name.strip_suffix(holds.end())?, holds)))?;
        let (date, rest) = date.split_once('.')?;
        let ms: i64 = rest.split_once('Z')?.0.parse().ok()?;
        let second = DateTime::strptime(DATE, date).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
        let at_ms = second.as_millisecond() + ms;
        let bytes = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?.len();
        Some(Backup { path: path.to_owned(), holds, at_ms, bytes })
    }

    /// Makes the folder where it is not there, with the rights of the project, and holds it. None where another process holds it.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn hold(&self) -> Result<Option<Held<'_>>> {
        self.take(rustix::fs::FlockOperation::NonBlockingLockExclusive)
    }

    /// The same, after any other process that holds it.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn wait_to_hold(&self) -> Result<Held<'_>> {
        loop {
            if let Some(held) = self.take(rustix::fs::FlockOperation::LockExclusive)? {
                return Ok(held);
            }
        }
    }

    fn take(&self, how: rustix::fs::FlockOperation) -> Result<Option<Held<'_>>> {
        let io = |e: std::io::Error| {
            Fault::new(format!("make the folder {}", self.folder.display()), io_reason(&e)).because(e)
        };
        if !self.folder.is_dir() {
            match std::fs::create_dir(&self.folder) {
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                other => other.map_err(io)?,
            }
            share_folder(&self.project, &self.folder);
        }
        let folder = File::open(&self.folder).map_err(io)?;
        // On a file system without such locks two may write at once: the names of two backups differ all the same.
        if let Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) = rustix::fs::flock(&folder, how)
        {
            return Ok(None);
        }
        // A killed process left these: the folder would be held otherwise.
        for entry in std::fs::read_dir(&self.folder).map_err(io)?.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(&format!(".{}.", self.stem)) && name.contains(PARTIAL) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        Ok(Some(Held { of: self, _folder: folder }))
    }
}

impl Held<'_> {
    /// Makes a backup: `write` fills the empty file that it is given. The file gets its name and the rights of the project once it is whole
    /// and on disk.
    ///
    /// # Errors
    /// Those of `write`, or no room: then nothing is left of it.
    pub fn make(&self, holds: Holds, now_ms: i64, write: impl FnOnce(&Path) -> Result<()>) -> Result<Backup> {
        let target = free_name(&self.of.folder, &self.of.stem, now_ms, holds.end());
        write_whole(&self.of.project, &target, write)?;
        let bytes = std::fs::metadata(&target).map_or(0, |m| m.len());
        Ok(Backup { path: target, holds, at_ms: now_ms, bytes })
    }

    /// Removes those that are too old. Returns their paths.
    pub fn remove_old(&self, now_ms: i64) -> Vec<PathBuf> {
        let mut gone = too_old(&self.of.list(), now_ms);
        gone.retain(|path| std::fs::remove_file(path).is_ok());
        gone
    }
}

/// The file that a link leads to: a new file takes the place of that file, and is found under both names.
pub fn followed(project: &Path) -> PathBuf {
    match project.symlink_metadata() {
        Ok(meta) if meta.is_symlink() => project.canonicalize().unwrap_or_else(|_| project.to_owned()),
        _ => project.to_owned(),
    }
}

/// Writes a file under another name next to `target`, and gives it its name once it is whole and on disk, with the rights of the project.
///
/// # Errors
/// Those of `write`, and a place that cannot be written: then nothing is left of it.
pub fn write_whole(project: &Path, target: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let attempted = format!("write {}", target.display());
    let io = |e: std::io::Error| Fault::new(&attempted, io_reason(&e)).because(e);
    let partial = partial_name(target, &new_uuid().simple().to_string());
    create_private(&partial, &attempted)?;
    let written = write(&partial).and_then(|()| {
        share_file(project, &partial);
        File::open(&partial).and_then(|file| file.sync_all()).map_err(io)?;
        std::fs::rename(&partial, target).map_err(io)
    });
    if written.is_err() {
        for end in ["", "-journal", "-wal", "-shm", PARTIAL] {
            let _ = std::fs::remove_file(crate::store::db::wal::sidecar(&partial, end));
        }
    }
    written?;
    sync_folder(target);
    Ok(())
}

/// Has a rename in the folder of `file` on disk, where the file system can.
pub(in crate::store) fn sync_folder(file: &Path) {
    let _ = File::open(folder_of(file)).and_then(|folder| folder.sync_all());
}

/// Bytes that are free for this user on the file system of `path` (a file or the folder it will lie in); none where the system does not say.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let there = if path.exists() { path } else { folder_of(path) };
    let stat = rustix::fs::statvfs(there).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// A free name next to a project for what is set aside at a time: `pool.2026-11-22T013045.007Z.aside.hardcase`.
pub(in crate::store) fn aside_name(project: &Path, now_ms: i64, why: &str) -> PathBuf {
    free_name(folder_of(project), &stem(project), now_ms, &format!(".{why}.hardcase"))
}

/// The date as it stands in the name of a backup: to the millisecond, so that names have the order in which they were made.
pub(in crate::store) fn dated(now_ms: i64) -> String {
    Timestamp::from_millisecond(now_ms).map_or_else(
        |_| now_ms.to_string(),
        |at| format!("{}.{:03}Z", at.strftime(DATE), now_ms.rem_euclid(1_000)),
    )
}

fn free_name(folder: &Path, stem: &str, now_ms: i64, end: &str) -> PathBuf {
    let date = dated(now_ms);
    let first = folder.join(format!("{stem}.{date}{end}"));
    let others = (2..1_000).map(|n| folder.join(format!("{stem}.{date}-{n}{end}")));
    std::iter::once(first.clone())
        .chain(others)
        .find(|path| path.symlink_metadata().is_err())
        .unwrap_or(first)
}

/// The name under which a file is written until it is whole: nobody else can have thought of it.
fn partial_name(target: &Path, id: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{id}{PARTIAL}"))
}

/// `pool` of `pool.hardcase`.
fn stem(project: &Path) -> String {
    let name = project.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(".hardcase").unwrap_or(&name).to_owned()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Gives a file of this process the rights and the group of the project. Where the system does not allow it, the file stays private.
#[cfg(unix)]
pub(in crate::store) fn share_file(project: &Path, file: &Path) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let Ok(like) = std::fs::metadata(project) else { return };
    // The group first: rights are given to the right one or to none.
    if std::fs::metadata(file).is_ok_and(|own| own.gid() != like.gid())
        && rustix::fs::chown(file, None, Some(rustix::fs::Gid::from_raw(like.gid()))).is_err()
    {
        return;
    }
    let _ = std::fs::set_permissions(file, Permissions::from_mode(like.mode() & 0o666));
}

/// The same for a folder: those who can read the project can enter it, those who can write the project can add to it.
#[cfg(unix)]
fn share_folder(project: &Path, folder: &Path) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let (Ok(like), Ok(own)) = (std::fs::metadata(project), std::fs::metadata(folder)) else { return };
    let mut rights = 0o700 | own.mode() & 0o2000;
    if own.gid() == like.gid()
        || rustix::fs::chown(folder, None, Some(rustix::fs::Gid::from_raw(like.gid()))).is_ok()
    {
        let read = like.mode() & 0o044;
        rights |= read | read >> 2 | like.mode() & 0o022;
    }
    let _ = std::fs::set_permissions(folder, Permissions::from_mode(rights));
}

#[cfg(not(unix))]
pub(in crate::store) fn share_file(_project: &Path, _file: &Path) {}

#[cfg(not(unix))]
fn share_folder(_project: &Path, _folder: &Path) {}

/// Of backups, newest first, those that go: of each kind the newest five stay, and the last of each of the last seven days.
fn too_old(backups: &[Backup], now_ms: i64) -> Vec<PathBuf> {
    let mut gone = Vec::new();
    for holds in [Holds::Project, Holds::Labels] {
        let mut days = std::collections::BTreeSet::new();
        for (i, backup) in
            backups.iter().filter(|b| b.holds == holds && !b.is_from_the_future(now_ms)).enumerate()
        {
            let day = backup.at_ms.div_euclid(DAY_MS);
            let recent = day > now_ms.div_euclid(DAY_MS) - DAYS_KEPT as i64;
            if !(days.insert(day) && recent) && i >= NEWEST_KEPT {
                gone.push(backup.path.clone());
            }
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(day: i64, hour: i64, holds: Holds) -> Backup {
        let at_ms = day * DAY_MS + hour * 3_600_000;
        Backup { path: format!("{day}-{hour}").into(), holds, at_ms, bytes: 1 }
    }

    #[test]
    fn the_newest_five_and_the_last_of_each_of_seven_days_stay() {
        let mut all: Vec<Backup> = (0..40).map(|n| backup(100 - n / 4, 23 - n % 4, Holds::Project)).collect();
        all.push(backup(1, 1, Holds::EarlierVersion));
        let gone = too_old(&all, 100 * DAY_MS + 23 * 3_600_000);
        let kept: Vec<_> = all
            .iter()
            .map(|b| b.path.to_string_lossy())
            .filter(|p| !gone.iter().any(|g| g.to_string_lossy() == *p))
            .collect();
        let days = [
            "100-23", "100-22", "100-21", "100-20", "99-23", "98-23", "97-23", "96-23", "95-23", "94-23",
            "1-1",
        ];
        assert_eq!(kept, days);
        // After a long rest the newest stay, however old they are.
        assert_eq!(too_old(&all, 1_000 * DAY_MS).len(), 35);
        let labels: Vec<Backup> = (0..4).map(|n| backup(9 - n, 1, Holds::Labels)).collect();
        assert_eq!(too_old(&labels, 1_000 * DAY_MS), Vec::<PathBuf>::new());
    }

    #[test]
    fn names_say_when_and_what_and_nothing_half_written_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("pool.hardcase");
        std::fs::write(&project, "x").unwrap();
        let backups = Backups::of(&project);
        let at = 1_795_311_045_007;
        let held = backups.hold().unwrap().unwrap();
        let write = |bytes: &'static str| {
            move |path: &Path| std::fs::write(path, bytes).map_err(|e| Fault::new("x", e.to_string()))
        };
        let first = held.make(Holds::Project, at, write("one")).unwrap();
        assert_eq!(first.path.file_name().unwrap(), "pool.2026-11-22T013045.007Z.hardcase");
        let second = held.make(Holds::Project, at, write("two")).unwrap();
        assert_eq!(second.path.file_name().unwrap(), "pool.2026-11-22T013045.007Z-2.hardcase");
        let failed = held.make(Holds::Labels, at, |path| {
            std::fs::write(path, "half").unwrap();
            Err(Fault::new("write", "it is a test"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(backups.folder()).unwrap().count(), 2);
        held.make(Holds::Labels, at + DAY_MS, write("three")).unwrap();
        let list = backups.list();
        assert_eq!(
            list.iter().map(|b| (b.holds, b.at_ms)).collect::<Vec<_>>(),
            [(Holds::Labels, at + DAY_MS), (Holds::Project, at), (Holds::Project, at)]
        );
        // One process at a time; and what a killed one left goes with the next.
        assert!(backups.hold().unwrap().is_none());
        drop(held);
        std::fs::write(backups.folder().join(".pool.x.hardcase.partial"), "half").unwrap();
        drop(backups.hold().unwrap().unwrap());
        assert_eq!(std::fs::read_dir(backups.folder()).unwrap().count(), 3);
    }

    #[test]
    fn a_backup_that_is_dated_in_the_future_stands_last_and_takes_no_place_of_another() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("pool.hardcase");
        std::fs::write(&project, "x").unwrap();
        let backups = Backups::of(&project);
        let held = backups.hold().unwrap().unwrap();
        let now = now_ms();
        let make = |at| held.make(Holds::Project, at, |_| Ok(())).unwrap();
        let late: Vec<_> = (1..=6).map(|days| make(now + days * DAY_MS).path).collect();
        let mine = make(now - DAY_MS).path;
        let list = backups.list();
        assert_eq!(list[0].path, mine);
        assert!(list[1..].iter().all(|backup| late.contains(&backup.path) && backup.is_from_the_future(now)));
        assert_eq!(held.remove_old(now), Vec::<PathBuf>::new());
    }

    #[cfg(unix)]
    #[test]
    fn a_backup_can_be_read_by_those_who_can_read_the_project() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for (n, rights, folder) in
            [(0, 0o600, 0o700), (1, 0o660, 0o770), (2, 0o640, 0o750), (3, 0o664, 0o775)]
        {
            let project = dir.path().join(format!("{n}.hardcase"));
            std::fs::write(&project, "x").unwrap();
            std::fs::set_permissions(&project, Permissions::from_mode(rights)).unwrap();
            let backups = Backups::of(&project);
            let made = backups.hold().unwrap().unwrap().make(Holds::Project, 0, |_| Ok(())).unwrap();
            assert_eq!((mode(&made.path), mode(backups.folder())), (rights, folder));
        }
    }
}
