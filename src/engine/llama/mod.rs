//! llama.cpp: its start, models and adapters as it holds them, contexts, and what it saves of a sequence. No other room names it, and no
//! model file reaches it that our own reader has not read before.

mod backend;
mod context;
mod hidden;
mod kv_state;

pub use backend::{backend, physical_cores, version, with_logged_error};
pub(in crate::engine) use backend::{has_avx2, multiplies_bf16};
pub(in crate::engine) use context::{Context, MOST_TEXTS, batch_for_vocabulary};
pub use context::{Loaded, Served};
pub(in crate::engine) use hidden::HiddenStates;
pub(in crate::engine) use kv_state::parse;
