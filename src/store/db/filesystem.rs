//! Which kind of file system a project lies on: SQLite's write-ahead log needs shared memory, which a network one has not.

use std::path::Path;

/// SQLite's name of the rollback journal.
pub(in crate::store) const ROLLBACK: &str = "DELETE";

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
    pub(in crate::store) fn journal_mode(self) -> &'static str {
        match self {
            Self::Local => "WAL",
            Self::Network(_) => ROLLBACK,
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
    match rustix::fs::statfs(there).map_or(FileSystem::Local, |s| classify(&s)) {
        FileSystem::Network("FUSE") if mount_of(there).is_some_and(|mount| is_own_disk(&mount.kind)) => {
            FileSystem::Local
        }
        lies_on => lies_on,
    }
}

/// A mount, as the system lists it.
struct Mount {
    /// The type of its file system.
    kind: String,
    options: String,
}

fn mount_of(path: &Path) -> Option<Mount> {
    let path = path.canonicalize().ok()?;
    // Field 5 is where it is mounted; after the dash come the type, the source and the options of the file system.
    let mounts = std::fs::read("/proc/self/mountinfo").ok()?;
    listed(&mounts, path.as_os_str().as_encoded_bytes())
}

/// Why other machines do not hear of the locks that are taken on the file system of `path`; none where they do, where there are no others, and
/// where the system does not say.
pub fn locks_stay_here(path: &Path) -> Option<String> {
    let there = if path.exists() { path } else { path.parent()? };
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    why_locks_stay_here(&mount_of(there)?)
}

/// Names are bytes: one that is not UTF-8 may be anybody's, and says nothing of the others.
fn listed(mounts: &[u8], path: &[u8]) -> Option<Mount> {
    let mount = |line: &[u8]| {
        let dash = line.windows(3).position(|part| part == b" - ")?;
        let at = unescaped(line[..dash].split(|byte| *byte == b' ').nth(4)?);
        let mut after = line[dash + 3..].split(|byte| *byte == b' ').map(String::from_utf8_lossy);
        let (kind, options) = (after.next()?.into_owned(), after.nth(1)?.into_owned());
        let inside = path.strip_prefix(at.strip_suffix(b"/").unwrap_or(&at))?;
        (inside.is_empty() || inside.starts_with(b"/")).then_some((at.len(), kind, options))
    };
    // The last of the longest: a later mount hides an earlier one.
    let (_, kind, options) =
        mounts.split(|byte| *byte == b'\n').filter_map(mount).max_by_key(|(length, ..)| *length)?;
    Some(Mount { kind, options })
}

