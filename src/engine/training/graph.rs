//! The trained encoder with its head, as candle differentiates it.

use std::sync::Arc;

use candle_core::{Result, Tensor, Var};
use ndarray::{Array1, Array2, ArrayView2};

use super::operations::{Adapted, After, Attention, Gelu, Normed, Pooled};
use super::tensors::tensor;
use crate::domain::fault::{Fault, Result as Outcome};
use crate::engine::bert::{Place, Weights, embed};
use crate::engine::lora::{AdapterFile, Head, Lora, Update};

/// Tokens computed at once: what a step keeps in memory for its gradients grows with them.
const BATCH_TOKENS: usize = 768;

/// Everything that is trained.
pub(super) struct Trained {
    updates: Vec<(Var, Var)>,
    weight: Var,
    bias: Var,
    rank: usize,
    alpha: f32,
}

impl Trained {
    /// Parameters that begin at these values.
    pub fn begin(adapter: &AdapterFile) -> Result<Self> {
        let var = |matrix: &Array2<f32>| Var::from_tensor(&tensor(matrix.as_standard_layout().to_owned())?);
        let updates = adapter.lora.updates.iter().map(|u| Ok((var(&u.a)?, var(&u.b)?)));
        let bias = adapter.head.bias.to_vec();
        Ok(Self {
            updates: updates.collect::<Result<_>>()?,
            weight: var(&adapter.head.weight)?,
            bias: Var::from_vec(bias, adapter.head.bias.len(), &candle_core::Device::Cpu)?,
            rank: adapter.lora.rank,
            alpha: adapter.lora.alpha,
        })
    }

    /// All parameters.
    pub fn parameters(&self) -> Vec<Var> {
        let updates = self.updates.iter().flat_map(|(a, b)| [a.clone(), b.clone()]);
        updates.chain([self.weight.clone(), self.bias.clone()]).collect()
    }

    /// Their values now.
    pub fn values(&self) -> Result<AdapterFile> {
        let updates = self
            .updates
            .iter()
            .map(|(a, b)| Ok(Update { a: values(a)?, b: values(b)? }))
            .collect::<Result<_>>()?;
        Ok(AdapterFile {
            lora: Lora { rank: self.rank, alpha: self.alpha, updates },
            head: Head { weight: values(&self.weight)?, bias: Array1::from(self.bias.to_vec1::<f32>()?) },
        })
    }

    /// The log-probabilities of texts given as tokens, none empty: `texts × labels`.
    pub fn log_probabilities(&self, weights: &Arc<Weights>, texts: &[&[usize]]) -> Result<Tensor> {
        let unit = self.unit_vectors(weights, texts)?;
        let scores = unit.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)?;
        candle_nn::ops::log_softmax(&scores, 1)
    }

    /// The vectors of texts given as tokens, none empty, `texts × dimensions`, each of length 1.
    fn unit_vectors(&self, weights: &Arc<Weights>, texts: &[&[usize]]) -> Result<Tensor> {
        let lengths: Arc<[usize]> = texts.iter().map(|text| text.len()).collect();
        let mut states = Array2::zeros((lengths.iter().sum(), weights.dimensions));
        embed(weights, texts, states.view_mut());
        let mut x = tensor(states)?;
        for (layer, updates) in self.updates.chunks(Place::ALL.len()).enumerate() {
            let adapted = |place: Place, x: &Tensor| {
                let (a, b) = &updates[place as usize];
                let scale = self.alpha / self.rank as f32;
                x.apply_op3(a, b, Adapted { weights: Arc::clone(weights), layer, place, scale })
            };
            let normed =
                |after, x: Tensor| x.apply_op1(Normed { weights: Arc::clone(weights), layer, after });
            let of_heads = adapted(Place::QueryKeyValue, &x)?
                .apply_op1(Attention { lengths: Arc::clone(&lengths), heads: weights.heads })?;
            x = normed(After::Attention, (x + adapted(Place::Attended, &of_heads)?)?)?;
            let wide = adapted(Place::Up, &x)?.apply_op1(Gelu)?;
            x = normed(After::Wide, (x + adapted(Place::Down, &wide)?)?)?;
        }
        let pooled = x.apply_op1(Pooled { lengths, pooling: weights.pooling })?;
        pooled.broadcast_div(&pooled.sqr()?.sum_keepdim(1)?.sqrt()?)
    }

    /// The probabilities of texts given as tokens, none empty: `texts × labels`.
    pub fn probabilities(&self, weights: &Arc<Weights>, texts: &[&[usize]]) -> Result<Array2<f32>> {
        let mut all = Vec::new();
        for batch in batches(texts) {
            all.extend(self.log_probabilities(weights, batch)?.exp()?.flatten_all()?.to_vec1::<f32>()?);
        }
        let labels = self.bias.elem_count();
        Array2::from_shape_vec((texts.len(), labels), all).map_err(candle_core::Error::wrap)
    }
}

