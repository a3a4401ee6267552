//! Turns texts into unit vectors with an encoder model: the one place where the pool meets llama.cpp.
//!
//! Every core has a context of its own with a single thread, and all contexts share the model: no core ever waits for
//! another inside a layer. Texts are tokenised ahead on one more thread. A batch is a handful of texts laid end to
//! end; llama.cpp computes attention over all of it and masks what belongs to other texts, so batches stay small.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::token::LlamaToken;
use ndarray::ArrayView2;

use super::backend::{backend, physical_cores, with_logged_error};
use super::model_file::{ModelFacts, inspect};
use super::worker::{self, Job, MOST_TEXTS, Rows};
use crate::domain::fault::{Fault, Result};

/// Tokens of a batch, unless a single text is longer. Measured: see `benches/embed.rs`.
const BATCH_TOKENS: usize = 256;
/// Longer texts are cut here even where the model allows more: attention's memory grows with the square.
const LONGEST_TEXT: usize = 2048;
/// Real texts have far fewer bytes per token, so what lies beyond needs no tokenising.
const BYTES_PER_TOKEN: usize = 64;

/// How to run an encoder.
#[derive(Clone, Copy, Debug)]
pub struct EncoderOptions {
    /// Cores to keep busy.
    pub threads: NonZeroUsize,
}

impl Default for EncoderOptions {
    fn default() -> Self {
        Self { threads: physical_cores() }
    }
}

/// What an [`Encoder::embed`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    /// Texts whose vectors were handed over.
    pub texts: usize,
    /// Texts of the input, as far as it was read, that were longer than the model reads, and were cut.
    pub truncated: usize,
}

/// A loaded encoder model with its workers. Dropping it ends them.
pub struct Encoder {
    facts: ModelFacts,
    model: Arc<LlamaModel>,
    longest: usize,
    /// None only while dropping.
    jobs: Option<SyncSender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

impl Encoder {
    /// Loads the model file at `path`.
    ///
    /// # Errors
    /// Where the file is no encoder, or llama.cpp refuses it, with llama.cpp's own reason.
    pub fn load(path: &Path, options: EncoderOptions) -> Result<Self> {
        let mut facts = inspect(path)?;
        facts.require_encoder()?;
        let attempted = || format!("load the model {}", path.display());
        let backend = backend()?;
        let params = LlamaModelParams::default();
        let (model, reason) = with_logged_error(|| LlamaModel::load_from_file(backend, path, &params));
        let model = Arc::new(model.map_err(|e| {
            let why = reason.unwrap_or_else(|| "llama.cpp refuses it and does not say why".into());
            Fault::new(attempted(), why).because(e)
        })?);
        facts.dimensions = usize::try_from(model.n_embd_out()).unwrap_or(facts.dimensions);
        let longest = facts.context.min(LONGEST_TEXT);

        // One batch waits for each worker, so that none has to wait for the tokeniser.
        let (jobs, queue) = mpsc::sync_channel(options.threads.get());
        let queue = Arc::new(Mutex::new(queue));
        let mut encoder = Self { facts, model, longest, jobs: Some(jobs), workers: Vec::new() };
        for _ in 0..options.threads.get() {
            let worker = worker::start(&encoder.model, longest.max(BATCH_TOKENS), &queue);
            encoder.workers.push(worker.map_err(|fault| fault.while_trying(attempted()))?);
        }
        Ok(encoder)
    }

    /// What the model's file says of it, with the length of the vectors that it yields.
    pub fn facts(&self) -> &ModelFacts {
        &self.facts
    }

