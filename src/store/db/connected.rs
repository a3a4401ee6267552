//! Which project files this process has open.
//!
//! A process that closes any descriptor of a file gives back every lock that it holds on it (POSIX, fcntl(2)), those of its SQLite connections,
//! too: another program could then take the log away from under them. So a file that has a connection is read through a descriptor
//! that stays open until the last connection is closed.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What tells a file from any other: its device and number.
pub(in crate::store) type Identity = (u64, u64);

struct Open {
    file: Identity,
    connections: usize,
    /// Descriptors that must not be closed yet.
    kept: Vec<File>,
}

static OPEN: Mutex<Vec<Open>> = Mutex::new(Vec::new());

fn open_files() -> MutexGuard<'static, Vec<Open>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says that this process has, or is about to have, a connection to a file, for as long as it lives. Taken before the connection is opened, and
/// given back after it is closed.
#[derive(Debug)]
pub(in crate::store) struct Connected(Option<Identity>);

impl Connected {
    /// For the file at `path`; of one that is not there nothing is said.
    pub fn of(path: &Path) -> Self {
        let mut open = open_files();
        let file = std::fs::metadata(path).ok().and_then(|meta| identity(&meta));
        if let Some(file) = file {
            match open.iter_mut().find(|open| open.file == file) {
                Some(open) => open.connections += 1,
                None => open.push(Open { file, connections: 1, kept: Vec::new() }),
            }
        }
        Self(file)
    }
}

impl Connected {
    /// The file that it speaks of.
    pub fn file(&self) -> Option<Identity> {
        self.0
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        let mut open = open_files();
        let Some(at) = open.iter().position(|open| Some(open.file) == self.0) else { return };
        open[at].connections -= 1;
        if open[at].connections == 0 {
            open.swap_remove(at);
        }
    }
}

/// The first bytes of a file, at most so many, whether or not this process has a connection to it.
pub(in crate::store) fn read_head(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_part(path, 0, most)
}

/// The same of the bytes from one place on.
pub(in crate::store) fn read_part(path: &Path, from: u64, most: u64) -> io::Result<Vec<u8>> {
    read(path, |file| part_of(file, from, most))
}

/// The same, not from what the system keeps in memory: a file system whose files change elsewhere, behind a mount of FUSE or on a server, may not
/// tell it that they did.
pub(in crate::store) fn read_part_anew(path: &Path, from: u64, most: u64) -> io::Result<Vec<u8>> {
    read(path, |file| {
        forget_cached(file, from, most);
        part_of(file, from, most)
    })
}

/// Advice: where the system does not follow it, what it has in memory is read.
#[cfg(target_os = "linux")]
fn forget_cached(file: &File, from: u64, most: u64) {
    let _ = rustix::fs::fadvise(file, from, std::num::NonZeroU64::new(most), rustix::fs::Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
fn forget_cached(_file: &File, _from: u64, _most: u64) {}

fn read(path: &Path, part: impl Fn(&File) -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    // Connected to the end: nobody begins a connection between the look and the close.
    let mut open = open_files();
    let file = identity(&std::fs::metadata(path)?);
    if let Some(kept) = open.iter().find(|open| Some(open.file) == file).and_then(|open| open.kept.first()) {
        return part(kept);
    }
    let new = File::open(path)?;
    let read = part(&new);
    // The file that was opened may be another one by now.
    let file = new.metadata().ok().and_then(|meta| identity(&meta));
    if let Some(open) = open.iter_mut().find(|open| Some(open.file) == file) {
        open.kept.push(new);
    }
    read
}

fn part_of(mut file: &File, from: u64, most: u64) -> io::Result<Vec<u8>> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(from))?;
    let mut part = Vec::new();
    file.take(most).read_to_end(&mut part)?;
    Ok(part)
}

/// Whether two paths name one file, by whatever links.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    let paths = matches!((one.canonicalize(), other.canonicalize()), (Ok(a), Ok(b)) if a == b);
    paths || identity_of(one).is_some_and(|file| identity_of(other) == Some(file))
}

/// Of the file that a path names now.
pub(in crate::store) fn identity_of(path: &Path) -> Option<Identity> {
    std::fs::metadata(path).ok().and_then(|meta| identity(&meta))
}

#[cfg(unix)]
pub(in crate::store) fn identity(meta: &std::fs::Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some((meta.dev(), meta.ino()))
}

/// Elsewhere locks belong to descriptors.
#[cfg(not(unix))]
pub(in crate::store) fn identity(_meta: &std::fs::Metadata) -> Option<Identity> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_read_while_connected_is_closed_after_the_connection() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, "0123456789").unwrap();
        let kept = || {
            let file = identity(&std::fs::metadata(&path).unwrap());
            open_files().iter().find(|open| Some(open.file) == file).map(|open| open.kept.len())
        };
        assert_eq!((read_head(&path, 4).unwrap(), kept()), (b"0123".to_vec(), None));
        let (first, second) = (Connected::of(&path), Connected::of(&path));
        for _ in 0..3 {
            assert_eq!(read_head(&path, 4).unwrap(), b"0123");
        }
        assert_eq!(kept(), Some(1), "one descriptor is enough");
        drop(first);
        assert_eq!(kept(), Some(1));
        drop(second);
        assert_eq!(kept(), None);
        drop(Connected::of(&dir.path().join("nowhere")));
    }
}
