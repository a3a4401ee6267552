//! What each seed draws: which texts are the pool, and which are the test that no strategy sees.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::dataset::Dataset;

/// Of each seed, the streams of chance that must not depend on each other.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// Pool and test.
    Division,
    /// The expert's slips.
    Expert,
    /// A second expert's, for the ceiling.
    SecondExpert,
    /// The crowd's.
    Crowd,
    /// Labels before the first round.
    SeedLabels,
    /// Random samples of the pool for comparison.
    Reference,
}

impl Stream {
    /// The seed of this stream.
    pub fn of(self, seed: u64) -> u64 {
        seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(self as u64)
    }
}

/// How to divide the data.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Texts of the pool at most; all that are not in the test where none are named.
    pub pool: Option<usize>,
    /// Texts of the test at most.
    pub test: usize,
    /// The share that the rarest label is thinned or filled to.
    pub prevalence: Option<f64>,
}

/// Rows of the data, the same for every strategy.
#[derive(Clone, Debug, PartialEq)]
pub struct Division {
    /// What is mined, in random order.
    pub pool: Vec<usize>,
    /// What is judged by.
    pub test: Vec<usize>,
}

/// The test is at most so much of the data: what is left must be worth mining.
const MOST_OF_THE_DATA: f64 = 0.6;

impl Division {
    /// Draws a division: a random part for the test and another for the pool.
    pub fn draw(data: &Dataset, sizes: Sizes, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(Stream::Division.of(seed));
        let mut rows: Vec<usize> = (0..data.len()).collect();
        rows.shuffle(&mut rng);
        if let Some(prevalence) = sizes.prevalence {
            let positive = data.positive();
            rows = thinned(&rows, |row| data.gold[row] == positive, prevalence);
        }
        let test = sizes.test.min((rows.len() as f64 * MOST_OF_THE_DATA) as usize);
        let pool = rows.split_off(test);
        let most = sizes.pool.unwrap_or(usize::MAX).min(pool.len());
        Self { pool: pool[..most].to_vec(), test: rows }
    }
}

/// The rows without as many positive or other ones as it takes to bring the positive ones to `share`, the order kept.
fn thinned(rows: &[usize], positive: impl Fn(usize) -> bool, share: f64) -> Vec<usize> {
    let have = rows.iter().filter(|&&row| positive(row)).count();
    let others = rows.len() - have;
    let wanted = (others as f64 * share / (1.0 - share)).round() as usize;
    let (mut left, mut left_others) = if wanted <= have {
        (wanted, others)
    } else {
        (have, (have as f64 * (1.0 - share) / share).round() as usize)
    };
    let mut keep = |row: usize| {
        let left = if positive(row) { &mut left } else { &mut left_others };
        let kept = *left > 0;
        *left = left.saturating_sub(1);
        kept
    };
    rows.iter().copied().filter(|&row| keep(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_reaches_the_share_from_either_side_and_keeps_the_order() {
        let rows: Vec<usize> = (0..1000).collect();
        let share = |rows: &[usize]| rows.iter().filter(|&&r| r % 5 == 0).count() as f64 / rows.len() as f64;
        for wanted in [0.01, 0.2, 0.5] {
            let left = thinned(&rows, |row| row % 5 == 0, wanted);
            assert!((share(&left) - wanted).abs() < 0.005, "{wanted}: {}", share(&left));
            assert!(left.windows(2).all(|two| two[0] < two[1]));
        }
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
