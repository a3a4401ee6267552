//! Divides the data for each seed into a pool and a test set that no strategy sees.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::dataset::Dataset;

/// Independent streams of random numbers for one seed.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// Pool and test set.
    Division,
    /// The expert's errors.
    Expert,
    /// A second expert's errors, for the ceiling.
    SecondExpert,
    /// The crowd's errors.
    Crowd,
    /// Labels before the first round.
    SeedLabels,
    /// Random samples of the pool for comparison.
    Reference,
    /// The errors of labels from before the first round.
    Existing,
}

impl Stream {
    pub fn of(self, seed: u64) -> u64 {
        seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(self as u64)
    }
}

/// How to divide the data.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Greatest size of the pool; by default all texts outside the test set.
    pub pool: Option<usize>,
    /// Greatest size of the test set.
    pub test: usize,
    /// The share to which the rarest label is brought, by removing texts.
    pub prevalence: Option<f64>,
}

/// Rows of the data, the same for every strategy.
#[derive(Clone, Debug, PartialEq)]
pub struct Division {
    /// In random order.
    pub pool: Vec<usize>,
    pub test: Vec<usize>,
}

/// The test set is at most this share of the data, so that enough is left to mine.
const MOST_OF_THE_DATA: f64 = 0.6;

impl Division {
    /// Draws a random test set and a random pool.
    pub fn draw(data: &Dataset, sizes: Sizes, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(Stream::Division.of(seed));
        let mut rows: Vec<usize> = (0..data.len()).collect();
        rows.shuffle(&mut rng);
        match sizes.prevalence {
            None => {
                let (pool, test) = sizes.of(rows.len());
                Self { pool: rows[test..test + pool].to_vec(), test: rows[..test].to_vec() }
            }
            Some(share) => {
                let positive = data.positive();
                let mut classes = rows.into_iter().partition(|&row| data.gold[row].has(positive));
                thinned(&mut classes, share);
                let (pool, test) = sizes.of(classes.0.len() + classes.1.len());
                let test = taken(&mut classes, test, share, &mut rng);
                Self { pool: taken(&mut classes, pool, share, &mut rng), test }
            }
        }
    }
}

impl Sizes {
    /// The sizes of pool and test set for this many texts.
    fn of(self, texts: usize) -> (usize, usize) {
        let test = self.test.min((texts as f64 * MOST_OF_THE_DATA) as usize);
        (self.pool.unwrap_or(usize::MAX).min(texts - test), test)
    }
}

/// Removes positive rows or others until the positive ones have this `share`.
fn thinned((positive, others): &mut (Vec<usize>, Vec<usize>), share: f64) {
    let wanted = (others.len() as f64 * share / (1.0 - share)).round() as usize;
    if wanted <= positive.len() {
        positive.truncate(wanted);
    } else {
        others.truncate((positive.len() as f64 * (1.0 - share) / share).round() as usize);
    }
}

/// Takes `count` rows, of which `share` are positive, in random order.
fn taken(
    (positive, others): &mut (Vec<usize>, Vec<usize>),
    count: usize,
    share: f64,
    rng: &mut ChaCha8Rng,
) -> Vec<usize> {
    let positives = ((count as f64 * share).round() as usize)
        .clamp(count.saturating_sub(others.len()), positive.len().min(count));
    let mut rows = positive.split_off(positive.len() - positives);
    rows.extend(others.split_off(others.len() - (count - positives)));
    rows.shuffle(rng);
    rows
}

#[cfg(test)]
mod tests {
    use super::super::dataset::{CopyCount, Crowd, Labels, NearCopies};
    use super::*;
    use crate::domain::split::Split;

    /// So many texts of the labels 0 and 1, the latter the rarer.
    fn data(zeros: usize, ones: usize) -> Dataset {
        let rows = zeros + ones;
        Dataset {
            texts: (0..rows).map(|row| row.to_string()).collect(),
            gold: (0..rows).map(|row| [usize::from(row < ones)].into_iter().collect()).collect(),
            splits: vec![Split::Train; rows],
            crowd: Crowd::None,
            labels: Labels {
                kind: crate::domain::task_kind::TaskKind::One,
                names: vec!["ham".into(), "spam".into()],
                anchors: vec![Vec::new(); 2],
                shares: vec![None; 2],
            },
            unlabelled: 0,
            copies: CopyCount { are: NearCopies::Kept, texts: 0, of_another_label: 0 },
        }
    }

    #[test]
    fn pool_and_test_each_have_the_share_that_was_asked_for() {
        let data = data(4_000, 1_000);
        for (prevalence, pool, test) in [(0.01, None, 1_500), (0.05, Some(1_000), 3_000), (0.5, None, 900)] {
            for seed in 0..5 {
                let sizes = Sizes { pool, test, prevalence: Some(prevalence) };
                let Division { pool: in_pool, test: in_test } = Division::draw(&data, sizes, seed);
                for (rows, asked) in [(&in_pool, pool), (&in_test, Some(test))] {
                    let share = rows.iter().filter(|&&row| data.gold[row].has(1)).count() as f64;
                    let share = share / rows.len() as f64;
                    assert!((share - prevalence).abs() < 0.001, "{prevalence}: {share}");
                    assert!(asked.is_none_or(|asked| asked >= rows.len()) && rows.len() > 500);
                }
                // In no order: what comes first of a label is a random choice of it.
                let half = &in_pool[..in_pool.len() / 2];
                let before = half.iter().filter(|&&row| data.gold[row].has(1)).count();
                assert!(
                    half.iter().any(|&row| data.gold[row].has(0)) && before > 0,
                    "{prevalence}: {before}"
                );
                let mut all = [in_pool, in_test].concat();
                let n = all.len();
                all.sort_unstable();
                all.dedup();
                assert_eq!(all.len(), n, "no text is in both");
            }
        }
    }

    #[test]
    fn without_a_prevalence_the_test_is_the_front_of_the_shuffled_rows_and_the_pool_follows() {
        let data = data(90, 10);
        let Division { pool, test } =
            Division::draw(&data, Sizes { pool: Some(30), test: 80, prevalence: None }, 3);
        let mut rows: Vec<usize> = (0..100).collect();
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(Stream::Division.of(3)));
        assert_eq!((&test[..], &pool[..]), (&rows[..60], &rows[60..90]));
    }

    #[test]
    fn streams_of_one_seed_and_of_the_next_differ() {
        let streams = [
            Stream::Division,
            Stream::Expert,
            Stream::SecondExpert,
            Stream::Crowd,
            Stream::SeedLabels,
            Stream::Reference,
        ];
        let all: std::collections::HashSet<u64> =
            (0..50).flat_map(|seed| streams.map(|stream| stream.of(seed))).collect();
        assert_eq!(all.len(), 300);
    }
}
