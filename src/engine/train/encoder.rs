//! Training an adapter of an encoder together with the head on its vectors: the loss of a batch and its gradient.
//!
//! One core computes: an adapter and its folds are trained next to each other, a core each.

use std::ops::ControlFlow;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, s};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::adamw::Rows;
use super::train_loop::{Callbacks, Ended, Epoch, Settings, Step, train_loop};
use crate::domain::fault::{Fault, Result};
use crate::engine::lora::{EncoderAdapter, Head, Lora};
use crate::engine::transformer::{
    Activations, AttentionBatch, Batch, Cores, Graph, Keep, Layout, Target, Weights, embed, final_norm,
    final_norm_gradient, log_softmax, multiplied, pool, pool_gradient, product,
};

/// Tokens computed at once: what a step keeps in memory for its gradients grows with them.
const BATCH_TOKENS: usize = 768;

/// What a text should be taken for.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'t> {
    /// One label.
    Label(usize),
    /// Each label with this probability.
    Probabilities(&'t [f32]),
}

impl Wanted<'_> {
    /// The cross-entropy in nats of what a model says, by its log-probabilities. Takes what is wanted from `by`, which holds the probabilities:
    /// that leaves the gradient by the scores.
    fn loss(self, log: ArrayView1<'_, f32>, mut by: ArrayViewMut1<'_, f32>) -> f64 {
        match self {
            Wanted::Label(label) => {
                by[label] -= 1.0;
                -f64::from(log[label])
            }
            Wanted::Probabilities(wanted) => {
                by.iter_mut().zip(wanted).for_each(|(by, wanted)| *by -= wanted);
                -log.iter().zip(wanted).map(|(log, wanted)| f64::from(log * wanted)).sum::<f64>()
            }
        }
    }
}

/// A text to learn from.
#[derive(Clone, Copy, Debug)]
pub struct Example<'t> {
    /// Its tokens, at least one.
    pub tokens: &'t [usize],
    pub wanted: Wanted<'t>,
    /// How much it counts; 1 on average.
    pub weight: f32,
}

/// What to train on, and from where.
pub struct Fit<'t> {
    /// The frozen model.
    pub weights: &'t Weights,
    /// The texts to learn from.
    pub examples: &'t [Example<'t>],
    /// Texts that are only looked at, after each epoch.
    pub held_out: &'t [&'t [usize]],
    /// The head to begin with: that of the frozen model.
    pub head: &'t Head,
}

/// Trains an adapter with its head. `on_step` and `on_epoch` are told how far it is, the latter with the probabilities of the texts that are held
/// out, `texts × labels`; it ends without a result once `on_step` breaks.
///
/// # Errors
/// A loss or gradient that is not finite.
pub fn fit(
    fit: &Fit<'_>,
    settings: &Settings,
    on_step: &mut dyn FnMut(Step) -> ControlFlow<()>,
    on_epoch: &mut dyn FnMut(Epoch<Array2<f32>>) -> ControlFlow<()>,
) -> Result<Option<EncoderAdapter>> {
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let shape = &fit.weights.shape;
    let lora = Lora::untrained(shape, settings.rank, settings.alpha, &mut rng);
    let begin = EncoderAdapter { family: shape.family, lora, head: fit.head.clone() };
    let model = Model::new(fit.weights, &begin);
    let mut parameters = model.parameters(&begin);
    let callbacks = Callbacks {
        loss_and_grad: &mut |parameters, batch, gradient| {
            Ok(model.loss_and_grad(parameters, fit.examples, batch, gradient))
        },
        on_step,
        on_epoch: &mut |parameters, number, loss| {
            Ok(on_epoch(Epoch { number, loss, held_out: model.probabilities(parameters, fit.held_out) }))
        },
    };
    Ok(match train_loop(&mut parameters, fit.examples.len(), settings, &mut rng, callbacks)? {
        Ended::Completed => Some(model.adapter(&begin, &parameters)),
        Ended::Stopped => None,
    })
}

