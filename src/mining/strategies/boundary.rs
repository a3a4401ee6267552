//! The method of Google Research ("Achieving 10,000x training data reduction with high-fidelity labels", 2025):
//! cluster each predicted label separately, find where the clusters overlap, and choose the nearest pairs there.

use rand_chacha::ChaCha8Rng;

use super::diverse_margin;
use super::strategy::{Pick, Ranking, Strategy};
use crate::domain::case::Reason;
use crate::mining::geometry::budget::{Region, spend};
use crate::mining::geometry::clusters::Clusters;
use crate::mining::geometry::{neighbours, overlap, pairs};
use crate::mining::pool::Pool;

/// Least number of items with a predicted label other than the most common one; with fewer, clusters have nothing to overlap.
const FEWEST_ACROSS: usize = 8;
/// The contested items, which are near enough to the decision boundary to be chosen, are this many times the budget.
const BREADTH: usize = 5;
/// Greatest number of contested items (but at least three times the budget), because each is compared with the whole pool.
const MOST_CONTESTED: usize = 2048;
/// Greatest number of clusters over all labels: what a mini-batch k-means fits in about a second.
const MOST_CLUSTERS: usize = 200;

pub struct Boundary;

impl Strategy for Boundary {
    fn name(&self) -> &'static str {
        "boundary"
    }

    fn rank(&self, pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Ranking {
        let sizes: Vec<usize> = pool.members().iter().map(Vec::len).collect();
        let across = pool.len() - sizes.iter().max().copied().unwrap_or(0);
        if across < FEWEST_ACROSS {
            let note = format!(
                "chosen by diverse-margin, because boundary needs {FEWEST_ACROSS} texts with a prelabel other than the most \
                 common one, and there are {across}"
            );
            return Ranking { chosen: by_margin(pool, budget, rng), note: Some(note) };
        }
        let mut chosen = in_overlaps(pool, budget, rng);
        if chosen.len() < budget {
            let mut taken: Vec<usize> = chosen.iter().map(|p| p.index).collect();
            taken.sort_unstable();
            let rest = by_margin(pool, budget, rng);
            let missing = budget - chosen.len();
            chosen.extend(rest.into_iter().filter(|p| taken.binary_search(&p.index).is_err()).take(missing));
        }
        Ranking { chosen, note: None }
    }
}

fn by_margin(pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Vec<Pick> {
    diverse_margin::diverse(pool, budget, rng).into_iter().map(|i| Pick::alone(i, Reason::Margin)).collect()
}

fn in_overlaps(pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Vec<Pick> {
    let breadth = budget.saturating_mul(BREADTH).min(MOST_CONTESTED.max(budget.saturating_mul(3)));
    let contested = pool.nearest_the_boundary(breadth);
    let clusters = Clusters::of_predictions(pool, budget.saturating_mul(2).min(MOST_CLUSTERS), rng);
    let places = clusters.nearest_to_each(pool);
    let sides = neighbours::both_sides(pool, &contested);
    let masses = overlap::masses(&places, &contested, &sides);
    let regions: Vec<Region> = pairs::by_overlap(pool, &places, &contested, &sides)
        .into_iter()
        .map(|(overlap, pairs)| Region { mass: masses.get(&overlap).copied().unwrap_or(0), pairs })
        .collect();
    spend(pool, &regions, &contested, budget)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::mining::synthetic::Synthetic;

    #[test]
    fn cases_lie_where_the_labels_meet_and_mostly_in_pairs() {
        let made = Synthetic::overlapping(2000, 12, 2, 4);
        let pool = made.pool();
        let ranking = Boundary.rank(&pool, 40, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!((ranking.chosen.len(), ranking.note), (40, None));
        let mean = |of: &mut dyn Iterator<Item = usize>| {
            let margins: Vec<f32> = of.map(|i| pool.margin(i)).collect();
            margins.iter().sum::<f32>() / margins.len() as f32
        };
        let of_chosen = mean(&mut ranking.chosen.iter().map(|p| p.index));
        assert!(of_chosen < 0.4 * mean(&mut (0..pool.len())), "{of_chosen}");
        let paired = ranking.chosen.iter().filter(|p| p.partner.is_some()).count();
        assert!(paired >= 20, "{paired}");
    }

    #[test]
    fn one_predicted_label_falls_back_to_margin_and_says_so() {
        let mut made = Synthetic::overlapping(100, 8, 2, 4);
        made.probabilities.column_mut(0).fill(0.7);
        made.probabilities.column_mut(1).fill(0.3);
        let ranking = Boundary.rank(&made.pool(), 10, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(ranking.chosen.len(), 10);
        assert!(ranking.note.is_some_and(|n| n.ends_with("and there are 0")));
    }
}
