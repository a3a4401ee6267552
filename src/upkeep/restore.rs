//! `restore`: a project goes back to a backup. Nothing is destroyed: what was there is put aside, and its labels come along.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::backup::utc;
use super::shown_since::shown_since;
use crate::domain::fault::{Fault, FaultKind, Result};
use crate::domain::grouped::counted;
use crate::domain::log::Log;
use crate::exchange::merge::{MergeReport, brought, merge_log};
use crate::store::care::backups::{Backups, Holds, followed, free_bytes};
use crate::store::sync::merge::StoredCopy;
use crate::store::{Alone, foreign_log, is_database, is_same_file, log_without_file};
use crate::work::runner::JobContext;

/// What is said where a kill left a new file next to its place.
const CUT_SHORT: &str = "an earlier restore or repair was interrupted and is now finished";

/// What happens to labels that were given since the backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newer {
    /// They come along.
    ComeAlong,
    /// They stay in the file that is put aside. What was shown to people comes along all the same.
    StayAside,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct RestoreReport {
    pub restored: PathBuf,
    pub from: PathBuf,
    /// When the backup was written, UTC.
    pub made: Option<String>,
    /// Standing labels that the backup holds.
    pub labels: usize,
    /// Where the file that was there is now.
    pub set_aside: Option<PathBuf>,
    /// Label events that were given since the backup, by expert.
    pub since: BTreeMap<String, usize>,
    /// How many of them the project has again.
    pub brought_in: usize,
    /// Everything else that a person should know.
    pub remarks: Vec<String>,
}

impl fmt::Display for RestoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was restored from {}", self.restored.display(), self.from.display())?;
        if let Some(made) = &self.made {
            write!(f, " ({made}, {} labels)", self.labels)?;
        }
        if let Some(aside) = &self.set_aside {
            write!(f, "\n  the file that was there is kept as {}", aside.display())?;
        }
        let since: usize = self.since.values().sum();
        if since > 0 {
            let by: Vec<String> = self.since.iter().map(|(name, n)| format!("{name} {n}")).collect();
            write!(
                f,
                "\n  label events since the backup: {since} (by {}); {} of them were carried over",
                by.join(", "),
                self.brought_in
            )?;
        }
        for line in &self.remarks {
            write!(f, "\n  note: {line}")?;
        }
        Ok(())
    }
}

/// Puts a backup, the newest that is whole where none is named, in the project's place.
///
/// # Errors
/// Somebody has the project open; there is no backup, it is of another project, or it is damaged: the project stays as it was then.
pub fn restore(context: &JobContext<'_>, from: Option<&Path>, newer: Newer) -> Result<RestoreReport> {
    let project = &*followed(context.project);
    let context = &JobContext { project, ..*context };
    let attempted = format!("restore {}", project.display());
    // From here to the end: what is labelled after it was read would be lost.
    let mut alone = Alone::with(project, &attempted)?;
    let mut remarks = interrupted(&alone);
    if let Some(log) = log_without_file(project).or_else(|| foreign_log(project)) {
        remarks.push(format!("{log}; it is kept under another name, in case its labels are missing"));
    }
    let (path, backup) = match from {
        Some(path) => (path.to_owned(), whole(project, path)?),
        None => newest(project, &attempted, &mut remarks)?,
    };
    let made = Backups::of(project).list().into_iter().find(|b| b.path == path).map(|b| utc(b.at_ms));
    let present = present(project, &mut alone, &attempted, &mut remarks)?;
    let kept = backup.store.log()?;
    if let Some((_, present)) = present.as_ref().filter(|(_, present)| present.project != kept.project) {
        return Err(Fault::usage(
            attempted,
            format!("{} is a backup of another project (this one is {})", path.display(), present.project),
        )
        .hint("Choose a backup of this project, or restore it under a name that is free"));
    }
    let size = backup.store.size()?;
    if free_bytes(project).is_some_and(|free| free < size) {
        return Err(Fault::new(
            attempted,
            "the disk has no room for it, because the file that is there is kept",
        )
        .hint("Free some space"));
    }
    let labels = backup.store.label_count()?;
    let successor =
        alone.write_successor(|to| backup.store.copy_into(to)).map_err(|f| f.while_trying(&attempted))?;
    drop(backup);
    let mut report = RestoreReport {
        restored: project.to_owned(),
        from: path,
        made,
        labels,
        set_aside: None,
        since: BTreeMap::new(),
        brought_in: 0,
        remarks,
    };
    // Before it is in its place: whatever happens, the project never lacks what was labelled since.
    // The file stays open until it is replaced: closing it would give the lock back.
    let (open, present) = present.unzip();
    let left =
        present.map(|present| take_along(context, &mut report, successor.path(), (&kept, present), newer));
    report.set_aside = alone.replace_by(successor, "aside")?;
    drop(open);
    if let (Some(Some(left)), Some(aside)) = (left, &report.set_aside) {
        let by_hand = format!("`hardcase merge {} {}` brings them in", project.display(), aside.display());
        report.remarks.push(left.in_words(&by_hand));
    }
    Ok(report)
}

/// Which labels that were given since are not carried over.
enum Left {
    /// All, because that was asked for.
    Aside,
    /// Those of texts that the backup does not have.
    OfOtherTexts,
    /// All, because they did not come in.
    Refused(Fault),
}