/// The probabilities that the trainer itself gives texts with a trained adapter, `texts × labels`: what llama.cpp, which serves it, must
/// reproduce.
///
/// # Errors
/// An adapter of another model.
pub fn probabilities(
    weights: &Weights,
    adapter: &EncoderAdapter,
    texts: &[Vec<usize>],
) -> Result<Array2<f32>> {
    if !adapter.lora.fits(&weights.shape) || adapter.head.weight.ncols() != weights.shape.dimensions {
        let why = "it was trained for a model of another shape";
        return Err(Fault::new("compute with the adapter", why));
    }
    let texts: Vec<&[usize]> = texts.iter().map(Vec::as_slice).collect();
    let model = Model::new(weights, adapter);
    Ok(model.probabilities(&model.parameters(adapter), &texts))
}

/// An encoder with a head, both as the parameters say: the updates block by block, then the head's weight and its bias.
struct Model<'m> {
    weights: &'m Weights,
    layout: Layout,
    labels: usize,
}

/// What a pass leaves for its gradient.
struct Passed {
    lengths: Vec<usize>,
    batch: Batch,
    kept: Vec<Activations>,
    /// What came out of the last block.
    states: Array2<f32>,
    /// `texts × dimensions`, each of length 1, and what lengths they had.
    unit: Array2<f32>,
    norms: Vec<f32>,
    /// `texts × labels`.
    log_probabilities: Array2<f32>,
}

impl<'m> Model<'m> {
    fn new(weights: &'m Weights, adapter: &EncoderAdapter) -> Self {
        Self { weights, layout: adapter.lora.layout(), labels: adapter.head.bias.len() }
    }

    fn parameters(&self, adapter: &EncoderAdapter) -> Rows {
        let mut rows = adapter.lora.to_rows(&self.weights.shape);
        rows.push(adapter.head.weight.iter().copied().collect());
        rows.push(adapter.head.bias.to_vec());
        rows
    }

    /// The adapter that parameters stand for which began as those of another.
    fn adapter(&self, begin: &EncoderAdapter, parameters: &Rows) -> EncoderAdapter {
        let (blocks, head, bias) = self.parts(parameters);
        let head = Head { weight: head.to_owned(), bias: Array1::from(bias.to_vec()) };
        EncoderAdapter { family: begin.family, lora: begin.lora.with_rows(&self.weights.shape, blocks), head }
    }

