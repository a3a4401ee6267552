//! One core of the encoder: a thread that turns batches of tokens into unit vectors.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use llama_cpp_2::token::LlamaToken;
use ndarray::Array2;

use super::encoder_backend::EncoderBackend;
use super::windows::Window;
use crate::domain::fault::{Fault, Result};

/// A batch on its way to a worker.
pub(super) struct Job {
    /// What these are: whole texts for the most part.
    pub windows: Vec<Window>,
    /// Their tokens, none empty, together no more than the workers were started for, and no more than a batch may have.
    pub tokens: Vec<Vec<LlamaToken>>,
    /// Where the vectors go.
    pub reply: SyncSender<Result<Rows>>,
    /// Set once the vectors are no longer wanted.
    pub cancelled: Arc<AtomicBool>,
}

/// The vectors of a batch.
pub(super) struct Rows {
    /// What these are.
    pub windows: Vec<Window>,
    /// One unit vector for each, in that order.
    pub vectors: Array2<f32>,
}

/// Starts a worker that takes batches of up to `most_tokens` tokens from `queue` until its other end is gone.
///
/// Returns once the worker is ready. Call it for one worker after the other: two contexts of one model must not be
/// made at the same time.
///
/// # Errors
/// Where llama.cpp makes no context, for want of memory.
pub(super) fn start(
    backend: &EncoderBackend,
    most_tokens: usize,
    queue: &Arc<Mutex<Receiver<Job>>>,
) -> Result<JoinHandle<()>> {
    let (backend, queue) = (backend.clone(), Arc::clone(queue));
    let (ready, made) = mpsc::channel();
    let run = move || {
        let mut worker = match backend.worker(most_tokens, backend.batch_texts()) {
            Ok(worker) => worker,
            Err(fault) => return drop(ready.send(Err(fault))),
        };
        drop(ready.send(Ok(())));
        while let Some(job) = next(&queue) {
            if job.cancelled.load(Ordering::Relaxed) {
                continue;
            }
            let Job { windows, tokens, reply, .. } = job;
            // It is not an error that the caller has left.
            drop(reply.send(worker.unit_vectors(&tokens).map(|vectors| Rows { windows, vectors })));
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
