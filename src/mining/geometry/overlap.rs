//! Overlaps of clusters with different predicted labels, and how many items are in each.

use std::collections::BTreeMap;

use super::clusters::NearestClusters;
use super::neighbours::Sides;

/// A pair of clusters of different predicted labels that meet, the smaller number first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Overlap(pub usize, pub usize);

impl Overlap {
    /// The overlap of two clusters, in either order.
    pub fn of(a: usize, b: usize) -> Self {
        Self(a.min(b), a.max(b))
    }
}

/// Mass of each overlap: the number of members that are nearer to the other cluster's centre, or whose nearest neighbour
/// has the other label.
///
/// All items are compared with the centres; neighbours are known only for contested items, with `sides[i]` for
/// `contested[i]`. The overlap between a contested item's cluster and that of its nearest neighbour across is listed even
/// if its mass is 0.
pub fn masses(places: &[NearestClusters], contested: &[usize], sides: &[Sides]) -> BTreeMap<Overlap, usize> {
    let mut masses = BTreeMap::new();
    for place in places.iter().filter(|p| p.rival_similarity >= p.own_similarity) {
        *masses.entry(Overlap::of(place.own, place.rival)).or_insert(0) += 1;
    }
    for (&item, sides) in contested.iter().zip(sides) {
        let Some(across) = sides.across else { continue };
        let place = places[item];
        let meeting = Overlap::of(place.own, places[across.index].own);
        let mass = masses.entry(meeting).or_insert(0);
        let counted =
            place.rival_similarity >= place.own_similarity && meeting == Overlap::of(place.own, place.rival);
        if !counted && sides.same.is_none_or(|same| across.similarity >= same.similarity) {
            *mass += 1;
        }
    }
    masses
}

#[cfg(test)]
mod tests {
    use super::super::neighbours::Neighbour;
    use super::*;

    fn place(own: usize, own_similarity: f32, rival: usize, rival_similarity: f32) -> NearestClusters {
        NearestClusters { own, own_similarity, rival, rival_similarity }
    }

    #[test]
    fn an_item_counts_once_by_its_centre_or_by_its_neighbour() {
        let places =
            [place(0, 0.5, 2, 0.6), place(0, 0.9, 2, 0.1), place(2, 0.8, 0, 0.2), place(1, 0.9, 3, 0.1)];
        let near = |index, similarity| Some(Neighbour { index, similarity });
        let sides = [
            Sides { same: near(1, 0.3), across: near(2, 0.7) },
            Sides { same: near(0, 0.9), across: near(2, 0.4) },
            Sides { same: None, across: near(1, 0.4) },
            Sides { same: near(0, 0.9), across: near(2, 0.4) },
        ];
        let masses = masses(&places, &[0, 1, 2, 3], &sides);
        // Item 0 by both (once), item 2 by its neighbour; item 3 leads to an overlap that nothing crosses.
        assert_eq!(masses.into_iter().collect::<Vec<_>>(), vec![(Overlap(0, 2), 2), (Overlap(1, 2), 0)]);
    }
}
