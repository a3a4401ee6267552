//! Whether everybody who shares a project can work on it: the rights of the file, of the files that SQLite keeps next to it, and of its folder.
//!
//! SQLite gives those files the project's rights, but the group of the person who made them, unless the folder passes its own group on.

use std::path::Path;

use super::diagnostic::{Finding, State};
use crate::domain::fault::Result;
use crate::store::Store;

const SETGID: u32 = 0o2000;
const STICKY: u32 = 0o1000;

/// Rights and owners of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rights {
    mode: u32,
    uid: u32,
    gid: u32,
}

/// What decides whether others can write.
struct AccessRights<'a> {
    project: &'a Path,
    file: Rights,
    folder: Rights,
    /// The files next to it, by the end of their names.
    sidecars: Vec<(&'static str, Rights)>,
    /// User ids that have worked on it.
    uids: Vec<u32>,
}

/// What is to be said of a project's rights.
pub(crate) fn permissions(store: &Store, project: &Path) -> Result<Vec<Finding>> {
    let uids = store.uids()?;
    Ok(match access(project, uids) {
        Some(access) => findings(&access),
        None => vec![Finding::new("permissions", State::Fine, "not checked on this system")],
    })
}

#[cfg(unix)]
fn access(project: &Path, uids: Vec<u32>) -> Option<AccessRights<'_>> {
    use std::os::unix::fs::MetadataExt;
    let rights = |path: &Path| {
        let meta = std::fs::metadata(path).ok()?;
        Some(Rights { mode: meta.mode() & 0o7777, uid: meta.uid(), gid: meta.gid() })
    };
    let folder = project.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let sidecars = ["-wal", "-shm", "-journal", ".backups"].into_iter().filter_map(|end| {
        let mut name = project.as_os_str().to_owned();
        name.push(end);
        Some((end, rights(Path::new(&name))?))
    });
    Some(AccessRights {
        project,
        file: rights(project)?,
        folder: rights(folder)?,
        sidecars: sidecars.collect(),
        uids,
    })
}

#[cfg(not(unix))]
fn access(_project: &Path, _uids: Vec<u32>) -> Option<AccessRights<'_>> {
    None
}

fn findings(access: &AccessRights<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = hindrances(access)
        .into_iter()
        .map(|says| Finding::new("permissions", State::Warning, says))
        .collect();
    if found.is_empty() {
        let says = if is_shared(access) { "shared: its group can write" } else { "private" };
        found.push(Finding::new("permissions", State::Fine, says));
    }
    found
}

/// Whether more than one person is meant to write, as far as the file system tells.
fn is_shared(access: &AccessRights<'_>) -> bool {
    let mut uids: Vec<u32> =
        access.sidecars.iter().map(|(_, rights)| rights.uid).chain([access.file.uid]).collect();
    uids.extend(&access.uids);
    uids.sort_unstable();
    uids.dedup();
    access.file.mode & 0o020 != 0 || uids.len() > 1
}

fn hindrances(access: &AccessRights<'_>) -> Vec<String> {
    let AccessRights { project, file, folder, sidecars, .. } = access;
    let name = project.display();
    let mut says = Vec::new();
    if file.mode & 0o004 != 0 {
        says.push("everybody on this computer can read the file; to change that: chmod o-r".to_owned());
    }
    if file.mode & 0o222 == 0 {
        says.push("the file is read-only: you can look at it, but not label".to_owned());
        return says;
    }
    if !is_shared(access) {
        return says;
    }
    if file.mode & 0o020 == 0 {
        says.push(format!(
            "several people have worked on it, but its group cannot write to it. To change that: chmod g+w {name}"
        ));
    }
    if folder.mode & 0o020 == 0 {
        says.push(format!(
            "the group can write to the file but not to its folder, where changes are saved first, so others cannot label. To change that: chmod g+ws on the folder of {name}"
        ));
    } else if folder.mode & SETGID == 0 {
        says.push(format!(
            "new files in the folder belong to the group of the person who makes them, so others may not be able to label. To change that: chmod g+s on the folder of {name}"
        ));
    } else if folder.gid != file.gid {
        says.push(format!(
            "the file has another group than its folder, so others may not be able to label. To change that: chgrp {} {name}",
            folder.gid
        ));
    }
    if folder.mode & STICKY != 0 {
        says.push(format!(
            "in its folder only the person who made a file can delete it (like /tmp), which keeps hardcase from tidying up. Move {name} to a folder of its own"
        ));
    }
    for (end, rights) in sidecars {
        let writes = if *end == ".backups" { 0o030 } else { 0o020 };
        if file.mode & 0o020 != 0 && (rights.mode & writes != writes || rights.gid != file.gid) {
            says.push(format!("{name}{end} belongs to user {} and group {}, and the project's group cannot write to it. To change that: chgrp {} and chmod g+w on it", rights.uid, rights.gid, file.gid));
        }
    }
    says
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(file: u32, folder: (u32, u32), sidecars: &[(&'static str, Rights)], uids: &[u32]) -> String {
        let own = |mode, gid| Rights { mode, uid: 1, gid };
        let access = AccessRights {
            project: Path::new("pool.hardcase"),
            file: own(file, 7),
            folder: own(folder.0, folder.1),
            sidecars: sidecars.to_vec(),
            uids: uids.to_vec(),
        };
        hindrances(&access).join("; ")
    }

    #[test]
    fn what_would_break_anothers_write_is_said_with_the_way_out() {
        let wal = |mode, gid| [("-wal", Rights { mode, uid: 2, gid })];
        assert_eq!(said(0o600, (0o755, 1), &[], &[1]), "");
        assert_eq!(said(0o660, (0o2770, 7), &wal(0o660, 7), &[1, 2]), "");
        assert!(said(0o644, (0o755, 1), &[], &[1]).starts_with("everybody"));
        assert!(said(0o400, (0o755, 1), &[], &[1]).starts_with("the file is read-only"));
        for (file, folder, sidecars, uids, says) in [
            (0o600, (0o2770, 7), &[][..], &[1, 2][..], "chmod g+w pool.hardcase"),
            (0o660, (0o755, 7), &[], &[1], "chmod g+ws"),
            (0o660, (0o770, 7), &[], &[1], "chmod g+s "),
            (0o660, (0o2770, 8), &[], &[1], "chgrp 8 pool.hardcase"),
            (0o660, (0o3770, 7), &[], &[1], "like /tmp"),
            (0o660, (0o2770, 7), &wal(0o640, 7), &[1], "pool.hardcase-wal belongs to user 2"),
            (0o660, (0o2770, 7), &wal(0o660, 9), &[1], "chgrp 7"),
        ] {
            let said = said(file, folder, sidecars, uids);
            assert!(said.contains(says), "{says}: {said}");
        }
    }
}