    /// The updates of the blocks, the head's weight and its bias.
    fn parts<'p>(&self, parameters: &'p Rows) -> (&'p [Vec<f32>], ArrayView2<'p, f32>, &'p [f32]) {
        let (blocks, head) = parameters.split_at(self.weights.shape.blocks);
        let dim = (self.labels, self.weights.shape.dimensions);
        match (head, head.first().map(|weight| ArrayView2::from_shape(dim, weight))) {
            ([_, bias], Some(Ok(weight))) => (blocks, weight, bias),
            _ => unreachable!("the parameters are those of this model"),
        }
    }

    fn graph<'a>(&'a self, batch: &'a Batch, blocks: &'a [Vec<f32>]) -> Graph<'a> {
        Graph { weights: self.weights, batch, cores: Cores::One, updates: Some((self.layout, blocks)) }
    }

    /// The vectors of texts given as tokens, none empty, and what follows from them.
    fn forward(&self, parameters: &Rows, texts: &[&[usize]], keep: Keep) -> Passed {
        let (blocks, head, bias) = self.parts(parameters);
        let lengths: Vec<usize> = texts.iter().map(|text| text.len()).collect();
        let batch = Batch::new(self.weights, AttentionBatch::alone(&lengths), None);
        let mut states = Array2::default((0, 0));
        embed(self.weights, texts.iter().copied(), &mut states);
        let graph = self.graph(&batch, blocks);
        let kept = match keep {
            Keep::Nothing => {
                graph.run(&mut states, &mut Activations::default());
                Vec::new()
            }
            Keep::Inputs | Keep::All => {
                let (last, kept) = graph.forward(states, keep);
                states = last;
                kept
            }
        };
        let mut last = states.clone();
        final_norm(self.weights, &mut last);
        let mut unit = pool(self.weights.pooling, &lengths, last.view());
        let mut norms = Vec::new();
        for mut vector in unit.rows_mut() {
            let norm = vector.dot(&vector).sqrt();
            vector /= norm;
            norms.push(norm);
        }
        let mut scores = multiplied(Cores::One, unit.view(), head.reversed_axes());
        for mut row in scores.rows_mut() {
            row.iter_mut().zip(bias).for_each(|(score, bias)| *score += bias);
            if let Some(row) = row.as_slice_mut() {
                log_softmax(row);
            }
        }
        Passed { lengths, batch, kept, states, unit, norms, log_probabilities: scores }
    }

    /// The probabilities of texts given as tokens, none empty: `texts × labels`.
    fn probabilities(&self, parameters: &Rows, texts: &[&[usize]]) -> Array2<f32> {
        let mut all = Array2::zeros((texts.len(), self.labels));
        let mut at = 0;
        for part in batches(texts) {
            let passed = self.forward(parameters, part, Keep::Nothing);
            all.slice_mut(s![at..at + part.len(), ..]).assign(&passed.log_probabilities.mapv(f32::exp));
            at += part.len();
        }
        all
    }

    /// Adds the gradient of the mean loss of a batch, the numbers of some examples, to `gradient`; returns that loss. Long texts are computed a few
    /// at a time.
    fn loss_and_grad(
        &self,
        parameters: &Rows,
        examples: &[Example<'_>],
        batch: &[usize],
        gradient: &mut Rows,
    ) -> f64 {
        let texts: Vec<&[usize]> = batch.iter().map(|&i| examples[i].tokens).collect();
        let (mut loss, mut at) = (0.0, 0);
        for part in batches(&texts) {
            let passed = self.forward(parameters, part, Keep::All);
            let numbers = &batch[at..at + part.len()];
            at += part.len();
            let mut by_scores = passed.log_probabilities.mapv(f32::exp);
            for ((mut by, log), &i) in
                by_scores.rows_mut().into_iter().zip(passed.log_probabilities.rows()).zip(numbers)
            {
                let Example { wanted, weight, .. } = examples[i];
                let weight = weight / batch.len() as f32;
                loss += f64::from(weight) * wanted.loss(log, by.view_mut());
                by *= weight;
            }
            self.backward(parameters, passed, by_scores.view(), gradient);
        }
        loss
    }

    /// Adds the gradient by all parameters, from that by the scores.
    fn backward(
        &self,
        parameters: &Rows,
        passed: Passed,
        by_scores: ArrayView2<'_, f32>,
        gradient: &mut Rows,
    ) {
        let (blocks, head, _) = self.parts(parameters);
        let Passed { lengths, batch, kept, states, unit, norms, .. } = passed;
        let (by_blocks, by_head) = gradient.split_at_mut(self.weights.shape.blocks);
        if let [by_weight, by_bias] = by_head {
            let dim = (self.labels, self.weights.shape.dimensions);
            if let Ok(by_weight) = ndarray::ArrayViewMut2::from_shape(dim, by_weight) {
                let factors = (by_scores.reversed_axes(), unit.view());
                product(Cores::One, 1.0, factors, Target::AddedTo, by_weight);
            }
            for by in by_scores.rows() {
                by_bias.iter_mut().zip(by).for_each(|(to, by)| *to += by);
            }
        }
        let mut by_vectors = multiplied(Cores::One, by_scores, head);
        for ((mut by, unit), norm) in by_vectors.rows_mut().into_iter().zip(unit.rows()).zip(norms) {
            let along = by.dot(&unit);
            by.iter_mut().zip(unit).for_each(|(by, unit)| *by = (*by - unit * along) / norm);
        }
        let mut by_states = pool_gradient(self.weights.pooling, &lengths, by_vectors.view());
        final_norm_gradient(self.weights, &states, &mut by_states);
        self.graph(&batch, blocks).backward(kept, Keep::All, by_states, by_blocks);
    }
}

