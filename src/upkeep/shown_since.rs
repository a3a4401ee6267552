//! What people were shown since a backup: it cannot be unseen, so it comes along whatever is restored. And so does that a text was removed. Pure.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::domain::log::{CaseLine, Log};

/// A log that holds only what `present` says was shown to somebody and `kept` does not: reveals, and the repeats that are not blind any more. With
/// how many that are; none where nothing was shown, and nothing removed.
pub(super) fn shown_since(kept: &Log, present: &Log) -> Option<(Log, usize)> {
    let known: HashSet<_> = kept.reveals.iter().map(|line| (&line.expert, &line.item)).collect();
    let reveals: Vec<_> =
        present.reveals.iter().filter(|line| !known.contains(&(&line.expert, &line.item))).cloned().collect();
    let shown: HashMap<Uuid, i64> =
        present.cases.iter().filter_map(|case| Some((case.uuid, case.revealed_ms?))).collect();
    let not_blind = |case: &CaseLine| {
        let at = *shown.get(&case.uuid).filter(|_| case.revealed_ms.is_none())?;
        Some(CaseLine { revealed_ms: Some(at), ..case.clone() })
    };
    let cases: Vec<CaseLine> = kept.cases.iter().filter_map(not_blind).collect();
    let many = reveals.len() + cases.len();
    let gone: HashSet<_> = kept.forgotten.iter().map(|line| line.item).collect();
    let forgotten = present.forgotten.iter().filter(|line| !gone.contains(&line.item)).cloned().collect();
    let rounds: HashSet<Uuid> = cases.iter().map(|case| case.round).collect();
    let log = Log {
        project: kept.project,
        lamport_heard: kept.lamport_heard,
        experts: present.experts.clone(),
        rounds: kept.rounds.iter().filter(|round| rounds.contains(&round.uuid)).cloned().collect(),
        cases,
        reveals,
        forgotten,
        ..Log::default()
    };
    (many > 0 || !log.forgotten.is_empty()).then_some((log, many))
}
