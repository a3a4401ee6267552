//! Rounds: how each was mined, what happened to its cases, and how many experts answered them.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::ledger::Ledger;
use crate::domain::item::ItemKey;
use crate::domain::log::{CaseLine, RoundLine};
use crate::domain::moment::utc;
use crate::insight::agreement::USES;

#[derive(Clone, Debug, Serialize)]
pub struct RoundEntry {
    /// Its number in this file.
    pub number: i64,
    pub strategy: String,
    /// Cases asked for.
    pub budget: i64,
    pub seed: u64,
    /// The kind of the model whose prelabels it was mined from.
    pub mined_from: Option<String>,
    /// How many experts should answer each kind of case.
    pub overlap: Option<String>,
    /// UTC.
    pub opened: String,
    /// UTC.
    pub closed: Option<String>,
    /// Cases that were not withdrawn, without repeats.
    pub cases: usize,
    /// Cases that were withdrawn because nobody had answered them.
    pub withdrawn: usize,
    /// Cases repeated blind to somebody who had answered them.
    pub shown_again: usize,
    /// Cases sent out for re-annotation under a newer revision of the task.
    pub sent_again: usize,
    /// For example that the strategy fell back to another, and why.
    pub note: Option<String>,
}

/// How many experts answered the cases of one use in one round.
#[derive(Clone, Debug, Serialize)]
pub struct OverlapOn {
    /// The round's number in this file.
    pub round: i64,
    /// `hard`, `audit` or `training`.
    pub cases_of: &'static str,
    /// Cases that were not withdrawn.
    pub cases: usize,
    /// Answers asked for.
    pub asked: usize,
    /// Of these, answers given.
    pub given: usize,
    /// Answers beyond those asked for.
    pub beyond: usize,
    /// Cases with all the answers asked for.
    pub complete: usize,
    /// Cases that nobody has labelled.
    pub without: usize,
}

/// Every round, in the order in which they were opened.
pub(crate) fn rounds(ledger: &Ledger) -> Vec<RoundEntry> {
    ledger.log.rounds.iter().map(|round| entry(ledger, round)).collect()
}

fn entry(ledger: &Ledger, round: &RoundLine) -> RoundEntry {
    let cases: Vec<&CaseLine> = ledger.log.cases.iter().filter(|case| case.round == round.uuid).collect();
    let count = |which: &dyn Fn(&CaseLine) -> bool| cases.iter().filter(|case| which(case)).count();
    let stands = |case: &CaseLine| case.withdrawn_ms.is_none();
    let repeat = |case: &CaseLine| case.reason == "repeat";
    RoundEntry {
        number: round.number,
        strategy: round.strategy.clone(),
        budget: round.budget,
        seed: round.seed.cast_unsigned(),
        mined_from: round.predictor.and_then(|uuid| {
            ledger.log.predictors.iter().find(|p| p.uuid == uuid).map(|p| p.predicts.clone())
        }),
        overlap: round.overlap.map(|overlap| overlap.to_string()),
        opened: utc(round.created_ms),
        closed: round.closed_ms.map(utc),
        cases: count(&|case| stands(case) && !repeat(case)),
        // An unused place kept for a repeat is not a case.
        withdrawn: count(&|case| !stands(case) && !case.is_kept_place()),
        shown_again: count(&|case| stands(case) && case.expert.is_some() && case.reannotation.is_none()),
        sent_again: count(&|case| stands(case) && case.reannotation.is_some()),
        note: round.note.clone(),
    }
}

/// How many experts answered the cases, by round and use, without those that have no cases.
pub(crate) fn overlap(ledger: &Ledger) -> Vec<OverlapOn> {
    let annotations: HashMap<ItemKey, usize> = ledger.annotations();
    let mut by: BTreeMap<(_, &str), Vec<&CaseLine>> = BTreeMap::new();
    for case in ledger.cases() {
        by.entry((case.round, case.split.as_str())).or_default().push(case);
    }
    let mut found = Vec::new();
    for round in &ledger.log.rounds {
        for (split, cases_of) in USES {
            let Some(cases) = by.get(&(round.uuid, split.as_str())) else { continue };
            let mut on = OverlapOn {
                round: round.number,
                cases_of,
                cases: cases.len(),
                asked: 0,
                given: 0,
                beyond: 0,
                complete: 0,
                without: 0,
            };
            for case in cases {
                let asked = (case.overlap.unsigned_abs() as usize).max(1);
                let given = annotations.get(&case.item).copied().unwrap_or(0);
                on.asked += asked;
                on.given += given.min(asked);
                on.beyond += given.saturating_sub(asked);
                on.complete += usize::from(given >= asked);
                on.without += usize::from(given == 0);
            }
            found.push(on);
        }
    }
    found
}
