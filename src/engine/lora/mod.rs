//! Low-rank adapters of encoders: what they are, and the file that llama.cpp serves them from.
//!
//! Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685.

mod adapter;
mod file;

pub use adapter::{Lora, Update};
pub use file::{AdapterFile, Head};
