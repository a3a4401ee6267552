//! The forward pass of BERT encoders in our own arithmetic: what llama.cpp computes, at more than its speed.
//!
//! It knows no tokeniser and loads only what it can compute whole. Whether it may stand in for llama.cpp on a given
//! file is not its to say: [`crate::engine::encoder`] lets both read the same texts and compares.

mod arithmetic;
mod attention;
mod forward;
mod gradient;
mod weights;

pub use arithmetic::{Cores, Target, exp, gelu, layer_norm, product, product_by, softmax, sum};
pub use attention::{attention, attention_gradient};
pub use forward::{Pass, embed, linear, pool};
pub use gradient::{gelu_gradient, layer_norm_gradient, softmax_gradient};
pub use weights::{Linear, Norm, Place, Weights};
