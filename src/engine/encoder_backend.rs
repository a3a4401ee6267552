//! What computes an encoder: llama.cpp, or our own forward pass where that gives the same vectors.
//!
//! llama.cpp is the reference. Our own pass is several times as fast on encoders' short texts (llama.cpp attends over
//! a whole batch and masks most of it away), so it takes over where it can compute the model and has just given
//! llama.cpp's vectors on the probes below. Anything else, also a graphics card, is llama.cpp's.

use std::path::Path;
use std::sync::Arc;

use llama_cpp_2::token::LlamaToken;
use ndarray::{Array2, ArrayView1};

use super::llama::{Context, MOST_TEXTS, Served, backend, batch_for_vocabulary};
use super::lora::Lora;
use super::model_file::ModelFacts;
use super::transformer::{EncoderPass, Weights};
use crate::domain::fault::{Fault, Result};

/// What both must read alike: short, long, empty, not English, out of the vocabulary.
const PROBES: [&str; 5] = [
    "",
    "WINNER!! Call 0906 now to claim your \u{a3}1000 prize.",
    "Die Sitzung ist auf Dienstag verlegt; \u{4f1a}\u{8bae} \u{43f}\u{435}\u{440}\u{435}\u{43d}\u{435}\u{441}\u{435}\u{43d}\u{430}.",
    "\u{1f389} x=1;[y]{z} <b>odd</b> tokens@example.org",
    "The committee met for the third time this spring to decide whether the old bridge should be repaired or replaced, \
     and heard two engineers, a historian and eleven residents, most of whom wanted it kept as it is.",
];

/// What computes an encoder; cheap to clone.
#[derive(Clone)]
pub(super) enum EncoderBackend {
    /// Contexts of llama.cpp.
    LlamaCpp(Arc<Served>),
    /// Our own forward pass.
    Own(Arc<Weights>),
}

impl EncoderBackend {
    /// The fastest that computes what llama.cpp computes with the model at `path`, and the adapter that it was given.
    ///
    /// # Errors
    /// Where the file cannot be read, the adapter is not for it, or llama.cpp cannot compute either.
    pub fn choose(
        path: &Path,
        facts: &ModelFacts,
        served: &Arc<Served>,
        lora: Option<&Lora>,
    ) -> Result<Self> {
        let llama_cpp = Self::LlamaCpp(Arc::clone(served));
        if backend()?.supports_gpu_offload() {
            return Ok(llama_cpp);
        }
        let weights = Weights::read_encoder(path, facts.pooling)
            .map_err(|e| Fault::new("read the model's weights", e.to_string()).because(e))?;
        let Some(mut weights) = weights else { return Ok(llama_cpp) };
        if let Some(lora) = lora {
            if !lora.fits(&weights.shape) {
                return Err(Fault::new("use the adapter", "it was trained for a model of another shape"));
            }
            weights = lora.merged(&weights)?;
        }
        let own = Self::Own(Arc::new(weights));
        let vocab = served.model.vocab();
        let probes: Vec<_> = PROBES.iter().map(|text| vocab.tokenize(text.as_bytes(), true, false)).collect();
        let tokens = probes.iter().map(Vec::len).sum();
        if probes.iter().any(|probe| probe.is_empty() || probe.len() > facts.context) {
            return Ok(llama_cpp);
        }
        let reference = llama_cpp.worker(tokens, probes.len())?.unit_vectors(&probes)?;
        let ours = own.worker(tokens, probes.len())?.unit_vectors(&probes);
        let same = |ours: Array2<f32>| {
            let cosines =
                reference.rows().into_iter().zip(ours.rows()).map(|(a, b): (ArrayView1<f32>, _)| a.dot(&b));
            cosines.fold(1.0, f32::min) >= least_cosine(&facts.quantisation)
        };
        Ok(if ours.is_ok_and(same) { own } else { llama_cpp })
    }

    /// Tokens of a batch, unless a single text is longer. Measured: see `benches/embed.rs`.
    pub fn batch_tokens(&self) -> usize {
        match self {
            Self::LlamaCpp(served) => batch_for_vocabulary(vocabulary(served)),
            Self::Own(_) => 512,
        }
    }

    /// Texts of a batch.
    pub fn batch_texts(&self) -> usize {
        match self {
            Self::LlamaCpp(served) => batch_for_vocabulary(vocabulary(served)),
            Self::Own(_) => MOST_TEXTS,
        }
    }

    /// Something that computes batches of up to `most_texts` texts with `most_tokens` tokens together, on the thread that calls it.
    ///
    /// # Errors
    /// Where llama.cpp makes no context, for want of memory.
    pub fn worker(&self, most_tokens: usize, most_texts: usize) -> Result<EncoderWorker<'_>> {
        Ok(match self {
            Self::LlamaCpp(served) => {
                EncoderWorker::LlamaCpp(Box::new(Context::new(served, most_tokens, most_texts)?))
            }
            Self::Own(weights) => EncoderWorker::Own(Box::new(EncoderPass::new(Arc::clone(weights)))),
        })
    }
}

