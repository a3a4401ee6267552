//! The default: uncertain candidates in dense regions on both sides of the decision boundary, from as many clusters as the budget.
//!
//! The candidates of smallest margin, five times the budget, are grouped into as many clusters as the budget (as in `diverse-margin`). In each
//! cluster, the score of a candidate is its cosine similarity to its nearest neighbours on both sides of the boundary, minus its margin. A near
//! neighbour with the same predicted label means that its answer is representative; a near one with another label means that it is where the
//! labels meet, as in `boundary`. Plain margin would take outliers that resemble nothing, plain clustering the first candidate of a cluster.
//!
//! While there are fewer than four answers per label, it chooses typical items of regions without labels (`typiclust`): with few labels,
//! coverage teaches more than the boundary (Hacohen et al., ICML 2022). Two labels are past that after eight answers, 77 after 308.
//!
//! Chosen as the default by `simulate`; `docs/evidence.md` compares it with the others.

use rand_chacha::ChaCha8Rng;

use super::strategy::{Pick, Ranking, Strategy};
use super::typiclust::TypiClust;
use crate::domain::case::Reason;
use crate::mining::geometry::clusters;
use crate::mining::geometry::neighbours::{Neighbour, Sides, both_sides};
use crate::mining::pool::Pool;

/// Candidates of smallest margin, as a multiple of the budget. With 10, easy texts get in; with 3, there are fewer regions.
const BREADTH: usize = 5;

/// Answers per label from which the boundary matters more than coverage.
const ANSWERS_EACH: usize = 4;

pub struct Hybrid;

impl Strategy for Hybrid {
    fn name(&self) -> &'static str {
        "hybrid"
    }

    /// If a round is too small for four answers per label, the first one is for coverage too.
    fn opens(&self, labels: usize, budget: usize) -> bool {
        ANSWERS_EACH * labels > budget
    }

    fn rank(&self, pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Ranking {
        if pool.closed().len() < ANSWERS_EACH * pool.labels() {
            return TypiClust.rank(pool, budget, rng);
        }
        let near = pool.nearest_the_boundary(budget.saturating_mul(BREADTH));
        let sides = both_sides(pool, &near);
        let scored: Vec<Scored> =
            near.iter().zip(sides).map(|(&index, sides)| Scored::new(pool, index, sides)).collect();
        let mut place = vec![usize::MAX; pool.len()];
        near.iter().enumerate().for_each(|(at, &index)| place[index] = at);
        let mut taken = vec![false; near.len()];
        let mut chosen = Vec::with_capacity(budget);
        for group in clusters::group(pool, &near, budget, rng) {
            // `max_by` takes the last of equals, and a group keeps the order of `near`: in reverse order, the smallest margin wins.
            let best = group.iter().rev().map(|&index| place[index]);
            if let Some(best) = best.max_by(|&a, &b| scored[a].score.total_cmp(&scored[b].score)) {
                taken[best] = true;
                chosen.push(best);
            }
        }
        let mut rest: Vec<usize> = (0..near.len()).filter(|&at| !taken[at]).collect();
        rest.sort_by(|&a, &b| scored[b].score.total_cmp(&scored[a].score).then(a.cmp(&b)));
        chosen.sort_by(|&a, &b| scored[b].score.total_cmp(&scored[a].score).then(a.cmp(&b)));
        chosen.extend(rest);
        chosen.truncate(budget);
        Ranking { chosen: chosen.into_iter().map(|at| scored[at].pick()).collect(), note: None }
    }
}

/// A candidate near the decision boundary.
struct Scored {
    index: usize,
    across: Option<Neighbour>,
    /// The cosine similarities to its nearest neighbours on both sides, minus its margin.
    score: f32,
}

impl Scored {
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

    use super::*;
    use crate::domain::ids::ItemId;
    use crate::domain::split::Split;
    use crate::mining::synthetic::Synthetic;

    /// A pool in which enough has been answered: items past the end of the made ones, far from all of them.
    fn answered(mut made: Synthetic) -> Synthetic {
        for _ in 0..ANSWERS_EACH * made.probabilities.ncols() {
            made.items.push(ItemId(5000 + made.items.len() as i64));
            let far = Array1::from_shape_fn(made.vectors.ncols(), |axis| if axis == 6 { -1.0 } else { 0.0 });
            made.vectors.push_row(far.view()).unwrap();
            let sure = Array1::from_shape_fn(made.probabilities.ncols(), |l| f32::from(u8::from(l == 0)));
            made.probabilities.push_row(sure.view()).unwrap();
            made.splits.push(Split::Train);
            made.open.push(false);
        }
        made
    }

    fn chosen(made: &Synthetic, budget: usize) -> Vec<usize> {
        let ranking = Hybrid.rank(&made.pool(), budget, &mut ChaCha8Rng::seed_from_u64(0));
        ranking.chosen.iter().map(|pick| pick.index).collect()
    }

    #[test]
    fn every_region_near_the_line_is_asked_about_and_easy_texts_are_not() {
        // Half of each of four groups is near the line: five times the budget of four, exactly.
        let made = Synthetic::separated(4, 10, 8, 1).with_margins(|i| if i % 10 < 5 { 0.1 } else { 0.9 });
        let made = answered(made);
        let chosen = chosen(&made, 4);
        assert_eq!(chosen.iter().map(|i| i / 10).collect::<HashSet<_>>().len(), 4);
        assert!(chosen.iter().all(|i| i % 10 < 5), "{chosen:?}");
    }

    #[test]
    fn a_text_that_nobody_resembles_waits_though_its_margin_is_the_least() {
        let mut made = Synthetic::separated(1, 5, 8, 1).with_margins(|i| i as f32 / 100.0);
        made.vectors.row_mut(0).assign(&Array1::from_shape_fn(8, |axis| f32::from(u8::from(axis == 7))));
        let made = answered(made);
        assert_eq!(made.pool().nearest_the_boundary(1), [0]);
        assert_ne!(chosen(&made, 1), [0]);
    }

    #[test]
    fn with_few_answers_it_asks_about_what_is_typical() {
        let made = Synthetic::overlapping(300, 8, 3, 2).with_closed(1);
        let few = Synthetic { open: (0..300).map(|i| i >= 11).collect(), ..made };
        let rank =
            |strategy: &dyn Strategy| strategy.rank(&few.pool(), 20, &mut ChaCha8Rng::seed_from_u64(0));
        assert_eq!(rank(&Hybrid), rank(&TypiClust));
        let enough = Synthetic { open: (0..300).map(|i| i >= 12).collect(), ..few.clone() };
        assert_ne!(Hybrid.rank(&enough.pool(), 20, &mut ChaCha8Rng::seed_from_u64(0)), rank(&TypiClust));
    }

    #[test]
    fn the_partner_is_the_nearest_of_another_prelabel() {
        let made = answered(Synthetic::overlapping(300, 8, 3, 2));
        let pool = made.pool();
        for pick in Hybrid.rank(&pool, 20, &mut ChaCha8Rng::seed_from_u64(0)).chosen {
            let partner = pick.partner.unwrap();
            assert_ne!(pool.predicted(partner), pool.predicted(pick.index));
        }
    }
}
