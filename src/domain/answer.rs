//! Answers as training and figures use them: votes for training, first blind answers for everything that is measured.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::ids::{ExpertId, ItemId};
use super::split::Split;
use super::task_kind::TaskKind;

/// The labels that an answer gives: a set of stable keys, in their order, so that two answers with the same labels are equal and are written alike.
/// Empty where none of the labels is right. One label and a level of a scale are sets of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answer(#[serde(deserialize_with = "in_order")] Vec<String>);

fn in_order<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(Answer::of(Vec::<String>::deserialize(from)?).0)
}

impl Answer {
    pub fn one(label: impl Into<String>) -> Self {
        Self(vec![label.into()])
    }

    /// That none of the labels is right.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// The set of these, in any order and each as often as it may be.
    pub fn of(labels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        labels.sort();
        labels.dedup();
        Self(labels)
    }

    /// The stable keys, in their order.
    pub fn labels(&self) -> &[String] {
        &self.0
    }

    /// Whether it says that none of the labels is right.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has(&self, label: &str) -> bool {
        self.0.iter().any(|own| own == label)
    }

    /// The label of an answer that gives exactly one. Whatever speaks of "the label" asks this.
    pub fn single(&self) -> Option<&str> {
        match &self.0[..] {
            [label] => Some(label),
            _ => None,
        }
    }

    /// What tells this answer from every other, as bytes. Those of one label are the label's own, as they were before an answer could have several.
    pub fn hash_into(&self, hash: &mut blake3::Hasher) {
        match self.single() {
            Some(label) => {
                hash.update(label.as_bytes());
            }
            // No label's bytes are these: they are not UTF-8.
            None => {
                hash.update(b"\xff");
                for label in &self.0 {
                    hash.update(label.as_bytes()).update(b"\xff");
                }
            }
        }
    }
}

/// Labels as a person says them, each by name, stable key or the key to press; empty for none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaidLabels(pub Vec<String>);

impl SaidLabels {
    /// As they were said.
    pub fn in_words(&self) -> String {
        self.0.join(", ")
    }
}

impl From<&str> for SaidLabels {
    fn from(label: &str) -> Self {
        Self(vec![label.to_owned()])
    }
}

impl From<&String> for SaidLabels {
    fn from(label: &String) -> Self {
        Self(vec![label.clone()])
    }
}

impl From<String> for SaidLabels {
    fn from(label: String) -> Self {
        Self(vec![label])
    }
}

impl From<Vec<String>> for SaidLabels {
    fn from(labels: Vec<String>) -> Self {
        Self(labels)
    }
}

/// One expert's standing label on one item, or an adjudication.
#[derive(Clone, Debug, PartialEq)]
pub struct Vote {
    pub item: ItemId,
    pub answer: Answer,
    /// Whether it is a lead's decision.
    pub adjudicated: bool,
}

/// The answer of an expert that counts for evaluation, audit and agreement: the first one given blind.
#[derive(Clone, Debug, PartialEq)]
pub struct BlindAnswer {
    pub item: ItemId,
    pub expert: ExpertId,
    pub answer: Answer,
    pub split: Split,
    /// Number of the round of its case. `None` for an item that was answered outside of a case.
    pub round: Option<i64>,
    /// Probability that the audit drew it.
    pub inclusion: Option<f64>,
}

/// How an item got its answer, or why it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reached {
    /// A lead decided.
    Adjudicated,
    /// Several experts gave the same answer.
    Agreed,
    /// One expert answered it.
    Single,
    /// More experts gave it than any other label; where a text may have several, of each label more than half said whether the text has it.
    Majority,
    /// No label has the most votes, so there is none; where a text may have several, half of the experts gave one of them.
    Tie,
}

impl Reached {
    /// The name in exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adjudicated => "adjudicated",
            Self::Agreed => "agreed",
            Self::Single => "single",
            Self::Majority => "majority",
            Self::Tie => "tie",
        }
    }
}

