//! A language model as llama.cpp computes it: the choices of examples, with an adapter or without, and the keys and values of documents.

use std::io::Read;
use std::num::{NonZeroU32, NonZeroUsize};

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::{KvCacheType, LlamaContextParams};
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;

use super::example::{Decision, Example};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::engine::llama::{Served, backend, parse, with_logged_error};
use crate::engine::transformer::{KvCache, KvStore, Shape};

/// Tokens that llama.cpp is given at a time.
const BATCH: usize = 512;
/// The sequence of what all documents share, and that of one document.
const SHARED: u32 = 0;
const DOCUMENT: u32 = 1;

/// In what precision llama.cpp keeps keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Half: what it does unless told. It also attends in half precision then.
    Half,
    /// Single, attention too: slower, and what is exact is exact.
    Single,
}

/// Which tokens the adapter that was loaded last acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdapterActs {
    /// None.
    Off,
    Everywhere,
    /// Those of the answer.
    OnAnswers,
}

/// How llama.cpp is to read.
#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    /// The longest text, in tokens.
    pub longest: usize,
    /// Of keys and values.
    pub precision: Precision,
    /// Threads that compute. They wait for each other without rest, so more than there are idle cores cost more than they give.
    pub threads: NonZeroUsize,
}

/// A context of llama.cpp that reads one text at a time.
pub struct ServedModel<'model> {
    served: &'model Served,
    context: LlamaContext<'model>,
    batch: LlamaBatch<'static>,
}

impl<'model> ServedModel<'model> {
    /// A context. Two contexts of one model must not be made at the same time.
    ///
    /// # Errors
    /// Where llama.cpp makes none, for want of memory.
    pub fn new(served: &'model Served, options: ServeOptions) -> Result<Self> {
        let size = u32::try_from((2 * options.longest).next_multiple_of(256)).unwrap_or(u32::MAX);
        let (kind, fused) = match options.precision {
            Precision::Half => (KvCacheType::F16, llama_cpp_sys_2::LLAMA_FLASH_ATTN_TYPE_AUTO),
            Precision::Single => (KvCacheType::F32, llama_cpp_sys_2::LLAMA_FLASH_ATTN_TYPE_DISABLED),
        };
        let threads = i32::try_from(options.threads.get()).unwrap_or(1);
        let params = LlamaContextParams::default()
            .with_n_threads(threads)
            .with_n_threads_batch(threads)
            .with_n_ctx(NonZeroU32::new(size))
            .with_n_batch(BATCH as u32)
            .with_n_ubatch(BATCH as u32)
            .with_n_seq_max(2)
            .with_type_k(kind)
            .with_type_v(kind)
            .with_flash_attention_policy(fused)
            .with_kv_unified(true)
            .with_no_perf(true);
        let backend = backend()?;
        let (context, reason) = with_logged_error(|| served.model.new_context(backend, params));
        let context = context.map_err(|e| {
            let why = reason.unwrap_or_else(|| "llama.cpp made no context and did not say why".into());
            Fault::new("prepare the model", why).because(e)
        })?;
        Ok(Self { served, context, batch: LlamaBatch::new(BATCH, 1) })
    }

    /// The log-probability of each candidate of each decision of an example.
    ///
    /// # Errors
    /// Where llama.cpp fails.
    pub fn probabilities(&mut self, example: &Example, acting: AdapterActs) -> Result<Vec<Vec<f32>>> {
        self.context.clear_kv_cache();
        let split = if acting == AdapterActs::OnAnswers { example.answer_from } else { 0 };
        self.switch(false)?;
        self.decode(example, 0..split, SHARED, &mut Vec::new())?;
        self.switch(acting != AdapterActs::Off)?;
        let mut found = vec![Vec::new(); example.decisions.len()];
        self.decode(example, split..example.tokens.len(), SHARED, &mut found)?;
        Ok(found)
    }

