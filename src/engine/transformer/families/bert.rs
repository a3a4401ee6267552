//! BERT encoders, such as MiniLM, E5, BGE and GTE.

use crate::engine::transformer::family::{
    Biases, EmbeddingScale, Family, FeedForward, Positions, Role, Sublayer, Windows, head_size,
};
use crate::engine::transformer::ops::{Activation, NormKind};

pub(super) const FAMILY: Family = Family {
    name: "bert",
    role: Role::Encoder,
    norm: NormKind::Layer,
    epsilon: "attention.layer_norm_epsilon",
    attention: Sublayer { input: None, result: None, output: Some("attn_output_norm") },
    ffn: Sublayer { input: None, result: None, output: Some("layer_output_norm") },
    head_norms: None,
    embedding_norm: Some("token_embd_norm"),
    final_norm: None,
    biases: Biases::All,
    feed_forward: FeedForward::Plain,
    activation: Activation::Gelu,
    positions: Positions::Learned,
    embedding_scale: EmbeddingScale::One,
    attention_divisor: head_size,
    windows: Windows::None,
};
