//! Exact nearest neighbours: of a few items among the whole pool, on each side of the decision boundary, and of many
//! items among a few.
//!
//! Uses blocked matrix products; memory is a block by the queries or a block by a block, never n × n.

use ndarray::{Array2, Axis, s};
use rayon::prelude::*;

use crate::mining::pool::Pool;

/// Rows of the pool in one product.
const ROWS: usize = 512;
/// Queries in one product.
const QUERIES: usize = 1024;

/// An item near another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Row in the pool.
    pub index: usize,
    /// Cosine similarity.
    pub similarity: f32,
}

/// The nearest items of one query on both sides of the decision boundary.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sides {
    /// The nearest other item of the same prelabel ([`Pool::is_same`]).
    pub same: Option<Neighbour>,
    /// The nearest item across the boundary ([`Pool::is_across`]).
    pub across: Option<Neighbour>,
}

impl Sides {
    fn offer(&mut self, neighbour: Neighbour, is_same: bool) {
        let side = if is_same { &mut self.same } else { &mut self.across };
        if side.is_none_or(|held| nearer(neighbour, held)) {
            *side = Some(neighbour);
        }
    }

    fn merge(mut self, other: Self) -> Self {
        for (neighbour, is_same) in [(other.same, true), (other.across, false)] {
            if let Some(neighbour) = neighbour {
                self.offer(neighbour, is_same);
            }
        }
        self
    }
}

/// A total order, so that the result does not depend on which thread came first.
fn nearer(a: Neighbour, b: Neighbour) -> bool {
    a.similarity > b.similarity || (a.similarity == b.similarity && a.index < b.index)
}

/// The nearest neighbours of each query, in the order of `queries`; the smaller index on a tie.
pub fn both_sides(pool: &Pool, queries: &[usize]) -> Vec<Sides> {
    queries.chunks(QUERIES).flat_map(|chunk| of_chunk(pool, chunk)).collect()
}

/// Maps each query and its `count` nearest others of `among`, nearest first, in the order of `queries`; fewer neighbours if
/// `among` has fewer. Computes queries × among × d products, and keeps one block of them per thread.
pub fn map_nearest<T: Send>(
    pool: &Pool,
    queries: &[usize],
    among: &[usize],
    count: usize,
    map: impl Fn(usize, &[Neighbour]) -> T + Sync,
) -> Vec<T> {
    let of_block = |block: &[usize]| -> Vec<T> {
        let rows = pool.vectors().select(Axis(0), block);
        let mut nearest = vec![Vec::with_capacity(count.min(among.len())); block.len()];
        for others in among.chunks(ROWS) {
            let similarities = rows.dot(&pool.vectors().select(Axis(0), others).t());
            for ((&query, similarities), held) in
                block.iter().zip(similarities.outer_iter()).zip(&mut nearest)
            {
                for (&index, &similarity) in others.iter().zip(similarities) {
                    if index != query {
                        keep(held, Neighbour { index, similarity }, count);
                    }
                }
            }
        }
        block.iter().zip(&nearest).map(|(&query, held)| map(query, held)).collect()
    };
    let blocks: Vec<Vec<T>> = queries.par_chunks(QUERIES).map(of_block).collect();
    blocks.into_iter().flatten().collect()
}

/// Inserts a neighbour into the `count` nearest so far.
fn keep(held: &mut Vec<Neighbour>, neighbour: Neighbour, count: usize) {
    if held.len() == count {
        if held.last().is_none_or(|last| !nearer(neighbour, *last)) {
            return;
        }
        held.pop();
    }
    held.insert(held.partition_point(|h| nearer(*h, neighbour)), neighbour);
}

fn of_chunk(pool: &Pool, queries: &[usize]) -> Vec<Sides> {
    let rows = pool.vectors().select(Axis(0), queries);
    let none = || vec![Sides::default(); queries.len()];
    (0..pool.len().div_ceil(ROWS))
        .into_par_iter()
        .fold(none, |mut nearest, block| {
            offer_block(pool, queries, &rows, block * ROWS, &mut nearest);
            nearest
        })
        .reduce(none, |a, b| a.into_iter().zip(b).map(|(a, b)| a.merge(b)).collect())
}