/// Texts in their order, as many at a time as are computed at once.
pub(super) fn batches<'s, 't>(texts: &'s [&'t [usize]]) -> impl Iterator<Item = &'s [&'t [usize]]> {
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

/// The probabilities that the trainer itself gives texts with a trained adapter, `texts × labels`: what whoever serves it must reproduce.
///
/// # Errors
/// An adapter of another model.
pub fn probabilities(
    weights: &Arc<Weights>,
    adapter: &AdapterFile,
    texts: &[Vec<usize>],
) -> Outcome<Array2<f32>> {
    let attempted = "compute with the adapter";
    if !adapter.lora.fits(weights) || adapter.head.weight.ncols() != weights.dimensions {
        return Err(Fault::new(attempted, "it was trained for a model of another shape"));
    }
    let texts: Vec<&[usize]> = texts.iter().map(Vec::as_slice).collect();
    let trained = Trained::begin(adapter).and_then(|trained| trained.probabilities(weights, &texts));
    trained.map_err(|e| Fault::new(attempted, e.to_string()).because(e))
}

fn values(var: &Var) -> Result<Array2<f32>> {
    Array2::from_shape_vec(var.dims2()?, var.flatten_all()?.to_vec1::<f32>()?)
        .map_err(candle_core::Error::wrap)
}

/// How good log-probabilities (`texts × labels`) are: the mean over the texts of their loss, each times its weight.
pub(super) fn loss(log_probabilities: &Tensor, targets: ArrayView2<'_, f32>) -> Result<Tensor> {
    let targets = tensor(targets.to_owned())?;
    log_probabilities.mul(&targets)?.sum_all()?.neg()
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use std::path::Path;

    use super::*;
    use crate::domain::skip::test_data;
    use crate::engine::bert::Pass;
    use crate::engine::context::{Context, Served};
    use crate::engine::embedded;
    use crate::engine::model_file::Pooling;

    /// Vectors by the trainer, whose adapter changes nothing yet.
    fn untrained_vectors(weights: &Arc<Weights>, texts: &[Vec<usize>]) -> Array2<f32> {
        let lora = Lora::untrained(weights, 4, 4.0, &mut ChaCha8Rng::seed_from_u64(1));
        let head = Head { weight: Array2::zeros((2, weights.dimensions)), bias: Array1::zeros(2) };
        let trained = Trained::begin(&AdapterFile { lora, head }).unwrap();
        let texts: Vec<&[usize]> = texts.iter().map(Vec::as_slice).collect();
        let rows = batches(&texts).flat_map(|batch| {
            trained.unit_vectors(weights, batch).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
        });
        Array2::from_shape_vec((texts.len(), weights.dimensions), rows.collect()).unwrap()
    }

    /// Vectors by llama.cpp, and the tokens it makes of the texts.
    fn by_llama_cpp(path: &Path, texts: &[&str]) -> (Array2<f32>, Vec<Vec<usize>>) {
        let served = Served::load(path, None).unwrap();
        let mut context = Context::new(&served, 8 * 512).unwrap();
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
    fn the_trainer_computes_what_llama_cpp_does_on_500_real_texts() {
        const PACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/all-minilm-l6-v2-q8_0.gguf");
        let Some(tweets) = test_data("data/davidson_hate/labeled_data.csv") else { return };
        let tweets = std::fs::read_to_string(tweets).unwrap();
        let long = tweets[..60_000].split_at(50_000).0;
        let mut texts = vec!["", " ", "\u{1f389}\u{1f525}\u{1f468}\u{1f3ff}\u{200d}\u{1f680}", long];
        texts.extend(["\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442} hello \u{4f60}\u{597d} \u{645}\u{631}\u{62d}\u{628}\u{627}"]);
        texts.extend(tweets.lines().skip(1).step_by(50).take(500 - texts.len()));
        assert_eq!(texts.len(), 500);
        let dir = tempfile::tempdir().unwrap();
        let unpacked = embedded::unpack(&std::fs::read(PACKED).unwrap(), dir.path()).unwrap();
        let weights = Arc::new(Weights::read(&unpacked, Pooling::Mean).unwrap().unwrap());
        let (exact, tokens) = by_llama_cpp(&unpacked, &texts);
        let (rounded, _) = by_llama_cpp(Path::new(PACKED), &texts);
        let ours = untrained_vectors(&weights, &tokens);
        let ((least, mean), (packed, packed_mean)) = (cosines(&ours, &exact), cosines(&ours, &rounded));
        let (own, own_mean) = cosines(&exact, &rounded);
        eprintln!(
            "500 texts, cosine with llama.cpp: F32 least {least}, mean {mean}; Q8_0 least {packed}, mean {packed_mean}; llama.cpp's F32 with \
             its own Q8_0: least {own}, mean {own_mean}"
        );
        assert!(least > 0.9999, "{least}");
        // llama.cpp rounds activations to 8 bits where weights are stored so: it is as far from itself.
        assert!(packed_mean > 0.999 && packed > own - 1e-4, "{packed} {packed_mean}, llama.cpp itself {own}");
    }

    const TEXTS: [&[usize]; 4] = [&[1, 5, 9, 2], &[7], &[3, 3, 39, 11, 20, 4, 8, 2, 1], &[0, 6]];

    /// An adapter of rank 3 for three labels whose every number is random.
    fn adapter(weights: &Weights) -> AdapterFile {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut lora = Lora::untrained(weights, 3, 6.0, &mut rng);
        for update in &mut lora.updates {
            update.b.mapv_inplace(|_| rng.gen_range(-0.4f32..0.4));
        }
        let head = Head {
            weight: Array2::from_shape_simple_fn((3, weights.dimensions), || rng.gen_range(-2.0f32..2.0)),
            bias: Array1::from(vec![0.3, -0.2, 0.1]),
        };
        AdapterFile { lora, head }
    }

    fn loss_of(weights: &Arc<Weights>, adapter: &AdapterFile) -> (Trained, Tensor) {
        let trained = Trained::begin(adapter).unwrap();
        let targets =
            ndarray::array![[0.25f32, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.25], [0.1, 0.0, 0.0]];
        let loss = loss(&trained.log_probabilities(weights, &TEXTS).unwrap(), targets.view()).unwrap();
        (trained, loss)
    }

    /// Every parameter of an adapter, to be moved.
    fn parameters(adapter: &mut AdapterFile) -> Vec<&mut [f32]> {
        let updates = adapter.lora.updates.iter_mut();
        let mut all: Vec<&mut [f32]> =
            updates.flat_map(|u| [u.a.as_slice_mut().unwrap(), u.b.as_slice_mut().unwrap()]).collect();
        all.push(adapter.head.weight.as_slice_mut().unwrap());
        all.push(adapter.head.bias.as_slice_mut().unwrap());
        all
    }

    #[test]
    fn gradients_are_those_of_finite_differences_for_every_parameter_kind() {
        for pooling in [Pooling::Mean, Pooling::Cls] {
            let weights = Arc::new(Weights::random(2, pooling, 1));
            let mut adapter = adapter(&weights);
            let (trained, loss) = loss_of(&weights, &adapter);
            let gradients = loss.backward().unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(9);
            let all = trained.parameters();
            assert_eq!(all.len(), 2 * 2 * Place::ALL.len() + 2);
            for (which, parameter) in all.iter().enumerate() {
                let gradient =
                    gradients.get(parameter).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
                let direction: Vec<f32> = gradient.iter().map(|_| rng.gen_range(-1.0f32..1.0)).collect();
                let mut at = |step: f32| {
                    let numbers = parameters(&mut adapter);
                    for (number, d) in numbers.into_iter().nth(which).unwrap().iter_mut().zip(&direction) {
                        *number += step * d;
                    }
                    f64::from(loss_of(&weights, &adapter).1.to_scalar::<f32>().unwrap())
                };
                const STEP: f32 = 4e-3;
                let (above, below) = (at(STEP), at(-2.0 * STEP));
                at(STEP);
                let measured = (above - below) / f64::from(2.0 * STEP);
                let computed: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
                let size = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
                assert!(size > 1e-3, "parameter {which} has no gradient");
                let error = (measured - computed).abs();
                assert!(
                    error < 2e-4 + 0.01 * size,
                    "parameter {which}: {measured} measured, {computed} computed"
                );
            }
        }
    }

    #[test]
    fn the_updates_beside_the_weights_and_in_them_give_the_same_vectors() {
        let weights = Arc::new(Weights::random(2, Pooling::Mean, 2));
        let adapter = adapter(&weights);
        let texts: Vec<Vec<usize>> = TEXTS.iter().map(|text| text.to_vec()).collect();
        let theirs = probabilities(&weights, &adapter, &texts).unwrap();
        let vectors = Pass::new(Arc::new(adapter.lora.merged(&weights))).vectors(&texts);
        for (vector, row) in vectors.rows().into_iter().zip(theirs.rows()) {
            let unit = &vector / vector.dot(&vector).sqrt();
            let scores = adapter.head.weight.dot(&unit) + &adapter.head.bias;
            let whole: f32 = scores.iter().map(|s| s.exp()).sum();
            for (score, p) in scores.iter().zip(row) {
                assert!((score.exp() / whole - p).abs() < 1e-5, "{scores} {row}");
            }
        }
        let other = Weights::random(1, Pooling::Mean, 2);
        assert!(probabilities(&Arc::new(other), &adapter, &texts).is_err(), "another model is refused");
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
