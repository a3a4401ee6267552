//! What a model computes, read from the header of its file: sizes, constants, and which of the known families it is of.
//!
//! What llama.cpp would compute otherwise than the passes here do is refused by name, never passed over. It reads no numbers of tensors.

use super::family::{EmbeddingScale, Family, Positions, Role, Windows};
use super::ops::Rope;
use super::sites::{FeedForward, Projection, Site};
use crate::engine::gguf::{GgufError, Header, Value};

/// The number by which the format knows arrays of truth values.
const BOOL_ARRAY: u32 = 7;
/// Limits beyond which a file is refused: no machine of today computes more blocks, heads, or numbers in a vector.
const MOST_BLOCKS: usize = 1_000;
const MOST_HEADS: usize = 4_096;
const MOST_WIDTH: usize = 1 << 20;
const MOST_TOKENS: usize = 1 << 24;

/// Blocks that see only the last so many tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// How many, the token itself among them.
    pub tokens: usize,
    /// Of each block, whether it is one of them.
    pub blocks: Vec<bool>,
    /// How positions turn in them.
    pub rope: Rope,
}

/// Sizes and constants of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    pub family: &'static Family,
    /// Number of blocks.
    pub blocks: usize,
    /// Length of a token's vector.
    pub dimensions: usize,
    /// Heads of queries; the heads of keys divide them.
    pub heads: usize,
    /// Heads of keys and of values.
    pub key_heads: usize,
    /// Length of a head; even where positions are rotary.
    pub head_size: usize,
    /// Width of the feed-forward layer.
    pub ffn_dim: usize,
    /// Number of tokens it knows.
    pub vocabulary: usize,
    /// The longest text it was trained for.
    pub context: usize,
    /// What norms add to the variance or the mean square.
    pub epsilon: f32,
    /// What a product of query and key is multiplied by.
    pub attention_scale: f32,
    /// Of the blocks without a window, where positions are rotary.
    pub rope: Rope,
    /// The blocks with one.
    pub window: Option<Window>,
}

/// Why a model cannot be computed here. Each displays as a clause that goes on from "cannot …: ".
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is whole, but not one of those that are computed.
    #[error("{why}")]
    Unsupported {
        why: String,
        /// What to do, where something can be done.
        hint: Option<String>,
    },
    /// Its file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] GgufError),
}

impl Refusal {
    /// A model that is not one of those that are computed.
    pub fn because(why: impl Into<String>) -> Self {
        Self::Unsupported { why: why.into(), hint: None }
    }
}

type Result<T> = std::result::Result<T, Refusal>;

impl Shape {
    /// Reads the shape of the model of this role that `header` describes.
    ///
    /// # Errors
    /// Another architecture, or one of these with something that is not computed here, by its name; a header that contradicts itself.
    pub fn read(header: &Header, role: Role) -> Result<Self> {
        Keys::of(header, role)?.shape()
    }

    /// Length of all queries of a token.
    pub fn queries(&self) -> usize {
        self.heads * self.head_size
    }

    /// Length of all keys, or of all values, of a token.
    pub fn keys(&self) -> usize {
        self.key_heads * self.head_size
    }

    /// What embeddings are multiplied by.
    pub fn embedding_scale(&self) -> f32 {
        match self.family.embedding_scale {
            EmbeddingScale::One => 1.0,
            EmbeddingScale::RootOfWidth => (self.dimensions as f32).sqrt(),
        }
    }

    /// How many tokens a block sees, where it does not see all.
    pub fn window_of(&self, block: usize) -> Option<usize> {
        self.window.as_ref().filter(|window| window.blocks[block]).map(|window| window.tokens)
    }

    /// Rows (what comes out) and columns (what goes in) of a linear layer.
    pub fn dim(&self, site: Site) -> (usize, usize) {
        let d = self.dimensions;
        match site {
            Site::Query => (self.queries(), d),
            Site::Key | Site::Value => (self.keys(), d),
            Site::AttnOutput => (d, self.queries()),
            Site::Gate | Site::Up => (self.ffn_dim, d),
            Site::Down => (d, self.ffn_dim),
        }
    }

