//! Mining whole rounds over synthetic clustered vectors: `cargo bench --bench mining --no-default-features`.

use divan::Bencher;
use hardcase::domain::ids::ItemId;
use hardcase::domain::split::Split;
use hardcase::mining::round::{Order, Stage, propose};
use hardcase::mining::strategies::{names, strategy_by_name};
use hardcase::mining::{Pool, PoolParts};
use ndarray::{Array2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DIMENSIONS: usize = 384;
const TOPICS: usize = 60;
const BUDGET: usize = 60;
/// Items that were asked about in earlier rounds, where a strategy looks at them.
const LABELLED: usize = 360;

fn main() {
    divan::main();
}

struct Data {
    items: Vec<ItemId>,
    vectors: Array2<f32>,
    probabilities: Array2<f32>,
    splits: Vec<Split>,
    open: Vec<bool>,
}

impl Data {
    /// Topics around random centres, and a linear model that gives label 1 to about a tenth.
    fn new(n: usize, labels: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let topics = Array2::from_shape_fn((TOPICS, DIMENSIONS), |_| rng.gen_range(-1.0f32..1.0));
        let mut vectors = Array2::from_shape_fn((n, DIMENSIONS), |_| rng.gen_range(-1.2f32..1.2));
        for mut row in vectors.rows_mut() {
            row += &topics.row(rng.gen_range(0..TOPICS));
            let length = row.dot(&row).sqrt();
            row /= length;
        }
        let weights = Array2::from_shape_fn((DIMENSIONS, labels), |_| rng.gen_range(-3.0f32..3.0));
        let mut probabilities = vectors.dot(&weights);
        for mut row in probabilities.axis_iter_mut(Axis(0)) {
            row[0] += 4.0;
            row.mapv_inplace(f32::exp);
            let sum = row.sum();
            row /= sum;
        }
        let splits = (0..n).map(|_| match rng.gen_range(0..20) {
            0 => Split::Audit,
            1..7 => Split::Eval,
            _ => Split::Train,
        });
        let splits = splits.collect();
        Self {
            items: (0..n as i64).map(ItemId).collect(),
            vectors,
            probabilities,
            splits,
            open: vec![true; n],
        }
    }

    fn parts(&self) -> PoolParts<'_> {
        PoolParts {
            kind: hardcase::domain::task_kind::TaskKind::One,
            items: &self.items,
            vectors: self.vectors.view(),
            probabilities: self.probabilities.view(),
            splits: &self.splits,
            open: &self.open,
        }
    }
}

fn round(bencher: Bencher, n: usize, labels: usize, strategy: &str, stage: Stage) {
    round_of(bencher, &Data::new(n, labels), strategy, stage);
}

fn round_of(bencher: Bencher, data: &Data, strategy: &str, stage: Stage) {
    let Some(strategy) = strategy_by_name(strategy) else {
        return;
    };
    bencher.bench_local(|| {
        Pool::new(data.parts())
            .map(|pool| propose(&pool, &Order { strategy, budget: BUDGET, stage, seed: 1 }))
    });
}

#[divan::bench(args = [10_000, 100_000], sample_count = 3, sample_size = 1)]
fn boundary_of_two_labels(bencher: Bencher, n: usize) {
    round(bencher, n, 2, "boundary", Stage::Later);
}

#[divan::bench(args = [100_000], sample_count = 3, sample_size = 1)]
fn boundary_of_77_labels(bencher: Bencher, n: usize) {
    round(bencher, n, 77, "boundary", Stage::Later);
}

#[divan::bench(args = [10_000, 100_000], sample_count = 3, sample_size = 1)]
fn margin(bencher: Bencher, n: usize) {
    round(bencher, n, 2, "margin", Stage::Later);
}

#[divan::bench(args = names(), sample_count = 3, sample_size = 1)]
fn each_strategy_of_100_000(bencher: Bencher, strategy: &str) {
    let mut data = Data::new(100_000, 2);
    data.open[..LABELLED].fill(false);
    round_of(bencher, &data, strategy, Stage::Later);
}

#[divan::bench(args = [100_000], sample_count = 3, sample_size = 1)]
fn opening(bencher: Bencher, n: usize) {
    round(bencher, n, 2, "boundary", Stage::Opening { shares: &[None, Some(0.05)] });
}