impl Left {
    fn in_words(&self, by_hand: &str) -> String {
        match self {
            Self::Aside => format!("they are in the file that was set aside: {by_hand}"),
            Self::OfOtherTexts => {
                format!("the rest belong to texts imported since: {by_hand}, with their texts")
            }
            Self::Refused(fault) => format!("{fault}. {by_hand}"),
        }
    }
}

/// Brings what was labelled since into the file that is about to take the project's place. A failure is reported, and the project restored all
/// the same.
fn take_along(
    context: &JobContext<'_>,
    report: &mut RestoreReport,
    successor: &Path,
    (kept, present): (&Log, Log),
    newer: Newer,
) -> Option<Left> {
    let since = brought(kept, &present);
    report.since = since.by_expert;
    let events: usize = since.events.values().sum();
    let shown = shown_since(kept, &present);
    if let Some((_, texts @ 1..)) = &shown {
        report.remarks.push(format!(
            "what was shown since the backup stays recorded ({}): answers to it do not count as blind",
            counted(*texts, "text", "texts")
        ));
    }
    if newer == Newer::StayAside || events + since.revisions + since.expert_events == 0 {
        let aside = (newer == Newer::StayAside && events > 0).then_some(Left::Aside);
        let Some((shown, _)) = shown else { return aside };
        let merged = merge_log(&JobContext { project: successor, ..*context }, shown, context.project);
        return merged.err().map(Left::Refused).or(aside);
    }
    match merge_log(&JobContext { project: successor, ..*context }, present, context.project) {
        Ok(merged) => {
            let MergeReport { left_out, remarks, conflicts, .. } = merged.unwrap_or_default();
            report.brought_in = events.saturating_sub(left_out);
            report.remarks.extend(remarks.into_iter().chain(conflicts));
            (left_out > 0).then_some(Left::OfOtherTexts)
        }
        Err(fault) => Some(Left::Refused(fault)),
    }
}

/// What an interrupted restore or repair left, and what became of it.
pub(crate) fn interrupted(alone: &Alone) -> Vec<String> {
    let finished =
        alone.finished().map(|aside| format!("{CUT_SHORT}; what was there before it is {}", aside.display()));
    let removed = alone.removed().iter().map(|path| {
        format!(
            "{}, which an interrupted restore or repair left, was removed: it had not taken the project's place",
            path.display()
        )
    });
    finished.into_iter().chain(removed).collect()
}

/// A backup, once all of it was checked.
fn whole(project: &Path, path: &Path) -> Result<StoredCopy> {
    let attempted = format!("restore {} from {}", project.display(), path.display());
    if !is_database(path).map_err(|fault| fault.while_trying(&attempted))? {
        return Err(Fault::usage(attempted, "it is not a copy of a project").hint(
            "A label log (.labels.jsonl) is read by `hardcase merge FILE LOG`, after a full backup was restored",
        ));
    }
    if is_same_file(project, path) {
        return Err(Fault::usage(attempted, "the two are the same file").hint("Name the backup with --from"));
    }
    let copy = StoredCopy::open(path, project).map_err(|fault| fault.while_trying(&attempted))?;
    let found = copy.store.integrity_check()?;
    match found.first() {
        None => Ok(copy),
        Some(first) => Err(Fault::new(attempted, format!("the backup itself is damaged: {first}"))
            .kind(FaultKind::Check)
            .hint("Choose an older one: `hardcase backup FILE --list` shows all")),
    }
}

fn newest(project: &Path, attempted: &str, remarks: &mut Vec<String>) -> Result<(PathBuf, StoredCopy)> {
    for backup in Backups::of(project).list().into_iter().filter(|b| b.holds != Holds::Labels) {
        match whole(project, &backup.path) {
            Ok(copy) => {
                if backup.is_from_the_future(now_ms()) {
                    remarks.push(format!(
                        "the backup is dated in the future ({}), because a clock was wrong: others may be newer",
                        utc(backup.at_ms)
                    ));
                }
                return Ok((backup.path, copy));
            }
            Err(fault) => remarks.push(format!("a newer backup was skipped: {fault}")),
        }
    }
    let why = match remarks.len() {
        0 => "there is no backup of it".to_owned(),
        n => format!("none of its {n} backups is intact ({})", remarks[0]),
    };
    Err(Fault::new(attempted, why).hint("If you have one elsewhere, name it with --from"))
}

/// The file that is there and its log; none where there is none, or where it cannot be read.
fn present(
    project: &Path,
    alone: &mut Alone,
    attempted: &str,
    remarks: &mut Vec<String>,
) -> Result<Option<(StoredCopy, Log)>> {
    let Some(file) = alone.file() else { return Ok(None) };
    let copy = StoredCopy::open_held(project, file, &alone.name_for_copy());
    match copy.and_then(|copy| copy.store.log().map(|log| (copy, log))) {
        Ok(found) => Ok(Some(found)),
        Err(fault) => {
            alone.hold_again(attempted)?;
            remarks.push(format!(
                "what was labelled since the backup is not known, because the file that was there cannot be read ({}). It may be saved: run \
                 `hardcase doctor --repair` on the file that was set aside, and then `hardcase merge {}` with it",
                fault.why(),
                project.display()
            ));
            Ok(None)
        }
    }
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
