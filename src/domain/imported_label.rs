//! Labels that existed before the project: whose they are, what they count, and which of them teach. No figure counts one.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Answer, Vote, decided, majority};
use super::fault::{Fault, Result};
use super::ids::{ItemId, LabelSourceId};
use super::task_kind::TaskKind;

/// The longest name of a source, in bytes.
const LONGEST_NAME: usize = 100;

/// Who gave labels that were imported: a person, a team, a crowd.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelSource {
    pub id: LabelSourceId,
    pub name: String,
    /// What a label of it counts in training, 0 to 1, where an expert's counts 1. At 0 none of them teaches.
    pub weight: f64,
}

/// A label of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedLabel {
    pub item: ItemId,
    pub source: LabelSourceId,
    /// The weight of the source.
    pub weight: f64,
    pub answer: Answer,
}

/// Who gave the label that a text is trained with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Teacher {
    Experts,
    /// The sources that say so, where no expert has answered.
    Sources(Vec<LabelSourceId>),
}

/// The label that a text is trained with.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingLabel {
    pub answer: Answer,
    /// What it counts: 1 for the experts', else up to 1.
    pub weight: f64,
    pub by: Teacher,
}

impl TrainingLabel {
    pub fn is_by_experts(&self) -> bool {
        self.by == Teacher::Experts
    }

    /// What tells one set of labels to learn from from another: take in each text of it with its label, in the order of the texts.
    pub fn hash_into(&self, item: ItemId, hash: &mut blake3::Hasher) {
        hash.update(&item.0.to_le_bytes());
        self.answer.hash_into(hash);
        if !self.is_by_experts() {
            hash.update(b"imported").update(&self.weight.to_le_bytes());
        }
    }
}

/// The label that each text is trained with. Where any expert has answered, the experts alone decide, and a tie of theirs leaves the text out. Else
/// each source has one say, the majority of its labels, and the answer whose sources weigh the most counts what the heaviest of them weighs; ties are
/// left out on both levels.
pub fn training_labels(
    votes: &[Vote],
    imported: &[ImportedLabel],
    kind: TaskKind,
) -> BTreeMap<ItemId, TrainingLabel> {
    let answered: BTreeSet<ItemId> = votes.iter().map(|vote| vote.item).collect();
    let mut labels: BTreeMap<ItemId, TrainingLabel> = decided(votes, kind)
        .into_iter()
        .map(|(item, answer)| (item, TrainingLabel { answer, weight: 1.0, by: Teacher::Experts }))
        .collect();
    let mut said: BTreeMap<ItemId, BTreeMap<LabelSourceId, Said<'_>>> = BTreeMap::new();
    for one in imported.iter().filter(|one| one.weight > 0.0 && !answered.contains(&one.item)) {
        let of_source = said.entry(one.item).or_default().entry(one.source).or_default();
        of_source.0 = one.weight;
        *of_source.1.entry(&one.answer).or_default() += 1;
    }
    for (item, sources) in said {
        let mut weights: BTreeMap<Answer, (f64, f64, Vec<LabelSourceId>)> = BTreeMap::new();
        for (source, (weight, counts)) in sources {
            let Some(answer) = majority(&counts, kind) else { continue };
            let (sum, heaviest, by) = weights.entry(answer).or_default();
            *sum += weight;
            *heaviest = heaviest.max(weight);
            by.push(source);
        }
        let Some(answer) = most(weights.iter().map(|(answer, (sum, ..))| (answer, *sum))).cloned() else {
            continue;
        };
        if let Some((_, weight, by)) = weights.remove(&answer) {
            labels.insert(item, TrainingLabel { answer, weight, by: Teacher::Sources(by) });
        }
    }
    labels
}

/// What a source says of a text: its weight, and how often it gave each answer.
type Said<'l> = (f64, BTreeMap<&'l Answer, usize>);

