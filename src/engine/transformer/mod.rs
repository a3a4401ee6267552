//! One transformer for encoders and language models: forward and back, with or without low-rank updates.
//!
//! What differs from architecture to architecture is data (`families`). Whether a file's model computes here what llama.cpp computes is not
//! its to say: its callers let both read the same texts and compare. It knows no tokeniser and no training.

mod attention;
mod block;
mod choices;
mod encoder_pass;
mod families;
pub mod family;
mod graph;
mod kv_cache;
mod kv_store;
mod matrix;
mod ops;
mod projection;
mod shape;
mod sites;
mod updates;
mod weights;

pub(in crate::engine) use attention::{AttentionBatch, Segment};
pub(in crate::engine) use block::{Activations, Batch, Keep};
pub(in crate::engine) use choices::{Choice, choose, choose_gradient};
pub use encoder_pass::EncoderPass;
pub(in crate::engine) use encoder_pass::{embed, final_norm, final_norm_gradient, pool, pool_gradient};
pub use family::{Family, Role};
pub(in crate::engine) use graph::Graph;
pub use kv_cache::{BlockKv, KvCache, Numbers};
pub use kv_store::KvStore;
pub use matrix::{Matrix, Scratch, can_unpack};
pub use ops::Rope;
pub(in crate::engine) use ops::{Cores, Target, log_softmax, multiplied, product};
pub use shape::{Shape, Window};
pub use sites::{Projection, Site};
pub(in crate::engine) use updates::Layout;
pub use weights::{Linear, Weights};
