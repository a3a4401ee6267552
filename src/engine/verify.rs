//! Whether llama.cpp, given an adapter's file, says what the trainer says: the condition for any use of it.

use std::path::Path;

use llama_cpp_2::token::LlamaToken;
use ndarray::{Array2, ArrayView1, ArrayView2};

use super::llama::{Context, Served};
use super::lora::Head;
use super::model_file::Pooling;
use crate::domain::fault::{Fault, FaultKind, Result};

/// Texts that llama.cpp reads at once here.
const BATCH: usize = 8;

/// How far llama.cpp with the adapter is from the trainer.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Verified {
    /// Texts both read.
    pub texts: usize,
    /// The largest difference between two probabilities of the same label and text.
    pub largest: f32,
    /// The mean over the texts of each text's largest difference.
    pub mean: f32,
    /// The share of the texts that both give the same label, or llama.cpp one that the trainer finds as likely.
    pub same_label: f32,
}

/// Labels whose probabilities differ by less are alike: of hard texts, which are those that experts label, the least difference gives some another label.
const ALIKE: f32 = 0.05;

impl Verified {
    /// Lets llama.cpp read the texts, given as tokens, with the model at `path`, pooled so, and the adapter whose file's bytes these are, and compares its
    /// probabilities with those of the trainer, `texts × labels`.
    ///
    /// # Errors
    /// Where llama.cpp refuses model or adapter, or fails on a text.
    pub fn measure(
        path: &Path,
        pooling: Pooling,
        adapter: &[u8],
        head: &Head,
        texts: &[Vec<usize>],
        expected: &Array2<f32>,
    ) -> Result<Self> {
        let mut served = Served::load(path, Some(adapter))?;
        served.pool_by(pooling);
        let longest = texts.iter().map(Vec::len).max().unwrap_or(1);
        // A batch may have as many tokens as the longest text alone: llama.cpp's memory grows with it.
        let mut context = Context::new(&served, longest, BATCH)?;
        let mut served_p = Array2::zeros(expected.dim());
        let (mut rest, mut rows) = (texts, served_p.rows_mut().into_iter());
        while let Some(first) = rest.first() {
            let mut filled = first.len();
            let more = rest.iter().skip(1).take(BATCH - 1).take_while(|text| {
                filled += text.len();
                filled <= longest
            });
            let (batch, after) = rest.split_at(1 + more.count());
            rest = after;
            let tokens: Vec<Vec<LlamaToken>> = batch
                .iter()
                .map(|text| text.iter().map(|&id| LlamaToken::new(id as i32)).collect())
                .collect();
            let vectors = context.vectors(&tokens)?;
            // The rows come second, so that none is taken where there is no vector.
            for (vector, mut to) in vectors.rows().into_iter().zip(&mut rows) {
                to.assign(&probabilities(head, vector));
            }
        }
        Ok(Self::between(served_p.view(), expected.view()))
    }

    /// How far probabilities that llama.cpp gave are from those of the trainer, both texts × labels.
    pub fn between(served: ArrayView2<'_, f32>, expected: ArrayView2<'_, f32>) -> Self {
        let (mut largest, mut sum, mut same) = (0.0f32, 0.0, 0);
        for (p, expected) in served.rows().into_iter().zip(expected.rows()) {
            let difference = p.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, nan_or_more);
            largest = nan_or_more(largest, difference);
            sum += difference;
            same += usize::from(expected[top(p)] + ALIKE >= expected[top(expected)]);
        }
        let (texts, n) = (served.nrows(), served.nrows().max(1) as f32);
        Self { texts, largest, mean: sum / n, same_label: same as f32 / n }
    }

    /// Refuses the adapter where llama.cpp is too far from the trainer for weights that are stored so.
    ///
    /// # Errors
    /// With the exit code of a check that was not met.
    pub fn require(&self, quantisation: &str) -> Result<()> {
        let within = match quantisation {
            "F32" | "F16" | "BF16" | "Q8_0" => self.largest <= 0.03,
            // Of a few texts one may lie between two labels, so that the least difference gives it another.
            _ => {
                let one = 1.0 / self.texts.max(1) as f32;
                self.mean <= 0.02 && self.largest <= 0.10 && self.same_label + one >= 0.98
            }
        };
        if within && self.texts > 0 {
            return Ok(());
        }
        let why = format!(
            "llama.cpp differs from the trainer by up to {:.3}, {:.3} on average, in the probabilities of {} texts, and gives {:.0} % of them the \
             same label, which is too far apart for a model stored as {quantisation}",
            self.largest,
            self.mean,
            self.texts,
            100.0 * self.same_label
        );
        Err(Fault::new("use the adapter", why)
            .hint("The model as it was stays active")
            .kind(FaultKind::Check))
    }
}

fn probabilities(head: &Head, vector: ArrayView1<'_, f32>) -> ndarray::Array1<f32> {
    let unit = &vector / vector.dot(&vector).sqrt();
    let mut p = head.weight.dot(&unit) + &head.bias;
    let most = p.fold(f32::NEG_INFINITY, |most, x| most.max(*x));
    p.mapv_inplace(|x| (x - most).exp());
    let whole = p.sum();
    p / whole
}