/// The one that weighs the most; none where two do.
fn most<'l>(weights: impl Iterator<Item = (&'l Answer, f64)>) -> Option<&'l Answer> {
    let mut best: Option<(&Answer, f64, bool)> = None;
    for (answer, n) in weights {
        best = match best {
            Some((_, least, _)) if n > least => Some((answer, n, true)),
            Some((held, least, _)) if n == least => Some((held, least, false)),
            None => Some((answer, n, true)),
            held => held,
        };
    }
    best.filter(|(.., alone)| *alone).map(|(answer, ..)| answer)
}

/// A name as it is kept.
///
/// # Errors
/// A usage fault for a name that is empty, too long, or has a control character.
pub fn checked_source_name(name: &str) -> Result<&str> {
    let name = name.trim();
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Fault::usage("name the source of the labels", "that is not a name")
            .hint("Use up to 100 characters on one line, such as `--source crowd`"));
    }
    Ok(name)
}

/// A weight as it is kept.
///
/// # Errors
/// A usage fault for a number that is not between 0 and 1.
pub fn checked_weight(weight: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&weight) {
        // No negative zero.
        return Ok(weight.abs());
    }
    Err(Fault::usage("weigh the labels", format!("{weight} is not between 0 and 1"))
        .hint("An expert's answer counts 1; with 0 none of the labels teaches"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(item: i64, source: i64, weight: f64, label: &str) -> ImportedLabel {
        ImportedLabel {
            item: ItemId(item),
            source: LabelSourceId(source),
            weight,
            answer: Answer::one(label),
        }
    }

    fn taught(votes: &[Vote], imported: &[ImportedLabel]) -> Vec<(i64, String, f64, bool)> {
        let labels = training_labels(votes, imported, TaskKind::One).into_iter();
        labels
            .map(|(item, l)| (item.0, l.answer.single().unwrap().to_owned(), l.weight, l.is_by_experts()))
            .collect()
    }

    #[test]
    fn an_expert_wins_over_every_source_and_an_experts_tie_leaves_the_text_out() {
        let vote =
            |item, label: &str| Vote { item: ItemId(item), answer: Answer::one(label), adjudicated: false };
        let votes = [vote(1, "a"), vote(2, "a"), vote(2, "b")];
        let imported = [one(1, 1, 1.0, "b"), one(1, 2, 1.0, "b"), one(2, 1, 1.0, "b"), one(3, 1, 0.5, "b")];
        assert_eq!(taught(&votes, &imported), [(1, "a".into(), 1.0, true), (3, "b".into(), 0.5, false)]);
    }

    #[test]
    fn a_source_has_one_say_the_heavier_side_wins_and_ties_and_weight_0_teach_nothing() {
        let imported = [
            // Three of a crowd of one source, against a person who weighs more.
            one(1, 1, 0.4, "a"),
            one(1, 1, 0.4, "a"),
            one(1, 1, 0.4, "b"),
            one(1, 2, 0.8, "b"),
            one(2, 1, 0.4, "a"),
            one(2, 1, 0.4, "b"),
            one(3, 3, 0.0, "a"),
            one(4, 1, 0.4, "a"),
            one(4, 4, 0.3, "a"),
            one(4, 2, 0.5, "b"),
            one(5, 1, 0.4, "a"),
            one(5, 5, 0.4, "b"),
        ];
        assert_eq!(taught(&[], &imported), [(1, "b".into(), 0.8, false), (4, "a".into(), 0.4, false)]);
    }

    #[test]
    fn a_name_and_a_weight_are_refused_where_they_are_none() {
        assert_eq!(checked_source_name(" the crowd ").unwrap(), "the crowd");
        assert!(["", "  ", "a\nb", &"x".repeat(101)].iter().all(|name| checked_source_name(name).is_err()));
        assert_eq!(
            (checked_weight(-0.0).unwrap().is_sign_positive(), checked_weight(1.0).unwrap()),
            (true, 1.0)
        );
        assert!([f64::NAN, -0.1, 1.01, f64::INFINITY].iter().all(|weight| checked_weight(*weight).is_err()));
    }
}
