//! The first round, when nobody has labelled and the decision boundary is a zero-shot guess: half of the cases are nearest
//! to that boundary, a quarter are the most confident ones of each rare label, a quarter cover the pool.

use rand_chacha::ChaCha8Rng;

use super::geometry::clusters;
use super::pool::{Pool, smallest};
use super::strategies::diverse_margin;
use super::strategies::strategy::{Pick, Ranking};
use crate::domain::case::Reason;

/// Items of one label with a greater cosine similarity are near-duplicates, of which only the most confident one is chosen.
const NEAR_DUPLICATE: f32 = 0.95;
/// For each rare label, this many times its part of the most confident items are searched for different ones.
const BREADTH: usize = 20;

/// Up to `budget` candidates. `shares` are the labels' expected shares, if the task gives them.
pub fn rank(pool: &Pool, budget: usize, shares: &[Option<f64>], rng: &mut ChaCha8Rng) -> Ranking {
    let quarter = budget / 4;
    let mut opening = Opening { pool, chosen: Vec::with_capacity(budget), in_it: vec![false; pool.len()] };
    opening.take_most_confident(&rare_labels(pool, shares), quarter);
    let medoids = clusters::medoids(pool, pool.candidates(), quarter, rng);
    opening.take(medoids, quarter, Reason::Medoid);
    let missing = budget - opening.chosen.len();
    // Asks for more than is missing, because all of the items chosen already may be among them.
    let near = diverse_margin::diverse(pool, missing + opening.chosen.len(), rng);
    opening.take(near, missing, Reason::NearBoundary);
    Ranking { chosen: opening.chosen, note: None }
}

/// Up to `budget` candidates that stand for clusters of the pool: all there is to go by where nothing is guessed.
pub fn cover(pool: &Pool, budget: usize, rng: &mut ChaCha8Rng) -> Ranking {
    let medoids = clusters::medoids(pool, pool.candidates(), budget, rng);
    let chosen = medoids.into_iter().map(|index| Pick::alone(index, Reason::Medoid)).collect();
    let note = "nothing is guessed yet, so the cases were chosen to cover the pool".to_owned();
    Ranking { chosen, note: Some(note) }
}

/// The labels expected in less than half an even share of the pool; all labels if none is so rare, because the first head
/// needs some of each. If the task gives no share, the share of the zero-shot prelabels is used.
fn rare_labels(pool: &Pool, shares: &[Option<f64>]) -> Vec<usize> {
    let members = pool.members();
    let rare = 0.5 / pool.labels() as f64;
    let share = |label: usize| {
        let given = shares.get(label).copied().flatten();
        given.unwrap_or_else(|| members[label].len() as f64 / pool.len() as f64)
    };
    let found: Vec<usize> = (0..pool.labels()).filter(|&label| share(label) < rare).collect();
    if found.is_empty() { (0..pool.labels()).collect() } else { found }
}

struct Opening<'p, 'a> {
    pool: &'p Pool<'a>,
    chosen: Vec<Pick>,
    in_it: Vec<bool>,
}

impl Opening<'_, '_> {
    /// Takes `count` candidates, one at a time for each label in turn: the most confident one that is not a near-duplicate.
    fn take_most_confident(&mut self, labels: &[usize], count: usize) {
        let part = count.div_ceil(labels.len().max(1));
        let mut queues: Vec<_> = labels
            .iter()
            .map(|&label| {
                let most = part.saturating_mul(BREADTH);
                smallest(self.pool.candidates().to_vec(), most, |i| -self.pool.probabilities(i)[label])
                    .into_iter()
            })
            .collect();
        let mut missing = count;
        while missing > 0 {
            let before = missing;
            for queue in &mut queues {
                if missing == 0 {
                    break;
                }
                if let Some(next) = queue.find(|&i| !self.in_it[i] && !self.has_near_duplicate(i)) {
                    missing -= self.take([next], 1, Reason::ConfidentRare);
                }
            }
            if missing == before {
                break;
            }
        }
    }

    fn has_near_duplicate(&self, index: usize) -> bool {
        self.chosen.iter().any(|pick| self.pool.similarity(pick.index, index) > NEAR_DUPLICATE)
    }

    /// Takes up to `count` of `from` that are not chosen yet. Returns how many.
    fn take(&mut self, from: impl IntoIterator<Item = usize>, count: usize, reason: Reason) -> usize {
        let before = self.chosen.len();
        for index in from {
            if self.chosen.len() - before == count {
                break;
            }
            if !std::mem::replace(&mut self.in_it[index], true) {
                self.chosen.push(Pick::alone(index, reason));
            }
        }
        self.chosen.len() - before
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::super::synthetic::Synthetic;
    use super::*;

    fn count(ranking: &Ranking, reason: Reason) -> usize {
        ranking.chosen.iter().filter(|p| p.reason == reason).count()
    }

    #[test]
    fn half_near_the_boundary_a_quarter_surest_of_the_rare_label_a_quarter_medoids() {
        let made = Synthetic::overlapping(1000, 12, 2, 7);
        let pool = made.pool();
        let ranking = rank(&pool, 40, &[Some(0.05), Some(0.95)], &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(count(&ranking, Reason::ConfidentRare), 10);
        assert_eq!(count(&ranking, Reason::Medoid), 10);
        assert_eq!(count(&ranking, Reason::NearBoundary), 20);
        let surest = (0..1000).max_by(|&a, &b| pool.probabilities(a)[0].total_cmp(&pool.probabilities(b)[0]));
        assert_eq!(Some(ranking.chosen[0].index), surest);
    }

    #[test]
    fn a_label_that_nothing_is_predicted_to_be_is_looked_for_where_it_is_likeliest() {
        let made = Synthetic::overlapping(200, 8, 2, 7);
        let mut skewed = made.clone();
        for (mut row, old) in skewed.probabilities.outer_iter_mut().zip(made.probabilities.outer_iter()) {
            row[1] = old[1] * 0.1;
            row[0] = 1.0 - row[1];
        }
        let pool = skewed.pool();
        assert!(pool.members()[1].is_empty());
        assert_eq!(rare_labels(&pool, &[None, None]), vec![1]);
        let ranking = rank(&pool, 20, &[], &mut ChaCha8Rng::seed_from_u64(1));
        let likeliest =
            (0..200).max_by(|&a, &b| pool.probabilities(a)[1].total_cmp(&pool.probabilities(b)[1]));
        assert_eq!(Some(ranking.chosen[0].index), likeliest);
    }
}
