//! The weights of a BERT encoder as F32, read from its GGUF file.
//!
//! Only files that hold exactly what the forward pass computes are taken: a tensor more or less, another shape or a
//! storage type without an F32 form, and the file is llama.cpp's alone.

use std::fs::File;
use std::path::Path;

use ndarray::{ArcArray2, Array1, Array2, Axis, concatenate};

use crate::engine::gguf::{GgufError, Header, Value, read_tensor, whole_header};
use crate::engine::model_file::Pooling;

/// A matrix product with a bias.
#[derive(Clone)]
pub struct Linear {
    /// `out × in`.
    pub weight: Array2<f32>,
    /// `out`.
    pub bias: Array1<f32>,
}

/// Scale and shift of a layer norm.
#[derive(Clone)]
pub struct Norm {
    /// Scale.
    pub weight: Array1<f32>,
    /// Shift.
    pub bias: Array1<f32>,
}

/// The linears of a block, in the order in which a text goes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Queries, keys and values.
    QueryKeyValue,
    /// What the heads' results go through.
    Attended,
    /// Into the wide layer.
    Up,
    /// And back.
    Down,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::QueryKeyValue, Self::Attended, Self::Up, Self::Down];

    /// The tensors of the file that lie one below the other in it, by their names within the block.
    pub fn tensors(self) -> &'static [&'static str] {
        match self {
            Self::QueryKeyValue => &["attn_q", "attn_k", "attn_v"],
            Self::Attended => &["attn_output"],
            Self::Up => &["ffn_up"],
            Self::Down => &["ffn_down"],
        }
    }
}

/// One transformer block.
#[derive(Clone)]
pub struct Layer {
    /// Queries, keys and values one below the other, `3 · dimensions × dimensions`.
    pub query_key_value: Linear,
    /// What the heads' results go through.
    pub attended: Linear,
    /// After attention.
    pub attention_norm: Norm,
    /// Into the wide layer.
    pub up: Linear,
    /// And back.
    pub down: Linear,
    /// After the wide layer.
    pub output_norm: Norm,
}

impl Layer {
    /// The linear at a place.
    pub fn linear(&self, place: Place) -> &Linear {
        match place {
            Place::QueryKeyValue => &self.query_key_value,
            Place::Attended => &self.attended,
            Place::Up => &self.up,
            Place::Down => &self.down,
        }
    }

    /// The same, to be changed.
    pub fn linear_mut(&mut self, place: Place) -> &mut Linear {
        match place {
            Place::QueryKeyValue => &mut self.query_key_value,
            Place::Attended => &mut self.attended,
            Place::Up => &mut self.up,
            Place::Down => &mut self.down,
        }
    }
}

/// A whole encoder. Cloned, it shares the embeddings of tokens and positions, which no adapter changes.
#[derive(Clone)]
pub struct Weights {
    /// Length of a vector.
    pub dimensions: usize,
    /// Attention heads; they divide the dimensions.
    pub heads: usize,
    /// What layer norms add to the variance.
    pub epsilon: f32,
    /// How token vectors become one: mean or first.
    pub pooling: Pooling,
    /// `vocabulary × dimensions`.
    pub tokens: ArcArray2<f32>,
    /// `longest text × dimensions`, with the vector of the first token type in it.
    pub positions: ArcArray2<f32>,
    /// After the embeddings.
    pub norm: Norm,
    /// The blocks in order.
    pub layers: Vec<Layer>,
}

impl Weights {
    /// Reads the model at `path`; none where it is no BERT, or not exactly one that the forward pass computes.
    ///
    /// # Errors
    /// Where the file cannot be read or is damaged.
    pub fn read(path: &Path, pooling: Pooling) -> Result<Option<Self>, GgufError> {
        let mut file = File::open(path)?;
        let header = whole_header(&mut file)?;
        let Some(plan) = Plan::of(&header, pooling) else { return Ok(None) };
        Source { file, header: &header, plan }.weights().map(Some)
    }
}

