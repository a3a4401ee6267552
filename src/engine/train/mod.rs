//! Training low-rank adapters on this machine, of encoders and of language models: one loop, one optimiser, and for each kind of model its loss
//! with the gradient. Prompts and labels are the caller's affair.
//!
//! What is trained is served by llama.cpp. Whether both compute the same is measured on the loaded model, before training and after.

mod adamw;
mod budget;
pub mod encoder;
mod example;
pub mod language_model;
#[cfg(test)]
mod parity;
mod schedule;
mod served;
mod train_loop;

pub use example::{AdapterForm, Decision, Example};
pub use served::{AdapterActs, Precision, ServeOptions, ServedModel};
pub use train_loop::{Epoch, Settings, Step};