fn offer_block(pool: &Pool, queries: &[usize], rows: &Array2<f32>, start: usize, nearest: &mut [Sides]) {
    let end = (start + ROWS).min(pool.len());
    let similarities = rows.dot(&pool.vectors().slice(s![start..end, ..]).t());
    for ((&query, similarities), sides) in queries.iter().zip(similarities.outer_iter()).zip(nearest) {
        let floor = |side: Option<Neighbour>| side.map_or(f32::NEG_INFINITY, |n| n.similarity);
        let mut floors = [floor(sides.across), floor(sides.same)];
        for (index, &similarity) in (start..end).zip(&similarities) {
            let is_same = pool.is_same(query, index);
            if !is_same && !pool.is_across(query, index) {
                continue;
            }
            let side = usize::from(is_same);
            // Most rows fail this test; the exact order on ties is settled by `offer`.
            if similarity >= floors[side] && index != query {
                sides.offer(Neighbour { index, similarity }, is_same);
                floors[side] = similarity;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::domain::task_kind::TaskKind;
    use crate::mining::geometry::clusters::Clusters;
    use crate::mining::synthetic::Synthetic;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn blocks_find_what_a_plain_search_finds(n in 1usize..1300, labels in 1usize..5, seed in 0u64..1000) {
            let made = Synthetic::overlapping(n, 8, labels, seed);
            let pool = made.pool();
            let queries: Vec<usize> = (0..n).step_by(1 + n / 40).collect();
            for (&query, sides) in queries.iter().zip(both_sides(&pool, &queries)) {
                let best = |same: bool| {
                    (0..n)
                        .filter(|&i| i != query && (pool.predicted(i) == pool.predicted(query)) == same)
                        .map(|i| pool.similarity(query, i))
                        .fold(None, |best: Option<f32>, s| Some(best.map_or(s, |b| b.max(s))))
                };
                for (found, expected, same) in [(sides.same, best(true), true), (sides.across, best(false), false)] {
                    prop_assert_eq!(found.is_some(), expected.is_some());
                    if let (Some(found), Some(expected)) = (found, expected) {
                        prop_assert!((found.similarity - expected).abs() < 1e-5);
                        prop_assert!((pool.similarity(query, found.index) - expected).abs() < 1e-5);
                        prop_assert_eq!(pool.predicted(found.index) == pool.predicted(query), same);
                        prop_assert_ne!(found.index, query);
                    }
                }
            }
        }

        #[test]
        fn of_a_scale_what_lies_across_is_of_a_neighbouring_level(n in 2usize..400, seed in 0u64..1000) {
            let made = Synthetic { kind: TaskKind::Scale, ..Synthetic::overlapping(n, 8, 4, seed) };
            let pool = made.pool();
            let queries: Vec<usize> = (0..n).step_by(1 + n / 40).collect();
            let clusters = Clusters::of_predictions(&pool, 12, &mut ChaCha8Rng::seed_from_u64(seed));
            let places = clusters.nearest_to_each(&pool);
            for (&query, sides) in queries.iter().zip(both_sides(&pool, &queries)) {
                let level = pool.predicted(query);
                let nearest = (0..n)
                    .filter(|&i| pool.predicted(i).abs_diff(level) == 1)
                    .map(|i| pool.similarity(query, i))
                    .fold(None, |best: Option<f32>, s| Some(best.map_or(s, |b| b.max(s))));
                prop_assert_eq!(sides.across.is_some(), nearest.is_some());
                if let (Some(found), Some(nearest)) = (sides.across, nearest) {
                    prop_assert_eq!(pool.predicted(found.index).abs_diff(level), 1);
                    prop_assert!((found.similarity - nearest).abs() < 1e-5);
                }
                let rival = (0..n).find(|i| places[*i].own == places[query].rival).map(|i| pool.predicted(i));
                prop_assert!(rival.is_none_or(|rival| rival.abs_diff(level) <= 1));
            }
        }

        #[test]
        fn the_nearest_of_a_part_are_those_of_a_plain_search(
            n in 1usize..1300, step in 1usize..5, count in 0usize..12, seed in 0u64..1000,
        ) {
            let made = Synthetic::overlapping(n, 8, 2, seed);
            let pool = made.pool();
            let queries: Vec<usize> = (0..n).step_by(1 + n / 40).collect();
            let among: Vec<usize> = (0..n).step_by(step).collect();
            let found = map_nearest(&pool, &queries, &among, count, |query, near| (query, near.to_vec()));
            for (&query, (of, near)) in queries.iter().zip(found) {
                let mut others: Vec<f32> =
                    among.iter().filter(|i| **i != query).map(|&i| pool.similarity(query, i)).collect();
                others.sort_unstable_by(|a, b| b.total_cmp(a));
                prop_assert_eq!((of, near.len()), (query, count.min(others.len())));
                for (near, expected) in near.into_iter().zip(others) {
                    prop_assert!((near.similarity - expected).abs() < 1e-5);
                    prop_assert!((pool.similarity(query, near.index) - expected).abs() < 1e-5);
                    prop_assert!(near.index != query && near.index.is_multiple_of(step));
                }
            }
        }
    }
}
