//! Overlap: how many experts should answer a case.
//!
//! The overlap is stored with each case. Never more answers are asked for than there are active experts: with one expert a case closes at its
//! first answer, and in an open round it is reopened for a second expert once there is one.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::case::{Proposal, Reason};
use super::ids::ItemId;
use super::split::Split;

/// An expert without a session for this many days is no longer active, or, in a round older than that, without a session since it was opened.
pub const ACTIVE_DAYS: i64 = 30;

/// Greatest overlap of a case.
const MOST: usize = 100;

/// How many experts should answer a case, by its split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlap {
    /// Evaluation cases, which show agreement and the ceiling.
    pub eval: usize,
    pub audit: usize,
    /// Training cases, where a label for another text teaches more than a second label for the same text.
    pub train: usize,
    /// Share of the training cases that get one more expert, so that agreement on them is known, 0 to 1.
    pub share: f64,
}

impl Default for Overlap {
    fn default() -> Self {
        Self { eval: 2, audit: 2, train: 1, share: 0.1 }
    }
}

impl Overlap {
    /// How many experts should answer each of these cases, in their order. A hash of `seed` draws the training cases that get one more; a repeat
    /// is only for the expert whose answer is repeated.
    pub fn wishes(&self, cases: &[Proposal], seed: u64) -> Vec<usize> {
        let trains = |case: &&Proposal| case.split == Split::Train && case.reason != Reason::Repeat;
        let mut lots: Vec<([u8; 32], ItemId)> =
            cases.iter().filter(trains).map(|case| (lot(case.item, seed), case.item)).collect();
        lots.sort_unstable();
        let more = (self.share * lots.len() as f64).round() as usize;
        let drawn: HashSet<ItemId> = lots.into_iter().take(more).map(|(_, item)| item).collect();
        let wish = |case: &Proposal| match case.split {
            _ if case.reason == Reason::Repeat => 1,
            Split::Eval => self.eval,
            Split::Audit => self.audit,
            Split::Train => self.train + usize::from(drawn.contains(&case.item)),
        };
        cases.iter().map(wish).collect()
    }

    /// Overrides what `line` gives: any part of `eval=2,audit=2,train=1,share=0.1`.
    ///
    /// # Errors
    /// A clause that says what is wrong.
    pub fn with(mut self, line: &str) -> Result<Self, String> {
        for part in line.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=').map(|(n, v)| (n.trim(), v.trim())) else {
                return Err(format!("'{part}' has no '='; write it as in eval=2,audit=2,train=1,share=0.1"));
            };
            let experts = || {
                let n = value.parse().ok().filter(|n| (1..=MOST).contains(n));
                n.ok_or_else(|| format!("{name}={value} is not a number of experts from 1 to {MOST}"))
            };
            match name {
                "eval" => self.eval = experts()?,
                "audit" => self.audit = experts()?,
                "train" => self.train = experts()?,
                "share" => {
                    let share = value.parse().ok().filter(|share| (0.0..=1.0).contains(share));
                    self.share = share.ok_or_else(|| format!("share={value} is not a number from 0 to 1"))?;
                }
                _ => return Err(format!("'{name}' is not one of eval, audit, train and share")),
            }
        }
        Ok(self)
    }
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "eval={},audit={},train={},share={}", self.eval, self.audit, self.train, self.share)
    }
}

impl FromStr for Overlap {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        Self::default().with(line)
    }
}

fn lot(item: ItemId, seed: u64) -> [u8; 32] {
    let mut hash = blake3::Hasher::new();
    hash.update(b"seen by one more").update(&seed.to_le_bytes()).update(&item.0.to_le_bytes());
    *hash.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn case(item: i64, split: Split, reason: Reason) -> Proposal {
        Proposal { item: ItemId(item), split, reason, partner: None, margin: 0.1, inclusion: None }
    }

    #[test]
    fn a_tenth_of_the_training_cases_is_seen_by_two_and_every_case_that_measures() {
        let splits = [Split::Train, Split::Train, Split::Eval, Split::Audit];
        let mut cases: Vec<Proposal> =
            (0..80).map(|i| case(i, splits[i as usize % 4], Reason::Margin)).collect();
        cases.push(case(3, Split::Eval, Reason::Repeat));
        let wishes = Overlap::default().wishes(&cases, 7);
        let of = |split| {
            let all =
                cases.iter().zip(&wishes).filter(|(c, _)| c.split == split && c.reason == Reason::Margin);
            all.map(|(_, wish)| *wish).collect::<Vec<_>>()
        };
        assert_eq!((of(Split::Eval), of(Split::Audit)), (vec![2; 20], vec![2; 20]));
        let train = of(Split::Train);
        assert_eq!((train.iter().filter(|n| **n == 2).count(), train.len()), (4, 40));
        assert_eq!(wishes.last(), Some(&1), "a repeat is for one");
        assert_ne!(wishes, Overlap::default().wishes(&cases, 8), "another seed draws others");
    }

    #[test]
    fn what_cannot_be_is_said_in_a_sentence() {
        let says = |line: &str| line.parse::<Overlap>().unwrap_err();
        assert!(says("eval=0").contains("experts from 1 to 100"));
        assert!(says("train=two").contains("train=two"));
        assert!(says("share=1.5").contains("from 0 to 1"));
        assert!(says("share=NaN").contains("from 0 to 1"));
        assert!(says("evl=2").contains("not one of eval, audit, train and share"));
        assert!(says("2").contains("has no '='"));
        assert_eq!("audit=1".parse(), Ok(Overlap { audit: 1, ..Overlap::default() }));
        assert_eq!(" , ".parse(), Ok(Overlap::default()));
    }

    proptest! {
        #[test]
        fn an_overlap_reads_as_itself(eval in 1usize..9, audit in 1usize..9, train in 1usize..9, share in 0.0f64..1.0) {
            let overlap = Overlap { eval, audit, train, share };
            prop_assert_eq!(overlap.to_string().parse(), Ok(overlap));
        }

        #[test]
        fn the_order_of_the_cases_changes_no_ones_wish(n in 1i64..60, seed: u64, share in 0.0f64..1.0) {
            let overlap = Overlap { share, ..Overlap::default() };
            let cases: Vec<Proposal> = (0..n).map(|i| case(i, Split::Train, Reason::Margin)).collect();
            let backwards: Vec<Proposal> = cases.iter().rev().cloned().collect();
            let mut wishes = overlap.wishes(&backwards, seed);
            wishes.reverse();
            prop_assert_eq!(&wishes, &overlap.wishes(&cases, seed));
            let more = wishes.iter().filter(|wish| **wish == 2).count();
            prop_assert_eq!(more, (share * n as f64).round() as usize);
        }
    }
}
