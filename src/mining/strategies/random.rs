//! The baseline: candidates drawn uniformly at random.

use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use super::strategy::{Pick, Ranking, Strategy};
use crate::domain::case::Reason;
use crate::mining::pool::Pool;

pub struct Random;

impl Strategy for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn rank(&self, pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Ranking {
        let candidates = pool.candidates();
        let drawn = sample(rng, candidates.len(), budget.min(candidates.len()));
        let chosen = drawn.into_iter().map(|at| Pick::alone(candidates[at], Reason::Random)).collect();
        Ranking { chosen, note: None }
    }

    fn opens(&self, _labels: usize, _budget: usize) -> bool {
        true
    }
}
