//! The trait that every strategy implements, and its result.

use rand_chacha::ChaCha8Rng;

use crate::domain::case::Reason;
use crate::mining::pool::Pool;

/// A way to choose which candidates of a pool experts should label.
pub trait Strategy: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// Up to `budget` different candidates of the pool, the best first.
    ///
    /// Only [`Pool::candidates`] may be chosen; the round ignores anything else.
    fn rank(&self, pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Ranking;

    /// Whether it chooses the first round itself, when there is only a zero-shot model. Strategies that rely on the model leave that round to the
    /// mixture in `mining::opening`.
    fn opens(&self, _labels: usize, _budget: usize) -> bool {
        false
    }
}

/// One choice of a strategy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pick {
    /// Row of the item in the pool.
    pub index: usize,
    pub reason: Reason,
    /// Row of the partner, if the strategy chose the two as a pair.
    pub partner: Option<usize>,
}

impl Pick {
    /// A choice without a partner; the round adds one.
    pub fn alone(index: usize, reason: Reason) -> Self {
        Self { index, reason, partner: None }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranking {
    /// The best first.
    pub chosen: Vec<Pick>,
    /// What a person should know about how they were chosen, such as a fallback and its cause.
    pub note: Option<String>,
}
