//! llama.cpp as the means of the encoder: a context of one thread that turns batches of tokens into pooled vectors.

use std::num::NonZeroU32;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use ndarray::Array2;

use super::backend::{backend, with_logged_error};
use crate::domain::fault::{Fault, Result};

/// Texts that llama.cpp takes in one batch (`LLAMA_MAX_SEQ`).
pub(super) const MOST_TEXTS: usize = 256;

/// A context with embeddings on, and the batch that it is given.
pub(super) struct Context<'model> {
    context: LlamaContext<'model>,
    batch: LlamaBatch<'static>,
    dimensions: usize,
}

impl<'model> Context<'model> {
    /// A context for batches of up to `most_tokens` tokens. Two contexts of one model must not be made at the same time.
    ///
    /// # Errors
    /// Where llama.cpp makes none, for want of memory.
    pub fn new(model: &'model LlamaModel, most_tokens: usize) -> Result<Self> {
        let size = u32::try_from(most_tokens).unwrap_or(u32::MAX);
        let params = LlamaContextParams::default()
            .with_embeddings(true)
            .with_n_threads(1)
            .with_n_threads_batch(1)
            .with_n_ctx(NonZeroU32::new(size))
            .with_n_batch(size)
            // An encoder sees a batch at once or not at all.
            .with_n_ubatch(size)
            .with_n_seq_max(MOST_TEXTS as u32)
            // Models with a cache share it among the texts of a batch, instead of each text getting a small part.
            .with_kv_unified(true)
            .with_no_perf(true);
        let backend = backend()?;
        let (context, reason) = with_logged_error(|| model.new_context(backend, params));
        let context = context.map_err(|e| {
            let why = reason.unwrap_or_else(|| "llama.cpp made no context and did not say why".into());
            Fault::new("prepare the encoder", why).because(e)
        })?;
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
