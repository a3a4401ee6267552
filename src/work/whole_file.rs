//! A file that takes its place whole, or not at all: where it may go, under which name it grows, and who may read it.
//!
//! It grows under a random name that nobody else can have made before, so that two runs never mix and no planted link is followed.

use std::fs::{File, Permissions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tempfile::{Builder, NamedTempFile};

use crate::domain::fault::{Fault, Result, io_reason};
use crate::store::{belongs_to_project, is_database};

/// Who may read a file that is new. One that replaces another has the rights of that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// Those whom the system lets read a person's new files.
    Usual,
    /// Its owner.
    Private,
}

/// Where an output goes.
pub(crate) enum Place {
    /// A device or a pipe, opened for writing.
    Stream(File),
    /// A file, there or not; links are followed.
    File(PathBuf),
}

/// Where an output of that name goes.
///
/// # Errors
/// A directory, a link that leads nowhere or that somebody else made, a project, or what belongs to one.
pub(crate) fn place_of(target: &Path) -> Result<Place> {
    let name = target.display().to_string();
    let refuse = |why: &str, hint: &str| Err(Fault::usage(format!("write {name}"), why).hint(hint));
    let failed = |e: io::Error| Fault::new(format!("write {name}"), io_reason(&e));
    let is_link = target.symlink_metadata().is_ok_and(|there| there.is_symlink());
    if is_link && is_strangers(target) {
        return refuse("it is a link that another user made", "Name the file itself");
    }
    // Renaming a file over a device or a pipe would take it away from everyone on the machine. A pipe of this process has no path but its link.
    if std::fs::metadata(target).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return Ok(Place::Stream(File::options().write(true).open(target).map_err(failed)?));
    }
    // Followed here and nowhere after.
    let path = match std::fs::canonicalize(target) {
        Ok(path) => path,
        Err(_) if is_link => {
            return refuse(
                "it is a link to a file that is not there",
                "Name the file itself, or remove the link",
            );
        }
        Err(_) => target.to_owned(),
    };
    if path.is_dir() {
        return refuse("it is a directory", "Name a file in it");
    }
    // A result replaces what lies in its place, and the labels in a project exist only once.
    if path.is_file() && is_database(&path)? {
        return refuse("a project or another database is there", "Choose another name");
    }
    if belongs_to_project(&path) {
        return refuse("a project keeps its own data there", "Choose another name");
    }
    Ok(Place::File(path))
}

/// Whether a link was made by neither this user, nor the system, nor the owner of the folder it lies in.
#[cfg(unix)]
fn is_strangers(link: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = |meta: io::Result<std::fs::Metadata>| meta.map(|meta| meta.uid());
    let Ok(of_link) = owner(link.symlink_metadata()) else { return true };
    let of_folder = owner(std::fs::metadata(folder_of(link)));
    let own = rustix::process::geteuid().as_raw();
    of_link != 0 && of_link != own && of_folder.ok() != Some(of_link)
}

#[cfg(not(unix))]
fn is_strangers(_link: &Path) -> bool {
    false
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A random name next to a file, for what will take its place. Nothing has it.
pub(crate) fn free_name(target: &Path) -> io::Result<PathBuf> {
    remove_forgotten(folder_of(target));
    // Made, to know that the name is free, and removed for those who make the file themselves: what somebody else puts there makes them fail.
    let made = growing(Rights::Private).tempfile_in(folder_of(target))?;
    Ok(made.path().to_owned())
}

/// How long nothing was written to a file before it is known that the process is gone that it grew for.
const FORGOTTEN: Duration = Duration::from_secs(24 * 60 * 60);
const PREFIX: &str = ".hardcase-";
const SUFFIX: &str = ".partial";
const RANDOM: usize = 12;

/// Removes what killed processes of this user left in a folder: it may hold texts of a pool.
fn remove_forgotten(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let ends = ["", "-wal", "-shm", "-journal"]
            .iter()
            .find_map(|end| name.strip_suffix(end)?.strip_suffix(SUFFIX));
        let grew = ends.is_some_and(|id| id.len() == RANDOM && id.bytes().all(|b| b.is_ascii_alphanumeric()));
        let old = |meta: &std::fs::Metadata| {
            meta.is_file() && meta.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > FORGOTTEN))
        };
        if grew && entry.metadata().is_ok_and(|meta| old(&meta) && is_own(&meta)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(unix)]
