//! What an architecture is to the passes here: which norms stand where, how a feed-forward layer is made, how positions enter.
//!
//! The graphs are llama.cpp's (`src/models/*.cpp`); what a file asks for beyond them is refused by name, never passed over.

use super::ops::{Activation, NormKind, RopeStyle};
pub use super::sites::FeedForward;
use super::sites::{Projection, Site};

/// An architecture.
#[derive(Debug)]
pub struct Family {
    /// Its name in files, `general.architecture`.
    pub name: &'static str,
    pub role: Role,
    pub norm: NormKind,
    /// The key of the norms' epsilon, behind the architecture's name.
    pub epsilon: &'static str,
    /// Norms of the attention of a block.
    pub attention: Sublayer<Option<&'static str>>,
    /// Norms of its feed-forward layer.
    pub ffn: Sublayer<Option<&'static str>>,
    /// Of each head of queries and of keys, where there are some.
    pub head_norms: Option<[&'static str; 2]>,
    /// Of what goes into the first block.
    pub embedding_norm: Option<&'static str>,
    /// Of what comes out of the last block.
    pub final_norm: Option<&'static str>,
    pub biases: Biases,
    pub feed_forward: FeedForward,
    pub activation: Activation,
    pub positions: Positions,
    pub embedding_scale: EmbeddingScale,
    /// From the number of blocks, dimensions, heads and the length of a head: the number whose inverse root scales scores of attention.
    pub attention_divisor: fn(usize, usize, usize, usize) -> usize,
    pub windows: Windows,
}

/// What a model of an architecture is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One vector a text; its tokens see each other.
    Encoder,
    /// The next token; a token sees those before it.
    LanguageModel,
}

/// The norms of one half of a block: `output(x + result(body(input(x))))`. As names of tensors, or as the norms themselves.
#[derive(Clone, Debug)]
pub struct Sublayer<N> {
    /// Of what goes in.
    pub input: N,
    /// Of what is added.
    pub result: N,
    /// Of the sum.
    pub output: N,
}

/// Which linears have a bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Biases {
    /// All of them must.
    All,
    /// Those of queries, keys and values may.
    OptionalInAttention,
}

/// How positions enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Positions {
    /// Each has a learned vector, which is added to the token's, and so is the vector of the first token type.
    Learned,
    /// Queries and keys are turned.
    Rotary(RopeStyle, RopeDivisors),
}

/// Whether a file may divide the frequencies of rotary positions (`rope_freqs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RopeDivisors {
    Optional,
    Absent,
}

/// What embeddings are multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbeddingScale {
    One,
    /// The root of their length.
    RootOfWidth,
}

/// Whether some blocks see only the tokens just before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    None,
    /// Of each so many blocks all but the last do, unless the file says otherwise.
    AllButEach(usize),
}

impl Family {
    /// The linear layers of a block in their order.
    pub fn sites(&self) -> impl Iterator<Item = Site> + use<> {
        let feed_forward = self.feed_forward;
        Projection::ALL.into_iter().flat_map(move |projection| projection.sites(feed_forward)).copied()
    }

    /// The norms of a block, by their names in it.
    pub fn norms(&self) -> impl Iterator<Item = &'static str> + use<> {
        [&self.attention, &self.ffn].map(|s| [s.input, s.result, s.output]).into_iter().flatten().flatten()
    }

    /// The tensors of a norm: its scale, and its shift where it has one.
    pub fn norm_tensors(&self, name: &str) -> Vec<String> {
        let shift = (self.norm == NormKind::Layer).then(|| format!("{name}.bias"));
        std::iter::once(format!("{name}.weight")).chain(shift).collect()
    }
}

impl PartialEq for Family {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// The length of a head, as nearly everywhere.
pub(super) fn head_size(_blocks: usize, _dimensions: usize, _heads: usize, head_size: usize) -> usize {
    head_size
}