/// The result of the votes on one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// `None` for a tie.
    pub answer: Option<Answer>,
    pub reached: Reached,
    /// How many experts gave each label, without decisions.
    pub votes: BTreeMap<String, usize>,
    /// How many experts answered, without decisions.
    pub experts: usize,
    /// Of these, how many gave exactly this answer.
    pub agreeing: usize,
}

/// The answer that each item is trained with: the adjudicated one, else the majority; ties are left out.
pub fn decided(votes: &[Vote], kind: TaskKind) -> BTreeMap<ItemId, Answer> {
    verdicts(votes, kind).into_iter().filter_map(|(item, verdict)| Some((item, verdict.answer?))).collect()
}

/// The result of the votes on each item.
pub fn verdicts(votes: &[Vote], kind: TaskKind) -> BTreeMap<ItemId, Verdict> {
    let mut tally: BTreeMap<ItemId, (Option<&Answer>, BTreeMap<&Answer, usize>)> = BTreeMap::new();
    for vote in votes {
        let (adjudicated, counts) = tally.entry(vote.item).or_default();
        if vote.adjudicated {
            *adjudicated = Some(&vote.answer);
        } else {
            *counts.entry(&vote.answer).or_default() += 1;
        }
    }
    tally
        .into_iter()
        .map(|(item, (adjudicated, counts))| {
            let majority = majority(&counts, kind);
            let most = counts.values().copied().max().unwrap_or(0);
            let reached = match (adjudicated, &majority, counts.len()) {
                (Some(_), ..) => Reached::Adjudicated,
                (None, None, _) => Reached::Tie,
                (None, Some(_), 1) if most == 1 => Reached::Single,
                (None, Some(_), 1) => Reached::Agreed,
                (None, Some(_), _) => Reached::Majority,
            };
            let (answer, experts) = (adjudicated.cloned().or(majority), counts.values().sum());
            let agreeing = answer.as_ref().and_then(|answer| counts.get(answer)).copied().unwrap_or(0);
            (item, Verdict { answer, reached, votes: by_label(&counts), experts, agreeing })
        })
        .collect()
}

/// The answer that most gave, of those with so many votes; where a text may have several labels, each label that more than half gave, and none where
/// one was given by exactly half.
pub(super) fn majority(counts: &BTreeMap<&Answer, usize>, kind: TaskKind) -> Option<Answer> {
    let all: usize = counts.values().sum();
    if all == 0 {
        return None;
    }
    match kind {
        TaskKind::One | TaskKind::Scale => {
            let most = counts.values().copied().max().unwrap_or(0);
            let mut leaders = counts.iter().filter(|(_, n)| **n == most).map(|(answer, _)| *answer);
            leaders.next().filter(|_| leaders.next().is_none()).cloned()
        }
        TaskKind::Several => {
            let votes = by_label(counts);
            let tied = votes.values().any(|n| 2 * n == all);
            let given = votes.into_iter().filter(|(_, n)| 2 * n > all).map(|(label, _)| label);
            (!tied).then(|| Answer::of(given))
        }
    }
}

