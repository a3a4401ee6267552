//! How a budget is spent over the overlaps: by mass and by coverage, one region at a time.

use super::pairs::Pair;
use crate::domain::case::Reason;
use crate::mining::pool::Pool;
use crate::mining::strategies::strategy::Pick;

/// Two items of one predicted label with a larger cosine are one question, so a budget pays for one of them.
const NEAR_COPY: f32 = 0.98;

/// An overlap with what may be bought there.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Number of items in the overlap.
    pub mass: usize,
    /// Its pairs, the most wanted first.
    pub pairs: Vec<Pair>,
}

/// Chooses up to `budget` candidates. Each step goes to the region of largest √mass ÷ (1 + 2 × cases it has): the
/// divisors of Sainte-Laguë, so that a region's share follows its mass while every region is reached early; the
/// root keeps one huge overlap from taking all.
///
/// Only `contested` items are on offer. Both ends of a pair are cases where both are; an end of which the model is sure
/// would cost a label and teach little, so it stays a partner to look at.
pub fn spend(pool: &Pool, regions: &[Region], contested: &[usize], budget: usize) -> Vec<Pick> {
    let mut basket = Basket { pool, picks: Vec::with_capacity(budget), on_offer: vec![false; pool.len()] };
    for &item in contested {
        basket.on_offer[item] = true;
    }
    let mut spent = vec![(0usize, 0usize); regions.len()];
    while basket.picks.len() < budget {
        let open = (0..regions.len()).filter(|&r| spent[r].0 < regions[r].pairs.len());
        let claim = |r: usize| (regions[r].mass as f64 + 1.0).sqrt() / (1.0 + 2.0 * spent[r].1 as f64);
        // `max_by` takes the last of equals; regions come in a fixed order, so the choice is one and the same.
        let Some(next) = open.max_by(|&a, &b| claim(a).total_cmp(&claim(b))) else {
            break;
        };
        let pair = regions[next].pairs[spent[next].0];
        spent[next].0 += 1;
        spent[next].1 += basket.buy(pair, budget);
    }
    basket.picks
}

struct Basket<'p, 'a> {
    pool: &'p Pool<'a>,
    picks: Vec<Pick>,
    on_offer: Vec<bool>,
}

impl Basket<'_, '_> {
    /// Takes what may be taken of a pair and says how many cases that was.
    fn buy(&mut self, pair: Pair, budget: usize) -> usize {
        if !self.wants(pair.near) {
            return 0;
        }
        self.take(pair.near, None);
        if self.picks.len() == budget || !self.wants(pair.across) {
            return 1;
        }
        if let Some(near) = self.picks.last_mut() {
            near.partner = Some(pair.across);
        }
        self.take(pair.across, Some(pair.near));
        2
    }

    fn take(&mut self, index: usize, partner: Option<usize>) {
        self.on_offer[index] = false;
        self.picks.push(Pick { index, reason: Reason::Overlap, partner });
    }

    fn wants(&self, index: usize) -> bool {
        let pool = self.pool;
        self.on_offer[index]
            && !self.picks.iter().any(|p| {
                pool.predicted(p.index) == pool.predicted(index)
                    && pool.similarity(p.index, index) > NEAR_COPY
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
