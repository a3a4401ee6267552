//! BADGE: a batch that is both uncertain and diverse, by k-means++ over the gradients that the head would take.
//!
//! Ash, Zhang, Krishnamurthy, Langford and Agarwal, "Deep Batch Active Learning by Diverse, Uncertain Gradient Lower
//! Bounds" (ICLR 2020). The gradient of an item of embedding x and prelabel p is a ⊗ x with a = p − onehot(argmax p),
//! as if the prelabel were right. The seeding is that of the paper: the first at random, each next by its squared
//! distance to the nearest before it. (The authors' code begins with the longest gradient instead.)
//!
//! No gradient is ever formed: ‖a ⊗ x − b ⊗ y‖² = ‖a‖²‖x‖² + ‖b‖²‖y‖² − 2 (a·b)(x·y). One pass over the candidates
//! per choice; memory is a few numbers per candidate.

use ndarray::{ArrayView1, Axis};
use rand::Rng;
use rand::distributions::{Distribution, WeightedIndex};
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::strategy::{Pick, Ranking, Strategy};
use crate::domain::case::Reason;
use crate::mining::pool::Pool;

/// Squared distances below this fraction of the gradients' squared norms are rounding errors: the gradients are equal.
const ROUNDING: f32 = 1e-5;

/// Seeds of k-means++ among the gradients.
pub struct Badge;

impl Strategy for Badge {
    fn name(&self) -> &'static str {
        "badge"
    }

    fn rank(&self, pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Ranking {
        let chosen = seeds(pool, budget, rng);
        Ranking { chosen: chosen.into_iter().map(|i| Pick::alone(i, Reason::Gradient)).collect(), note: None }
    }
}

/// Up to `budget` candidates; uniformly at random once every remaining gradient equals a chosen one.
fn seeds(pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let candidates = pool.candidates();
    let budget = budget.min(candidates.len());
    if budget == 0 {
        return Vec::new();
    }
    let squares: Vec<f32> = candidates.par_iter().map(|&i| Gradient::of(pool, i).square()).collect();
    let mut distances = vec![f32::INFINITY; candidates.len()];
    let mut chosen = Vec::with_capacity(budget);
    let mut next = rng.gen_range(0..candidates.len());
    loop {
        chosen.push(next);
        if chosen.len() == budget {
            break;
        }
        let (seed, square) = (Gradient::of(pool, candidates[next]), squares[next]);
        distances.par_iter_mut().zip(&squares).zip(candidates).for_each(|((distance, own), &i)| {
            let inner = seed.inner(&Gradient::of(pool, i));
            *distance = distance.min(squared_distance(square, *own, inner));
        });
        distances[next] = 0.0;
        match WeightedIndex::new(distances.iter().map(|d| f64::from(*d))) {
            Ok(weights) => next = weights.sample(rng),
            Err(_) => break,
        }
    }
    chosen.extend(others(&chosen, candidates.len(), budget - chosen.len(), rng));
    chosen.into_iter().map(|at| candidates[at]).collect()
}

/// ‖g‖² + ‖h‖² − 2 g·h, or 0 if that is only a rounding error.
fn squared_distance(g: f32, h: f32, inner: f32) -> f32 {
    let distance = g + h - 2.0 * inner;
    if distance < ROUNDING * (g + h) { 0.0 } else { distance }
}

/// `count` of the places below `n` that are not chosen, at random.
fn others(chosen: &[usize], n: usize, count: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    if count == 0 {
        return Vec::new();
    }
    let mut free = vec![true; n];
    for &at in chosen {
        free[at] = false;
    }
    let left: Vec<usize> = (0..n).filter(|&at| free[at]).collect();
    index::sample(rng, left.len(), count).into_iter().map(|at| left[at]).collect()
}

/// The gradient a ⊗ x of one item, as its two factors.
struct Gradient<'a> {
    probabilities: ArrayView1<'a, f32>,
    /// The label of the prelabel; none where it may give several, each from one half on.
    predicted: Option<usize>,
    vector: ArrayView1<'a, f32>,
}

