//! Low-rank adapters: what they are in memory, and the one file format that llama.cpp serves them from.
//!
//! Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685. An activated LoRA, which changes the answer's tokens
//! alone, is Greenewald et al., arXiv 2504.12397.

mod adapter;
mod file;

pub use adapter::{Lora, Update};
pub use file::{AdapterFile, EncoderAdapter, Head};
