//! Adapters of language models: trained here, served by llama.cpp.
//!
//! The passes are our own, after llama.cpp's graphs; candle differentiates and optimises. Whether they compute what llama.cpp computes is
//! measured on the loaded model, before training and after. Prompts and labels are the caller's affair.

mod adapter;
mod arithmetic;
mod attention;
mod block;
mod cached;
mod example;
mod file;
mod fit;
mod graph;
mod matrix;
mod ops;
#[cfg(test)]
mod parity;
mod remembered;
mod served;
mod shape;
#[doc(hidden)]
pub mod specimen;
mod state;
mod weights;

pub use adapter::Adapter;
pub use cached::Cached;
pub use example::{Decision, Example, Form};
pub use file::AdapterFile;
pub use fit::{Epoch, Fit, fit, probabilities};
pub use matrix::{Matrix, Scratch, can_unpack};
pub use served::{Acting, Options, Precision, Server};
pub use shape::{Family, Shape};
pub use weights::{Place, Weights};
