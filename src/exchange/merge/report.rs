//! What a merge did, or would do: as sentences and as JSON.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::compare::Brought;

/// What came in from one copy.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MergeReport {
    /// The copy, or the log of labels.
    pub from: PathBuf,
    /// True if nothing was written: this is what would come in.
    pub dry_run: bool,
    pub texts: usize,
    /// Imported rows.
    pub rows: usize,
    /// Imports that this file had nothing of.
    pub imports: usize,
    /// What the log brought.
    #[serde(flatten)]
    pub brought: Brought,
    pub vectors: usize,
    pub predictions: usize,
    /// Records of jobs.
    pub runs: usize,
    /// Cases, events and imported labels that were left out, because their texts are not here.
    pub left_out: usize,
    /// Rounds that got another number: theirs, and the one here.
    pub renumbered: Vec<(i64, i64)>,
    /// Task revisions that were made independently of each other, with what to do.
    pub conflicts: Vec<String>,
    /// Everything else that a person should know.
    pub remarks: Vec<String>,
}

impl MergeReport {
    fn came_in(&self) -> Vec<String> {
        let b = &self.brought;
        let events: usize = b.events.values().sum();
        let counted = [
            (self.texts, "text", "texts"),
            (self.rows, "row", "rows"),
            (events, "label event", "label events"),
            (b.experts, "expert", "experts"),
            (b.sessions, "session", "sessions"),
            (b.revisions, "task revision", "task revisions"),
            (b.rounds, "round", "rounds"),
            (b.cases, "case", "cases"),
            (b.expert_events, "change of a role or name", "changes of roles or names"),
            (b.reveals, "reveal", "reveals"),
            (b.label_sources, "source of imported labels", "sources of imported labels"),
            (b.imported_labels, "imported label", "imported labels"),
            (b.forgotten, "removal of a text", "removals of texts"),
            (b.models, "model", "models"),
            (b.adapters, "adapter", "adapters"),
            (self.vectors, "vector", "vectors"),
            (self.predictions, "prediction", "predictions"),
            (self.runs, "record of a job", "records of jobs"),
        ];
        counted
            .iter()
            .filter(|(n, ..)| *n > 0)
            .map(|(n, one, many)| format!("{n} {}", if *n == 1 { one } else { many }))
            .collect()
    }
}

impl fmt::Display for MergeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let came_in = self.came_in();
        let (would, nothing) =
            if self.dry_run { ("would add", "has nothing new") } else { ("added", "had nothing new") };
        match came_in.as_slice() {
            [] => write!(f, "{}: {nothing}", self.from.display())?,
            all => write!(f, "{}: {would} {}", self.from.display(), all.join(", "))?,
        }
        let list = |map: &std::collections::BTreeMap<String, usize>| {
            map.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
        };
        if !self.brought.events.is_empty() {
            write!(
                f,
                "\n  label events: {}; by {}",
                list(&self.brought.events),
                list(&self.brought.by_expert)
            )?;
        }
        for (there, here) in &self.renumbered {
            write!(
                f,
                "\n  the copy's round {there} is round {here} here, because this file has another round {there}"
            )?;
        }
        for line in &self.conflicts {
            write!(f, "\n  CONFLICT: {line}")?;
        }
        for line in &self.remarks {
            write!(f, "\n  note: {line}")?;
        }
        if self.dry_run {
            write!(f, "\n  (--dry-run: nothing was written)")?;
        }
        Ok(())
    }
}
