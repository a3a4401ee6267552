//! Training an adapter on this machine: candle differentiates and optimises, the encoder's own operations do the arithmetic.
//!
//! The forward pass is that of `bert` with the updates beside each frozen weight. Frozen weights stand in operations of their own whose gradient
//! is that by their input alone: candle's product would also compute the one by the weight, which nobody needs, at the price of another product.

mod descent;
mod fit;
mod graph;
mod operations;
mod schedule;
mod tensors;

pub(in crate::engine) use descent::{DIVERGED, DIVERGED_HINT, Ended, Guide, add, descend};
pub use descent::{Settings, Step};
pub use fit::{Epoch, Example, Fit, fit};
pub use graph::probabilities;
pub(in crate::engine) use tensors::{Held, matrix, numbers, scattered, stored, tensor};
