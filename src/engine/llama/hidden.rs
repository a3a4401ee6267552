//! Hidden states: what a language model has made of a text at a few depths, taken out of the pass that computes its answer.
//!
//! llama.cpp asks after each operation whether its result is wanted (`cb_eval` of its context's parameters). Wanted are the residual streams
//! after a few blocks; of each text they are summed over its tokens as they come, so that nothing is kept of a token.

use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_sys_2::{ggml_backend_tensor_get, ggml_tensor, llama_context_params};
use ndarray::Array2;

use crate::domain::predictor::DEPTHS;

/// Depths at which a text is looked at, as shares of the blocks. The middle of a language model knows more of a text than its end, which is
/// about the next token (`docs/decisions/learn.md`).
const SHARES: [f32; DEPTHS] = [0.4, 0.55, 0.67, 0.8];
/// The name that llama.cpp gives the residual stream after a block, in every architecture; the block's number follows.
const AFTER_BLOCK: &str = "l_out-";

/// Texts' mean hidden states while a context computes them.
pub(in crate::engine) struct HiddenStates {
    inner: Box<Mutex<Sums>>,
}

#[derive(Default)]
struct Sums {
    /// The blocks after which is looked, ascending.
    blocks: Vec<usize>,
    dimensions: usize,
    /// The text to which each token of the batch belongs; none of a token that is not a text's. Empty while nothing is wanted.
    owners: Vec<Option<usize>>,
    /// Tokens of the batch that have come, of each block.
    seen: Vec<usize>,
    /// Texts × blocks × dimensions.
    sums: Vec<f32>,
    /// Tokens of each text.
    tokens: Vec<usize>,
    /// One operation's result.
    row: Vec<f32>,
}

impl HiddenStates {
    /// For a model of so many blocks, whose hidden states have so many dimensions.
    pub fn of(blocks: usize, dimensions: usize) -> Self {
        let mut at: Vec<usize> = SHARES.iter().map(|share| (share * blocks as f32) as usize).collect();
        at.dedup();
        at.retain(|block| *block < blocks);
        Self { inner: Box::new(Mutex::new(Sums { blocks: at, dimensions, ..Sums::default() })) }
    }

    /// Has a context tell what it computes. The states must live longer than the context.
    pub fn listen(&self, params: LlamaContextParams) -> LlamaContextParams {
        const { assert!(size_of::<LlamaContextParams>() == size_of::<llama_context_params>()) };
        const { assert!(align_of::<LlamaContextParams>() == align_of::<llama_context_params>()) };
        let mut params = params;
        let heard: *const Mutex<Sums> = &raw const *self.inner;
        #[expect(unsafe_code, reason = "the crate's parameters have no setter for this callback")]
        // SAFETY: the wrapper has llama.cpp's own parameters as its only field, as the sizes above bear out. The pointer stays good, because the
        // box does not move and outlives the context; the callback takes it as shared, and the lock makes it exclusive.
        unsafe {
            let raw = (&raw mut params).cast::<llama_context_params>();
            (*raw).cb_eval = Some(on_operation);
            (*raw).cb_eval_user_data = heard.cast_mut().cast::<c_void>();
        }
        params
    }

    /// Begins a batch, of whose tokens each belongs to one of `texts` or to none.
    pub fn begin(&self, owners: Vec<Option<usize>>, texts: usize) {
        let mut sums = self.sums();
        let (blocks, width) = (sums.blocks.len(), sums.dimensions);
        sums.tokens = vec![0; texts];
        for owner in owners.iter().flatten() {
            sums.tokens[*owner] += 1;
        }
        sums.owners = owners;
        sums.seen = vec![0; blocks];
        sums.sums = vec![0.0; texts * blocks * width];
    }

    /// Ends it. Of each text the mean at each depth, scaled to a root mean square of 1: depths × dimensions. None where the model does not tell
    /// them, or they are not finite.
    pub fn end(&self) -> Vec<Option<Array2<f32>>> {
        let mut sums = self.sums();
        let (blocks, width) = (sums.blocks.len(), sums.dimensions);
        let owners = std::mem::take(&mut sums.owners).len();
        let complete = blocks > 0 && sums.seen.iter().all(|seen| *seen == owners);
        let of_text = |text: usize| {
            let size = blocks * width;
            let all = sums.sums.get(text * size..(text + 1) * size).filter(|_| complete)?;
            let mut states = Array2::from_shape_vec((blocks, width), all.to_vec()).ok()?;
            for mut state in states.rows_mut() {
                let size = (state.dot(&state) / width as f32).sqrt();
                state.mapv_inplace(|x| x / size);
            }
            states.iter().all(|x| x.is_finite()).then_some(states)
        };
        (0..sums.tokens.len()).map(of_text).collect()
    }

