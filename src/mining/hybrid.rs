//! The default: what is uncertain, where the pool is dense, on both sides of the line, and from as many regions as there are questions.
//!
//! Five times the budget of smallest margin is grouped into as many clusters as the budget (as `diverse-margin` does). Of each cluster that
//! candidate is asked about which has the nearest neighbours on both sides of the line, less its margin. A near neighbour of the same label
//! means that its answer speaks for others; a near one of another label that it stands where the labels meet, as `boundary` looks for. Plain
//! margin takes outliers that nobody resembles, and plain clustering whatever lies first in a cluster.
//!
//! Settled on by `simulate`; `docs/evidence.md` holds what it is worth beside the others.

use rand_chacha::ChaCha8Rng;

use super::clusters;
use super::neighbours::{Neighbour, Sides, both_sides};
use super::pick::{Pick, Ranking, Strategy};
use super::pool::Pool;
use crate::domain::case::Reason;

/// How many times the budget is near enough to the line. With ten times it, easy texts come in; with three, fewer regions.
const BREADTH: usize = 5;

/// The densest of both sides in each region near the line.
pub struct Hybrid;

impl Strategy for Hybrid {
    fn name(&self) -> &'static str {
        "hybrid"
    }

    fn rank(&self, pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Ranking {
        let near = pool.nearest_the_boundary(budget.saturating_mul(BREADTH));
        let sides = both_sides(pool, &near);
        let wanted: Vec<Wanted> =
            near.iter().zip(sides).map(|(&index, sides)| Wanted::new(pool, index, sides)).collect();
        let mut place = vec![usize::MAX; pool.len()];
        near.iter().enumerate().for_each(|(at, &index)| place[index] = at);
        let mut taken = vec![false; near.len()];
        let mut chosen = Vec::with_capacity(budget);
        for group in clusters::group(pool, &near, budget, rng) {
            // `max_by` takes the last of equals, and a group keeps the order of `near`: looked through from its end, the least margin wins.
            let best = group.iter().rev().map(|&index| place[index]);
            if let Some(best) = best.max_by(|&a, &b| wanted[a].score.total_cmp(&wanted[b].score)) {
                taken[best] = true;
                chosen.push(best);
            }
        }
        let mut rest: Vec<usize> = (0..near.len()).filter(|&at| !taken[at]).collect();
        rest.sort_by(|&a, &b| wanted[b].score.total_cmp(&wanted[a].score).then(a.cmp(&b)));
        chosen.sort_by(|&a, &b| wanted[b].score.total_cmp(&wanted[a].score).then(a.cmp(&b)));
        chosen.extend(rest);
        chosen.truncate(budget);
        Ranking { chosen: chosen.into_iter().map(|at| wanted[at].pick()).collect(), note: None }
    }
}

/// A candidate near the line.
struct Wanted {
    index: usize,
    across: Option<Neighbour>,
    /// The cosines to its nearest neighbours on both sides, less its margin.
    score: f32,
}

impl Wanted {
    fn new(pool: &Pool, index: usize, sides: Sides) -> Self {
        let cosine = |side: Option<Neighbour>| side.map_or(0.0, |near| near.similarity);
        let score = cosine(sides.across) + cosine(sides.same) - pool.margin(index);
        Self { index, across: sides.across, score }
    }

    fn pick(&self) -> Pick {
        Pick { index: self.index, reason: Reason::Margin, partner: self.across.map(|near| near.index) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ndarray::Array1;
    use rand::SeedableRng;

    use super::super::synthetic::Synthetic;
    use super::*;

    fn chosen(made: &Synthetic, budget: usize) -> Vec<usize> {
        let ranking = Hybrid.rank(&made.pool(), budget, &mut ChaCha8Rng::seed_from_u64(0));
        ranking.chosen.iter().map(|pick| pick.index).collect()
    }

    #[test]
    fn every_region_near_the_line_is_asked_about_and_easy_texts_are_not() {
        // Half of each of four groups is near the line: five times the budget of four, exactly.
        let made = Synthetic::separated(4, 10, 8, 1).with_margins(|i| if i % 10 < 5 { 0.1 } else { 0.9 });
        let chosen = chosen(&made, 4);
        assert_eq!(chosen.iter().map(|i| i / 10).collect::<HashSet<_>>().len(), 4);
        assert!(chosen.iter().all(|i| i % 10 < 5), "{chosen:?}");
    }

    #[test]
    fn a_text_that_nobody_resembles_waits_though_its_margin_is_the_least() {
        let mut made = Synthetic::separated(1, 5, 8, 1).with_margins(|i| i as f32 / 100.0);
        made.vectors.row_mut(0).assign(&Array1::from_shape_fn(8, |axis| f32::from(u8::from(axis == 7))));
        assert_eq!(Synthetic::pool(&made).nearest_the_boundary(1), [0]);
        assert_ne!(chosen(&made, 1), [0]);
    }

    #[test]
    fn the_partner_is_the_nearest_of_another_prelabel() {
        let made = Synthetic::overlapping(300, 8, 3, 2);
        let pool = made.pool();
        for pick in Hybrid.rank(&pool, 20, &mut ChaCha8Rng::seed_from_u64(0)).chosen {
            let partner = pick.partner.unwrap();
            assert_ne!(pool.predicted(partner), pool.predicted(pick.index));
        }
    }
}
