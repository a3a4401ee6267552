//! The nearest pairs with different predictions in each overlap.

use std::collections::BTreeMap;

use super::clusters::NearestClusters;
use super::neighbours::Sides;
use super::overlap::Overlap;
use crate::mining::pool::Pool;

/// A contested candidate and the nearest item with another predicted label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The candidate.
    pub near: usize,
    /// The other item, which need not be open.
    pub across: usize,
    /// Cosine similarity minus the mean of the two margins.
    pub score: f32,
}

/// The pairs of each overlap, highest score first. Each contested item is the candidate of at most one pair.
pub fn by_overlap(
    pool: &Pool,
    places: &[NearestClusters],
    contested: &[usize],
    sides: &[Sides],
) -> BTreeMap<Overlap, Vec<Pair>> {
    let mut pairs: BTreeMap<Overlap, Vec<Pair>> = BTreeMap::new();
    for (&near, sides) in contested.iter().zip(sides) {
        let Some(across) = sides.across else { continue };
        let doubt = f32::midpoint(pool.margin(near), pool.margin(across.index));
        let pair = Pair { near, across: across.index, score: across.similarity - doubt };
        pairs.entry(Overlap::of(places[near].own, places[across.index].own)).or_default().push(pair);
    }
    for pairs in pairs.values_mut() {
        pairs.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.near.cmp(&b.near)));
    }
    pairs
}
