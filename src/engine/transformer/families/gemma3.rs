//! Gemma 3: as Qwen 3, with norms of what a block adds, GELU, scaled embeddings, and windows in five blocks of six.

use super::qwen3;
use crate::engine::transformer::family::{EmbeddingScale, Family, Sublayer, Windows};
use crate::engine::transformer::ops::Activation;

pub(super) const FAMILY: Family = Family {
    name: "gemma3",
    attention: Sublayer { input: Some("attn_norm"), result: Some("post_attention_norm"), output: None },
    ffn: Sublayer { input: Some("ffn_norm"), result: Some("post_ffw_norm"), output: None },
    activation: Activation::Gelu,
    embedding_scale: EmbeddingScale::RootOfWidth,
    attention_divisor,
    windows: Windows::AllButEach(6),
    ..qwen3::FAMILY
};

/// llama.cpp knows the model of 27 billion numbers, which alone is scaled otherwise, by its blocks.
fn attention_divisor(blocks: usize, dimensions: usize, heads: usize, head_size: usize) -> usize {
    if blocks == 62 { dimensions / heads } else { head_size }
}