fn is_own(meta: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(meta) == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_own(_meta: &std::fs::Metadata) -> bool {
    true
}

fn growing(rights: Rights) -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM);
    #[cfg(unix)]
    if rights == Rights::Usual {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(Permissions::from_mode(0o666));
    }
    builder
}

/// The files of this process that are not in their places yet.
static GROWING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes the files that are not in their places yet, before the process is ended from another thread.
pub fn remove_growing() {
    for path in GROWING.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        let _ = std::fs::remove_file(path);
    }
}

/// An entry in the list of files that are not in their places yet.
struct Listed(PathBuf);

impl Drop for Listed {
    fn drop(&mut self) {
        GROWING.lock().unwrap_or_else(PoisonError::into_inner).retain(|path| *path != self.0);
    }
}

/// A file that grows. Dropped, it is gone.
pub(crate) struct WholeFile {
    file: NamedTempFile,
    target: PathBuf,
    listed: Listed,
}

impl WholeFile {
    /// Begins a file that will take this place, in the same folder. It is private while it grows if it replaces a file.
    pub fn begin(target: &Path, rights: Rights) -> io::Result<Self> {
        let rights = if target.exists() { Rights::Private } else { rights };
        remove_forgotten(folder_of(target));
        let file = growing(rights).tempfile_in(folder_of(target))?;
        let listed = Listed(file.path().to_owned());
        GROWING.lock().unwrap_or_else(PoisonError::into_inner).push(listed.0.clone());
        Ok(Self { file, target: target.to_owned(), listed })
    }

    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Puts it in its place, on disk, with the rights of what it replaces.
    pub fn finish(self) -> io::Result<()> {
        let Self { file, target, listed } = self;
        keep_rights(&target, file.as_file());
        file.as_file().sync_all()?;
        file.persist(target).map_err(|e| e.error)?;
        drop(listed);
        Ok(())
    }
}

/// Gives a file the owner and the rights of the one at `like`. What the system does not allow leaves it more private.
#[cfg(unix)]
fn keep_rights(like: &Path, file: &File) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let (Ok(like), Ok(own)) = (like.symlink_metadata(), file.metadata()) else { return };
    if !like.is_file() {
        return;
    }
    let mut mode = like.mode() & 0o777;
    if own.uid() != like.uid() {
        let _ = rustix::fs::fchown(file, Some(rustix::fs::Uid::from_raw(like.uid())), None);
    }
    // Rights of a group are given to the right one or to none.
    if own.gid() != like.gid()
        && rustix::fs::fchown(file, None, Some(rustix::fs::Gid::from_raw(like.gid()))).is_err()
    {
        mode &= 0o707;
    }
    let _ = file.set_permissions(Permissions::from_mode(mode));
}

#[cfg(not(unix))]
fn keep_rights(_like: &Path, _file: &File) {}

