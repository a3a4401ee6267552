//! Mining whole rounds over synthetic clustered vectors: `cargo bench --bench mining --no-default-features`.

use divan::Bencher;
use hardcase::domain::ids::ItemId;
use hardcase::domain::label_set::LabelSet;
use hardcase::domain::split::Split;
use hardcase::domain::task_kind::TaskKind;
use hardcase::mining::round::{Order, Stage, propose};
use hardcase::mining::strategies::{names, strategy_by_name};
use hardcase::mining::{Pool, PoolParts};
use hardcase::stats::classifier::answered::Answered;
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
    kind: TaskKind,
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
            kind: TaskKind::One,
            items: (0..n as i64).map(ItemId).collect(),
            vectors,
            probabilities,
            splits,
            open: vec![true; n],
        }
    }

    /// The same where a text may have several labels, each by itself: about two of 77 each.
    fn several(mut self) -> Self {
        self.kind = TaskKind::Several;
        let labels = self.probabilities.ncols() as f32;
        self.probabilities.mapv_inplace(|p| p * labels / (p * labels + 2.0));
        self
    }

    fn parts(&self) -> PoolParts<'_> {
        PoolParts {
            kind: self.kind,
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

/// Of 77 labels, one a text or several.
fn of_77_labels(kind: &str) -> Data {
    let mut data = Data::new(100_000, 77);
    data.open[..LABELLED].fill(false);
    if kind == "several" { data.several() } else { data }
}

#[divan::bench(args = ["one", "several"], sample_count = 3, sample_size = 1)]
fn hybrid_of_77_labels(bencher: Bencher, kind: &str) {
    round_of(bencher, &of_77_labels(kind), "hybrid", Stage::Later);
}

#[divan::bench(args = ["one", "several"], sample_count = 3, sample_size = 1)]
fn margin_of_77_labels(bencher: Bencher, kind: &str) {
    round_of(bencher, &of_77_labels(kind), "margin", Stage::Later);
}

/// A head on the answers so far, and what it says of all texts.
#[divan::bench(args = ["one", "several"], sample_count = 3, sample_size = 1)]
fn head_of_77_labels(bencher: Bencher, kind: &str) {
    let data = of_77_labels(kind);
    let vectors = data.vectors.slice(ndarray::s![..LABELLED, ..]);
    let said = |row: usize| data.kind.decide_set(&data.probabilities.row(row).to_vec(), &[]);
    let answers: Vec<LabelSet> = (0..LABELLED).map(said).collect();
    let importance = vec![1.0; LABELLED];
    let anchors = data.vectors.slice(ndarray::s![LABELLED..LABELLED + 77, ..]);
    bencher.bench_local(|| {
        let answered = Answered { x: vectors, answers: &answers, importance: &importance, kind: data.kind };
        answered.fit(anchors, 1).map(|fit| fit.model.probabilities(data.vectors.view()))
    });
}