    /// Rows and columns of the linear layers of a projection below each other.
    pub fn projection_dim(&self, projection: Projection) -> (usize, usize) {
        let dims = projection.sites(self.family.feed_forward).iter().map(|site| self.dim(*site));
        dims.fold((0, 0), |(all, _), (out, from)| (all + out, from))
    }

    /// Width of what opens the feed-forward layer: gate and up side by side, or up alone.
    pub fn up_dim(&self) -> usize {
        match self.family.feed_forward {
            FeedForward::Gated => 2 * self.ffn_dim,
            FeedForward::Plain => self.ffn_dim,
        }
    }
}

struct Keys<'h> {
    header: &'h Header,
    family: &'static Family,
}

impl<'h> Keys<'h> {
    fn of(header: &'h Header, role: Role) -> Result<Self> {
        let architecture = header.str("general.architecture").unwrap_or("");
        let Some(family) = Family::named(architecture).filter(|family| family.role == role) else {
            let why = if architecture.is_empty() {
                "its file names no architecture".to_owned()
            } else {
                format!("its architecture '{}' is not one that can be trained", architecture.escape_debug())
            };
            let names: Vec<_> = Family::with(role).map(|family| family.name).collect();
            let hint = Some(format!("Models of these architectures can: {}", names.join(", ")));
            return Err(Refusal::Unsupported { why, hint });
        };
        Ok(Self { header, family })
    }

