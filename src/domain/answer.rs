//! Answers as tuning and figures use them: votes for training, first blind answers for everything that is measured.

use std::collections::BTreeMap;

use super::ids::{ExpertId, ItemId};
use super::split::Split;

/// One expert's standing label on one item, or an adjudication.
#[derive(Clone, Debug, PartialEq)]
pub struct Vote {
    /// The item.
    pub item: ItemId,
    /// The label's stable key.
    pub label: String,
    /// Whether it decides between experts.
    pub adjudicated: bool,
}

/// The answer of an expert that counts for evaluation, audit and agreement: the first one given blind.
#[derive(Clone, Debug, PartialEq)]
pub struct BlindAnswer {
    /// The item.
    pub item: ItemId,
    /// Who answered.
    pub expert: ExpertId,
    /// The label's stable key.
    pub label: String,
    /// The item's split.
    pub split: Split,
    /// Number of the round of its case; none for an item that no round proposed.
    pub round: Option<i64>,
    /// Probability that the audit drew it.
    pub inclusion: Option<f64>,
}

/// The label that each item is trained with: the adjudicated one, else the majority; ties are left out.
pub fn decided(votes: &[Vote]) -> BTreeMap<ItemId, String> {
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
        .filter_map(|(item, (adjudicated, counts))| {
            let most = counts.values().copied().max().unwrap_or(0);
            let mut leaders = counts.iter().filter(|(_, n)| **n == most).map(|(label, _)| *label);
            let majority = leaders.next().filter(|_| leaders.next().is_none());
            adjudicated.or(majority).map(|label| (item, label.to_owned()))
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
        let decided: Vec<_> = decided(&votes).into_iter().map(|(i, l)| (i.0, l)).collect();
        assert_eq!(decided, [(1, "a".to_owned()), (3, "b".to_owned())]);
    }
}