    /// What llama.cpp, with the model as it is, remembers of the examples' documents: of all that stands before their answers. Documents may take
    /// `memory` bytes of memory, the rest goes to a spill file. `on_document` is told the number of each that is done, from 1.
    ///
    /// # Errors
    /// Where llama.cpp fails, what it saves is not understood, or no file can be written.
    pub fn precompute_kv(
        &mut self,
        examples: &[&Example],
        shape: &Shape,
        memory: u64,
        on_document: &mut dyn FnMut(usize),
    ) -> Result<KvStore> {
        let unwritten = |e: std::io::Error| Fault::new("cache a text", io_reason(&e)).because(e);
        let mut file = tempfile::NamedTempFile::new().map_err(unwritten)?;
        self.context.clear_kv_cache();
        self.switch(false)?;
        let shared = examples.first().filter(|example| example.shared > 0);
        let of_shared = match shared {
            Some(example) => {
                self.decode(example, 0..example.shared, SHARED, &mut Vec::new())?;
                Some(self.save(SHARED, &mut file, shape)?)
            }
            None => None,
        };
        let shared = shared.map_or(0, |example| example.shared);
        let failed = |e: Box<dyn std::error::Error + Send + Sync>| {
            Fault::new("cache a text", e.to_string()).because(e)
        };
        let mut cached = KvStore::new(of_shared, memory);
        for (number, example) in (1..).zip(examples) {
            self.context
                .copy_kv_cache_seq(SHARED as i32, DOCUMENT as i32, None, None)
                .map_err(|e| failed(e.into()))?;
            self.decode(example, shared..example.answer_from, DOCUMENT, &mut Vec::new())?;
            // What all share is not saved again.
            let end = u32::try_from(shared).ok();
            self.context.clear_kv_cache_seq(Some(DOCUMENT), Some(0), end).map_err(|e| failed(e.into()))?;
            cached.add(self.save(DOCUMENT, &mut file, shape)?).map_err(unwritten)?;
            self.context.clear_kv_cache_seq(Some(DOCUMENT), None, None).map_err(|e| failed(e.into()))?;
            on_document(number);
        }
        Ok(cached)
    }

    /// What it remembers of a sequence.
    fn save(&mut self, sequence: u32, file: &mut tempfile::NamedTempFile, shape: &Shape) -> Result<KvCache> {
        let unread = |e: std::io::Error| Fault::new("cache a text", io_reason(&e)).because(e);
        let (saved, reason) =
            with_logged_error(|| self.context.state_seq_save_file(file.path(), sequence as i32, &[]));
        saved.map_err(|e| Fault::new("cache a text", reason.unwrap_or_else(|| e.to_string())).because(e))?;
        let mut bytes = Vec::new();
        // llama.cpp has replaced the file of that name.
        std::fs::File::open(file.path()).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(unread)?;
        parse(&bytes, shape)
    }

    /// Lets the adapter act from now on, or not.
    fn switch(&mut self, on: bool) -> Result<()> {
        self.served.switch(&mut self.context, self.served.newest().filter(|_| on))
    }

    /// Reads some of an example's tokens; what is decided after them goes to `found`, unless that is empty.
    fn decode(
        &mut self,
        example: &Example,
        range: std::ops::Range<usize>,
        sequence: u32,
        found: &mut [Vec<f32>],
    ) -> Result<()> {
        let failed = |why: String| Fault::new("read a text", why);
        let positions: Vec<usize> = range.collect();
        for part in positions.chunks(BATCH) {
            self.batch.clear();
            for &position in part {
                let token = LlamaToken::new(i32::try_from(example.tokens[position]).unwrap_or(0));
                let decides = !found.is_empty() && example.decisions.iter().any(|d| d.at == position);
                self.batch
                    .add(token, position as i32, &[sequence as i32], decides)
                    .map_err(|e| failed("a batch is too long".into()).because(e))?;
            }
            let (decoded, reason) = with_logged_error(|| self.context.decode(&mut self.batch));
            decoded.map_err(|e| failed(reason.unwrap_or_else(|| e.to_string())).because(e))?;
            for (decision, found) in example.decisions.iter().zip(found.iter_mut()) {
                if let Some(row) = part.iter().position(|position| *position == decision.at) {
                    *found = chosen(self.context.get_logits_ith(row as i32), decision);
                }
            }
        }
        Ok(())
    }
}

/// The log-probabilities of the candidates among each other.
fn chosen(scores: &[f32], decision: &Decision) -> Vec<f32> {
    let scores = || decision.candidates.iter().map(|token| f64::from(scores[*token]));
    let most = scores().fold(f64::NEG_INFINITY, f64::max);
    let whole = scores().map(|score| (score - most).exp()).sum::<f64>().ln();
    scores().map(|score| (score - most - whole) as f32).collect()
}
