//! What a language model computes, read from the header of its file: sizes, and which of the known graphs.
//!
//! The graphs are llama.cpp's (`src/models/{llama,qwen2,qwen3,gemma3}.cpp`). What they would compute otherwise than the passes here do is
//! refused by name, never passed over. It reads no numbers of tensors.

use crate::domain::fault::{Fault, Result};
use crate::engine::gguf::{Header, Value};

/// The number by which the format knows arrays of truth values.
const BOOL_ARRAY: u32 = 7;
/// More blocks, heads or numbers in a vector than this is no model that a machine of today computes.
const MOST_BLOCKS: usize = 1_000;
const MOST_HEADS: usize = 4_096;
const MOST_WIDTH: usize = 1 << 20;
const MOST_TOKENS: usize = 1 << 24;

/// The graphs that can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Llama, Mistral, SmolLM and their like.
    Llama,
    /// Qwen 2 and 2.5.
    Qwen2,
    /// Qwen 3.
    Qwen3,
    /// Gemma 3.
    Gemma3,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Llama, Self::Qwen2, Self::Qwen3, Self::Gemma3];

    /// The name of the architecture in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
        }
    }

    /// Whether each head of queries and keys has a norm of its own.
    pub fn norms_heads(self) -> bool {
        matches!(self, Self::Qwen3 | Self::Gemma3)
    }

    /// Whether what a block adds goes through a norm first.
    pub fn norms_results(self) -> bool {
        self == Self::Gemma3
    }
}

/// Which numbers of a head turn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// Neighbours: 0 with 1, 2 with 3.
    Neighbours,
    /// The halves: the first of one with the first of the other.
    Halves,
}

/// How fast positions turn queries and keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// The base of the frequencies.
    pub base: f32,
    /// What positions are multiplied with.
    pub scale: f32,
}

/// Blocks that see only the last so many tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// How many, the token itself among them.
    pub tokens: usize,
    /// Of each block, whether it is one of them.
    pub blocks: Vec<bool>,
    /// Their turn.
    pub turn: Turn,
}

/// Sizes and constants of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Its graph.
    pub family: Family,
    /// Number of blocks.
    pub blocks: usize,
    /// Length of a token's vector.
    pub dimensions: usize,
    /// Heads of queries; the heads of keys divide them.
    pub heads: usize,
    /// Heads of keys and of values.
    pub key_heads: usize,
    /// Length of a head; even.
    pub head_size: usize,
    /// Width of the wide layer.
    pub wide: usize,
    /// Number of tokens it knows.
    pub vocabulary: usize,
    /// The longest text it was trained for.
    pub context: usize,
    /// What norms add to the mean square.
    pub epsilon: f32,
    /// What a product of query and key is multiplied with.
    pub attention_scale: f32,
    /// Turn of the blocks without a window.
    pub turn: Turn,
    /// The blocks with one.
    pub window: Option<Window>,
}

impl Shape {
    /// Reads the shape of the model that `header` describes; `name` is the model's in what is refused.
    ///
    /// # Errors
    /// Another architecture, or one of these with something that is not computed here, by its name; a header that contradicts itself.
    pub fn read(header: &Header, name: &str) -> Result<Self> {
        Keys::of(header, name)?.shape()
    }

    /// Length of all queries of a token.
    pub fn queries(&self) -> usize {
        self.heads * self.head_size
    }

    /// Length of all keys, or of all values, of a token.
    pub fn keys(&self) -> usize {
        self.key_heads * self.head_size
    }

    /// Which numbers of a head turn together.
    pub fn pairs(&self) -> Pairs {
        if self.family == Family::Llama { Pairs::Neighbours } else { Pairs::Halves }
    }

    /// What embeddings are multiplied with.
    pub fn embedding_scale(&self) -> f32 {
        if self.family == Family::Gemma3 { (self.dimensions as f32).sqrt() } else { 1.0 }
    }

    /// How many tokens a block sees, where it does not see all.
    pub fn window_of(&self, block: usize) -> Option<usize> {
        self.window.as_ref().filter(|window| window.blocks[block]).map(|window| window.tokens)
    }
}

/// A refusal to train a model.
pub(super) fn refused(name: &str, why: impl Into<String>) -> Fault {
    Fault::new(format!("train an adapter of {}", name.escape_debug()), why)
}

struct Keys<'h> {
    header: &'h Header,
    name: &'h str,
    family: Family,
}

impl<'h> Keys<'h> {
    fn of(header: &'h Header, name: &'h str) -> Result<Self> {
        let architecture = header.str("general.architecture").unwrap_or("");
        let family = Family::ALL.into_iter().find(|family| family.name() == architecture);
        let Some(family) = family else {
            let why = if architecture.is_empty() {
                "its file names no architecture".to_owned()
            } else {
                format!("its architecture '{}' is not one that can be trained", architecture.escape_debug())
            };
            let names: Vec<_> = Family::ALL.iter().map(|family| family.name()).collect();
            return Err(
                refused(name, why).hint(format!("Models of these architectures can: {}", names.join(", ")))
            );
        };
        Ok(Self { header, name, family })
    }

