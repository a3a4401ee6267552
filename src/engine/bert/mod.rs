//! The forward pass of BERT encoders in our own arithmetic: what llama.cpp computes, at more than its speed.
//!
//! It knows no tokeniser and loads only what it can compute whole. Whether it may stand in for llama.cpp on a given
//! file is not its to say: [`crate::engine::encoder`] lets both read the same texts and compares.

mod arithmetic;
mod forward;
mod weights;

pub use forward::Pass;
pub use weights::Weights;
