//! The linear layers of a block: each a tensor of the file, and a place for a low-rank update.

/// How the feed-forward layer is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedForward {
    /// `down(activation(up(x)))`.
    Plain,
    /// `down(activation(gate(x)) · up(x))`.
    Gated,
}

/// A linear layer, in the order in which a token goes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    Query,
    Key,
    Value,
    /// What the heads' results go through.
    AttnOutput,
    /// What opens the feed-forward layer, in those that have a gate.
    Gate,
    Up,
    Down,
}

/// The linear layers that read the same input: their results stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    QueryKeyValue,
    AttnOutput,
    /// Gate and up, or up alone.
    Up,
    Down,
}

impl Site {
    /// The name within its block of the tensor in the file.
    pub fn tensor(self) -> &'static str {
        match self {
            Self::Query => "attn_q",
            Self::Key => "attn_k",
            Self::Value => "attn_v",
            Self::AttnOutput => "attn_output",
            Self::Gate => "ffn_gate",
            Self::Up => "ffn_up",
            Self::Down => "ffn_down",
        }
    }
}

impl Projection {
    /// All of them, in the order of their sites.
    pub const ALL: [Self; 4] = [Self::QueryKeyValue, Self::AttnOutput, Self::Up, Self::Down];

    /// Its linear layers, from the first column of its result to the last.
    pub fn sites(self, feed_forward: FeedForward) -> &'static [Site] {
        match (self, feed_forward) {
            (Self::QueryKeyValue, _) => &[Site::Query, Site::Key, Site::Value],
            (Self::AttnOutput, _) => &[Site::AttnOutput],
            (Self::Up, FeedForward::Gated) => &[Site::Gate, Site::Up],
            (Self::Up, FeedForward::Plain) => &[Site::Up],
            (Self::Down, _) => &[Site::Down],
        }
    }
}
