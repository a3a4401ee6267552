//! What strategies are compared with: random samples of growing size up to the whole pool, a crowd's labels, and a second expert.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::division::Stream;
use super::expert::Answers;
use super::play::{Model, Point, Setup};
use super::scores::{Scores, kappa};
use crate::domain::label_set::LabelSet;

/// The smallest sample is the number of labels of a whole run, halved this many times.
const HALVINGS: u32 = 3;

/// The comparisons for one seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reference {
    /// Heads trained on random samples, each about twice the one before, the last the whole pool.
    pub random: Vec<Point>,
    /// A head trained on the gold labels of the whole pool.
    pub full_pool: Option<Scores>,
    /// A head trained on the crowd's labels of the whole pool, scored against the gold labels of the test set.
    pub crowd: Option<Scores>,
    /// Kappa of two such experts on the test set. `None` if the expert always gives the gold label.
    pub expert_expert: Option<f64>,
}

/// Computes the comparisons for an expert who answers as `expert`, and for runs of `labels` labels in total.
pub fn reference(setup: &Setup<'_>, expert: Answers, crowd: Option<Answers>, labels: usize) -> Reference {
    let data = &setup.world.data;
    let positive = data.positive();
    let pool = setup.pool.nrows();
    let mut rows: Vec<usize> = (0..pool).collect();
    rows.shuffle(&mut ChaCha8Rng::seed_from_u64(Stream::Reference.of(setup.seed)));
    let scores_of = |setup: &Setup<'_>, rows: &[usize]| {
        let model = Model::Head(setup.train(rows)?);
        Some(setup.score(setup.probabilities(&model, setup.test.view()).view()))
    };
    let point = |n: usize| {
        let rows = &rows[..n];
        let positives = rows.iter().filter(|&&row| setup.answers[setup.division.pool[row]].has(positive));
        let scores = scores_of(setup, rows)?;
        Some(Point { labels: n, training: n, positives: positives.count(), scores })
    };
    let random: Vec<Point> = sizes(labels, pool).into_iter().filter_map(point).collect();
    let trained_on = |answers: &[LabelSet]| {
        let (pool, test, mean) = (setup.pool.clone(), setup.test.clone(), setup.mean.clone());
        let other = Setup { answers, pool, test, mean, ..*setup };
        scores_of(&other, &rows)
    };
    let full_pool = match expert {
        Answers::Gold => random.last().filter(|last| last.labels == pool).map(|last| last.scores),
        _ => trained_on(&data.gold),
    };
    let crowd = crowd.and_then(|crowd| trained_on(&crowd.of_all(data, Stream::Crowd.of(setup.seed))));
    let expert_expert = (expert != Answers::Gold).then(|| {
        let second = expert.of_all(data, Stream::SecondExpert.of(setup.seed));
        let pairs: Vec<(&LabelSet, &LabelSet)> =
            setup.division.test.iter().map(|&row| (&setup.answers[row], &second[row])).collect();
        kappa(&pairs, data.classes(), data.labels.kind)
    });
    Reference { random, full_pool, crowd, expert_expert: expert_expert.flatten() }
}

/// From an eighth of `labels` on, doubling, to the whole pool.
fn sizes(labels: usize, pool: usize) -> Vec<usize> {
    let mut sizes: Vec<usize> = std::iter::successors(Some(labels >> HALVINGS), |n| Some(n * 2))
        .take_while(|n| *n > 0 && *n < pool)
        .collect();
    sizes.push(pool);
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_double_from_an_eighth_of_the_labels_to_the_whole_pool() {
        assert_eq!(sizes(368, 2000), [46, 92, 184, 368, 736, 1472, 2000]);
        assert_eq!(sizes(5, 3), [3]);
    }
}
