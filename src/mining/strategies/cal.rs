//! Contrastive active learning: candidates whose prelabel differs most from those of the labelled items near them.
//!
//! Margatina, Vernikos, Barrault and Aletras, "Active Learning by Acquiring Contrastive Examples" (EMNLP 2021),
//! algorithm 1: the score is the mean of KL(p(neighbour) ‖ p(candidate)) over the ten nearest labelled items. It uses
//! their embeddings and predictions, never the experts' labels. One product of candidates × closed × d, block by block.

use rand_chacha::ChaCha8Rng;

use super::strategy::{Pick, Ranking, Strategy};
use crate::domain::case::Reason;
use crate::mining::geometry::neighbours::map_nearest;
use crate::mining::pool::Pool;

/// Labelled neighbours of a candidate, k in the paper.
const NEIGHBOURS: usize = 10;

pub struct Cal;

impl Strategy for Cal {
    fn name(&self) -> &'static str {
        "cal"
    }

    fn rank(&self, pool: &Pool, budget: usize, _rng: &mut ChaCha8Rng) -> Ranking {
        let closed = pool.closed();
        let (chosen, reason, note) = if closed.is_empty() {
            let note = "chosen by margin, because cal needs labelled texts, and there are none yet";
            (pool.nearest_the_boundary(budget), Reason::Margin, Some(note.to_owned()))
        } else {
            (most_contrastive(pool, &closed, budget), Reason::Contrast, None)
        };
        Ranking { chosen: chosen.into_iter().map(|i| Pick::alone(i, reason)).collect(), note }
    }
}

fn most_contrastive(pool: &Pool, closed: &[usize], budget: usize) -> Vec<usize> {
    let scores = map_nearest(pool, pool.candidates(), closed, NEIGHBOURS, |candidate, nearest| {
        let logs: Vec<f32> = pool.distribution(candidate).iter().copied().map(log).collect();
        let sum: f32 = nearest.iter().map(|n| divergence(&pool.distribution(n.index), &logs)).sum();
        sum / nearest.len() as f32
    });
    pool.highest_scoring(&scores, budget)
}

/// KL(p ‖ q) in nats, given p and the logarithms of q.
fn divergence(p: &[f32], log_q: &[f32]) -> f32 {
    p.iter().zip(log_q).map(|(p, log_q)| p * (log(*p) - log_q)).sum()
}

/// The logarithm, finite for a probability that was rounded to 0.
fn log(p: f32) -> f32 {
    p.max(f32::MIN_POSITIVE).ln()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::domain::split::Split;
    use crate::mining::synthetic::Synthetic;

    #[test]
    fn the_divergence_goes_from_the_neighbour_to_the_candidate() {
        let (even, sure) = ([0.5, 0.5], [0.9, 0.1]);
        assert!((divergence(&even, &sure.map(log)) - 0.510_825_6).abs() < 1e-5);
        assert!((divergence(&sure, &even.map(log)) - 0.368_064_2).abs() < 1e-5);
        assert!(divergence(&[1.0, 0.0], &[0.0, 1.0].map(log)).is_finite());
    }

    /// Two groups, each with 12 closed items: the model is sure in the first and undecided in the second.
    fn two_groups() -> Synthetic {
        let mut made = Synthetic::separated(2, 20, 6, 2).with_margins(|i| if i < 20 { 0.9 } else { 0.0 });
        for i in (0..20).chain(20..40) {
            made.open[i] = i % 20 >= 12;
            made.probabilities.row_mut(i).as_slice_mut().unwrap().sort_by(f32::total_cmp);
        }
        made
    }

    #[test]
    fn an_item_whose_labelled_neighbours_disagree_comes_before_one_of_smaller_margin() {
        let mut made = two_groups();
        made.probabilities.row_mut(15).swap(0, 1);
        let pool = made.pool();
        let ranking = Cal.rank(&pool, 1, &mut ChaCha8Rng::seed_from_u64(0));
        assert_eq!((ranking.chosen, ranking.note), (vec![Pick::alone(15, Reason::Contrast)], None));
        assert!(pool.nearest_the_boundary(1)[0] >= 20);
    }

    #[test]
    fn labels_of_the_audit_range_are_no_neighbours_and_without_others_the_margin_decides() {
        let mut made = two_groups();
        for i in 0..40 {
            made.splits[i] = if made.open[i] { Split::Train } else { Split::Audit };
        }
        let ranking = Cal.rank(&made.pool(), 3, &mut ChaCha8Rng::seed_from_u64(0));
        assert!(ranking.chosen.iter().all(|p| p.reason == Reason::Margin && p.index >= 20));
        assert!(ranking.note.is_some_and(|n| n.contains("needs labelled texts")));
    }
}
