//! Core-set selection by greedy k-center: each choice is the candidate farthest from everything labelled or chosen.
//!
//! Sener and Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set Approach" (ICLR 2018),
//! algorithm 1, over the embeddings that the head is trained on; without the paper's integer program for outliers. The
//! greatest distance of a candidate from its nearest centre is at most twice the optimum. If nothing is labelled, the first
//! centre is drawn at random. One product of candidates × closed × d, then a pass over the candidates per choice; memory is
//! one number per candidate.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::strategy::{Pick, Ranking, Strategy};
use crate::domain::case::Reason;
use crate::mining::geometry::neighbours::map_nearest;
use crate::mining::pool::Pool;

pub struct KCenter;

impl Strategy for KCenter {
    fn name(&self) -> &'static str {
        "k-center"
    }

    fn rank(&self, pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Ranking {
        let chosen = farthest_first(pool, budget, rng);
        Ranking { chosen: chosen.into_iter().map(|i| Pick::alone(i, Reason::Farthest)).collect(), note: None }
    }

    fn opens(&self, _labels: usize, _budget: usize) -> bool {
        true
    }
}

fn farthest_first(pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let (candidates, vectors) = (pool.candidates(), pool.vectors());
    let budget = budget.min(candidates.len());
    if budget == 0 {
        return Vec::new();
    }
    // Among unit vectors, the farthest has the smallest cosine. Chosen candidates are set to infinity.
    let mut similarities = map_nearest(pool, candidates, &pool.closed(), 1, |_, nearest| {
        nearest.first().map_or(f32::NEG_INFINITY, |n| n.similarity)
    });
    let has_centre = similarities[0] > f32::NEG_INFINITY;
    let mut next = if has_centre { farthest(&similarities) } else { rng.gen_range(0..candidates.len()) };
    let mut chosen = Vec::with_capacity(budget);
    loop {
        chosen.push(candidates[next]);
        if chosen.len() == budget {
            return chosen;
        }
        similarities[next] = f32::INFINITY;
        let centre = vectors.row(candidates[next]);
        similarities.par_iter_mut().zip(candidates).for_each(|(nearest, &i)| {
            *nearest = nearest.max(vectors.row(i).dot(&centre));
        });
        next = farthest(&similarities);
    }
}

/// The place of the smallest cosine, the first on a tie.
fn farthest(similarities: &[f32]) -> usize {
    let mut best = 0;
    for (at, similarity) in similarities.iter().enumerate() {
        if *similarity < similarities[best] {
            best = at;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;
    use crate::domain::split::Split;
    use crate::mining::synthetic::Synthetic;

    /// Squared distance of the candidate farthest from its nearest centre.
    fn radius(pool: &Pool, centres: &[usize]) -> f32 {
        let distance = |i: usize, c: usize| (2.0 - 2.0 * pool.similarity(i, c)).max(0.0);
        let nearest = |i: usize| centres.iter().map(|&c| distance(i, c)).fold(f32::INFINITY, f32::min);
        pool.candidates().iter().map(|&i| nearest(i)).fold(0.0, f32::max)
    }

    proptest! {
        #[test]
        fn the_radius_is_within_twice_the_best_one(n in 4usize..24, closed in 0usize..3, seed: u64) {
            let mut made = Synthetic::overlapping(n, 3, 2, seed);
            made.open[..closed].fill(false);
            let pool = made.pool();
            let with_closed = |chosen: &[usize]| [&pool.closed(), chosen].concat();
            let mut best = f32::INFINITY;
            for a in pool.candidates() {
                for b in pool.candidates() {
                    best = best.min(radius(&pool, &with_closed(&[*a, *b])));
                }
            }
            let chosen = farthest_first(&pool, 2, &mut ChaCha8Rng::seed_from_u64(seed));
            prop_assert!(radius(&pool, &with_closed(&chosen)) <= 4.0 * best + 1e-5);
        }
    }

    #[test]
    fn each_group_without_a_labelled_item_is_reached_once_and_audit_labels_do_not_count() {
        let mut made = Synthetic::separated(6, 20, 8, 1);
        for (group, split) in [(0, Split::Train), (1, Split::Eval), (2, Split::Audit)] {
            made.open[20 * group] = false;
            made.splits[20 * group] = split;
        }
        let chosen = farthest_first(&made.pool(), 4, &mut ChaCha8Rng::seed_from_u64(1));
        let mut groups: Vec<usize> = chosen.iter().map(|i| i / 20).collect();
        groups.sort_unstable();
        assert_eq!(groups, [2, 3, 4, 5]);
    }
}
