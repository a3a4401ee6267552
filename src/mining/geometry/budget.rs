//! Divides a budget among the overlaps of clusters, by mass and coverage.

use super::pairs::Pair;
use crate::domain::case::Reason;
use crate::mining::pool::Pool;
use crate::mining::strategies::strategy::Pick;

/// Items of one predicted label with a greater cosine similarity are near-duplicates, of which only one is chosen.
const NEAR_DUPLICATE: f32 = 0.98;

/// An overlap with its pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Number of items in the overlap.
    pub mass: usize,
    /// The highest-scoring pairs first.
    pub pairs: Vec<Pair>,
}

/// Chooses up to `budget` candidates. Each step goes to the region of largest √mass ÷ (1 + 2 × cases it has): the
/// divisors of Sainte-Laguë, so that a region's share follows its mass while every region is reached early; the
/// root keeps one huge overlap from taking all.
///
/// Only `contested` items are chosen. If both items of a pair are contested, both become cases; an item of which the model
/// is sure would cost a label and teach little, so it is only shown as the partner.
pub fn spend(pool: &Pool, regions: &[Region], contested: &[usize], budget: usize) -> Vec<Pick> {
    let mut selection =
        Selection { pool, picks: Vec::with_capacity(budget), available: vec![false; pool.len()] };
    for &item in contested {
        selection.available[item] = true;
    }
    let mut spent = vec![(0usize, 0usize); regions.len()];
    while selection.picks.len() < budget {
        let open = (0..regions.len()).filter(|&r| spent[r].0 < regions[r].pairs.len());
        let claim = |r: usize| (regions[r].mass as f64 + 1.0).sqrt() / (1.0 + 2.0 * spent[r].1 as f64);
        // `max_by` takes the last of equals; regions have a fixed order, so the choice is deterministic.
        let Some(next) = open.max_by(|&a, &b| claim(a).total_cmp(&claim(b))) else {
            break;
        };
        let pair = regions[next].pairs[spent[next].0];
        spent[next].0 += 1;
        spent[next].1 += selection.take_pair(pair, budget);
    }
    selection.picks
}

struct Selection<'p, 'a> {
    pool: &'p Pool<'a>,
    picks: Vec<Pick>,
    available: Vec<bool>,
}

impl Selection<'_, '_> {
    /// Takes what may be taken of a pair. Returns how many cases that was.
    fn take_pair(&mut self, pair: Pair, budget: usize) -> usize {
        if !self.may_take(pair.near) {
            return 0;
        }
        self.take(pair.near, None);
        if self.picks.len() == budget || !self.may_take(pair.across) {
            return 1;
        }
        if let Some(near) = self.picks.last_mut() {
            near.partner = Some(pair.across);
        }
        self.take(pair.across, Some(pair.near));
        2
    }

    fn take(&mut self, index: usize, partner: Option<usize>) {
        self.available[index] = false;
        self.picks.push(Pick { index, reason: Reason::Overlap, partner });
    }

    fn may_take(&self, index: usize) -> bool {
        let pool = self.pool;
        self.available[index]
            && !self.picks.iter().any(|p| {
                pool.predicted(p.index) == pool.predicted(index)
                    && pool.similarity(p.index, index) > NEAR_DUPLICATE
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mining::synthetic::Synthetic;

    fn pair(near: usize, across: usize) -> Pair {
        Pair { near, across, score: 0.0 }
    }

    #[test]
    fn a_small_region_is_reached_before_a_large_one_has_taken_all() {
        let made = Synthetic::overlapping(60, 16, 2, 1);
        let all: Vec<usize> = (0..60).collect();
        let large = Region { mass: 80, pairs: (0..20).map(|i| pair(i, i + 40)).collect() };
        let small = Region { mass: 3, pairs: (20..30).map(|i| pair(i, i + 40 - 10)).collect() };
        let picks = spend(&made.pool(), &[large, small], &all, 10);
        assert_eq!(picks.len(), 10);
        let in_small = picks.iter().filter(|p| (20..30).contains(&p.index)).count();
        assert!((1..=3).contains(&in_small), "{in_small}");
    }

    #[test]
    fn both_ends_of_a_pair_are_cases_and_each_the_others_partner() {
        let made = Synthetic::overlapping(6, 16, 2, 1);
        let region = Region { mass: 9, pairs: vec![pair(0, 1), pair(2, 3), pair(4, 5)] };
        let picks = spend(&made.pool(), &[region], &[0, 1, 2, 4, 5], 4);
        let seen: Vec<_> = picks.iter().map(|p| (p.index, p.partner)).collect();
        // Item 3 is not contested, so 2 comes alone; the budget ends inside the last pair.
        assert_eq!(seen, vec![(0, Some(1)), (1, Some(0)), (2, None), (4, None)]);
    }

    #[test]
    fn near_copies_of_a_case_are_not_bought() {
        let made = Synthetic::identical(10, 8);
        let region = Region { mass: 9, pairs: vec![pair(0, 1), pair(2, 3)] };
        assert_eq!(spend(&made.pool(), &[region], &[0, 1, 2, 3], 4).len(), 1);
    }
}