    fn refuse(&self, why: impl Into<String>) -> Fault {
        refused(self.name, why)
    }

    fn get(&self, key: &str) -> Option<&'h Value> {
        self.header.get(&format!("{}.{key}", self.family.name()))
    }

    /// A whole number from 1 to `most`, where the file gives one.
    fn number_or(&self, key: &str, most: usize, absent: Option<usize>) -> Result<usize> {
        let unusable = || {
            let key = format!("{}.{key}", self.family.name());
            self.refuse(format!("its file gives no usable '{key}'"))
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
            Some(_) => Err(self.refuse(format!("its file gives no usable '{}.{key}'", self.family.name()))),
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
            && head_size.is_multiple_of(2)
            && heads * head_size <= MOST_WIDTH
            && self.number_or("attention.value_length", MOST_WIDTH, Some(dimensions / heads))? == head_size
            && self.number_or("rope.dimension_count", MOST_WIDTH, Some(head_size))? == head_size;
        if !fits {
            return Err(self.refuse(format!(
                "{heads} heads of queries, {key_heads} of keys and a head of {head_size} numbers do not fit each other"
            )));
        }
        let vocabulary =
            self.header.tensors.iter().find(|t| t.name == "token_embd.weight").and_then(|t| t.shape.get(1));
        let vocabulary = vocabulary
            .and_then(|n| usize::try_from(*n).ok())
            .filter(|n| (1..=MOST_TOKENS).contains(n))
            .ok_or_else(|| self.refuse("its file holds no embeddings of tokens"))?;
        let epsilon = self.float("attention.layer_norm_rms_epsilon")?.filter(|x| *x >= 0.0);
        // As llama.cpp does for the model of 27 billion numbers alone, which it knows by its blocks.
        let scaled_by =
            if self.family == Family::Gemma3 && blocks == 62 { dimensions / heads } else { head_size };
        Ok(Shape {
            family: self.family,
            blocks,
            dimensions,
            heads,
            key_heads,
            head_size,
            wide: self.number("feed_forward_length", MOST_WIDTH)?,
            vocabulary,
            context: self.number("context_length", MOST_TOKENS)?,
            epsilon: epsilon.ok_or_else(|| self.refuse("its file gives no epsilon of its norms"))?,
            attention_scale: 1.0 / (scaled_by as f32).sqrt(),
            turn: self.turn()?,
            window: self.window(blocks)?,
        })
    }

    fn refuse_what_is_not_computed(&self) -> Result<()> {
        let experts = ["expert_count", "nextn_predict_layers", "embedding_length_out"];
        for key in experts {
            if self.get(key).is_some_and(|value| value.as_u64() != Some(0)) {
                return Err(self.refuse(format!("its '{key}' is not one that can be trained")));
            }
        }
        for key in ["final_logit_softcapping", "attn_logit_softcapping", "attention.clamp_kqv"] {
            if self.float(key)?.is_some_and(|x| x != 0.0) {
                return Err(self.refuse(format!("it caps its scores ('{key}'), which cannot be trained")));
            }
        }
        if self.get("attention.causal").is_some_and(|causal| *causal != Value::Bool(true)) {
            return Err(self.refuse("its tokens see those after them, too"));
        }
        Ok(())
    }

    fn turn(&self) -> Result<Turn> {
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
                return Err(self.refuse(why));
            }
        };
        let usable = base > 0.0 && scale > 0.0;
        if !usable || self.float("rope.scaling.attn_factor")?.is_some_and(|factor| factor != 1.0) {
            return Err(self.refuse("its positions turn in a way that cannot be trained"));
        }
        Ok(Turn { base, scale })
    }

    fn window(&self, blocks: usize) -> Result<Option<Window>> {
        let length = self.get("attention.sliding_window").and_then(Value::as_u64).unwrap_or(0);
        if self.family != Family::Gemma3 || length == 0 {
            return Ok(None);
        }
        let key = "attention.sliding_window_pattern";
        let windowed = match self.get(key) {
            Some(Value::Array { kind: BOOL_ARRAY, bytes, .. }) => bytes.iter().map(|b| *b != 0).collect(),
            Some(Value::Array { .. }) => Vec::new(),
            _ => {
                let pattern = self.number_or(key, MOST_BLOCKS, Some(6))?;
                (0..blocks).map(|block| block % pattern < pattern - 1).collect()
            }
        };
        if windowed.len() != blocks {
            return Err(self.refuse("its file does not say which of its blocks have a window"));
        }
        let base = self.float("rope.freq_base_swa")?.unwrap_or(10_000.0);
        if base <= 0.0 {
            return Err(self.refuse("its positions turn in a way that cannot be trained"));
        }
        let tokens = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(Some(Window { tokens, blocks: windowed, turn: Turn { base, scale: 1.0 } }))
    }
}
