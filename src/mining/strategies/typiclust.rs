//! TypiClust: the most typical item of each of the largest clusters in which nothing is labelled.
//!
//! Hacohen, Dekel and Weinshall, "Active Learning on a Budget: Opposite Strategies Suit High and Low Budgets"
//! (ICML 2022), over this model's embeddings instead of self-supervised ones. The pool without the audit split is divided
//! into as many clusters as there are labelled items and choices, at most 500. Clusters with the fewest labelled items come
//! first, then the largest, one choice per cluster in turn. As in the authors' code, clusters of five or fewer items come
//! last, and the neighbours are the cluster's unlabelled items, at most half of them. k-means uses mini-batches.
//!
//! Typicality compares all pairs of a cluster. To keep a pool of a million feasible, only 4,096 items of a larger cluster,
//! drawn at random for each choice, are compared, and only those can be chosen.

use std::cmp::Reverse;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::strategy::{Pick, Ranking, Strategy};
use crate::domain::case::Reason;
use crate::mining::geometry::clusters;
use crate::mining::geometry::neighbours::map_nearest;
use crate::mining::pool::Pool;

const MOST_CLUSTERS: usize = 500;
/// Clusters of up to this many items come last.
const SMALL: usize = 5;
/// Typicality is the inverse mean distance to this many neighbours.
const NEIGHBOURS: usize = 20;
/// Greatest number of items of one cluster that are compared with each other.
const MOST_COMPARED: usize = 4096;

pub struct TypiClust;

impl Strategy for TypiClust {
    fn name(&self) -> &'static str {
        "typiclust"
    }

    fn rank(&self, pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Ranking {
        let chosen = if budget == 0 { Vec::new() } else { typical(pool, budget, rng) };
        Ranking { chosen: chosen.into_iter().map(|i| Pick::alone(i, Reason::Medoid)).collect(), note: None }
    }

    fn opens(&self, _labels: usize, _budget: usize) -> bool {
        true
    }
}

fn typical(pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let closed = pool.closed();
    let count = closed.len().saturating_add(budget).min(MOST_CLUSTERS);
    let members = [closed.as_slice(), pool.candidates()].concat();
    let mut clusters: Vec<Cluster> =
        clusters::group(pool, &members, count, rng).into_iter().map(|g| Cluster::new(pool, g)).collect();
    clusters.sort_by_key(|c| (c.closed, Reverse(c.size())));
    let (large, small): (Vec<Cluster>, Vec<Cluster>) = clusters.into_iter().partition(|c| c.size() > SMALL);
    let mut chosen = Vec::with_capacity(budget.min(pool.candidates().len()));
    for mut clusters in [large, small] {
        clusters.retain(|c| !c.open.is_empty());
        while chosen.len() < budget && !clusters.is_empty() {
            let missing = budget - chosen.len();
            chosen.extend(clusters.iter_mut().take(missing).filter_map(|c| c.take_most_typical(pool, rng)));
            clusters.retain(|c| !c.open.is_empty());
        }
    }
    chosen
}

struct Cluster {
    /// Candidates that are not chosen yet.
    open: Vec<usize>,
    /// Number of items that are labelled or in a case.
    closed: usize,
}

impl Cluster {
    fn new(pool: &Pool, members: Vec<usize>) -> Self {
        let all = members.len();
        let open: Vec<usize> = members.into_iter().filter(|&i| pool.is_candidate(i)).collect();
        Self { closed: all - open.len(), open }
    }

    fn size(&self) -> usize {
        self.open.len() + self.closed
    }

    /// Takes the item whose nearest unlabelled neighbours in the cluster are nearest, the earlier item on a tie. `None`
    /// if no candidate is left.
    fn take_most_typical(&mut self, pool: &Pool, rng: &mut ChaCha8Rng) -> Option<usize> {
        let compared: Vec<usize> = match self.open.len() {
            0..=MOST_COMPARED => self.open.clone(),
            _ => self.open.choose_multiple(rng, MOST_COMPARED).copied().collect(),
        };
        let neighbours = NEIGHBOURS.min(compared.len() / 2);
        // All items have the same number of neighbours, so the smallest sum is the largest inverse mean.
        let distances = map_nearest(pool, &compared, &compared, neighbours, |item, nearest| {
            let distance = |cosine: f32| (2.0 - 2.0 * cosine).max(0.0).sqrt();
            (nearest.iter().map(|n| distance(n.similarity)).sum::<f32>(), item)
        });
        let (_, typical) = distances.into_iter().min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))?;
        self.open.retain(|item| *item != typical);
        Some(typical)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::domain::split::Split;
    use crate::mining::synthetic::Synthetic;

    fn choose(made: &Synthetic, budget: usize) -> Vec<usize> {
        typical(&made.pool(), budget, &mut ChaCha8Rng::seed_from_u64(1))
    }

    fn groups(chosen: &[usize], size: usize) -> Vec<usize> {
        let mut groups: Vec<usize> = chosen.iter().map(|i| i / size).collect();
        groups.sort_unstable();
        groups
    }

    #[test]
    fn each_group_gets_one_choice_and_a_group_with_a_labelled_item_none() {
        let mut made = Synthetic::separated(8, 40, 16, 3);
        assert_eq!(groups(&choose(&made, 8), 40), [0, 1, 2, 3, 4, 5, 6, 7]);
        made.open[3] = false;
        made.open[85] = false;
        // Evaluation answers count as asked; an answer of the audit range must not be known of.
        made.splits[85] = Split::Eval;
        made.open[130] = false;
        made.splits[130] = Split::Audit;
        assert_eq!(groups(&choose(&made, 6), 40), [1, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn the_choice_lies_in_the_dense_part_and_a_small_cluster_waits() {
        // A group of four, and one of 40 of which every fourth item is a copy of one text.
        let mut made = Synthetic::separated(2, 40, 8, 3);
        made.splits[4..40].fill(Split::Audit);
        let dense = made.vectors.row(44).to_owned();
        for i in (40..80).step_by(4) {
            made.vectors.row_mut(i).assign(&dense);
        }
        let chosen = choose(&made, 2);
        assert!(chosen.iter().all(|i| *i >= 40 && i.is_multiple_of(4)), "{chosen:?}");
        assert_eq!(groups(&choose(&made, 44), 40), [[0; 4].as_slice(), &[1; 40]].concat());
    }

    #[test]
    fn a_cluster_too_large_to_compare_is_judged_by_a_part() {
        let chosen = choose(&Synthetic::identical(MOST_COMPARED + 50, 4), 3);
        assert_eq!(chosen.len(), 3);
        assert!(chosen[0] != chosen[1] && chosen[1] != chosen[2] && chosen[0] != chosen[2]);
    }
}
