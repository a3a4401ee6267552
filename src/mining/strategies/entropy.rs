//! Entropy: the candidates whose predicted distribution is the least informative.
//!
//! Shannon's entropy of the prelabel as in Settles, "Active Learning Literature Survey" (2009), section 3.1.

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::strategy::{Pick, Ranking, Strategy};
use crate::domain::case::Reason;
use crate::mining::pool::Pool;

pub struct Entropy;

impl Strategy for Entropy {
    fn name(&self) -> &'static str {
        "entropy"
    }

    fn rank(&self, pool: &Pool, budget: usize, _rng: &mut ChaCha8Rng) -> Ranking {
        let scores: Vec<f32> =
            pool.candidates().par_iter().map(|&i| entropy(&pool.distribution(i))).collect();
        let chosen = pool.highest_scoring(&scores, budget);
        Ranking { chosen: chosen.into_iter().map(|i| Pick::alone(i, Reason::Margin)).collect(), note: None }
    }
}

/// −Σ p ln p in nats; a label of probability 0 adds nothing.
fn entropy(distribution: &[f32]) -> f32 {
    distribution.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum()
}

#[cfg(test)]
mod tests {
    use ndarray::arr2;
    use rand::SeedableRng;

    use super::super::confidence::LeastConfidence;
    use super::*;
    use crate::mining::strategies::margin::Margin;
    use crate::mining::synthetic::Synthetic;

    #[test]
    fn it_is_the_published_measure_and_finite_where_a_label_is_impossible() {
        assert!((entropy(&[0.5, 0.5, 0.0]) - 2f32.ln()).abs() < 1e-6);
        assert!((entropy(&[0.25; 4]) - 4f32.ln()).abs() < 1e-6);
        assert_eq!(entropy(&[1.0, 0.0]), 0.0);
    }

    #[test]
    fn with_three_labels_entropy_least_confidence_and_margin_may_each_want_another_item() {
        let mut made = Synthetic::identical(3, 4);
        // Spread over all three; a top of 0.45 with two labels in play; a tie of two.
        made.probabilities = arr2(&[[0.46, 0.27, 0.27], [0.45, 0.44, 0.11], [0.49, 0.49, 0.02]]);
        let first = |strategy: &dyn Strategy| {
            strategy.rank(&made.pool(), 1, &mut ChaCha8Rng::seed_from_u64(0)).chosen[0].index
        };
        assert_eq!([first(&Entropy), first(&LeastConfidence), first(&Margin)], [0, 1, 2]);
    }
}
