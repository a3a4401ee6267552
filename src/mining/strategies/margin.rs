//! Smallest margin first: breaking ties (Scheffer, Decomain and Wrobel, "Active Hidden Markov Models for Information Extraction", IDA 2001).

use rand_chacha::ChaCha8Rng;

use super::strategy::{Pick, Ranking, Strategy};
use crate::domain::case::Reason;
use crate::mining::pool::Pool;

pub struct Margin;

impl Strategy for Margin {
    fn name(&self) -> &'static str {
        "margin"
    }

    fn rank(&self, pool: &Pool, budget: usize, _rng: &mut ChaCha8Rng) -> Ranking {
        let chosen = pool.nearest_the_boundary(budget);
        Ranking { chosen: chosen.into_iter().map(|i| Pick::alone(i, Reason::Margin)).collect(), note: None }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::mining::synthetic::Synthetic;

    #[test]
    fn the_smallest_margins_come_first() {
        let made = Synthetic::overlapping(200, 8, 3, 1);
        let pool = made.pool();
        let chosen = Margin.rank(&pool, 20, &mut ChaCha8Rng::seed_from_u64(0)).chosen;
        let worst = chosen.iter().map(|p| pool.margin(p.index)).fold(0.0, f32::max);
        let better = pool.candidates().iter().filter(|&&i| pool.margin(i) < worst).count();
        assert!(better < 20 && chosen.len() == 20);
    }
}
