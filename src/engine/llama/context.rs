//! Models, adapters and contexts as llama.cpp holds them. The context here is that of an encoder: one of one thread that turns batches of tokens into pooled vectors.

use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::{LlamaContextParams, LlamaPoolingType};
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::model::{LlamaLoraAdapter, LlamaModel};
use llama_cpp_2::token::LlamaToken;
use ndarray::Array2;

use super::backend::{backend, with_logged_error};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::engine::model_file::Pooling;

/// Texts that llama.cpp takes in one batch (`LLAMA_MAX_SEQ`).
pub const MOST_TEXTS: usize = 256;

/// Memory that the scores of a batch's tokens may take in each context, though nobody asks for them: 256 tokens with 65,000 pieces.
const SCORES: usize = 64 << 20;
/// Below this a batch is too small to be worth the call.
const FEWEST: usize = 16;

/// Tokens and texts of a batch with which a context for a vocabulary of that size stays small.
pub fn batch_for_vocabulary(pieces: usize) -> usize {
    (SCORES / (4 * pieces.max(1))).clamp(FEWEST, MOST_TEXTS)
}

/// A model as llama.cpp holds it, with the adapters that its contexts may use.
pub struct Served {
    pub model: LlamaModel,
    /// llama.cpp frees them with the model.
    adapters: Vec<Mutex<LlamaLoraAdapter>>,
    /// How its contexts make a vector of a text; as its file says, where that is not specified.
    pooling: LlamaPoolingType,
}

/// One of the adapters that were loaded with a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded(usize);

impl Served {
    /// Loads the model file at `path`, and the adapter whose file these bytes are.
    ///
    /// # Errors
    /// Where llama.cpp refuses one of them, with its own reason.
    pub fn load(path: &Path, adapter: Option<&[u8]>) -> Result<Self> {
        let mut served = Self::with(path, &LlamaModelParams::default())?;
        if let Some(bytes) = adapter {
            served.adapt(bytes)?;
        }
        Ok(served)
    }

    /// Loads the model file at `path` as `params` say, without an adapter.
    ///
    /// # Errors
    /// Where llama.cpp refuses it, with its own reason.
    pub fn with(path: &Path, params: &LlamaModelParams) -> Result<Self> {
        let attempted = || format!("load the model {}", path.display());
        let backend = backend()?;
        let (model, reason) = with_logged_error(|| LlamaModel::load_from_file(backend, path, params));
        let model = model.map_err(|e| Fault::new(attempted(), reason.unwrap_or_else(silent)).because(e))?;
        Ok(Self { model, adapters: Vec::new(), pooling: LlamaPoolingType::Unspecified })
    }

    /// Has contexts that are made from now on make vectors so, whatever the file says.
    pub fn pool_by(&mut self, pooling: Pooling) {
        self.pooling = match pooling {
            Pooling::None => LlamaPoolingType::None,
            Pooling::Mean => LlamaPoolingType::Mean,
            Pooling::Cls => LlamaPoolingType::Cls,
            Pooling::Last => LlamaPoolingType::Last,
            Pooling::Rank => LlamaPoolingType::Rank,
        };
    }

    /// Loads another adapter, whose file these bytes are; contexts made from now on may use it.
    ///
    /// # Errors
    /// Where llama.cpp refuses it, with its own reason.
    pub fn adapt(&mut self, bytes: &[u8]) -> Result<Loaded> {
        let attempted = "load the adapter";
        let unwritten = |e: std::io::Error| Fault::new(attempted, io_reason(&e)).because(e);
        // llama.cpp reads adapters from files alone; it has read all of this one when it returns.
        let mut file = tempfile::NamedTempFile::new().map_err(unwritten)?;
        file.write_all(bytes).map_err(unwritten)?;
        let (adapter, reason) = with_logged_error(|| self.model.lora_adapter_init(file.path()));
        let adapter = adapter.map_err(|e| Fault::new(attempted, reason.unwrap_or_else(silent)).because(e))?;
        self.adapters.push(Mutex::new(adapter));
        Ok(Loaded(self.adapters.len() - 1))
    }

    /// The adapter that was loaded last.
    pub fn newest(&self) -> Option<Loaded> {
        self.adapters.len().checked_sub(1).map(Loaded)
    }

