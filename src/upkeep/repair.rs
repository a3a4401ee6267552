//! `doctor --repair`: what is intact of a damaged project, in a new file in its place. Works on a copy, keeps the damaged file, and says what
//! was lost.

use std::fmt;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::backup::utc;
use super::restore::interrupted;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::grouped::{counted, grouped};
use crate::store::care::backups::{Backup, Backups, Holds, followed, free_bytes};
use crate::store::care::salvage::{Salvage, mend_header, salvage};
use crate::store::{
    Access, Alone, Store, commits, foreign_log, log_without_file, play_journal, set_foreign_logs_aside,
    set_journal_aside, sidecar,
};

/// What came of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RepairReport {
    pub project: PathBuf,
    /// What was wrong; empty where nothing was, and nothing was done.
    pub found: Vec<String>,
    /// Where the damaged file is now.
    pub set_aside: Option<PathBuf>,
    /// Label events that the project has.
    pub events: usize,
    /// Label events that were there and are gone.
    pub events_lost: usize,
    /// Whether more may be gone than is known.
    pub perhaps_more: bool,
    /// Which they were, as far as is known.
    pub missing: Vec<String>,
    /// What else was lost, by kind.
    pub losses: Vec<String>,
    /// What else was changed, and what a person should know.
    pub notes: Vec<String>,
}

impl RepairReport {
    /// Whether anything that was in the file is gone, or is not as it was written.
    pub fn lost_anything(&self) -> bool {
        self.events_lost > 0 || self.perhaps_more || !self.losses.is_empty()
    }
}

impl fmt::Display for RepairReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(aside) = &self.set_aside else {
            write!(f, "{}: nothing to repair", self.project.display())?;
            return self.notes.iter().try_for_each(|line| write!(f, "\n  note: {line}"));
        };
        write!(f, "{} is repaired. The damaged file is kept as {}", self.project.display(), aside.display())?;
        for line in &self.found {
            write!(f, "\n  found: {line}")?;
        }
        let more = if self.perhaps_more { ", perhaps more" } else { "" };
        write!(
            f,
            "\n  label events: {} saved, {} lost{more}",
            grouped(self.events as u64),
            grouped(self.events_lost as u64)
        )?;
        for line in self.missing.iter().chain(&self.losses) {
            write!(f, "\n  lost: {line}")?;
        }
        for line in &self.notes {
            write!(f, "\n  note: {line}")?;
        }
        Ok(())
    }
}

/// Repairs a project.
///
/// # Errors
/// Somebody has it open, it cannot be repaired, or the disk has no room for the copy and the new file: it stays as it was then. Says which
/// backup is the newest.
pub fn repair(project: &Path) -> Result<RepairReport> {
    let project = &*followed(project);
    let attempted = format!("repair {}", project.display());
    // From here to the end: what is labelled after it was read would be lost.
    let alone = Alone::with(project, &attempted)?;
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |m| m.len());
    let orphans = set_foreign_logs_aside(project, &attempted)?;
    let log = sidecar(project, "-wal");
    let size = bytes(project) + bytes(&log);
    if !project.is_file() {
        let why = match log_without_file(project) {
            Some(log) => format!("there is no such file, but {log}"),
            None => "there is no such file".into(),
        };
        return Err(Fault::new(&attempted, why).hint(way_back(project)));
    }
    if free_bytes(project).is_some_and(|free| free < size.saturating_mul(2)) {
        return Err(Fault::new(
            attempted,
            format!(
                "the disk has no room for a copy and the new file, which take {} bytes each",
                grouped(size)
            ),
        )
        .hint("Free some space, or repair a copy on another disk"));
    }
    let mut report = RepairReport { project: project.to_owned(), ..RepairReport::default() };
    report.notes = interrupted(&alone);
    for orphan in orphans {
        report.notes.push(format!(
            "the log next to it belonged to another file, which was here before and may have had labels that this one has not: the log is kept as {}",
            orphan.display()
        ));
    }
    // Only a journal of which it cannot be told is left: it is tried on copies, first without it.
    let doubtful = foreign_log(project);
    if let Some(doubtful) = &doubtful {
        if wrong_with(&Copy::of(project, &alone, &["-wal"], &attempted)?.0).is_empty() {
            let kept = set_journal_aside(project, &attempted)?;
            report.notes.push(format!(
                "{doubtful}: the file is intact without it, and it is kept as {}",
                kept.display()
            ));
            return Ok(report);
        }
        report.found.push(doubtful.clone());
    }
    let torn = commits(project);
    if torn.cut_off > 0 {
        report.found.push(format!(
            "{} in its log (-wal) cannot be read{}",
            counted(torn.cut_off, "change", "changes"),
            if torn.are_damaged() {
                ""
            } else {
                "; it may be one that was interrupted and never reported as saved"
            }
        ));
    }
    let copy = Copy::of(project, &alone, &["-wal", "-journal"], &attempted)?;
    if doubtful.is_some() {
        play_journal(&copy.0);
    }
    if mend_header(&copy.0, &attempted).map_err(|fault| fault.or_hint(way_back(project)))? {
        report.found.push("the beginning of the file was damaged".into());
    }
    report.found.extend(wrong_with(&copy.0));
    if report.found.is_empty() {
        return Ok(report);
    }
    let mut saved = Salvage::default();
    let successor = alone.write_successor(|to| {
        saved = salvage(&copy.0, to)?;
        Ok(())
    });
    let successor = successor.map_err(|fault| {
        Fault::new(&attempted, format!("{}; the file was left as it is", fault.why())).hint(way_back(project))
    })?;
    drop(copy);
    report.set_aside = alone.replace_by(successor, "damaged")?;
    tell(&mut report, saved, torn.cut_off);
    Ok(report)
}

