//! Answers as training and figures use them: votes for training, first blind answers for everything that is measured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{ExpertId, ItemId};
use super::split::Split;

/// The labels that an answer gives, by their stable keys, in the order in which they were given. Today's tasks ask for one; the file and the log
/// hold a list, so that a task with several needs no other format.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answer(Vec<String>);

impl Answer {
    pub fn one(label: impl Into<String>) -> Self {
        Self(vec![label.into()])
    }

    pub fn labels(&self) -> &[String] {
        &self.0
    }

    /// The label of an answer that gives exactly one. Whatever speaks of "the label" asks this.
    pub fn single(&self) -> Option<&str> {
        match &self.0[..] {
            [label] => Some(label),
            _ => None,
        }
    }
}

/// One expert's standing label on one item, or an adjudication.
#[derive(Clone, Debug, PartialEq)]
pub struct Vote {
    pub item: ItemId,
    /// The label's stable key.
    pub label: String,
    /// Whether it is a lead's decision.
    pub adjudicated: bool,
}

/// The answer of an expert that counts for evaluation, audit and agreement: the first one given blind.
#[derive(Clone, Debug, PartialEq)]
pub struct BlindAnswer {
    pub item: ItemId,
    pub expert: ExpertId,
    /// The label's stable key.
    pub label: String,
    pub split: Split,
    /// Number of the round of its case. `None` for an item that was answered outside of a case.
    pub round: Option<i64>,
    /// Probability that the audit drew it.
    pub inclusion: Option<f64>,
}

/// How an item got its label, or why it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reached {
    /// A lead decided.
    Adjudicated,
    /// Several experts gave the same label.
    Agreed,
    /// One expert labelled it.
    Single,
    /// More experts gave it than any other label.
    Majority,
    /// No label has the most votes, so there is none.
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
    /// The label's stable key. `None` for a tie.
    pub label: Option<String>,
    pub reached: Reached,
    /// How many experts gave each label, without decisions.
    pub votes: BTreeMap<String, usize>,
}

/// The label that each item is trained with: the adjudicated one, else the majority; ties are left out.
pub fn decided(votes: &[Vote]) -> BTreeMap<ItemId, String> {
    verdicts(votes).into_iter().filter_map(|(item, verdict)| Some((item, verdict.label?))).collect()
}

/// The result of the votes on each item.
pub fn verdicts(votes: &[Vote]) -> BTreeMap<ItemId, Verdict> {
    let mut tally: BTreeMap<ItemId, (Option<&str>, BTreeMap<&str, usize>)> = BTreeMap::new();
    for vote in votes {
        let (adjudicated, counts) = tally.entry(vote.item).or_default();
        if vote.adjudicated {
            *adjudicated = Some(&vote.label);
        } else {
            *counts.entry(&vote.label).or_default() += 1;
        }
    }
    tally
        .into_iter()
        .map(|(item, (adjudicated, counts))| {
            let most = counts.values().copied().max().unwrap_or(0);
            let mut leaders = counts.iter().filter(|(_, n)| **n == most).map(|(label, _)| *label);
            let majority = leaders.next().filter(|_| leaders.next().is_none());
            let reached = match (adjudicated, majority, counts.len()) {
                (Some(_), ..) => Reached::Adjudicated,
                (None, None, _) => Reached::Tie,
                (None, Some(_), 1) if most == 1 => Reached::Single,
                (None, Some(_), 1) => Reached::Agreed,
                (None, Some(_), _) => Reached::Majority,
            };
            let label = adjudicated.or(majority).map(str::to_owned);
            let votes = counts.into_iter().map(|(label, n)| (label.to_owned(), n)).collect();
            (item, Verdict { label, reached, votes })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(item: i64, label: &str, adjudicated: bool) -> Vote {
        Vote { item: ItemId(item), label: label.into(), adjudicated }
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
        let reached: Vec<_> = verdicts(&votes).into_iter().map(|(i, v)| (i.0, v.label, v.reached)).collect();
        let label = |label: &str| Some(label.to_owned());
        assert_eq!(
            reached,
            [
                (1, label("a"), Reached::Majority),
                (2, None, Reached::Tie),
                (3, label("b"), Reached::Adjudicated)
            ]
        );
        let decided: Vec<_> = decided(&votes).into_iter().map(|(i, l)| (i.0, l)).collect();
        assert_eq!(decided, [(1, "a".to_owned()), (3, "b".to_owned())]);
    }

    #[test]
    fn an_answer_is_a_list_and_has_a_label_where_it_is_a_list_of_one() {
        let read = |json: &str| serde_json::from_str::<Answer>(json).unwrap();
        assert_eq!((Answer::one("spam"), Some("spam")), (read("[\"spam\"]"), read("[\"spam\"]").single()));
        assert_eq!((read("[]").single(), read("[\"a\",\"b\"]").single()), (None, None));
        assert_eq!(serde_json::to_string(&read("[\"b\",\"a\"]")).unwrap(), "[\"b\",\"a\"]", "in their order");
        assert!(serde_json::from_str::<Answer>("\"spam\"").is_err());
    }

    #[test]
    fn one_vote_is_single_and_two_alike_are_agreed() {
        let found =
            verdicts(&[vote(1, "a", false), vote(2, "a", false), vote(2, "a", false), vote(3, "b", true)]);
        let reached: Vec<_> = found.values().map(|v| v.reached).collect();
        assert_eq!(reached, [Reached::Single, Reached::Agreed, Reached::Adjudicated]);
        assert_eq!(found[&ItemId(2)].votes, BTreeMap::from([("a".to_owned(), 2)]));
        assert_eq!(found[&ItemId(3)].votes, BTreeMap::new());
    }
}
