//! The judge: any causal language model that llama.cpp loads, or a server that a person names, asked one question of many texts.
//!
//! What all texts share (the instruction, the labels, the examples) is computed once and kept in the cache; a text costs its own tokens and
//! the answer cue's. The answer is never sampled and never parsed: it is the probability of each label's tokens after the cue, among the labels.

mod answers;
mod endpoint;
mod lesson;
mod prompt;
mod reader;
mod reading;
mod served;
mod unpacked;
mod vocabulary;

pub use answers::{Answers, Decision};
pub use endpoint::{Endpoint, EndpointOptions, is_url};
pub use lesson::PromptEncoder;
pub use prompt::{JudgePrompt, PromptLabel};
pub use reader::{Question, Reader, Scoring, Verdict};
pub use reading::Reading;
pub use served::{Judge, JudgeOptions};