    fn sums(&self) -> std::sync::MutexGuard<'_, Sums> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sums {
    /// The place among the wanted blocks of the one with that result's name; none where it is not wanted now.
    fn wanted(&self, name: &str) -> Option<usize> {
        let block: usize =
            name.strip_prefix(AFTER_BLOCK).filter(|_| !self.owners.is_empty())?.parse().ok()?;
        self.blocks.iter().position(|at| *at == block)
    }

    /// Adds the states of the next tokens, tokens × dimensions, to those of their texts.
    fn add(&mut self, at: usize, states: &[f32]) {
        let width = self.dimensions;
        for state in states.chunks_exact(width) {
            let owner = self.owners.get(self.seen[at]).copied().flatten();
            self.seen[at] += 1;
            let Some(text) = owner else { continue };
            let start = (text * self.blocks.len() + at) * width;
            self.sums[start..start + width].iter_mut().zip(state).for_each(|(sum, x)| *sum += x);
        }
    }
}

/// Asked before an operation whether its result is wanted, and called again with the result. Returns whether to go on.
#[expect(
    unsafe_code,
    reason = "llama.cpp calls it with a tensor of its own and the pointer that it was given"
)]
unsafe extern "C" fn on_operation(tensor: *mut ggml_tensor, ask: bool, heard: *mut c_void) -> bool {
    // SAFETY: llama.cpp hands over a tensor that lives through the call, and the pointer of `listen`, whose target outlives the context.
    let (tensor, heard) = unsafe { (&*tensor, &*heard.cast::<Mutex<Sums>>().cast_const()) };
    let bytes: Vec<u8> = tensor.name.iter().take_while(|c| **c != 0).map(|c| c.cast_unsigned()).collect();
    let mut sums = heard.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = std::str::from_utf8(&bytes).ok().and_then(|name| sums.wanted(name));
    if ask {
        return wanted.is_some();
    }
    let Some(at) = wanted else { return true };
    let (width, tokens) = (usize::try_from(tensor.ne[0]), usize::try_from(tensor.ne[1]));
    let (Ok(width), Ok(tokens)) = (width, tokens) else { return true };
    let is_plain = tensor.type_ == llama_cpp_sys_2::GGML_TYPE_F32
        && tensor.nb[0] == size_of::<f32>()
        && tensor.nb[1] == width * size_of::<f32>();
    if width != sums.dimensions || !is_plain {
        return true;
    }
    let mut row = std::mem::take(&mut sums.row);
    row.resize(width * tokens, 0.0);
    // SAFETY: the tensor holds so many numbers without gaps, and the vector has room for them.
    unsafe {
        ggml_backend_tensor_get(tensor, row.as_mut_ptr().cast::<c_void>(), 0, row.len() * size_of::<f32>());
    }
    sums.add(at, &row);
    sums.row = row;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_texts_state_is_the_mean_over_its_own_tokens_at_each_depth() {
        let states = HiddenStates::of(10, 2);
        assert_eq!(states.sums().blocks, [4, 5, 6, 8]);
        // Two texts: tokens 0 and 2, and token 1; token 3 is a cue's. They come in two parts.
        states.begin(vec![Some(0), Some(1), Some(0), None], 2);
        for at in 0..4 {
            let mut sums = states.sums();
            assert_eq!(sums.wanted(&format!("l_out-{}", [4, 5, 6, 8][at])), Some(at));
            sums.add(at, &[1.0, 3.0, 5.0, 0.0]);
            sums.add(at, &[3.0, 1.0, 100.0, 100.0]);
        }
        let ended = states.end();
        let first = ended[0].as_ref().map(|states| states.row(0).to_vec());
        assert_eq!(first, Some(vec![1.0, 1.0]));
        let second = ended[1].as_ref().map(|states| states.row(3).to_vec()).unwrap();
        assert!((second[0] - 2f32.sqrt()).abs() < 1e-6 && second[1] == 0.0, "{second:?}");
        assert_eq!(states.sums().wanted("l_out-4"), None, "nothing is wanted between batches");
    }

    #[test]
    fn what_did_not_come_whole_or_is_not_finite_is_no_state() {
        let states = HiddenStates::of(10, 2);
        states.begin(vec![Some(0)], 1);
        assert_eq!(states.end(), [None]);
        states.begin(vec![Some(0), Some(1)], 2);
        for at in 0..4 {
            states.sums().add(at, &[1.0, 1.0, f32::INFINITY, 1.0]);
        }
        assert!(matches!(&states.end()[..], [Some(_), None]));
    }
}