/// The sizes of a model that the forward pass computes.
struct Plan {
    pooling: Pooling,
    dimensions: usize,
    heads: usize,
    layers: usize,
    wide: usize,
    vocabulary: usize,
    longest: usize,
    types: usize,
    epsilon: f32,
}

impl Plan {
    fn of(header: &Header, pooling: Pooling) -> Option<Self> {
        let number = |key: &str| usize::try_from(header.u64(&format!("bert.{key}"))?).ok().filter(|n| *n > 0);
        let rows = |name: &str| Some(*header.tensors.iter().find(|t| t.name == name)?.shape.get(1)? as usize);
        let epsilon = match header.get("bert.attention.layer_norm_epsilon")? {
            Value::F32(epsilon) => *epsilon,
            _ => return None,
        };
        let plan = Self {
            pooling,
            dimensions: number("embedding_length")?,
            heads: number("attention.head_count")?,
            layers: number("block_count")?,
            wide: number("feed_forward_length")?,
            vocabulary: rows("token_embd.weight")?,
            longest: rows("position_embd.weight")?,
            types: rows("token_types.weight")?,
            epsilon,
        };
        let fits = header.str("general.architecture") == Some("bert")
            && matches!(pooling, Pooling::Mean | Pooling::Cls)
            && header.get("bert.attention.causal").is_none_or(|causal| *causal == Value::Bool(false))
            && plan.dimensions.is_multiple_of(plan.heads)
            && plan.longest >= number("context_length")?
            && header.tensors.iter().all(|t| t.kind.has_f32_form())
            && plan.tensors_are_those_of(header);
        fits.then_some(plan)
    }

    /// Every tensor that is wanted, with its shape in ggml's order.
    fn tensors(&self) -> Vec<(String, Vec<u64>)> {
        let (d, wide) = (self.dimensions, self.wide);
        let mut wanted = Vec::new();
        let mut want = |name: String, shape: &[usize]| {
            wanted.push((name, shape.iter().map(|n| *n as u64).collect()));
        };
        want("token_embd.weight".into(), &[d, self.vocabulary]);
        want("position_embd.weight".into(), &[d, self.longest]);
        want("token_types.weight".into(), &[d, self.types]);
        want("token_embd_norm.weight".into(), &[d]);
        want("token_embd_norm.bias".into(), &[d]);
        for layer in 0..self.layers {
            for norm in ["attn_output_norm", "layer_output_norm"] {
                want(format!("blk.{layer}.{norm}.weight"), &[d]);
                want(format!("blk.{layer}.{norm}.bias"), &[d]);
            }
            let linears = [("attn_q", d, d), ("attn_k", d, d), ("attn_v", d, d), ("attn_output", d, d)];
            for (linear, from, to) in linears.into_iter().chain([("ffn_up", d, wide), ("ffn_down", wide, d)])
            {
                want(format!("blk.{layer}.{linear}.weight"), &[from, to]);
                want(format!("blk.{layer}.{linear}.bias"), &[to]);
            }
        }
        wanted
    }

    fn tensors_are_those_of(&self, header: &Header) -> bool {
        // The number of layers is the file's word: it must not make us list more than the file holds.
        if self.layers.saturating_mul(16).saturating_add(5) != header.tensors.len() {
            return false;
        }
        let mut wanted = self.tensors();
        let mut there: Vec<_> = header.tensors.iter().map(|t| (t.name.clone(), t.shape.clone())).collect();
        wanted.sort();
        there.sort();
        wanted == there
    }
}

struct Source<'h> {
    file: File,
    header: &'h Header,
    plan: Plan,
}

