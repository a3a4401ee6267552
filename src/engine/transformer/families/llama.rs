//! Llama, Mistral, SmolLM and their like.

use crate::engine::transformer::family::{
    Biases, EmbeddingScale, Family, FeedForward, Positions, Role, RopeDivisors, Sublayer, Windows, head_size,
};
use crate::engine::transformer::ops::{Activation, NormKind, RopeStyle};

pub(super) const FAMILY: Family = Family {
    name: "llama",
    role: Role::LanguageModel,
    norm: NormKind::Rms,
    epsilon: "attention.layer_norm_rms_epsilon",
    attention: Sublayer { input: Some("attn_norm"), result: None, output: None },
    ffn: Sublayer { input: Some("ffn_norm"), result: None, output: None },
    head_norms: None,
    embedding_norm: None,
    final_norm: Some("output_norm"),
    biases: Biases::OptionalInAttention,
    feed_forward: FeedForward::Gated,
    activation: Activation::Silu,
    positions: Positions::Rotary(RopeStyle::Interleaved, RopeDivisors::Optional),
    embedding_scale: EmbeddingScale::One,
    attention_divisor: head_size,
    windows: Windows::None,
};
