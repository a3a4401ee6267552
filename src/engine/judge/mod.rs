//! The judge: any causal language model that llama.cpp loads, or a server that a person names, asked one question of many texts.
//!
//! What all texts share (the instruction, the labels, the examples) is computed once and kept in the cache; a text costs its own tokens and
//! the answer cue's. The answer is never sampled and never parsed: it is the probability of each label's tokens after the cue, among the labels.

mod answers;
mod backend;
mod chat;
mod endpoint;
mod frame;
mod markers;
mod prompt;
mod prompt_encoder;
mod served;
mod session;
mod template;
mod unpacked;
mod vocabulary;

pub use answers::{Answers, Decision};
pub use backend::{JudgeBackend, Question, TextScorer, Verdict};
pub use endpoint::{Endpoint, EndpointOptions, is_url};
pub use prompt::{JudgePrompt, PromptLabel};
pub use prompt_encoder::PromptEncoder;
pub use served::{Judge, JudgeOptions};
pub use session::JudgeSession;
pub use unpacked::free_memory;