fn top(row: ArrayView1<'_, f32>) -> usize {
    (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0)
}

/// The larger of two. NaN counts as infinite, so it is refused.
fn nan_or_more(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() { f32::INFINITY } else { a.max(b) }
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::domain::encoder_reading::EncoderReading;
    use crate::engine::encoder::{Encoder, EncoderOptions};
    use crate::engine::lora::{EncoderAdapter, Lora};
    use crate::engine::transformer::Weights;
    use crate::engine::{embedded, train};

    const PACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/encoder.gguf");

    #[test]
    fn llama_cpp_serves_an_adapter_as_the_trainer_computes_it_and_so_does_our_own_pass() {
        let dir = tempfile::tempdir().unwrap();
        let path = embedded::unpack(&std::fs::read(PACKED).unwrap(), dir.path()).unwrap();
        let weights = Weights::read_encoder(&path, Pooling::Mean).unwrap().unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut lora = Lora::untrained(&weights.shape, 8, 16.0, &mut rng);
        for update in &mut lora.updates {
            update.b.mapv_inplace(|_| rng.gen_range(-0.1f32..0.1));
        }
        let mut number = || rng.gen_range(-1.0f32..1.0);
        let head = Head {
            weight: Array2::from_shape_simple_fn((3, weights.shape.dimensions), &mut number),
            bias: Array1::from_shape_simple_fn(3, &mut number),
        };
        let file = EncoderAdapter { family: weights.shape.family, lora, head };
        let bytes = file.encode(&[]).unwrap();
        let words = ["", "see you at home", "WINNER!! Claim your prize now", "a long one ".repeat(40).trim()]
            .map(str::to_owned);
        let plain = Encoder::load(&path, EncoderOptions::default()).unwrap();
        let texts: Vec<Vec<usize>> = words.iter().map(|text| plain.tokens(text)).collect();
        let expected = train::encoder::probabilities(&weights, &file, &texts).unwrap();
        let verified =
            Verified::measure(&path, Pooling::Mean, &bytes, &file.head, &texts, &expected).unwrap();
        assert!(verified.largest < 5e-3, "{verified:?}");
        // Without the adapter it is another model.
        let untrained = Lora::untrained(&weights.shape, 8, 16.0, &mut ChaCha8Rng::seed_from_u64(1));
        let other = EncoderAdapter { lora: untrained, ..file.clone() };
        let off = Verified::measure(
            &path,
            Pooling::Mean,
            &other.encode(&[]).unwrap(),
            &file.head,
            &texts,
            &expected,
        )
        .unwrap();
        assert!(off.require("F32").is_err(), "{off:?}");

        let adapted =
            Encoder::load_adapted(&path, EncoderOptions::default(), &EncoderReading::default(), Some(&bytes))
                .unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut largest = 0.0f32;
        adapted
            .embed(&words, &mut |indices, vectors| {
                for (index, vector) in indices.iter().zip(vectors.rows()) {
                    let p = probabilities(&file.head, vector);
                    largest = p
                        .iter()
                        .zip(expected.row(*index))
                        .map(|(a, b)| (a - b).abs())
                        .fold(largest, f32::max);
                }
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        assert!(largest < 5e-3, "{largest}");
        let refused = Encoder::load_adapted(
            &path,
            EncoderOptions::default(),
            &EncoderReading::default(),
            Some(&bytes[..5_000]),
        );
        assert!(refused.map(drop).unwrap_err().to_string().contains("adapter"));
    }

    #[test]
    fn another_label_counts_only_where_the_trainer_prefers_one() {
        let expected = ndarray::array![[0.50f32, 0.48, 0.02], [0.9, 0.05, 0.05]];
        let served = ndarray::array![[0.48f32, 0.50, 0.02], [0.9, 0.05, 0.05]];
        assert_eq!(Verified::between(served.view(), expected.view()).same_label, 1.0);
        let other = ndarray::array![[0.50f32, 0.48, 0.02], [0.4, 0.55, 0.05]];
        assert_eq!(Verified::between(other.view(), expected.view()).same_label, 0.5);
    }

    #[test]
    fn what_is_too_far_off_is_refused_by_the_bounds_of_its_storage() {
        let near = Verified { texts: 10, largest: 0.02, mean: 0.004, same_label: 1.0 };
        let far = Verified { largest: 0.05, ..near };
        near.require("F32").unwrap();
        assert_eq!(far.require("Q8_0").unwrap_err().exit_code(), 3);
        far.require("Q4_K").unwrap();
        Verified { texts: 32, same_label: 31.0 / 32.0, ..far }.require("Q4_1").unwrap();
        let said =
            Verified { texts: 32, same_label: 30.0 / 32.0, ..far }.require("Q4_1").unwrap_err().to_string();
        assert!(said.contains("94 % of them") && !said.contains("  "), "{said}");
        assert!(Verified { largest: f32::INFINITY, ..near }.require("Q4_K").is_err());
        assert!(Verified { texts: 0, ..near }.require("F32").is_err());
        assert_eq!(nan_or_more(f32::NAN, 0.1), f32::INFINITY);
    }
}
