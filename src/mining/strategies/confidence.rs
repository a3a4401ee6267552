//! Least confidence: the candidates whose most probable label is least probable.
//!
//! Lewis and Gale, "A Sequential Algorithm for Training Text Classifiers" (SIGIR 1994), for two labels; Culotta and
//! McCallum, "Reducing Labeling Effort for Structured Prediction Tasks" (AAAI 2005), for more. With two labels it is the
//! same as [`super::margin::Margin`].

use rand_chacha::ChaCha8Rng;

use super::strategy::{Pick, Ranking, Strategy};
use crate::domain::case::Reason;
use crate::mining::pool::{Pool, smallest};

pub struct LeastConfidence;

impl Strategy for LeastConfidence {
    fn name(&self) -> &'static str {
        "least-confidence"
    }

    fn rank(&self, pool: &Pool, budget: usize, _rng: &mut ChaCha8Rng) -> Ranking {
        let chosen = smallest(pool.candidates().to_vec(), budget, |i| pool.confidence(i));
        Ranking { chosen: chosen.into_iter().map(|i| Pick::alone(i, Reason::Margin)).collect(), note: None }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::mining::strategies::margin::Margin;
    use crate::mining::synthetic::Synthetic;

    #[test]
    fn with_two_labels_it_chooses_what_the_margin_chooses_and_with_three_it_does_not() {
        let same = |labels| {
            let made = Synthetic::overlapping(400, 8, labels, 3).with_closed(3);
            let chosen = |strategy: &dyn Strategy| {
                let ranking = strategy.rank(&made.pool(), 30, &mut ChaCha8Rng::seed_from_u64(0));
                let mut chosen: Vec<usize> = ranking.chosen.iter().map(|p| p.index).collect();
                chosen.sort_unstable();
                chosen
            };
            chosen(&LeastConfidence) == chosen(&Margin)
        };
        assert!(same(2));
        assert!(!same(3));
    }
}
