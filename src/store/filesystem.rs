//! Which kind of file system a project lies on: SQLite's write-ahead log needs shared memory, which a network one has not.

use std::path::Path;

/// What the project's folder lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
    /// A disk of this machine: write-ahead log.
    Local,
    /// A network or user-space file system, by its name: rollback journal.
    Network(&'static str),
}

impl FileSystem {
    /// The journal mode that is safe there.
    pub(super) fn journal_mode(self) -> &'static str {
        match self {
            Self::Local => "WAL",
            Self::Network(_) => "DELETE",
        }
    }
}

impl std::fmt::Display for FileSystem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Network(name) => f.write_str(name),
        }
    }
}

/// The file system that `path` (a file or the folder it will lie in) is on; local where the system does not say.
pub fn file_system(path: &Path) -> FileSystem {
    let there = if path.exists() { path } else { path.parent().unwrap_or(path) };
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    rustix::fs::statfs(there).map_or(FileSystem::Local, |s| classify(&s))
}

#[cfg(target_os = "linux")]
fn classify(stat: &rustix::fs::StatFs) -> FileSystem {
    // The numbers of linux/magic.h and the file systems' own headers. f_type's width differs between machines.
    by_magic(stat.f_type as u32)
}

#[cfg(any(target_os = "linux", test))]
fn by_magic(magic: u32) -> FileSystem {
    FileSystem::Network(match magic {
        0x0000_6969 => "NFS",
        0x0000_517B | 0xFF53_4D42 | 0xFE53_4D42 => "SMB",
        0x0102_1997 => "9P",
        0x00C3_6400 => "Ceph",
        0x0BD0_0BD0 => "Lustre",
        0x4750_4653 => "GPFS",
        0x5346_414F | 0x6B41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x0000_564C => "NCP",
        0x6573_5546 => "FUSE",
        0x786F_4256 => "VirtualBox shared folder",
        _ => return FileSystem::Local,
    })
}

#[cfg(target_vendor = "apple")]
fn classify(stat: &rustix::fs::StatFs) -> FileSystem {
    /// `MNT_LOCAL` of sys/mount.h.
    const LOCAL: u32 = 0x0000_1000;
    if stat.f_flags & LOCAL == 0 { FileSystem::Network("network") } else { FileSystem::Local }
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn classify(_stat: &rustix::fs::StatFs) -> FileSystem {
    FileSystem::Local
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_is_local_and_nfs_is_not() {
        assert_eq!(file_system(&std::env::temp_dir()), FileSystem::Local);
        assert_eq!(by_magic(0x6969), FileSystem::Network("NFS"));
        assert_eq!(by_magic(0x6969).journal_mode(), "DELETE");
        assert_eq!(by_magic(0xEF53).journal_mode(), "WAL");
    }
}