fn tell(report: &mut RepairReport, saved: Salvage, cut_off: usize) {
    report.events = saved.events;
    report.events_lost = saved.events_lost;
    report.perhaps_more = saved.perhaps_more || cut_off > 0;
    report.missing = saved.missing;
    let notes = [
        (
            saved.without_case,
            "label event is kept without the case in which it was given",
            "label events are kept without the case in which they were given",
        ),
        (
            saved.unsealed,
            "row could not be checked, because its checksum could not be read: it is kept as it is",
            "rows could not be checked, because their checksums could not be read: they are kept as they are",
        ),
    ];
    let other = notes.into_iter().filter(|(n, ..)| *n > 0).map(|(n, one, more)| counted(n, one, more));
    let lost = saved.lost.into_iter().map(|lost| {
        let mut parts = Vec::new();
        if lost.gone > 0 {
            let which =
                if lost.which.is_empty() { String::new() } else { format!(" ({})", lost.which.join("; ")) };
            parts.push(format!(
                "{} gone{which}",
                if lost.gone == 1 { "1 is".to_owned() } else { format!("{} are", lost.gone) }
            ));
        }
        if lost.kept > 0 {
            parts.push(counted(
                lost.kept,
                "is not as it was written and was kept as it is",
                "are not as they were written and were kept as they are",
            ));
        }
        if lost.changed > 0 {
            parts.push(counted(
                lost.changed,
                "is not as it was written and was left out",
                "are not as they were written and were left out",
            ));
        }
        if lost.stretches > 0 {
            let stretches = counted(lost.stretches, "stretch", "stretches");
            parts.push(format!("{stretches} of rows cannot be read"));
        }
        format!("{}: {}", lost.called, parts.join(", "))
    });
    report.losses.extend(lost);
    report.losses.extend(saved.losses);
    report.notes.extend(other.chain(saved.notes));
    if report.lost_anything() {
        report.notes.push(match newest(&report.project) {
            Some((path, made)) => format!(
                "the backup of {made} may have what is lost: `hardcase merge {} {}` brings it back",
                report.project.display(),
                path
            ),
            None => "there is no backup from which it could come back".into(),
        });
    }
}

/// What is wrong with a copy that nobody else has.
fn wrong_with(copy: &Path) -> Vec<String> {
    let look = || -> Result<Vec<String>> {
        let mut store = Store::open(copy, Access::Job)?;
        let mut found = store.integrity_check()?;
        let abandoned = store.clear_abandoned_sources()?;
        if abandoned > 0 {
            found.push(counted(abandoned, "import was interrupted", "imports were interrupted"));
        }
        Ok(found)
    };
    look().unwrap_or_else(|fault| vec![fault.why().to_owned()])
}

/// The whole backups, newest first.
fn backups(project: &Path) -> impl Iterator<Item = Backup> {
    Backups::of(project).list().into_iter().filter(|backup| backup.holds != Holds::Labels)
}

/// The newest whole backup, and when it was made.
fn newest(project: &Path) -> Option<(String, String)> {
    let newest = backups(project).next()?;
    Some((newest.path.display().to_string(), utc(newest.at_ms)))
}

/// What to do about a file that cannot be repaired.
pub(crate) fn way_back(project: &Path) -> String {
    match newest(project) {
        Some((_, made)) => format!("The newest backup was made on {made}: `hardcase restore {}` goes back to it", project.display()),
        None => "There is no backup next to it. If you have one elsewhere, use `hardcase restore FILE --from BACKUP`".into(),
    }
}

/// A copy of a project and its log, byte for byte, gone when dropped.
struct Copy(PathBuf);

impl Copy {
    fn of(project: &Path, alone: &Alone, logs: &[&str], attempted: &str) -> Result<Self> {
        let io = |e: std::io::Error| Fault::new(attempted, io_reason(&e)).because(e);
        let copy = Self(alone.name_for_copy());
        let fill = |end: &str, mut from: &File| {
            from.seek(SeekFrom::Start(0))?;
            std::io::copy(&mut from, &mut private(&sidecar(&copy.0, end))?).map(drop)
        };
        if let Some(file) = alone.file() {
            fill("", file).map_err(io)?;
        }
        for end in logs {
            let from = sidecar(project, end);
            if from.exists() {
                File::open(from).and_then(|from| fill(end, &from)).map_err(io)?;
            }
        }
        Ok(copy)
    }

    fn remove(&self) {
        for end in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(sidecar(&self.0, end));
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.remove();
    }
}

fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