/// Texts in their order, as many at a time as are computed at once.
fn batches<'s, 't>(texts: &'s [&'t [usize]]) -> impl Iterator<Item = &'s [&'t [usize]]> {
    let mut rest = texts;
    std::iter::from_fn(move || {
        let mut tokens = 0;
        let fits = rest.iter().take_while(|text| {
            tokens += text.len();
            tokens <= BATCH_TOKENS
        });
        let n = fits.count().max(1).min(rest.len());
        let (batch, after) = rest.split_at(n);
        rest = after;
        (n > 0).then_some(batch)
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use rand::Rng;

    use super::super::adamw::zeros;
    use super::*;
    use crate::domain::skip::test_data;
    use crate::engine::embedded;
    use crate::engine::gguf::TensorType;
    use crate::engine::llama::{Context, Served};
    use crate::engine::model_file::Pooling;
    use crate::engine::random_model::RandomModel;
    use crate::engine::transformer::{EncoderPass, Family, Role};

    /// A small encoder of random numbers, read from a file: two blocks.
    fn encoder(family: &'static Family, pooling: Pooling, seed: u64) -> Weights {
        let file = tempfile::NamedTempFile::new().unwrap();
        let model = RandomModel { blocks: 2, seed, ..RandomModel::small(family, TensorType::F32) };
        model.write(file.path()).unwrap();
        Weights::read_encoder(file.path(), pooling).unwrap().unwrap()
    }

    fn bert() -> &'static Family {
        Family::named("bert").unwrap()
    }

    /// Vectors by the trainer, whose adapter changes nothing yet.
    fn untrained_vectors(weights: &Weights, texts: &[Vec<usize>]) -> Array2<f32> {
        let lora = Lora::untrained(&weights.shape, 4, 4.0, &mut ChaCha8Rng::seed_from_u64(1));
        let head = Head { weight: Array2::zeros((2, weights.shape.dimensions)), bias: Array1::zeros(2) };
        let adapter = EncoderAdapter { family: weights.shape.family, lora, head };
        let model = Model::new(weights, &adapter);
        let parameters = model.parameters(&adapter);
        let texts: Vec<&[usize]> = texts.iter().map(Vec::as_slice).collect();
        let rows = batches(&texts)
            .flat_map(|batch| model.forward(&parameters, batch, Keep::All).unit.into_raw_vec_and_offset().0);
        Array2::from_shape_vec((texts.len(), weights.shape.dimensions), rows.collect()).unwrap()
    }

    /// Vectors by llama.cpp, and the tokens it makes of the texts.
    fn by_llama_cpp(path: &Path, texts: &[&str]) -> (Array2<f32>, Vec<Vec<usize>>) {
        let served = Served::load(path, None).unwrap();
        let mut context = Context::new(&served, 8 * 512, 8).unwrap();
        let mut rows = Vec::new();
        let mut all = Vec::new();
        for batch in texts.chunks(8) {
            let tokens: Vec<_> = batch
                .iter()
                .map(|text| {
                    let mut tokens = served.model.vocab().tokenize(text.as_bytes(), true, false);
                    tokens.truncate(512);
                    tokens
                })
                .collect();
            for vector in context.vectors(&tokens).unwrap().rows() {
                rows.extend(&vector / vector.dot(&vector).sqrt());
            }
            all.extend(tokens.iter().map(|t| t.iter().map(|t| t.0 as usize).collect::<Vec<_>>()));
        }
        (Array2::from_shape_vec((texts.len(), rows.len() / texts.len()), rows).unwrap(), all)
    }

    /// The least and the mean cosine.
    fn cosines(a: &Array2<f32>, b: &Array2<f32>) -> (f32, f32) {
        let all: Vec<f32> = a.rows().into_iter().zip(b.rows()).map(|(a, b)| a.dot(&b)).collect();
        (all.iter().copied().fold(1.0, f32::min), all.iter().sum::<f32>() / all.len() as f32)
    }

    #[test]
    fn the_trainer_computes_what_llama_cpp_does_on_real_texts() {
        const PACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/encoder.gguf");
        let Some(tweets) = test_data("data/davidson_hate/labeled_data.csv") else { return };
        let tweets = std::fs::read_to_string(tweets).unwrap();
        let long = tweets[..60_000].split_at(50_000).0;
        let mut texts = vec!["", " ", "\u{1f389}\u{1f525}\u{1f468}\u{1f3ff}\u{200d}\u{1f680}", long];
        texts.extend(["\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442} hello \u{4f60}\u{597d} \u{645}\u{631}\u{62d}\u{628}\u{627}"]);
        let most = std::env::var("HARDCASE_PROOF_TEXTS").map_or(120, |n| n.parse().unwrap());
        texts.extend(tweets.lines().skip(1).step_by(50).take(most - texts.len()));
        assert_eq!(texts.len(), most);
        let dir = tempfile::tempdir().unwrap();
        let unpacked = embedded::unpack(&std::fs::read(PACKED).unwrap(), dir.path()).unwrap();
        let weights = Weights::read_encoder(&unpacked, Pooling::Mean).unwrap().unwrap();
        let (exact, tokens) = by_llama_cpp(&unpacked, &texts);
        let (rounded, _) = by_llama_cpp(Path::new(PACKED), &texts);
        let ours = untrained_vectors(&weights, &tokens);
        let ((least, mean), (packed, packed_mean)) = (cosines(&ours, &exact), cosines(&ours, &rounded));
        let (own, own_mean) = cosines(&exact, &rounded);
        eprintln!(
            "{most} texts, cosine with llama.cpp: F32 least {least}, mean {mean}; Q8_0 least {packed}, mean {packed_mean}; llama.cpp's F32 with \
             its own Q8_0: least {own}, mean {own_mean}"
        );
        assert!(least > 0.9999, "{least}");
        // llama.cpp rounds activations to 8 bits where weights are stored so: it is as far from itself.
        assert!(packed_mean > 0.999 && packed > own - 1e-4, "{packed} {packed_mean}, llama.cpp itself {own}");
    }

    const TEXTS: [&[usize]; 4] = [&[1, 5, 9, 2], &[7], &[3, 3, 39, 11, 20, 4, 8, 2, 1], &[0, 6]];

    /// An adapter of rank 3 for three labels whose every number is random.
    fn adapter(weights: &Weights) -> EncoderAdapter {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut lora = Lora::untrained(&weights.shape, 3, 6.0, &mut rng);
        for update in &mut lora.updates {
            update.b.mapv_inplace(|_| rng.gen_range(-0.4f32..0.4));
        }
        let head = Head {
            weight: Array2::from_shape_simple_fn((3, weights.shape.dimensions), || {
                rng.gen_range(-2.0f32..2.0)
            }),
            bias: Array1::from(vec![0.3, -0.2, 0.1]),
        };
        EncoderAdapter { family: weights.shape.family, lora, head }
    }

    const WANTED: [(Wanted<'static>, f32); 4] = [
        (Wanted::Label(0), 1.0),
        (Wanted::Label(1), 2.0),
        (Wanted::Probabilities(&[0.2, 0.1, 0.7]), 1.0),
        (Wanted::Label(0), 0.4),
    ];

    /// The loss of the texts, and its gradient row by row.
    fn loss_of(weights: &Weights, parameters: &Rows) -> (f64, Rows) {
        let model = Model::new(weights, &adapter(weights));
        let examples: Vec<Example<'_>> = TEXTS
            .iter()
            .zip(WANTED)
            .map(|(tokens, (wanted, weight))| Example { tokens, wanted, weight })
            .collect();
        let mut gradient = zeros(parameters);
        let loss = model.loss_and_grad(parameters, &examples, &[0, 1, 2, 3], &mut gradient);
        (loss, gradient)
    }

    /// Moves each matrix of each update, then the head's weight and its bias, along a random direction, and compares the change of the loss.
    #[test]
    fn gradients_are_those_of_finite_differences_for_every_parameter_kind() {
        for family in Family::with(Role::Encoder) {
            for pooling in [Pooling::Mean, Pooling::Cls] {
                let weights = encoder(family, pooling, 1);
                let model = Model::new(&weights, &adapter(&weights));
                let mut parameters = model.parameters(&adapter(&weights));
                let gradient = loss_of(&weights, &parameters).1;
                let mut kinds: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
                for block in 0..weights.shape.blocks {
                    let sites = model.layout.sites(&weights.shape);
                    kinds.extend(sites.into_iter().flat_map(|(_, a, b)| [(block, a), (block, b)]));
                }
                let heads = parameters.iter().enumerate().skip(weights.shape.blocks);
                kinds.extend(heads.map(|(row, numbers)| (row, 0..numbers.len())));
                assert_eq!(kinds.len(), 2 * 2 * weights.shape.family.sites().count() + 2);
                let mut rng = ChaCha8Rng::seed_from_u64(9);
                for (row, range) in kinds {
                    let gradient = &gradient[row][range.clone()];
                    let direction: Vec<f32> = gradient.iter().map(|_| rng.gen_range(-1.0f32..1.0)).collect();
                    let mut at = |step: f32| {
                        let numbers = parameters[row][range.clone()].iter_mut().zip(&direction);
                        numbers.for_each(|(number, d)| *number += step * d);
                        loss_of(&weights, &parameters).0
                    };
                    const STEP: f32 = 4e-3;
                    let (above, below) = (at(STEP), at(-2.0 * STEP));
                    at(STEP);
                    let measured = (above - below) / f64::from(2.0 * STEP);
                    let computed: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
                    let size = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
                    assert!(size > 1e-4, "{} row {row} {range:?} has no gradient", family.name);
                    let error = (measured - computed).abs();
                    assert!(
                        error < 2e-4 + 0.01 * size,
                        "{} row {row} {range:?}: {measured} measured, {computed} computed",
                        family.name
                    );
                }
            }
        }
    }

    #[test]
    fn updates_next_to_the_weights_and_merged_into_them_give_the_same_vectors() {
        let weights = encoder(bert(), Pooling::Mean, 2);
        let adapter = adapter(&weights);
        let texts: Vec<Vec<usize>> = TEXTS.iter().map(|text| text.to_vec()).collect();
        let theirs = probabilities(&weights, &adapter, &texts).unwrap();
        let vectors = EncoderPass::new(Arc::new(adapter.lora.merged(&weights).unwrap())).vectors(&texts);
        for (vector, row) in vectors.rows().into_iter().zip(theirs.rows()) {
            let unit = &vector / vector.dot(&vector).sqrt();
            let scores = adapter.head.weight.dot(&unit) + &adapter.head.bias;
            let whole: f32 = scores.iter().map(|s| s.exp()).sum();
            for (score, p) in scores.iter().zip(row) {
                assert!((score.exp() / whole - p).abs() < 1e-5, "{scores} {row}");
            }
        }
        let mut other = encoder(bert(), Pooling::Mean, 2);
        other.shape.blocks = 1;
        assert!(probabilities(&other, &adapter, &texts).is_err(), "another model is refused");
    }

    #[test]
    fn long_texts_are_computed_alone_and_none_is_lost() {
        let long = vec![1; BATCH_TOKENS + 1];
        let texts: Vec<&[usize]> = vec![&[1; 400], &[1; 400], &long, &[1; 10]];
        let sizes: Vec<usize> = batches(&texts).map(<[_]>::len).collect();
        assert_eq!(sizes, [1, 1, 1, 1]);
        assert_eq!(batches(&texts[..0]).count(), 0);
        assert_eq!(batches(&[&[1usize; 300][..]; 5]).map(<[_]>::len).collect::<Vec<_>>(), [2, 2, 1]);
    }
}
