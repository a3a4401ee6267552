//! One core of the encoder: a thread that owns a llama.cpp context and turns batches of tokens into unit vectors.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

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

/// A batch on its way to a worker.
pub(super) struct Job {
    /// Which texts these are, by the caller's numbers.
    pub texts: Vec<usize>,
    /// Their tokens, none empty, together no more than the workers were started for.
    pub tokens: Vec<Vec<LlamaToken>>,
    /// Where the vectors go.
    pub reply: SyncSender<Result<Rows>>,
    /// Set once nobody wants them any more.
    pub cancelled: Arc<AtomicBool>,
}

/// The vectors of a batch.
pub(super) struct Rows {
    /// Which texts these are, by the caller's numbers.
    pub texts: Vec<usize>,
    /// One unit vector per text, in that order.
    pub vectors: Array2<f32>,
}

/// Starts a worker that takes batches of up to `most_tokens` tokens from `queue` until its other end is gone.
///
/// Returns once the worker has its context. Call it for one worker after the other: two contexts of one model must
/// not be made at the same time.
///
/// # Errors
/// Where llama.cpp makes no context, for want of memory.
pub(super) fn start(
    model: &Arc<LlamaModel>,
    most_tokens: usize,
    queue: &Arc<Mutex<Receiver<Job>>>,
) -> Result<JoinHandle<()>> {
    let (model, queue) = (Arc::clone(model), Arc::clone(queue));
    let (ready, made) = mpsc::channel();
    let run = move || {
        let mut worker = match Worker::new(&model, most_tokens) {
            Ok(worker) => worker,
            Err(fault) => return drop(ready.send(Err(fault))),
        };
        drop(ready.send(Ok(())));
        while let Some(job) = next(&queue) {
            if job.cancelled.load(Ordering::Relaxed) {
                continue;
            }
            let Job { texts, tokens, reply, .. } = job;
            // A caller who has left is no failure.
            drop(reply.send(worker.vectors(&tokens).map(|vectors| Rows { texts, vectors })));
        }
    };
    let failed = |why: &str| Fault::new("start a worker of the encoder", why);
    let handle = thread::Builder::new()
        .name("encoder".into())
        .spawn(run)
        .map_err(|e| failed("the system gives no more threads").because(e))?;
    made.recv().map_err(|e| failed("it ended at once").because(e))??;
    Ok(handle)
}

fn next(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

struct Worker<'model> {
    context: LlamaContext<'model>,
    batch: LlamaBatch<'static>,
    dimensions: usize,
}

impl<'model> Worker<'model> {
    fn new(model: &'model LlamaModel, most_tokens: usize) -> Result<Self> {
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

    fn vectors(&mut self, texts: &[Vec<LlamaToken>]) -> Result<Array2<f32>> {
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
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            if !length.is_normal() || vector.len() != row.len() {
                return Err(failed("the model's vectors are not finite numbers; its file may be damaged"));
            }
            row.iter_mut().zip(vector).for_each(|(unit, x)| *unit = x / length);
        }
        Ok(vectors)
    }
}
