//! The operations of a transformer, each with its gradient: products, norms, activations, softmax and rotary positions. Attention, which
//! is made of them, stands next to this folder.
//!
//! Nothing here knows a model or an architecture. A gradient function takes the gradient of the loss by an operation's result and gives that
//! by its input.

mod activation;
mod norm;
mod product;
mod rope;
mod softmax;
mod vector;

pub use activation::Activation;
pub use norm::{NormKind, NormWeights, norm_gradient_rows, norm_rows};
pub use product::{Cores, Target, add_product, multiplied, product, through};
pub use rope::{Direction, Rope, RopeAngles, RopeStyle};
pub use softmax::{log_softmax, softmax, softmax_gradient};
pub use vector::for_rows;