/// How many gave each label.
fn by_label(counts: &BTreeMap<&Answer, usize>) -> BTreeMap<String, usize> {
    let mut votes: BTreeMap<String, usize> = BTreeMap::new();
    for (answer, n) in counts {
        for label in answer.labels() {
            *votes.entry(label.clone()).or_default() += n;
        }
    }
    votes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(item: i64, label: &str, adjudicated: bool) -> Vote {
        Vote { item: ItemId(item), answer: Answer::one(label), adjudicated }
    }

    #[test]
    fn the_majority_decides_a_tie_is_left_out_and_an_adjudication_overrules_both() {
        let votes = [
            vote(1, "a", false),
            vote(1, "a", false),
            vote(1, "b", false),
            vote(2, "a", false),
            vote(2, "b", false),
            vote(3, "a", false),
            vote(3, "b", true),
        ];
        let reached: Vec<_> =
            verdicts(&votes, TaskKind::One).into_iter().map(|(i, v)| (i.0, v.answer, v.reached)).collect();
        let label = |label: &str| Some(Answer::one(label));
        assert_eq!(
            reached,
            [
                (1, label("a"), Reached::Majority),
                (2, None, Reached::Tie),
                (3, label("b"), Reached::Adjudicated)
            ]
        );
        let decided: Vec<_> = decided(&votes, TaskKind::One).into_iter().map(|(i, l)| (i.0, l)).collect();
        assert_eq!(decided, [(1, Answer::one("a")), (3, Answer::one("b"))]);
    }

    #[test]
    fn an_answer_is_a_set_and_has_a_label_where_it_is_a_set_of_one() {
        let read = |json: &str| serde_json::from_str::<Answer>(json).unwrap();
        assert_eq!((Answer::one("spam"), Some("spam")), (read("[\"spam\"]"), read("[\"spam\"]").single()));
        assert_eq!((read("[]").single(), read("[\"a\",\"b\"]").single()), (None, None));
        assert_eq!(serde_json::to_string(&read("[\"b\",\"a\"]")).unwrap(), "[\"a\",\"b\"]", "a set");
        assert_eq!(read("[\"b\",\"a\",\"b\"]"), Answer::of(["a", "b"]));
        assert!(serde_json::from_str::<Answer>("\"spam\"").is_err());
    }

    #[test]
    fn one_vote_is_single_and_two_alike_are_agreed() {
        let found = verdicts(
            &[vote(1, "a", false), vote(2, "a", false), vote(2, "a", false), vote(3, "b", true)],
            TaskKind::Scale,
        );
        let reached: Vec<_> = found.values().map(|v| v.reached).collect();
        assert_eq!(reached, [Reached::Single, Reached::Agreed, Reached::Adjudicated]);
        assert_eq!(found[&ItemId(2)].votes, BTreeMap::from([("a".to_owned(), 2)]));
        assert_eq!(found[&ItemId(3)].votes, BTreeMap::new());
    }

    #[test]
    fn of_several_labels_the_majority_decides_each_and_one_that_half_gave_leaves_the_text_out() {
        let vote = |labels: &[&str]| Vote {
            item: ItemId(1),
            answer: Answer::of(labels.iter().copied()),
            adjudicated: false,
        };
        let of = |votes: &[&[&str]]| {
            let votes: Vec<Vote> = votes.iter().map(|labels| vote(labels)).collect();
            let found = verdicts(&votes, TaskKind::Several).remove(&ItemId(1)).unwrap();
            (found.answer, found.reached)
        };
        let answer = |labels: &[&str]| Some(Answer::of(labels.iter().copied()));
        assert_eq!(of(&[&["a", "b"], &["b", "c"], &["b"]]), (answer(&["b"]), Reached::Majority));
        assert_eq!(of(&[&["a", "b"], &["b", "a"]]), (answer(&["a", "b"]), Reached::Agreed));
        assert_eq!(of(&[&["a", "b"], &["b"]]), (None, Reached::Tie), "half gave a");
        assert_eq!(of(&[&["a"], &["b"], &["c"]]), (answer(&[]), Reached::Majority), "most say no to each");
        assert_eq!(of(&[&[]]), (answer(&[]), Reached::Single), "none is an answer");
        let decided = [vote(&["a"]), vote(&[]), Vote { adjudicated: true, ..vote(&["a", "b"]) }];
        let found = verdicts(&decided, TaskKind::Several).remove(&ItemId(1)).unwrap();
        assert_eq!((found.answer, found.experts), (answer(&["a", "b"]), 2));
        assert_eq!(found.votes, BTreeMap::from([("a".to_owned(), 1)]));
    }

    #[test]
    fn the_bytes_of_an_answer_are_those_of_its_label_and_no_two_answers_have_the_same() {
        let bytes = |labels: &[&str]| {
            let mut hash = blake3::Hasher::new();
            Answer::of(labels.iter().copied()).hash_into(&mut hash);
            hash.finalize()
        };
        assert_eq!(bytes(&["spam"]), blake3::hash(b"spam"));
        let all =
            [bytes(&[]), bytes(&["a"]), bytes(&["b"]), bytes(&["a", "b"]), bytes(&["ab"]), bytes(&["a,b"])];
        assert!((0..all.len()).all(|at| !all[..at].contains(&all[at])));
    }
}
