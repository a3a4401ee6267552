//! Warnings about an annotator's answers, each one plain sentence with its n.
//!
//! A sentence says what was measured and what else could explain it. It never blames, and there is no warning where the evidence is thin.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::answer::BlindAnswer;
use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId};
use crate::domain::label_set::LabelSet;
use crate::domain::task::Task;
use crate::domain::task_kind::TaskKind;
use crate::insight::disputes::Names;
use crate::insight::viewer::Viewer;
use crate::stats::agreement::annotator_warnings::{Timed, drift, haste, straight_line};
use crate::store::Store;
use crate::store::rounds::disputes::AsGiven;

/// After longer than this, the person was away from the screen.
const AWAY_MS: i64 = 10 * 60 * 1_000;

/// Warnings about each expert, by the answers that the viewer may see: agreement over time, speed, runs of one answer.
pub(crate) fn annotator_warnings(
    store: &Store,
    task: &Task,
    (names, viewer): (&Names<'_>, &Viewer),
    blind: &[BlindAnswer],
) -> Result<Vec<String>> {
    let persons = store.persons()?;
    let mut given = store.answers_as_given()?;
    for answer in &mut given {
        answer.expert = persons.get(&answer.expert).copied().unwrap_or(answer.expert);
    }
    given.retain(|answer| viewer.sees(answer.item, answer.expert));
    let experts: BTreeSet<ExpertId> = given.iter().map(|a| a.expert).collect();
    if experts.len() < 2 {
        return Ok(Vec::new());
    }
    let mut said = drifts(&experts, (names, task.kind), blind, &given);
    for expert in &experts {
        let (own, others): (Vec<&AsGiven>, Vec<&AsGiven>) = given.iter().partition(|a| a.expert == *expert);
        said.extend(hasty(&names.expert(*expert), &own, &others));
        said.extend(line(&names.expert(*expert), task, &own, &others));
    }
    Ok(said)
}

/// Experts whose agreement with the others fell. With two experts nobody can tell whose answers changed, so the sentence names both.
fn drifts(
    experts: &BTreeSet<ExpertId>,
    (names, kind): (&Names<'_>, TaskKind),
    blind: &[BlindAnswer],
    given: &[AsGiven],
) -> Vec<String> {
    // When an answer was given: its place in the log.
    let mut at: BTreeMap<(ExpertId, ItemId), usize> = BTreeMap::new();
    for (place, answer) in given.iter().enumerate() {
        at.entry((answer.expert, answer.item)).or_insert(place);
    }
    let mut by_item: BTreeMap<ItemId, Vec<(&BlindAnswer, usize)>> = BTreeMap::new();
    for answer in blind {
        if let Some(place) = at.get(&(answer.expert, answer.item)) {
            by_item.entry(answer.item).or_default().push((answer, *place));
        }
    }
    let alike = |a: &BlindAnswer, b: &BlindAnswer| f64::from(u8::from(a.answer == b.answer));
    let mut said = Vec::new();
    for expert in experts {
        let mut own: Vec<(usize, f64)> = Vec::new();
        for answers in by_item.values().filter(|answers| answers.len() > 1) {
            let Some((mine, place)) = answers.iter().find(|(a, _)| a.expert == *expert) else { continue };
            let rest: Vec<f64> =
                answers.iter().filter(|(a, _)| a.expert != *expert).map(|(a, _)| alike(mine, a)).collect();
            own.push((*place, rest.iter().sum::<f64>() / rest.len() as f64));
        }
        own.sort_unstable_by_key(|(place, _)| *place);
        let Some((middle, _)) = own.get(own.len() / 2).copied() else { continue };
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for answers in by_item.values() {
            let rest: Vec<_> = answers.iter().filter(|(a, _)| a.expert != *expert).collect();
            // One pair per case keeps the observations independent.
            if let [one, other, ..] = &rest[..] {
                let half = if one.1.max(other.1) < middle { &mut before } else { &mut after };
                half.push(alike(one.0, other.0));
            }
        }
        let own: Vec<f64> = own.into_iter().map(|(_, alike)| alike).collect();
        let Some(found) = drift(&own, (&before, &after)) else { continue };
        let who = match experts.len() {
            2 => experts.iter().map(|e| names.expert(*e)).collect::<Vec<_>>().join(" and "),
            _ => format!("{} and the others", names.expert(*expert)),
        };
        let beyond = match found.others {
            Some(others) => format!(". Agreement among the others changed by {others:+.2}."),
            None => ". The cases may have become harder.".into(),
        };
        // Of every kind the share of cases with the same answer is what is told.
        let less = match kind {
            TaskKind::One => "agree less",
            TaskKind::Several => "give exactly the same labels less often",
            TaskKind::Scale => "give the same level less often",
        };
        said.push(format!(
            "{who} {less} than before: on {:.0} % of the first {} shared cases, but on {:.0} % of the last {} (difference {:+.2}, 99.7 % \
             interval {:+.2} to {:+.2}){beyond}",
            100.0 * found.before.value,
            found.before.n,
            100.0 * found.after.value,
            found.after.n,
            found.change.value,
            found.change.lo,
            found.change.hi
        ));
        if experts.len() == 2 {
            break;
        }
    }
    said
}

fn hasty(name: &str, own: &[&AsGiven], others: &[&AsGiven]) -> Option<String> {
    let timed = |answers: &[&AsGiven]| -> Vec<Timed> {
        let known =
            answers.iter().filter_map(|a| Some((a.duration_ms.filter(|ms| *ms < AWAY_MS)?, a.characters)));
        known.map(|(ms, characters)| Timed { ms: ms as f64, characters: characters as f64 }).collect()
    };
    let found = haste(&timed(own), &timed(others))?;
    Some(format!(
        "{} of {} timed answers of {name} took less than a quarter of the usual time for their texts, by {name}'s own pace and by the others'. Of \
         the others' {} answers, {:.0} % did so (difference {:+.2}, 99.7 % interval {:+.2} to {:+.2}).",
        found.fast,
        found.own.n,
        found.others.n,
        100.0 * found.others.value,
        found.excess.value,
        found.excess.lo,
        found.excess.hi
    ))
}

fn line(name: &str, task: &Task, own: &[&AsGiven], others: &[&AsGiven]) -> Option<String> {
    // Shares differ from round to round, so only rounds in which both have answered are compared.
    let rounds: BTreeSet<Option<i64>> = own.iter().map(|a| a.round).collect();
    // Where a text may have several labels, a run is of the same set of them.
    let mut known: Vec<LabelSet> = Vec::new();
    let mut number = |a: &AsGiven| {
        let set = task.set_of(&a.answer)?;
        Some(known.iter().position(|one| *one == set).unwrap_or_else(|| {
            known.push(set);
            known.len() - 1
        }))
    };
    let answers: Vec<usize> = own.iter().filter_map(|a| number(a)).collect();
    let theirs: Vec<usize> =
        others.iter().filter(|a| rounds.contains(&a.round)).filter_map(|a| number(a)).collect();
    let found = straight_line(&answers, &theirs)?;
    let what = match task.kind {
        TaskKind::One | TaskKind::Scale => "the label",
        TaskKind::Several => "the answer",
    };
    Some(format!(
        "{name} gave {what} '{}' {} times in a row, among {} answers. The others give it in at most {:.0} % of cases (n = {}), so a run this long \
         has a probability below 0.1 %.",
        task.in_words(&task.answer_of(known.get(found.label)?)),
        found.length,
        found.n,
        100.0 * found.share,
        theirs.len()
    ))
}
