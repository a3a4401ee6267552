//! How texts got their labels, and what leads decided where experts disagree.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::ledger::{Ledger, is_label, short};
use crate::domain::answer::{Reached, verdicts};
use crate::domain::event::Action;
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::domain::item::ItemKey;
use crate::domain::moment::utc;
use crate::insight::agreement::USES;
use crate::insight::disputes::{Names, Said};
use crate::insight::viewer::Viewer;
use crate::store::Store;
use crate::store::rounds::disputes::Decision;

/// Characters of a text that are quoted.
const BEGINNING: usize = 120;

/// How the texts of one use got their labels. Only answers that count for a label are counted.
#[derive(Clone, Debug, Serialize)]
pub struct ReachedOn {
    /// `hard`, `audit` or `training`.
    pub cases_of: &'static str,
    /// A lead decided.
    pub adjudicated: usize,
    /// Several experts gave the same label.
    pub agreed: usize,
    /// One expert labelled it.
    pub single: usize,
    /// More experts gave it than any other label.
    pub majority: usize,
    /// No label has the most votes, so there is none.
    pub tie: usize,
    /// Everybody who was asked skipped, so there is none.
    pub skipped: usize,
}

#[derive(Clone, Debug, Serialize)]
pub struct Decisions {
    /// Decisions ever made.
    pub given: usize,
    /// Of these, undone.
    pub taken_back: usize,
    /// Of these, replaced by a later one on the same text.
    pub replaced: usize,
    /// Texts on which current answers differ.
    pub differ: usize,
    /// Of these, undecided texts.
    pub undecided: usize,
    /// Current decisions, oldest first.
    pub standing: Vec<DecisionEntry>,
}

/// A current decision.
#[derive(Clone, Debug, Serialize)]
pub struct DecisionEntry {
    /// The beginning of the text's key.
    pub key: String,
    /// `train`, `eval` or `audit`.
    pub split: &'static str,
    /// The beginning of the text.
    pub beginning: String,
    /// The experts' answers, without superseded ones.
    pub answers: Vec<Said>,
    /// The label, by name.
    pub label: String,
    /// Who decided.
    pub by: String,
    /// UTC.
    pub at: String,
    /// Number of the revision of the task under which it was decided.
    pub revision: i64,
    pub reason: Option<String>,
    /// Whether the decision is superseded, because the text was answered again under a newer revision.
    pub overtaken: bool,
}

/// Counts how texts got their labels.
pub(crate) fn reached(store: &Store, ledger: &Ledger, viewer: &Viewer) -> Result<Vec<ReachedOn>> {
    let skipped: BTreeSet<_> = ledger.answers().filter(|e| !is_label(e)).map(|e| e.item).collect();
    let splits: HashMap<_, &str> = ledger.log.cases.iter().map(|c| (c.item, c.split.as_str())).collect();
    let kind = store.task()?.task.kind;
    let mut found = Vec::new();
    for (split, cases_of) in USES {
        let mut votes = store.votes(split)?;
        votes.retain(|vote| viewer.sees_all_of(vote.item));
        let verdicts = verdicts(&votes, kind);
        let count = |how: Reached| verdicts.values().filter(|v| v.reached == how).count();
        let labelled: BTreeSet<_> = verdicts.keys().filter_map(|item| ledger.keys.get(item)).collect();
        let without = |key: &&ItemKey| splits.get(*key) == Some(&split.as_str()) && !labelled.contains(*key);
        found.push(ReachedOn {
            cases_of,
            adjudicated: count(Reached::Adjudicated),
            agreed: count(Reached::Agreed),
            single: count(Reached::Single),
            majority: count(Reached::Majority),
            tie: count(Reached::Tie),
            skipped: skipped.iter().filter(without).count(),
        });
    }
    Ok(found)
}

pub(crate) fn decisions(
    store: &Store,
    ledger: &Ledger,
    (names, viewer): (&Names<'_>, &Viewer),
) -> Result<Decisions> {
    let mut standing: Vec<Decision> = store.decisions(None)?;
    standing.retain(|decision| viewer.sees_all_of(decision.item));
    let decided: BTreeSet<ItemId> = standing.iter().filter(|d| !d.overtaken).map(|d| d.item).collect();
    let mut differ = store.disputed_items()?;
    differ.retain(|item| viewer.sees_all_of(*item));
    let given: Vec<_> =
        ledger.log.events.iter().filter(|e| e.action == Action::Adjudicate.as_str()).collect();
    let upheld = given.iter().filter(|e| ledger.upheld.contains(&e.uuid)).count();
    standing.sort_by_key(|decision| (decision.at_ms, decision.event));
    Ok(Decisions {
        given: given.len(),
        taken_back: given.len() - upheld,
        replaced: upheld.saturating_sub(standing.len()),
        undecided: differ.iter().filter(|item| !decided.contains(item)).count(),
        differ: differ.len(),
        standing: standing
            .into_iter()
            .map(|decision| entry(store, ledger, names, decision))
            .collect::<Result<_>>()?,
    })
}

fn entry(store: &Store, ledger: &Ledger, names: &Names<'_>, decision: Decision) -> Result<DecisionEntry> {
    let (text, _) = store.item_text_and_id(decision.item)?;
    let answers = store.answers_on(decision.item)?;
    Ok(DecisionEntry {
        key: ledger.keys.get(&decision.item).map_or_else(String::new, short),
        split: store.split_of(decision.item)?.map_or("", |split| split.as_str()),
        beginning: beginning(&text),
        answers: answers
            .into_iter()
            .filter(|a| !a.overtaken)
            .map(|a| names.said(a.expert, a.answer.as_ref()))
            .collect(),
        label: names.answer(&decision.answer),
        by: names.expert(decision.by),
        at: utc(decision.at_ms),
        revision: decision.revision,
        reason: decision.reason,
        overtaken: decision.overtaken,
    })
}

fn beginning(text: &str) -> String {
    let mut beginning: String = text.chars().take(BEGINNING).collect();
    if text.chars().nth(BEGINNING).is_some() {
        beginning.push('…');
    }
    beginning
}
