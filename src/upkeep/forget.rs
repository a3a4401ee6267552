//! Removes texts from a project on demand, and names the backups that still hold them.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::counted;
use crate::domain::ids::ItemId;
use crate::domain::item::ItemKey;
use crate::store::care::backups::{Backups, Holds};
use crate::store::care::forget::HeldOfTexts;
use crate::store::sync::merge::StoredCopy;
use crate::store::{Access, Store};

/// What was removed, or would be.
#[derive(Clone, Debug, Serialize)]
pub struct ForgetReport {
    /// True if nothing was removed: this is what would be.
    pub dry_run: bool,
    #[serde(flatten)]
    pub held: HeldOfTexts,
    /// Backups that hold one of the texts or may hold notes on them: they are left as they are.
    pub backups: Vec<PathBuf>,
    /// Backups that cannot be read.
    pub unread: Vec<PathBuf>,
}

impl std::fmt::Display for ForgetReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let HeldOfTexts { texts, rows, events, notes, computed, imported_labels, adapters } = self.held;
        if texts == 0 {
            f.write_str("These texts were removed before.")?;
        } else {
            let done = if self.dry_run { "This would remove" } else { "Removed" };
            write!(
                f,
                "{done} {} with {}, {}, {} and {}.",
                counted(texts, "text", "texts"),
                counted(rows, "imported row", "imported rows"),
                counted(notes, "note", "notes"),
                counted(computed, "vector or prediction", "vectors and predictions"),
                counted(imported_labels, "imported label", "imported labels")
            )?;
        }
        if events > 0 {
            let stay = if events == 1 { "stays" } else { "stay" };
            write!(
                f,
                " {} {stay} in the log, without notes: who labelled, when, and with which label.",
                counted(events, "label event", "label events")
            )?;
        }
        if !self.backups.is_empty() {
            write!(f, " Delete these backups yourself, they still hold it: {}.", named(&self.backups))?;
        }
        if !self.unread.is_empty() {
            write!(f, " These backups cannot be read, so they may hold it: {}.", named(&self.unread))?;
        }
        if adapters > 0 {
            f.write_str(
                " Models that were trained before may have learned from it: run `hardcase tune FILE`, and `hardcase adapter FILE prune` for the old ones.",
            )?;
        }
        f.write_str(" Exports, and copies of the project elsewhere, are not changed; a copy loses the text when it is merged with this file.")
    }
}

/// What would be removed. Changes nothing.
///
/// # Errors
/// An item is not there, or the project cannot be read.
pub fn would_forget(project: &Path, items: &[ItemId]) -> Result<ForgetReport> {
    let store = Store::open(project, Access::Read)?;
    let held = store.held_of(items)?;
    report(&store, project, items, (held, true))
}

/// Removes texts for good.
///
/// # Errors
/// An item is not there, a job is running, or the file cannot be written.
pub fn forget(project: &Path, items: &[ItemId]) -> Result<ForgetReport> {
    let attempted = format!("remove texts from {}", project.display());
    let mut store = Store::open(project, Access::Job).map_err(|f| f.while_trying(&attempted))?;
    store.mark_lost_runs()?;
    if let Some(run) = store.runs(usize::MAX >> 1)?.into_iter().find(|run| run.outcome.is_none()) {
        return Err(Fault::new(
            attempted,
            format!("the job `{}` is running and may read the texts", run.kind),
        )
        .hint("Wait until it has ended, or stop it, and run the same command again"));
    }
    let held = store.held_of(items)?;
    // Before the texts go: by them the backups are known that hold them.
    let report = report(&store, project, items, (held, false))?;
    store.forget(items)?;
    Ok(report)
}

fn report(
    store: &Store,
    project: &Path,
    items: &[ItemId],
    (held, dry_run): (HeldOfTexts, bool),
) -> Result<ForgetReport> {
    let keys: Vec<ItemKey> = store.keys_and_texts(items)?.into_iter().map(|(key, _)| key).collect();
    let (mut backups, mut unread) = (Vec::new(), Vec::new());
    for backup in Backups::of(project).list() {
        // A label log holds notes, and nothing tells which of them.
        if backup.holds == Holds::Labels {
            backups.extend((held.events > 0).then_some(backup.path));
            continue;
        }
        // Opened as a project, it would be changed: a backup keeps its bytes.
        let holds = StoredCopy::open(&backup.path, project).and_then(|copy| {
            keys.iter().try_fold(false, |any, key| Ok(any || copy.store.text_of_key(key)?.is_some()))
        });
        match holds {
            Ok(true) => backups.push(backup.path),
            Ok(false) => {}
            Err(_) => unread.push(backup.path),
        }
    }
    Ok(ForgetReport { dry_run, held, backups, unread })
}

fn named(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