fn vocabulary(served: &Served) -> usize {
    usize::try_from(served.model.n_vocab()).unwrap_or(0)
}

/// llama.cpp rounds activations to f16, and to 8 bits where the weights are quantised; ours stay F32.
fn least_cosine(quantisation: &str) -> f32 {
    match quantisation {
        "F32" | "F16" | "BF16" => 0.9999,
        _ => 0.998,
    }
}

/// One thread's share of it.
pub(super) enum EncoderWorker<'model> {
    LlamaCpp(Box<Context<'model>>),
    Own(Box<EncoderPass>),
}

impl EncoderWorker<'_> {
    /// The vectors of texts given as tokens, none of them empty, `texts × dimensions`, each of length 1.
    ///
    /// # Errors
    /// Where llama.cpp fails, or the numbers are not finite.
    pub fn unit_vectors(&mut self, texts: &[Vec<LlamaToken>]) -> Result<Array2<f32>> {
        let mut vectors = match self {
            Self::LlamaCpp(context) => context.vectors(texts)?,
            Self::Own(pass) => {
                let ids = |text: &Vec<LlamaToken>| {
                    text.iter().map(|token| token.0.unsigned_abs() as usize).collect()
                };
                pass.vectors(&texts.iter().map(ids).collect::<Vec<_>>())
            }
        };
        for mut vector in vectors.rows_mut() {
            let length = vector.dot(&vector).sqrt();
            if !length.is_normal() {
                return Err(Fault::new(
                    "turn texts into vectors",
                    "the model's vectors are not finite numbers; its file may be damaged",
                ));
            }
            vector /= length;
        }
        Ok(vectors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::skip::{skip, test_data};
    use crate::engine::model_file::inspect;

    const PACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/encoder.gguf");

    fn loaded(path: &Path) -> (ModelFacts, Arc<Served>) {
        (inspect(path).unwrap(), Arc::new(Served::load(path, None).unwrap()))
    }

    /// The least cosine between what both make of the texts, in batches of eight.
    fn least_of(path: &Path, texts: &[String]) -> f32 {
        let (facts, model) = loaded(path);
        let own = EncoderBackend::Own(Arc::new(Weights::read_encoder(path, facts.pooling).unwrap().unwrap()));
        let reference = EncoderBackend::LlamaCpp(Arc::clone(&model));
        let (mut own, mut reference) = (own.worker(4_096, 8).unwrap(), reference.worker(4_096, 8).unwrap());
        let mut least = 1.0f32;
        for batch in texts.chunks(8) {
            let tokens = |text: &String| {
                let mut tokens = model.model.vocab().tokenize(text.as_bytes(), true, false);
                tokens.truncate(facts.context.min(512));
                tokens
            };
            let tokens: Vec<_> = batch.iter().map(tokens).collect();
            let (a, b) = (own.unit_vectors(&tokens).unwrap(), reference.unit_vectors(&tokens).unwrap());
            least = a.rows().into_iter().zip(b.rows()).map(|(a, b)| a.dot(&b)).fold(least, f32::min);
        }
        least
    }

    #[test]
    fn our_pass_gives_the_vectors_of_llama_cpp_on_real_texts() {
        let Some(sms) = test_data("data/sms_spam/sms.tsv") else { return };
        let sms = std::fs::read_to_string(sms).unwrap();
        let mut texts: Vec<String> =
            sms.lines().step_by(25).filter_map(|l| Some(l.split_once('\t')?.1.to_owned())).collect();
        texts.push(texts.concat());
        let dir = tempfile::tempdir().unwrap();
        let unpacked = crate::engine::embedded::unpack(&std::fs::read(PACKED).unwrap(), dir.path()).unwrap();
        let (exact, packed) = (least_of(&unpacked, &texts), least_of(Path::new(PACKED), &texts));
        eprintln!("{} texts: least cosine {exact} with F32 weights, {packed} with Q8_0", texts.len());
        assert!(exact > 0.9999, "{exact}");
        assert!(packed > 0.998, "{packed}");
    }

    #[test]
    fn the_embedded_model_is_ours_to_compute_and_a_language_model_is_not() {
        if backend().unwrap().supports_gpu_offload() {
            return skip("a graphics card computes here");
        }
        let (facts, model) = loaded(Path::new(PACKED));
        assert!(matches!(
            EncoderBackend::choose(Path::new(PACKED), &facts, &model, None).unwrap(),
            EncoderBackend::Own(_)
        ));
        let Some(path) = test_data("models/tinystories-656k-f32.gguf") else { return };
        let (facts, model) = loaded(&path);
        assert!(matches!(
            EncoderBackend::choose(&path, &facts, &model, None).unwrap(),
            EncoderBackend::LlamaCpp(_)
        ));
    }
}