    /// Lets that adapter act in a context from now on and no other, or none.
    ///
    /// # Errors
    /// Where llama.cpp refuses it.
    pub fn switch(&self, context: &mut LlamaContext<'_>, to: Option<Loaded>) -> Result<()> {
        let failed = |e: Box<dyn std::error::Error + Send + Sync>| {
            Fault::new("use the adapter", e.to_string()).because(e)
        };
        let others = self.adapters.iter().enumerate().filter(|(number, _)| to != Some(Loaded(*number)));
        for (_, other) in others {
            let mut other = other.lock().unwrap_or_else(PoisonError::into_inner);
            context.lora_adapter_remove(&mut other).map_err(|e| failed(e.into()))?;
        }
        let Some(adapter) = to.and_then(|Loaded(number)| self.adapters.get(number)) else { return Ok(()) };
        let mut adapter = adapter.lock().unwrap_or_else(PoisonError::into_inner);
        context.lora_adapter_set(&mut adapter, 1.0).map_err(|e| failed(e.into()))
    }
}

fn silent() -> String {
    "llama.cpp refuses it and does not say why".to_owned()
}

/// A context with embeddings on, and the batch that it is given.
pub struct Context<'model> {
    context: LlamaContext<'model>,
    batch: LlamaBatch<'static>,
    dimensions: usize,
}

impl<'model> Context<'model> {
    /// A context for batches of up to `most_texts` texts with `most_tokens` tokens together. Two contexts of one model must not be made at the same time.
    ///
    /// llama.cpp keeps room for the vocabulary's scores of every token of its largest batch, and of as many tokens as there may be texts, though none
    /// are computed for an encoder: 4 bytes × vocabulary × tokens. So ask for no more than is needed: see [`batch_for_vocabulary`].
    ///
    /// # Errors
    /// Where llama.cpp makes none, for want of memory.
    pub fn new(served: &'model Served, most_tokens: usize, most_texts: usize) -> Result<Self> {
        let model = &served.model;
        let most_texts = most_texts.clamp(1, MOST_TEXTS);
        // llama.cpp reserves its graph for tokens padded to the number of texts, and ends the process where a batch is not.
        let size = u32::try_from(most_tokens.next_multiple_of(most_texts)).unwrap_or(u32::MAX);
        let params = LlamaContextParams::default()
            .with_embeddings(true)
            .with_n_threads(1)
            .with_n_threads_batch(1)
            .with_n_ctx(NonZeroU32::new(size))
            .with_n_batch(size)
            // An encoder sees a batch at once or not at all.
            .with_n_ubatch(size)
            .with_n_seq_max(most_texts as u32)
            .with_pooling_type(served.pooling)
            // Models with a cache share it among the texts of a batch, instead of each text getting a small part.
            .with_kv_unified(true)
            .with_no_perf(true);
        let backend = backend()?;
        let (context, reason) = with_logged_error(|| model.new_context(backend, params));
        let mut context = context.map_err(|e| {
            let why = reason.unwrap_or_else(|| "llama.cpp made no context and did not say why".into());
            Fault::new("prepare the encoder", why).because(e)
        })?;
        served.switch(&mut context, served.newest())?;
        let dimensions = usize::try_from(model.n_embd_out()).unwrap_or(0);
        Ok(Self { context, batch: LlamaBatch::new(most_tokens, 1), dimensions })
    }

    /// One vector a text, `texts × dimensions`, of the length that the model gives it.
    ///
    /// # Errors
    /// Where llama.cpp fails on the batch.
    pub fn vectors(&mut self, texts: &[Vec<LlamaToken>]) -> Result<Array2<f32>> {
        let failed = |why: &str| Fault::new("turn texts into vectors", why);
        self.batch.clear();
        for (text, tokens) in (0..).zip(texts) {
            self.batch
                .add_sequence(tokens, text, true)
                .map_err(|e| failed("a batch is too long").because(e))?;
        }
        // Only models with a cache of keys and values remember the last batch; for others this does nothing.
        self.context.clear_kv_cache();
        let (decoded, reason) = with_logged_error(|| self.context.decode(&mut self.batch));
        decoded.map_err(|e| failed(&reason.unwrap_or_else(|| e.to_string())).because(e))?;

        let mut vectors = Array2::zeros((texts.len(), self.dimensions));
        for (text, mut row) in (0..).zip(vectors.rows_mut()) {
            let vector =
                self.context.embeddings_seq_ith(text).map_err(|e| failed(&e.to_string()).because(e))?;
            row.iter_mut().zip(vector).for_each(|(to, from)| *to = *from);
        }
        Ok(vectors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_vocabulary_gets_small_batches() {
        assert_eq!([30_522, 65_536, 151_936, 250_002].map(batch_for_vocabulary), [256, 256, 110, 67]);
        assert_eq!((batch_for_vocabulary(0), batch_for_vocabulary(1 << 24)), (MOST_TEXTS, FEWEST));
    }
}