/// A name with its spaces, tabs, line ends and backslashes, which are listed as three octal digits.
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut rest = name;
    while let [first, after @ ..] = rest {
        let octal = |digits: &[u8; 3]| {
            let value =
                digits.iter().try_fold(0_u32, |sum, digit| Some(sum * 8 + char::from(*digit).to_digit(8)?));
            value.and_then(|value| u8::try_from(value).ok())
        };
        match after.split_first_chunk::<3>().and_then(|(digits, behind)| Some((octal(digits)?, behind))) {
            Some((byte, behind)) if *first == b'\\' => {
                plain.push(byte);
                rest = behind;
            }
            _ => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    plain
}

fn why_locks_stay_here(Mount { kind, options }: &Mount) -> Option<String> {
    let tells_nobody = ["nolock", "local_lock=all", "local_lock=posix", "nobrl", "localflock"];
    let option = options.split(',').find(|option| tells_nobody.contains(option));
    match option.filter(|_| FROM_AFAR.contains(&kind.as_str())) {
        Some(option) => Some(format!("it is mounted with {option}")),
        None if keeps_locks(kind) => Some(format!("{kind} keeps locks to itself")),
        None => None,
    }
}

/// Types of file systems whose locks no other mount, machine or guest hears of: all that are programs of a user but those that are known to pass
/// locks on or to be a disk of this machine, and the folders that a virtual machine shares with its host.
fn keeps_locks(kind: &str) -> bool {
    let shared_by_host = ["9p", "virtiofs", "vboxsf", "prl_fs", "vmhgfs"];
    let passes_on =
        ["fuse.glusterfs", "fuse.ceph", "fuse.ceph-fuse", "fuse.juicefs", "fuse.mfs", "fuse.moosefs"];
    let by_user = kind == "fuse" || kind.starts_with("fuse.");
    shared_by_host.contains(&kind) || by_user && !passes_on.contains(&kind) && !is_own_disk(kind)
}

/// Disks of this machine that a user's program reads: nobody gets at the files another way.
fn is_own_disk(kind: &str) -> bool {
    let on_a_disk = ["fuse.ntfs-3g", "fuse.exfat", "fuse.fuseext2"];
    let encrypted = ["fuse.gocryptfs", "fuse.ecryptfs", "fuse.encfs", "fuse.cryfs", "fuse.securefs"];
    kind == "fuseblk"
        || kind == "fuse.fuse-overlayfs"
        || on_a_disk.contains(&kind)
        || encrypted.contains(&kind)
}

/// Types of file systems that have an option to keep locks to themselves.
const FROM_AFAR: [&str; 5] = ["nfs", "nfs4", "cifs", "smb3", "lustre"];

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
    fn a_mount_that_keeps_its_locks_to_itself_is_named() {
        let mounts = "22 1 254:0 / / rw - ext4 /dev/vda rw\n\
            40 22 0:40 / /srv/team rw,relatime shared:1 - nfs server:/team rw,vers=3,nolock,local_lock=none\n\
            41 22 0:41 / /srv/team/new rw - nfs4 server:/new rw,vers=4.2,local_lock=none\n\
            42 22 0:42 / /srv/my\\040share rw - cifs //server/x rw,nobrl,vers=3.0\n\
            43 22 0:43 / /home/ada/far rw - fuse.sshfs ada@far: rw,user_id=1000\n\
            44 22 0:44 / /home/ada/bound rw - fuse.bindfs /home/ada rw\n\
            45 22 0:45 / /home/ada/host rw - virtiofs host rw\n\
            46 22 0:46 / /home/ada/secret rw - fuse.gocryptfs /home/ada/.secret rw\n\
            47 22 0:47 / /home/ada/stick rw - fuseblk /dev/sdb1 rw\n\
            48 22 0:48 / /home/ada/gluster rw - fuse.glusterfs server:/v rw\n\
            49 22 0:49 / /home/ada/a\\011tab rw - fuse.bindfs /home/ada rw\n\
            50 22 0:50 / /home/ada/a\\134b\\012c\\0111 rw - fuse.bindfs /home/ada rw\n";
        // Somebody's stick, whose name is not UTF-8.
        let mounts =
            [mounts.as_bytes(), &b"51 22 0:51 / /media/\xff\xfe rw - vfat /dev/sdc1 rw\n"[..]].concat();
        let why = |path: &str| {
            listed(&mounts, path.as_bytes()).as_ref().and_then(why_locks_stay_here).unwrap_or_default()
        };
        assert_eq!(why("/srv/team/pool.hardcase"), "it is mounted with nolock");
        assert_eq!(why("/srv/my share/pool.hardcase"), "it is mounted with nobrl");
        assert_eq!(why("/home/ada/far/pool.hardcase"), "fuse.sshfs keeps locks to itself");
        assert_eq!(why("/home/ada/bound/pool.hardcase"), "fuse.bindfs keeps locks to itself");
        assert_eq!(why("/home/ada/a\ttab/pool.hardcase"), "fuse.bindfs keeps locks to itself");
        assert_eq!(why("/home/ada/a\\b\nc\t1/pool.hardcase"), "fuse.bindfs keeps locks to itself");
        assert_eq!(why("/home/ada/host/pool.hardcase"), "virtiofs keeps locks to itself");
        for shared in [
            "/srv/team/new/pool.hardcase",
            "/srv/teams/pool.hardcase",
            "/home/ada/pool.hardcase",
            "/home/ada/secret/pool.hardcase",
            "/home/ada/stick/pool.hardcase",
            "/home/ada/gluster/pool.hardcase",
        ] {
            assert_eq!(why(shared), "", "{shared}");
        }
    }

    #[test]
    fn a_temporary_folder_is_local_and_nfs_is_not() {
        assert_eq!(file_system(&std::env::temp_dir()), FileSystem::Local);
        assert_eq!(by_magic(0x6969), FileSystem::Network("NFS"));
        assert_eq!(by_magic(0x6969).journal_mode(), "DELETE");
        assert_eq!(by_magic(0xEF53).journal_mode(), "WAL");
    }
}