impl<'a> Gradient<'a> {
    fn of(pool: &Pool<'a>, index: usize) -> Self {
        Self {
            probabilities: pool.probabilities(index),
            predicted: (pool.groups() == pool.labels()).then(|| pool.predicted(index)),
            vector: pool.vectors().index_axis_move(Axis(0), index),
        }
    }

    /// a = p − onehot(argmax p), one value a label; where a prelabel may give several, p − 1 for each that it gives.
    fn residuals(&self) -> impl Iterator<Item = f32> + '_ {
        let gives = |label: usize, p: f32| self.predicted.map_or(p >= 0.5, |predicted| label == predicted);
        self.probabilities
            .iter()
            .enumerate()
            .map(move |(label, &p)| if gives(label, p) { p - 1.0 } else { p })
    }

    fn inner(&self, other: &Self) -> f32 {
        let of_residuals: f32 = self.residuals().zip(other.residuals()).map(|(a, b)| a * b).sum();
        of_residuals * self.vector.dot(&other.vector)
    }

    fn square(&self) -> f32 {
        self.inner(self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;

    use super::*;
    use crate::mining::synthetic::Synthetic;

    #[test]
    fn the_factorised_distance_is_that_of_the_whole_gradients() {
        let made = Synthetic::overlapping(60, 5, 4, 3);
        let pool = made.pool();
        let whole = |i: usize| -> Vec<f32> {
            let mut residuals = pool.probabilities(i).to_vec();
            residuals[pool.predicted(i)] -= 1.0;
            let row = pool.vectors().row(i).to_vec();
            residuals.iter().flat_map(|a| row.iter().map(move |x| a * x)).collect()
        };
        for (i, j) in (0..60).flat_map(|i| (0..60).map(move |j| (i, j))) {
            let (g, h) = (Gradient::of(&pool, i), Gradient::of(&pool, j));
            let distance = squared_distance(g.square(), h.square(), g.inner(&h));
            let naive: f32 = whole(i).iter().zip(whole(j)).map(|(a, b)| (a - b).powi(2)).sum();
            assert!((distance - naive).abs() < 1e-5, "{distance} for {naive}");
        }
    }

    #[test]
    fn certain_items_have_one_gradient_and_are_drawn_once_at_most_while_others_are_left() {
        let made = Synthetic::overlapping(40, 8, 2, 5).with_margins(|i| if i < 30 { 1.0 } else { 0.2 });
        for seed in 0..50 {
            let chosen = seeds(&made.pool(), 9, &mut ChaCha8Rng::seed_from_u64(seed));
            assert!(chosen.iter().filter(|i| **i < 30).count() <= 1, "{chosen:?}");
        }
        let all = seeds(&made.pool(), 60, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!((all.len(), all.into_iter().collect::<HashSet<_>>().len()), (40, 40));
    }

    #[test]
    fn the_second_is_drawn_by_its_squared_distance_to_the_first() {
        let made = Synthetic::overlapping(6, 4, 3, 9);
        let pool = made.pool();
        let trials = 20_000;
        let mut times = [[0u32; 6]; 6];
        for seed in 0..trials {
            let chosen = seeds(&pool, 2, &mut ChaCha8Rng::seed_from_u64(seed));
            times[chosen[0]][chosen[1]] += 1;
        }
        let distance = |i: usize, j: usize| {
            let (g, h) = (Gradient::of(&pool, i), Gradient::of(&pool, j));
            f64::from(squared_distance(g.square(), h.square(), g.inner(&h)))
        };
        for (i, times) in times.iter().enumerate() {
            let sum: f64 = (0..6).map(|j| distance(i, j)).sum();
            for (j, &times) in times.iter().enumerate() {
                let expected = distance(i, j) / sum / 6.0;
                let error = (expected * (1.0 - expected) / trials as f64).sqrt();
                assert!((f64::from(times) / trials as f64 - expected).abs() <= 4.5 * error, "{i} {j}");
            }
        }
    }
}
