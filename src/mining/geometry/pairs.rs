//! The nearest pairs of opposite prediction in each overlap.

use std::collections::BTreeMap;

use super::clusters::Place;
use super::neighbours::Sides;
use super::overlap::Overlap;
use crate::mining::pool::Pool;

/// A contested candidate and the item across the line that is nearest to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The candidate.
    pub near: usize,
    /// Its nearest item of another predicted label, which need not be open.
    pub across: usize,
    /// How much the pair is wanted: its cosine less the mean of the two margins.
    pub score: f32,
}

/// The pairs of each overlap, the most wanted first. Each contested item begins one pair at most.
pub fn by_overlap(
    pool: &Pool,
    places: &[Place],
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