/// Gives a file its name, unless something else has it by now.
///
/// # Errors
/// Something has the name, or the folder cannot be written.
pub fn name_whole(partial: &Path, out: &Path) -> io::Result<()> {
    match std::fs::hard_link(partial, out) {
        Ok(()) => {
            let _ = std::fs::remove_file(partial);
            Ok(())
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(e),
        // A file system without hard links.
        Err(_) => std::fs::rename(partial, out),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn write(target: &Path, rights: Rights, bytes: &[u8]) {
        let mut file = WholeFile::begin(target, rights).unwrap();
        file.file().write_all(bytes).unwrap();
        file.finish().unwrap();
    }

    fn refusal(target: &Path) -> String {
        place_of(target).err().map_or_else(|| panic!("{target:?} was not refused"), |fault| fault.to_string())
    }

    #[test]
    fn a_file_has_the_rights_of_what_it_replaces_and_a_private_one_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.csv");
        write(&path, Rights::Private, b"a");
        assert_eq!(mode(&path), 0o600);
        for kept in [0o600, 0o640, 0o644, 0o400] {
            std::fs::set_permissions(&path, Permissions::from_mode(kept)).unwrap();
            let growing = WholeFile::begin(&path, Rights::Usual).unwrap();
            assert_eq!(mode(growing.file.path()), 0o600, "nobody else reads what is not finished");
            drop(growing);
            write(&path, Rights::Usual, b"b");
            assert_eq!(mode(&path), kept);
        }
        let growing = WholeFile::begin(&path, Rights::Usual).unwrap();
        let name = growing.file.path().to_owned();
        assert!(GROWING.lock().unwrap().contains(&name));
        drop(growing);
        assert!(!GROWING.lock().unwrap().contains(&name), "what is gone is not removed once more");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn two_that_grow_at_once_do_not_mix_and_no_planted_link_is_written_through() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("out"), dir.path().join("precious"));
        std::fs::write(&other, "precious").unwrap();
        symlink(&other, dir.path().join("out.partial")).unwrap();
        let (mut one, mut two) = (
            WholeFile::begin(&path, Rights::Usual).unwrap(),
            WholeFile::begin(&path, Rights::Usual).unwrap(),
        );
        for _ in 0..1_000 {
            one.file().write_all(b"one\n").unwrap();
            two.file().write_all(b"second\n").unwrap();
        }
        one.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\n".repeat(1_000));
        two.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second\n".repeat(1_000));
        // A link that is put in the place meanwhile is replaced.
        let mut three = WholeFile::begin(&path, Rights::Usual).unwrap();
        three.file().write_all(b"three").unwrap();
        std::fs::remove_file(&path).unwrap();
        symlink(&other, &path).unwrap();
        three.finish().unwrap();
        assert_eq!(std::fs::read(&other).unwrap(), b"precious");
        assert_eq!(std::fs::read(&path).unwrap(), b"three");
        assert_ne!(free_name(&path).unwrap(), free_name(&path).unwrap());
    }

    #[test]
    fn what_a_killed_process_left_goes_after_a_day_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, days: u32| {
            let file = File::create(dir.path().join(name)).unwrap();
            let age = FORGOTTEN * days + Duration::from_secs(60) * days.min(1);
            file.set_modified(std::time::SystemTime::now() - age).unwrap();
        };
        let kept =
            [".hardcase-AAAAbbbb0000.partial", ".hardcase-mine.partial", "hardcase-AAAAbbbb1111.partial"];
        make(kept[0], 0);
        make(kept[1], 2);
        make(kept[2], 2);
        make(".hardcase-AAAAbbbb1111.partial", 1);
        make(".hardcase-AAAAbbbb1111.partial-journal", 1);
        drop(WholeFile::begin(&dir.path().join("out"), Rights::Usual).unwrap());
        let mut left: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, kept);
    }

    #[test]
    fn nothing_is_written_where_a_project_keeps_its_data_or_where_a_link_leads_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let in_dir = |name: &str| dir.path().join(name);
        std::fs::write(in_dir("p"), b"SQLite format 3\0and more").unwrap();
        std::fs::create_dir(in_dir("p.backups")).unwrap();
        std::fs::create_dir(in_dir("folder")).unwrap();
        symlink(in_dir("nowhere"), in_dir("dangling")).unwrap();
        symlink(in_dir("p"), in_dir("to-project")).unwrap();
        symlink(in_dir("p-wal"), in_dir("to-log")).unwrap();
        std::fs::write(in_dir("p-wal"), "").unwrap();
        for (name, why) in [
            ("p", "a project or another database is there"),
            ("to-project", "a project or another database is there"),
            ("p-wal", "a project keeps its own data there"),
            ("to-log", "a project keeps its own data there"),
            ("p-shm", "a project keeps its own data there"),
            ("p-journal", "a project keeps its own data there"),
            ("gone.hardcase-wal", "a project keeps its own data there"),
            (".p.replacing", "a project keeps its own data there"),
            (".p.00112233445566778899aabbccddeeff.successor", "a project keeps its own data there"),
            ("p.backups/p.labels.jsonl", "a project keeps its own data there"),
            ("folder", "it is a directory"),
            ("dangling", "a link to a file that is not there"),
        ] {
            let said = refusal(&in_dir(name));
            assert!(said.contains(why), "{name}: {said}");
        }
        for name in ["q", "q-wal", "data-journal", "folder/p-wal", ".q.replacing", ".p.successor"] {
            assert!(matches!(place_of(&in_dir(name)), Ok(Place::File(_))), "{name}");
        }
    }

    #[test]
    fn a_link_of_another_user_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        std::fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        assert!(matches!(place_of(&link), Ok(Place::File(path)) if path.ends_with("file")));
        let nobody = Some(rustix::fs::Uid::from_raw(65_534));
        let given =
            rustix::fs::chownat(rustix::fs::CWD, &link, nobody, None, rustix::fs::AtFlags::SYMLINK_NOFOLLOW);
        // Only root can give a link away.
        if given.is_ok() {
            assert!(refusal(&link).contains("a link that another user made"));
        }
    }
}
