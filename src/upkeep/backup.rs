//! `backup`: dated copies of a project in a folder next to it, made on request, at the end of a session and before what cannot be undone.
//!
//! A project can be backed up while others write to it. The disk is never filled: a copy is made only where its size stays free a second time.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::grouped;
use crate::domain::moment;
use crate::exchange::export::{Texts, export_whole_log};
use crate::store::care::backups::{Backup, Backups, DAYS_KEPT, Holds, NEWEST_KEPT, free_bytes, write_whole};
use crate::store::sync::merge::StoredCopy;
use crate::store::{Access, Store, refuse_kept_name};

/// The largest project that is copied whole at the end of a session, in bytes: about a second's work.
const QUICK: u64 = 256 << 20;

/// When and how much backups are made and kept, in words.
pub fn rules() -> String {
    format!(
        "A backup is made if anything changed: at the end of a session in the workstation, before `merge` and `adapter prune`, before the file \
         is updated for a new version of hardcase, and by this command. Of a project over {} MiB, the end of a session saves only the label log, \
         which `merge` reads. Kept are the newest {NEWEST_KEPT}, the last of each of the last {DAYS_KEPT} days, and all from before an update. No \
         backup is made if the disk would then have less free space than the backup takes",
        QUICK >> 20
    )
}

/// Why a backup is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// A person asked for one.
    Asked,
    /// A session ended: it must be quick.
    SessionEnded,
    /// Something that cannot be undone is about to be done.
    Before,
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BackupReport {
    /// The backup; none where none was made.
    pub backup: Option<PathBuf>,
    /// `project`, `labels`, or none.
    pub holds: Option<&'static str>,
    pub bytes: u64,
    /// Older ones that were deleted.
    pub removed: Vec<PathBuf>,
    /// Why none was made.
    pub why: Option<String>,
    /// The newest there is, where nothing changed since.
    pub newest: Option<PathBuf>,
}

impl fmt::Display for BackupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.backup, &self.newest, &self.why) {
            (Some(path), ..) => {
                write!(f, "backed up to {}: {} bytes", path.display(), grouped(self.bytes))?;
                match self.removed.len() {
                    0 => Ok(()),
                    1 => write!(f, "; 1 older backup was deleted"),
                    n => write!(f, "; {n} older backups were deleted"),
                }
            }
            (None, Some(newest), _) => {
                write!(f, "nothing has changed since the last backup, {}", newest.display())
            }
            (None, None, Some(why)) => write!(f, "no backup was made: {why}"),
            (None, None, None) => write!(f, "no backup was made"),
        }
    }
}

/// A backup, as a list shows it.
#[derive(Clone, Debug, Serialize)]
pub struct ListedBackup {
    /// Where it is.
    pub backup: PathBuf,
    /// `project`, `labels`, or `earlier-version`.
    pub holds: &'static str,
    /// When it was made, UTC.
    pub made: String,
    pub bytes: u64,
    /// Standing labels; none for a label log, an earlier version, and a backup that cannot be read.
    pub labels: Option<usize>,
}

fn called(holds: Holds) -> &'static str {
    match holds {
        Holds::Project => "project",
        Holds::Labels => "labels",
        Holds::EarlierVersion => "earlier-version",
    }
}

/// When something was, as a person reads it.
pub(crate) fn utc(ms: i64) -> String {
    format!("{} UTC", moment::utc(ms))
}

/// The backups of a project, newest first. The project itself need not be there.
pub fn list(project: &Path) -> Vec<ListedBackup> {
    let labels = |backup: &Backup| {
        let copy =
            (backup.holds == Holds::Project).then(|| StoredCopy::open(&backup.path, project).ok())??;
        copy.store.label_count().ok()
    };
    Backups::of(project)
        .list()
        .iter()
        .map(|backup| ListedBackup {
            backup: backup.path.clone(),
            holds: called(backup.holds),
            made: utc(backup.at_ms),
            bytes: backup.bytes,
            labels: labels(backup),
        })
        .collect()
}

/// Copies a project to a place that a person names.
///
/// # Errors
/// Something is there, there is no room, or the project is damaged.
pub fn back_up_to(project: &Path, to: &Path) -> Result<BackupReport> {
    let attempted = format!("back up {} to {}", project.display(), to.display());
    let told = |fault: Fault| fault.while_trying(attempted.clone());
    refuse_kept_name(to, &attempted)?;
    if to.symlink_metadata().is_ok() {
        return Err(
            Fault::usage(attempted, "there is already a file of that name").hint("Choose another name")
        );
    }
    let store = Store::open(project, Access::Read)?;
    store.check_rows(&attempted)?;
    if let Some(why) = no_room(&store, to)? {
        return Err(Fault::new(attempted, why).hint("Free some space, or choose a place on another disk"));
    }
    write_whole(project, to, |partial| store.copy_into(partial)).map_err(told)?;
    let bytes = std::fs::metadata(to).map_or(0, |m| m.len());
    Ok(BackupReport { backup: Some(to.to_owned()), holds: Some("project"), bytes, ..BackupReport::default() })
}

