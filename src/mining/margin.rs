//! Smallest margin first (breaking ties; Scheffer, Decomain and Wrobel, IDA 2001), plain and with diversity.

use rand_chacha::ChaCha8Rng;

use super::geometry::clusters;
use super::pool::Pool;
use super::strategies::strategy::{Pick, Ranking, Strategy};
use crate::domain::case::Reason;

/// How many times the budget diversity chooses from.
const BREADTH: usize = 10;

/// The candidates of smallest margin.
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

/// The candidate of smallest margin in each of as many clusters as the budget, among ten times the budget of
/// smallest margin (after Citovsky et al., NeurIPS 2021, with k-means in place of their hierarchy).
pub struct DiverseMargin;

impl Strategy for DiverseMargin {
    fn name(&self) -> &'static str {
        "diverse-margin"
    }

    fn rank(&self, pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Ranking {
        let chosen = diverse(pool, budget, rng);
        Ranking { chosen: chosen.into_iter().map(|i| Pick::alone(i, Reason::Margin)).collect(), note: None }
    }
}

/// `budget` candidates of small margin from different regions, smallest margin first; then, where there are too
/// few regions, the smallest margins left.
pub fn diverse(pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let near = pool.nearest_the_boundary(budget.saturating_mul(BREADTH));
    if near.len() <= budget {
        return near;
    }
    // A group keeps the order of `near`, so its first member has its smallest margin.
    let mut firsts: Vec<usize> =
        clusters::group(pool, &near, budget, rng).iter().filter_map(|g| g.first().copied()).collect();
    firsts.sort_unstable_by(|a, b| pool.margin(*a).total_cmp(&pool.margin(*b)).then(a.cmp(b)));
    let mut taken: Vec<usize> = firsts.clone();
    taken.sort_unstable();
    let rest = near.into_iter().filter(|i| taken.binary_search(i).is_err());
    let missing = budget - firsts.len();
    firsts.extend(rest.take(missing));
    firsts
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;

    use super::super::synthetic::Synthetic;
    use super::*;

    #[test]
    fn the_smallest_margins_come_first() {
        let made = Synthetic::overlapping(200, 8, 3, 1);
        let pool = made.pool();
        let chosen = Margin.rank(&pool, 20, &mut ChaCha8Rng::seed_from_u64(0)).chosen;
        let worst = chosen.iter().map(|p| pool.margin(p.index)).fold(0.0, f32::max);
        let better = pool.candidates().iter().filter(|&&i| pool.margin(i) < worst).count();
        assert!(better < 20 && chosen.len() == 20);
    }

    #[test]
    fn diversity_reaches_every_group_that_plain_margin_leaves_out() {
        // Group 0 holds all the smallest margins; ten times the budget covers all four groups.
        let made = Synthetic::separated(4, 10, 8, 1).with_margins(|i| i as f32 / 100.0);
        let pool = made.pool();
        let groups = |chosen: Vec<usize>| chosen.into_iter().map(|i| i / 10).collect::<HashSet<_>>().len();
        assert_eq!(groups(pool.nearest_the_boundary(4)), 1);
        assert_eq!(groups(diverse(&pool, 4, &mut ChaCha8Rng::seed_from_u64(0))), 4);
    }

    #[test]
    fn copies_of_one_text_still_fill_the_budget() {
        let made = Synthetic::identical(100, 8);
        let chosen = diverse(&made.pool(), 9, &mut ChaCha8Rng::seed_from_u64(0));
        assert_eq!(chosen.iter().collect::<HashSet<_>>().len(), 9);
    }
}
