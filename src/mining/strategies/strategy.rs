//! What a strategy is and what it answers. Owns no strategy.

use rand_chacha::ChaCha8Rng;

use crate::domain::case::Reason;
use crate::mining::pool::Pool;

/// A way to choose which candidates of a pool experts should see.
pub trait Strategy: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// Up to `budget` different candidates of the pool, most wanted first.
    ///
    /// Only [`Pool::candidates`] may be chosen; the round drops whatever else is.
    fn rank(&self, pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Ranking;

    /// Whether it chooses the first round itself, for which there is only a zero-shot boundary. One whose choice rests on the model leaves
    /// that to the mixture in [`crate::mining::opening`].
    fn opens(&self, _labels: usize, _budget: usize) -> bool {
        false
    }
}

/// One choice of a strategy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pick {
    /// Row of the item in the pool.
    pub index: usize,
    /// Why it was chosen.
    pub reason: Reason,
    /// Row of the item across the boundary, where the strategy chose the two as a pair.
    pub partner: Option<usize>,
}

impl Pick {
    /// A choice without a partner of its own.
    pub fn alone(index: usize, reason: Reason) -> Self {
        Self { index, reason, partner: None }
    }
}

/// A strategy's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranking {
    /// The choices, most wanted first.
    pub chosen: Vec<Pick>,
    /// What a person should know of how they were chosen, such as a fallback and its cause.
    pub note: Option<String>,
}