/// Backs a project up into its folder of backups, where something changed since the last time.
///
/// # Errors
/// The project is damaged: its backups stay as they are. Where a person asked: no room for a copy.
pub fn back_up(project: &Path, occasion: Occasion) -> Result<BackupReport> {
    let attempted = format!("back up {}", project.display());
    let store = Store::open(project, Access::Read)?;
    if occasion != Occasion::SessionEnded {
        store.check_rows(&attempted)?;
    }
    let backups = Backups::of(project);
    if let Some(newest) = unchanged_since(&store, &backups, occasion)? {
        return Ok(BackupReport { newest: Some(newest), ..BackupReport::default() });
    }
    let size = store.size()?;
    let room = no_room(&store, backups.folder())?;
    let holds = match (&room, occasion) {
        (Some(why), Occasion::Asked) => {
            return Err(Fault::new(attempted, why)
                .hint("Free some space, choose a place on another disk with --to, or save only the labels: `hardcase export FILE --what events -o LABELS`"));
        }
        (None, Occasion::Asked | Occasion::Before) => Holds::Project,
        (None, Occasion::SessionEnded) if size <= QUICK => Holds::Project,
        _ => Holds::Labels,
    };
    let held = match occasion {
        Occasion::SessionEnded => backups.hold()?,
        Occasion::Asked | Occasion::Before => Some(backups.wait_to_hold()?),
    };
    let Some(held) = held else {
        let why = Some("another process is backing up the project".to_owned());
        return Ok(BackupReport { why, ..BackupReport::default() });
    };
    let now = store.now_ms();
    let made = match holds {
        Holds::Labels => held.make(holds, now, |to| export_whole_log(project, Texts::LeftOut, to).map(drop)),
        Holds::Project | Holds::EarlierVersion => held.make(holds, now, |to| store.copy_into(to)),
    };
    let made = made.map_err(|fault| fault.while_trying(attempted))?;
    Ok(BackupReport {
        backup: Some(made.path),
        holds: Some(called(made.holds)),
        bytes: made.bytes,
        removed: held.remove_old(now),
        why: room,
        newest: None,
    })
}

/// The newest backup that holds what there is, where there is one.
fn unchanged_since(store: &Store, backups: &Backups, occasion: Occasion) -> Result<Option<PathBuf>> {
    let now = store.now_ms();
    let list: Vec<Backup> = backups.list().into_iter().filter(|b| !b.is_from_the_future(now)).collect();
    // A log that was saved because of the project's size is enough for the end of another session, and for nothing else.
    if let Some(log) = list.first().filter(|b| occasion == Occasion::SessionEnded && b.holds == Holds::Labels)
        && store.last_label_ms()?.is_none_or(|last| last < log.at_ms)
    {
        return Ok(Some(log.path.clone()));
    }
    let Some(newest) = list.into_iter().find(|b| b.holds == Holds::Project) else { return Ok(None) };
    let same = StoredCopy::open(&newest.path, store.path()).and_then(|copy| copy.store.mark());
    let mark = store.mark()?;
    Ok(same.is_ok_and(|same| same == mark).then_some(newest.path))
}

/// Why there is no room for a copy at `place`; none where there is.
fn no_room(store: &Store, place: &Path) -> Result<Option<String>> {
    let size = store.size()?;
    Ok(free_bytes(place).filter(|free| *free < size.saturating_mul(2)).map(|free| {
        format!(
            "only {} bytes are free there, and a copy of {} bytes must leave at least as much free",
            grouped(free),
            grouped(size)
        )
    }))
}

/// Backs up without being asked. Returns a line for a person, or none where there is nothing to say; a failure never stops what comes next.
pub fn back_up_quietly(project: &Path, occasion: Occasion) -> Option<String> {
    // What comes next says itself why a damaged project stops it.
    if occasion == Occasion::Before
        && Store::open(project, Access::Read).and_then(|store| store.check_labels("back up")).is_err()
    {
        return None;
    }
    match back_up(project, occasion) {
        Ok(report) => report.why.filter(|_| occasion == Occasion::Before).map(|why| {
            let kept = if report.backup.is_some() {
                "only the labels were backed up"
            } else {
                "nothing was backed up"
            };
            format!("{kept}: {why}")
        }),
        Err(fault) => Some(fault.to_string()),
    }
}
