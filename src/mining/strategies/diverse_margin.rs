//! Margin with diversity: the candidate of smallest margin in each of as many clusters as the budget.
//!
//! After Citovsky et al., "Batch Active Learning at Scale" (NeurIPS 2021), with k-means instead of their hierarchical clustering. Rounds also use
//! it to fill what a strategy leaves of the budget.

use rand_chacha::ChaCha8Rng;

use super::strategy::{Pick, Ranking, Strategy};
use crate::domain::case::Reason;
use crate::mining::geometry::clusters;
use crate::mining::pool::Pool;

/// The clusters are made of the candidates of smallest margin, this many times the budget.
const BREADTH: usize = 10;

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

/// `budget` candidates of small margin from different clusters, smallest margin first; if there are too few clusters, then
/// the smallest margins left.
pub fn diverse(pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let near = pool.nearest_the_boundary(budget.saturating_mul(BREADTH));
    if near.len() <= budget {
        return near;
    }
    // A group keeps the order of `near`, so its first member has the smallest margin.
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

    use super::*;
    use crate::mining::synthetic::Synthetic;

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