    /// Hands the vectors of `texts` to `on_batch`, some at a time and not in order: with each row its text's index.
    ///
    /// A row has `facts().dimensions` numbers and length 1. Every text gets one, also an empty one; a text longer
    /// than the model reads is cut. A vector does not depend on the texts beside it (beyond rounding, cosine 0.9999).
    /// `on_batch` runs on this thread while the workers go on, and ends the work by breaking.
    ///
    /// # Errors
    /// Where llama.cpp fails on a batch. What was handed over before stays good.
    pub fn embed(
        &self,
        texts: &[&str],
        on_batch: &mut dyn FnMut(&[usize], ArrayView2<f32>) -> ControlFlow<()>,
    ) -> Result<Embedded> {
        // Two finished batches a worker may wait for `on_batch` before the worker does.
        let (reply, replies) = mpsc::sync_channel(2 * self.workers.len());
        let cancelled = Arc::new(AtomicBool::new(false));
        thread::scope(|scope| {
            let feeding = scope.spawn(|| self.feed(texts, reply, &cancelled));
            let handed = hand_over(replies, on_batch);
            cancelled.store(true, Ordering::Relaxed);
            let truncated = feeding.join().map_err(|_| stopped())?;
            let (done, left_early) = handed?;
            if done < texts.len() && !left_early {
                return Err(stopped());
            }
            Ok(Embedded { texts: done, truncated })
        })
    }

    /// Tokenises and packs until all is sent or nobody listens; returns how many texts were cut.
    fn feed(&self, texts: &[&str], reply: SyncSender<Result<Rows>>, cancelled: &Arc<AtomicBool>) -> usize {
        let empty = || Job {
            texts: Vec::new(),
            tokens: Vec::new(),
            reply: reply.clone(),
            cancelled: Arc::clone(cancelled),
        };
        let send = |job: Job| self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        let (mut job, mut filled, mut truncated) = (empty(), 0, 0);
        for (index, text) in texts.iter().enumerate() {
            if cancelled.load(Ordering::Relaxed) {
                return truncated;
            }
            let (tokens, cut) = self.tokenise(text);
            truncated += usize::from(cut);
            let full = filled + tokens.len() > BATCH_TOKENS || job.texts.len() == MOST_TEXTS;
            if full && filled > 0 {
                if !send(std::mem::replace(&mut job, empty())) {
                    return truncated;
                }
                filled = 0;
            }
            filled += tokens.len();
            job.texts.push(index);
            job.tokens.push(tokens);
        }
        if filled > 0 {
            send(job);
        }
        truncated
    }

    /// The tokens of a text, never none, and whether it had to be cut.
    fn tokenise(&self, text: &str) -> (Vec<LlamaToken>, bool) {
        let most_bytes = self.longest * BYTES_PER_TOKEN;
        let shortened = (text.len() > most_bytes).then(|| beginning(text, most_bytes));
        let vocab = self.model.vocab();
        let mut tokens = vocab.tokenize(shortened.as_deref().unwrap_or(text).as_bytes(), true, false);
        let cut = tokens.len() > self.longest;
        if cut {
            // The model was trained with its end mark at the end.
            let end = tokens.last().copied().filter(|token| vocab.is_control(*token));
            tokens.truncate(self.longest - usize::from(end.is_some()));
            tokens.extend(end);
        }
        if tokens.is_empty() {
            // Some vocabularies make nothing of nothing; any one token stands for it.
            tokens.push(LlamaToken::new(vocab.bos().0.max(0)));
        }
        (tokens, cut || shortened.is_some())
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            // A worker that panicked has failed its batches already.
            drop(worker.join());
        }
    }
}

/// Returns how many texts were handed over, and whether `on_batch` broke off.
fn hand_over(
    replies: mpsc::Receiver<Result<Rows>>,
    on_batch: &mut dyn FnMut(&[usize], ArrayView2<f32>) -> ControlFlow<()>,
) -> Result<(usize, bool)> {
    let mut done = 0;
    for rows in replies {
        let rows = rows?;
        done += rows.texts.len();
        if on_batch(&rows.texts, rows.vectors.view()).is_break() {
            return Ok((done, true));
        }
    }
    Ok((done, false))
}

/// The first `most` bytes or so with runs of white space as one space, so that a page of blanks hides no text.
fn beginning(text: &str, most: usize) -> String {
    let mut short = String::new();
    for word in text.split_whitespace() {
        let room = most.saturating_sub(short.len());
        if room == 0 {
            break;
        }
        short.push_str(&word[..word.floor_char_boundary(room)]);
        short.push(' ');
    }
    short
}

fn stopped() -> Fault {
    Fault::new("turn texts into vectors", "a worker of the encoder stopped")
}