impl Source<'_> {
    fn weights(mut self) -> Result<Weights, GgufError> {
        let d = self.plan.dimensions;
        let types = self.matrix("token_types.weight", d)?;
        let mut positions = self.matrix("position_embd.weight", d)?;
        positions += &types.row(0);
        Ok(Weights {
            tokens: self.matrix("token_embd.weight", d)?.into_shared(),
            positions: positions.into_shared(),
            norm: self.norm("token_embd_norm")?,
            layers: (0..self.plan.layers).map(|layer| self.layer(layer)).collect::<Result<_, _>>()?,
            dimensions: d,
            heads: self.plan.heads,
            epsilon: self.plan.epsilon,
            pooling: self.plan.pooling,
        })
    }

    fn layer(&mut self, layer: usize) -> Result<Layer, GgufError> {
        let (d, wide) = (self.plan.dimensions, self.plan.wide);
        let mut linear = |name: &str, from| self.linear(&format!("blk.{layer}.{name}"), from);
        let (query, key, value) = (linear("attn_q", d)?, linear("attn_k", d)?, linear("attn_v", d)?);
        let attended = linear("attn_output", d)?;
        let (up, down) = (linear("ffn_up", d)?, linear("ffn_down", wide)?);
        let odd = |_| GgufError::Damaged("query, key and value differ in shape".into());
        Ok(Layer {
            query_key_value: Linear {
                weight: concatenate(Axis(0), &[query.weight.view(), key.weight.view(), value.weight.view()])
                    .map_err(odd)?,
                bias: concatenate(Axis(0), &[query.bias.view(), key.bias.view(), value.bias.view()])
                    .map_err(odd)?,
            },
            attended,
            attention_norm: self.norm(&format!("blk.{layer}.attn_output_norm"))?,
            up,
            down,
            output_norm: self.norm(&format!("blk.{layer}.layer_output_norm"))?,
        })
    }

    fn linear(&mut self, name: &str, from: usize) -> Result<Linear, GgufError> {
        Ok(Linear {
            weight: self.matrix(&format!("{name}.weight"), from)?,
            bias: self.values(&format!("{name}.bias"))?,
        })
    }

    fn norm(&mut self, name: &str) -> Result<Norm, GgufError> {
        Ok(Norm {
            weight: self.values(&format!("{name}.weight"))?,
            bias: self.values(&format!("{name}.bias"))?,
        })
    }

    fn matrix(&mut self, name: &str, columns: usize) -> Result<Array2<f32>, GgufError> {
        let values = self.values(name)?.into_raw_vec_and_offset().0;
        Array2::from_shape_vec((values.len() / columns, columns), values)
            .map_err(|_| GgufError::Damaged(format!("tensor '{name}' is no matrix")))
    }

    fn values(&mut self, name: &str) -> Result<Array1<f32>, GgufError> {
        let tensor = self.header.tensors.iter().find(|t| t.name == name);
        let tensor = tensor.ok_or_else(|| GgufError::Damaged(format!("there is no tensor '{name}'")))?;
        Ok(read_tensor(&mut self.file, self.header, tensor)?.into())
    }
}

#[cfg(test)]
impl Weights {
    /// A small encoder with random weights, for tests: 40 tokens, 12 positions, vectors of 8, two heads, 16 wide.
    pub fn random(layers: usize, pooling: Pooling, seed: u64) -> Self {
        use rand::{Rng, SeedableRng};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut matrix = |rows, columns, most: f32| {
            Array2::from_shape_simple_fn((rows, columns), || rng.gen_range(-most..most))
        };
        let mut norm = || Norm {
            weight: 1.0 + matrix(1, 8, 0.3).index_axis_move(Axis(0), 0),
            bias: matrix(1, 8, 0.3).index_axis_move(Axis(0), 0),
        };
        let norms: Vec<Norm> = (0..=2 * layers).map(|_| norm()).collect();
        let mut linear = |from, to| Linear {
            weight: matrix(to, from, 0.6),
            bias: matrix(1, to, 0.3).index_axis_move(Axis(0), 0),
        };
        let layers = (0..layers).map(|layer| Layer {
            query_key_value: linear(8, 24),
            attended: linear(8, 8),
            attention_norm: norms[2 * layer].clone(),
            up: linear(8, 16),
            down: linear(16, 8),
            output_norm: norms[2 * layer + 1].clone(),
        });
        let layers = layers.collect();
        Self {
            dimensions: 8,
            heads: 2,
            epsilon: 1e-12,
            pooling,
            tokens: matrix(40, 8, 1.0).into_shared(),
            positions: matrix(12, 8, 0.3).into_shared(),
            norm: norms[norms.len() - 1].clone(),
            layers,
        }
    }
}
