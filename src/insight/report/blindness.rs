//! How blind the answers were, how many cases were repeated, what was skipped, flagged and noted.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use uuid::Uuid;

use super::ledger::{Ledger, is_label};
use crate::domain::answer::BlindAnswer;
use crate::domain::event::Action;
use crate::insight::agreement::USES;

/// How blind answers were.
#[derive(Clone, Debug, Serialize)]
pub struct Blindness {
    /// Labels ever given, including changed ones and those of repeated cases.
    pub answers: usize,
    /// Of these, given before the model's view or others' answers were shown.
    pub blind: usize,
    /// Of these, given after that.
    pub after_reveal: usize,
    /// Of these, given with the prelabel on the screen, which the task can allow for training cases.
    pub with_prelabel: usize,
    /// Texts of which a person was shown the model's view or others' answers, counted per person.
    pub reveals: usize,
    /// First blind answers, the only ones that enter figures, by split.
    pub counting: BTreeMap<&'static str, usize>,
    /// Answers to repeated cases.
    pub shown_again: usize,
}

/// Skips, flags and notes.
#[derive(Clone, Debug, Serialize)]
pub struct Remarks {
    /// Cases skipped and not labelled, counted per person, by split.
    pub skips: BTreeMap<String, usize>,
    /// Texts that are flagged for a second look, counted per person.
    pub flags: usize,
    /// Current notes, without the reasons of decisions.
    pub notes: usize,
}

/// Counts over the log; `counting` are the answers that enter figures.
pub(crate) fn blindness(ledger: &Ledger, counting: &[BlindAnswer]) -> Blindness {
    let given: Vec<_> = ledger.labels_given().collect();
    let shown_again = ledger.log.cases.iter().filter(|c| c.reason == "repeat" && c.reannotation.is_none());
    let again: HashSet<Uuid> = shown_again.map(|case| case.uuid).collect();
    let of = |split| counting.iter().filter(|a| a.split == split && a.round.is_some()).count();
    Blindness {
        answers: given.len(),
        blind: given.iter().filter(|e| !e.revealed).count(),
        after_reveal: given.iter().filter(|e| e.revealed).count(),
        with_prelabel: given.iter().filter(|e| e.seen_prelabel.is_some()).count(),
        reveals: ledger.log.reveals.iter().filter(|r| !ledger.left_out.contains(&r.item)).count(),
        counting: USES.into_iter().map(|(split, cases_of)| (cases_of, of(split))).collect(),
        shown_again: given
            .iter()
            .filter(|e| e.case.is_some_and(|case| again.contains(&case)) && ledger.upheld.contains(&e.uuid))
            .count(),
    }
}

pub(crate) fn remarks(ledger: &Ledger) -> Remarks {
    let splits: BTreeMap<_, &str> =
        ledger.log.cases.iter().map(|case| (case.item, case.split.as_str())).collect();
    let mut skips: BTreeMap<String, usize> = BTreeMap::new();
    for skip in ledger.answers().filter(|e| !is_label(e)) {
        // Texts that were never a case can be skipped in the list of texts.
        *skips.entry(splits.get(&skip.item).map_or("no case", |split| *split).to_owned()).or_default() += 1;
    }
    let mut flagged: BTreeMap<(String, _), bool> = BTreeMap::new();
    let upheld = || ledger.log.events.iter().filter(|e| ledger.upheld.contains(&e.uuid));
    for event in upheld() {
        let flag = match event.action.as_str() {
            action if action == Action::Flag.as_str() => true,
            action if action == Action::Unflag.as_str() => false,
            _ => continue,
        };
        flagged.insert((ledger.person(&event.expert), event.item), flag);
    }
    Remarks {
        skips,
        flags: flagged.values().filter(|flag| **flag).count(),
        notes: upheld().filter(|e| e.note.is_some() && e.action != Action::Adjudicate.as_str()).count(),
    }
}