    fn get(&self, key: &str) -> Option<&'h Value> {
        self.header.get(&format!("{}.{key}", self.family.name))
    }

    /// A whole number from 1 to `most`, where the file gives one.
    fn number_or(&self, key: &str, most: usize, absent: Option<usize>) -> Result<usize> {
        let unusable = || {
            let key = format!("{}.{key}", self.family.name);
            Refusal::because(format!("its file gives no usable '{key}'"))
        };
        match self.get(key) {
            None => absent.ok_or_else(unusable),
            Some(value) => value
                .as_u64()
                .and_then(|n| usize::try_from(n).ok())
                .filter(|n| (1..=most).contains(n))
                .ok_or_else(unusable),
        }
    }

    fn number(&self, key: &str, most: usize) -> Result<usize> {
        self.number_or(key, most, None)
    }

    /// A finite number, where the file gives one.
    fn float(&self, key: &str) -> Result<Option<f32>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::F32(x)) if x.is_finite() => Ok(Some(*x)),
            Some(_) => {
                Err(Refusal::because(format!("its file gives no usable '{}.{key}'", self.family.name)))
            }
        }
    }

    fn shape(&self) -> Result<Shape> {
        self.refuse_what_is_not_computed()?;
        let blocks = self.number("block_count", MOST_BLOCKS)?;
        let dimensions = self.number("embedding_length", MOST_WIDTH)?;
        let heads = self.number("attention.head_count", MOST_HEADS)?;
        let key_heads = self.number_or("attention.head_count_kv", MOST_HEADS, Some(heads))?;
        let head_size = self.number_or("attention.key_length", MOST_WIDTH, Some(dimensions / heads))?;
        let fits = heads.is_multiple_of(key_heads)
            && head_size > 0
            && (self.family.positions == Positions::Learned || head_size.is_multiple_of(2))
            && heads * head_size <= MOST_WIDTH
            && self.number_or("attention.value_length", MOST_WIDTH, Some(dimensions / heads))? == head_size
            && self.number_or("rope.dimension_count", MOST_WIDTH, Some(head_size))? == head_size;
        if !fits {
            return Err(Refusal::because(format!(
                "{heads} heads of queries, {key_heads} of keys and a head of {head_size} numbers do not fit each other"
            )));
        }
        let epsilon = self.float(self.family.epsilon)?.filter(|x| *x >= 0.0);
        let divisor = (self.family.attention_divisor)(blocks, dimensions, heads, head_size);
        Ok(Shape {
            family: self.family,
            blocks,
            dimensions,
            heads,
            key_heads,
            head_size,
            ffn_dim: self.number("feed_forward_length", MOST_WIDTH)?,
            vocabulary: self.vocabulary()?,
            context: self.number("context_length", MOST_TOKENS)?,
            epsilon: epsilon.ok_or_else(|| Refusal::because("its file gives no epsilon of its norms"))?,
            attention_scale: 1.0 / (divisor as f32).sqrt(),
            rope: self.rope()?,
            window: self.window(blocks)?,
        })
    }

    fn vocabulary(&self) -> Result<usize> {
        let tokens = self.header.tensors.iter().find(|t| t.name == "token_embd.weight");
        tokens
            .and_then(|t| usize::try_from(*t.shape.get(1)?).ok())
            .filter(|n| (1..=MOST_TOKENS).contains(n))
            .ok_or_else(|| Refusal::because("its file holds no embeddings of tokens"))
    }

    fn refuse_what_is_not_computed(&self) -> Result<()> {
        let experts = ["expert_count", "nextn_predict_layers", "embedding_length_out"];
        for key in experts {
            if self.get(key).is_some_and(|value| value.as_u64() != Some(0)) {
                return Err(Refusal::because(format!("its '{key}' is not one that can be trained")));
            }
        }
        for key in ["final_logit_softcapping", "attn_logit_softcapping", "attention.clamp_kqv"] {
            if self.float(key)?.is_some_and(|x| x != 0.0) {
                return Err(Refusal::because(format!(
                    "it caps its scores ('{key}'), which cannot be trained"
                )));
            }
        }
        let causal = self.family.role == Role::LanguageModel;
        if self.get("attention.causal").is_some_and(|said| *said != Value::Bool(causal)) {
            let why = if causal {
                "its tokens see those after them, too"
            } else {
                "its tokens see only those before them"
            };
            return Err(Refusal::because(why));
        }
        Ok(())
    }

    fn rope(&self) -> Result<Rope> {
        let base = self.float("rope.freq_base")?.unwrap_or(10_000.0);
        let factor = match self.float("rope.scaling.factor")? {
            None => self.float("rope.scale_linear")?,
            factor => factor,
        };
        let scale = match factor {
            None | Some(0.0) => 1.0,
            Some(factor) => 1.0 / factor,
        };
        let scale = match self.get("rope.scaling.type").map(|kind| kind.as_str().unwrap_or("?")) {
            None | Some("linear") => scale,
            Some("none") => 1.0,
            Some(other) => {
                let why = format!(
                    "its positions are scaled by '{}', which cannot be trained",
                    other.escape_debug()
                );
                return Err(Refusal::because(why));
            }
        };
        let usable = base > 0.0 && scale > 0.0;
        if !usable || self.float("rope.scaling.attn_factor")?.is_some_and(|factor| factor != 1.0) {
            return Err(Refusal::because("its positions turn in a way that cannot be trained"));
        }
        Ok(Rope { base, scale })
    }

    fn window(&self, blocks: usize) -> Result<Option<Window>> {
        let length = self.get("attention.sliding_window").and_then(Value::as_u64).unwrap_or(0);
        let Windows::AllButEach(usual) = self.family.windows else { return Ok(None) };
        if length == 0 {
            return Ok(None);
        }
        let key = "attention.sliding_window_pattern";
        let windowed = match self.get(key) {
            Some(Value::Array { kind: BOOL_ARRAY, bytes, .. }) => bytes.iter().map(|b| *b != 0).collect(),
            Some(Value::Array { .. }) => Vec::new(),
            _ => {
                let pattern = self.number_or(key, MOST_BLOCKS, Some(usual))?;
                (0..blocks).map(|block| block % pattern < pattern - 1).collect()
            }
        };
        if windowed.len() != blocks {
            return Err(Refusal::because("its file does not say which of its blocks have a window"));
        }
        let base = self.float("rope.freq_base_swa")?.unwrap_or(10_000.0);
        if base <= 0.0 {
            return Err(Refusal::because("its positions turn in a way that cannot be trained"));
        }
        let tokens = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(Some(Window { tokens, blocks: windowed, rope: Rope { base, scale: 1.0 } }))
    }
}
