//! Small made-up pools for the tests of this room.

use ndarray::{Array1, Array2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::pool::{Pool, PoolParts};
use crate::domain::ids::ItemId;
use crate::domain::split::Split;
use crate::domain::task_kind::TaskKind;

/// The owner of a pool's parts.
#[derive(Clone, Debug)]
pub struct Synthetic {
    pub kind: TaskKind,
    pub items: Vec<ItemId>,
    pub vectors: Array2<f32>,
    pub probabilities: Array2<f32>,
    pub splits: Vec<Split>,
    pub open: Vec<bool>,
}

impl Synthetic {
    pub fn pool(&self) -> Pool<'_> {
        Pool::new(PoolParts {
            kind: self.kind,
            items: &self.items,
            vectors: self.vectors.view(),
            probabilities: self.probabilities.view(),
            splits: &self.splits,
            open: &self.open,
        })
        .unwrap()
    }

    /// All open, all train, label 0 certain.
    fn from_vectors(mut vectors: Array2<f32>, labels: usize) -> Self {
        for mut row in vectors.rows_mut() {
            let length = row.dot(&row).sqrt();
            row /= length;
        }
        let n = vectors.nrows();
        let mut probabilities = Array2::zeros((n, labels));
        probabilities.column_mut(0).fill(1.0);
        Self {
            kind: TaskKind::One,
            items: (0..n as i64).map(|i| ItemId(1000 + i)).collect(),
            vectors,
            probabilities,
            splits: vec![Split::Train; n],
            open: vec![true; n],
        }
    }

    /// `groups` tight groups of `size` items one after the other, around different axes.
    pub fn separated(groups: usize, size: usize, d: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let vectors = Array2::from_shape_fn((groups * size, d), |(i, j)| {
            f32::from(u8::from(i / size == j)) + rng.gen_range(-0.05..0.05)
        });
        Self::from_vectors(vectors, 2)
    }

    /// One vector `n` times, with equal probabilities.
    pub fn identical(n: usize, d: usize) -> Self {
        let mut made = Self::from_vectors(Array2::ones((n, d)), 2);
        made.probabilities.fill(0.5);
        made
    }

    /// A cloud with a linear model's probabilities, so that the predicted labels meet in it.
    pub fn overlapping(n: usize, d: usize, labels: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let vectors = Array2::from_shape_fn((n, d), |_| rng.gen_range(-1.0f32..1.0));
        let weights = Array2::from_shape_fn((d, labels), |_| rng.gen_range(-4.0f32..4.0));
        let mut made = Self::from_vectors(vectors, labels);
        made.probabilities = made.vectors.dot(&weights).mapv(f32::exp);
        for mut row in made.probabilities.rows_mut() {
            let sum = row.sum();
            row /= sum;
        }
        made
    }

    /// Splits in the usual shares, at random.
    pub fn with_splits(mut self, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for split in &mut self.splits {
            *split = match rng.gen_range(0..20) {
                0 => Split::Audit,
                1..7 => Split::Eval,
                _ => Split::Train,
            };
        }
        self
    }

    /// A tenth of the items closed, at random.
    pub fn with_closed(mut self, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        self.open.fill_with(|| rng.gen_range(0..10) > 0);
        self
    }

    /// Two labels with the given margin for each item, odd items predicted label 1.
    pub fn with_margins(mut self, margin: impl Fn(usize) -> f32) -> Self {
        for (i, mut row) in self.probabilities.axis_iter_mut(Axis(0)).enumerate() {
            let (low, high) = ((1.0 - margin(i)) / 2.0, (1.0 + margin(i)) / 2.0);
            row.assign(&Array1::from(if i % 2 == 0 { vec![high, low] } else { vec![low, high] }));
        }
        self
    }
}
