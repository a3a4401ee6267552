//! Training an adapter on this machine: candle differentiates and optimises, the encoder's own operations do the arithmetic.
//!
//! The forward pass is that of `bert` with the updates beside each frozen weight. Frozen weights stand in operations of their own whose gradient
//! is that by their input alone: candle's product would also compute the one by the weight, which nobody needs, at the price of another product.

mod fit;
mod graph;
mod operations;
mod schedule;

pub use fit::{Epoch, Example, Fit, Settings, Step, fit};
pub use graph::probabilities;
