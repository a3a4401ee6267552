//! The weights of a model, read from its GGUF file.
//!
//! Only files that hold exactly what the passes compute are taken: a tensor more or less or of another shape, and the model is refused with a
//! sentence. What is large stays as the file stores it, unless it fits the memory that it is given.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ndarray::{ArcArray2, Array1, Array2, ArrayView2, Axis, concatenate};

use super::family::{Biases, Family, Positions, Role, RopeDivisors, Sublayer};
use super::matrix::{Matrix, Scratch, can_unpack};
use super::ops::{NormKind, NormWeights, Rope};
use super::shape::{Refusal, Shape};
use super::sites::{Projection, Site};
use crate::domain::fault::Fault;
use crate::engine::gguf::{GgufError, Header, Tensor, read_tensor, whole_header};
use crate::engine::model_file::Pooling;

/// The vectors of positions and of token types, in models that have learned them.
const POSITIONS: &str = "position_embd.weight";
const TYPES: &str = "token_types.weight";

type Result<T> = std::result::Result<T, Refusal>;

/// A frozen linear layer, or some that stand below each other in one matrix.
#[derive(Clone)]
pub struct Linear {
    /// `out × in`.
    pub matrix: Matrix,
    /// `out`, where there is one.
    pub bias: Option<Array1<f32>>,
}

#[derive(Clone)]
pub struct Block {
    pub attention: Sublayer<Option<NormWeights>>,
    pub ffn: Sublayer<Option<NormWeights>>,
    /// Of each head of queries and of keys.
    pub head_norms: Option<[NormWeights; 2]>,
    /// For each of [`Projection::ALL`] its linear layers: one for each site, or one with all of them below each other.
    pub(super) projections: [Vec<Linear>; 4],
}

impl Block {
    /// The linear layers of a projection, whose results stand side by side.
    pub fn linears(&self, projection: Projection) -> &[Linear] {
        &self.projections[projection as usize]
    }

    /// The same, to be changed.
    pub fn linears_mut(&mut self, projection: Projection) -> &mut [Linear] {
        &mut self.projections[projection as usize]
    }
}

/// A whole model. Clones share the embeddings, which no adapter changes.
pub struct Weights {
    pub shape: Shape,
    /// How an encoder makes one vector of a text's.
    pub pooling: Pooling,
    /// `vocabulary × dimensions`: a token's vector.
    pub tokens: Arc<Matrix>,
    /// `longest text × dimensions`, with the vector of the first token type in it, where positions are learned.
    pub positions: Option<ArcArray2<f32>>,
    pub embedding_norm: Option<NormWeights>,
    /// `vocabulary × dimensions`: what a token's score is made with, where that is not its vector.
    output: Option<Arc<Matrix>>,
    pub final_norm: Option<NormWeights>,
    /// What frequencies of rotary positions are divided by.
    pub rope_divisors: Option<Vec<f32>>,
    /// In order.
    pub blocks: Vec<Block>,
    scratch: Mutex<Scratch>,
}

impl Clone for Weights {
    fn clone(&self) -> Self {
        Self {
            shape: self.shape.clone(),
            pooling: self.pooling,
            tokens: Arc::clone(&self.tokens),
            positions: self.positions.clone(),
            embedding_norm: self.embedding_norm.clone(),
            output: self.output.clone(),
            final_norm: self.final_norm.clone(),
            rope_divisors: self.rope_divisors.clone(),
            blocks: self.blocks.clone(),
            scratch: Mutex::default(),
        }
    }
}

impl Weights {
    /// Reads the language model at `path`. The blocks' matrices are held as F32 if they take no more than `memory` bytes so.
    ///
    /// # Errors
    /// One sentence: a file that cannot be read, another architecture, or a tensor that should not be or should be otherwise.
    pub fn read(path: &Path, memory: u64) -> std::result::Result<Self, Fault> {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        Self::of_role(path, Role::LanguageModel, Pooling::None, memory).map_err(|refusal| {
            let fault =
                Fault::new(format!("train an adapter of {}", name.escape_debug()), refusal.to_string());
            match refusal {
                Refusal::Unsupported { hint: Some(hint), .. } => fault.hint(hint),
                Refusal::Unsupported { .. } => fault,
                Refusal::Unreadable(e) => fault.because(e),
            }
        })
    }

    /// Reads the encoder at `path`; none where it is not exactly one that the passes here compute.
    ///
    /// # Errors
    /// Where the file cannot be read or is damaged.
    pub fn read_encoder(path: &Path, pooling: Pooling) -> std::result::Result<Option<Self>, GgufError> {
        if !matches!(pooling, Pooling::Mean | Pooling::Cls) {
            return Ok(None);
        }
        match Self::of_role(path, Role::Encoder, pooling, u64::MAX) {
            Ok(weights) => Ok(Some(weights)),
            Err(Refusal::Unsupported { .. }) => Ok(None),
            Err(Refusal::Unreadable(e)) => Err(e),
        }
    }

    /// Whether the model that this header describes can be read, as far as the header alone tells.
    ///
    /// # Errors
    /// Another architecture, or a tensor that should not be or should be otherwise.
    pub fn check(header: &Header, role: Role, pooling: Pooling) -> Result<()> {
        if role == Role::Encoder && !matches!(pooling, Pooling::Mean | Pooling::Cls) {
            return Err(Refusal::because("its pooling is not one that can be trained"));
        }
        check(header, &Shape::read(header, role)?)
    }

    fn of_role(path: &Path, role: Role, pooling: Pooling, memory: u64) -> Result<Self> {
        let mut file = File::open(path).map_err(GgufError::from)?;
        let header = whole_header(&mut file)?;
        let source = BufReader::with_capacity(1 << 20, file);
        let shape = Shape::read(&header, role)?;
        Source { file: source, header: &header, shape, memory }.weights(pooling)
    }

    /// What tokens' scores are made with.
    pub fn output(&self) -> &Matrix {
        self.output.as_ref().unwrap_or(&self.tokens)
    }

    /// How positions turn in a block.
    pub fn rope_of(&self, block: usize) -> Rope {
        match &self.shape.window {
            Some(window) if window.blocks[block] => window.rope,
            _ => self.shape.rope,
        }
    }

    /// Does something with a linear layer's matrix as F32. Where it is stored otherwise, one thread at a time computes with a model, with all
    /// cores; F32 is shared freely.
    pub fn with_matrix<R>(&self, linear: &Linear, work: impl FnOnce(ArrayView2<'_, f32>) -> R) -> R {
        match linear.matrix.as_plain() {
            Some(numbers) => work(numbers.view()),
            None => {
                let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
                linear.matrix.with(&mut scratch, work)
            }
        }
    }
}

/// Whether a tensor has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Presence {
    Required,
    Optional,
}

/// Every tensor that a model of this shape must have and those that it may have, with their shapes in ggml's order.
fn tensors(shape: &Shape, header: &Header) -> Vec<(String, Vec<u64>, Presence)> {
    let mut list = Vec::new();
    let mut add = |name: String, sizes: &[usize], presence| {
        list.push((name, sizes.iter().map(|n| *n as u64).collect::<Vec<u64>>(), presence));
    };
    let (d, family) = (shape.dimensions, shape.family);
    add("token_embd.weight".into(), &[d, shape.vocabulary], Presence::Required);
    for name in
        family.embedding_norm.iter().chain(&family.final_norm).flat_map(|name| family.norm_tensors(name))
    {
        add(name, &[d], Presence::Required);
    }
    if family.role == Role::LanguageModel {
        add("output.weight".into(), &[d, shape.vocabulary], Presence::Optional);
    }
    match family.positions {
        Positions::Learned => {
            // As many as there are: neither number stands in the metadata.
            for name in [POSITIONS, TYPES] {
                let rows =
                    header.tensors.iter().find(|t| t.name == name).and_then(|t| t.shape.get(1).copied());
                add(name.into(), &[d, rows.unwrap_or(0) as usize], Presence::Required);
            }
        }
        Positions::Rotary(_, RopeDivisors::Optional) => {
            add("rope_freqs.weight".into(), &[shape.head_size / 2], Presence::Optional);
        }
        Positions::Rotary(_, RopeDivisors::Absent) => {}
    }
    for block in 0..shape.blocks {
        for name in family.norms().flat_map(|name| family.norm_tensors(name)) {
            add(format!("blk.{block}.{name}"), &[d], Presence::Required);
        }
        for name in family.head_norms.iter().flatten() {
            add(format!("blk.{block}.{name}.weight"), &[shape.head_size], Presence::Required);
        }
        for site in shape.family.sites() {
            let (out, from) = shape.dim(site);
            add(format!("blk.{block}.{}.weight", site.tensor()), &[from, out], Presence::Required);
            let bias = match family.biases {
                Biases::All => Some(Presence::Required),
                Biases::OptionalInAttention if matches!(site, Site::Query | Site::Key | Site::Value) => {
                    Some(Presence::Optional)
                }
                Biases::OptionalInAttention => None,
            };
            if let Some(presence) = bias {
                add(format!("blk.{block}.{}.bias", site.tensor()), &[out], presence);
            }
        }
    }
    list
}

/// That the tensors are those of the shape, each of its size and of a type that can be unpacked.
fn check(header: &Header, shape: &Shape) -> Result<()> {
    // The number of blocks is the file's word: it must not make us list more than the file holds.
    if header.tensors.len() < 8 * shape.blocks {
        let blocks = shape.blocks;
        return Err(Refusal::because(format!("its file does not hold {blocks} blocks")));
    }
    let mut wanted = tensors(shape, header);
    wanted.sort();
    for (name, sizes, presence) in &wanted {
        match find(header, name) {
            None if *presence == Presence::Required => return Err(missing(name)),
            Some(tensor) if tensor.shape != *sizes => {
                let why = format!("tensor '{name}' has the shape {:?}, not {sizes:?}", tensor.shape);
                return Err(Refusal::because(why));
            }
            _ => {}
        }
    }
    for tensor in &header.tensors {
        if wanted.binary_search_by(|(name, ..)| name.cmp(&tensor.name)).is_err() {
            let why = format!("nothing here computes its tensor '{}'", tensor.name.escape_debug());
            return Err(Refusal::because(why));
        }
        // What is read by number and not as a matrix.
        let whole = tensor.shape.len() == 1 || tensor.name == POSITIONS || tensor.name == TYPES;
        if !can_unpack(tensor.kind) || whole && !tensor.kind.has_f32_form() {
            let why = format!("tensor '{}' is stored as {}", tensor.name, tensor.kind.name());
            return Err(Refusal::because(why));
        }
    }
    Ok(())
}

fn find<'h>(header: &'h Header, name: &str) -> Option<&'h Tensor> {
    header.tensors.iter().find(|tensor| tensor.name == name)
}

struct Source<'h> {
    file: BufReader<File>,
    header: &'h Header,
    shape: Shape,
    memory: u64,
}

impl Source<'_> {
    fn weights(mut self, pooling: Pooling) -> Result<Weights> {
        check(self.header, &self.shape)?;
        let sizes = self.shape.family.sites().map(|site| {
            let (out, from) = self.shape.dim(site);
            (out * from) as u64
        });
        let plain = sizes.sum::<u64>().saturating_mul(4 * self.shape.blocks as u64) <= self.memory;
        let family = self.shape.family;
        let size = (self.shape.vocabulary, self.shape.dimensions);
        let output = match self.find("output.weight") {
            Some(_) => Some(Arc::new(self.matrix("output.weight", size)?)),
            None => None,
        };
        let rope_divisors = match self.find("rope_freqs.weight") {
            Some(_) => Some(self.vector("rope_freqs.weight")?),
            None => None,
        };
        Ok(Weights {
            pooling,
            tokens: Arc::new(self.matrix("token_embd.weight", size)?),
            positions: self.positions()?,
            embedding_norm: self.norm(family.embedding_norm)?,
            output,
            final_norm: self.norm(family.final_norm)?,
            rope_divisors,
            blocks: (0..self.shape.blocks).map(|block| self.block(block, plain)).collect::<Result<_>>()?,
            shape: self.shape,
            scratch: Mutex::default(),
        })
    }

    fn find(&self, name: &str) -> Option<&Tensor> {
        find(self.header, name)
    }

    /// The learned vectors of positions, with that of the first token type in each.
    fn positions(&mut self) -> Result<Option<ArcArray2<f32>>> {
        if self.shape.family.positions != Positions::Learned {
            return Ok(None);
        }
        let d = self.shape.dimensions;
        let mut matrix = |name: &str| -> Result<Array2<f32>> {
            let values = self.vector(name)?;
            Array2::from_shape_vec((values.len() / d, d), values)
                .map_err(|_| Refusal::because(format!("tensor '{name}' is not a matrix")))
        };
        let (mut positions, types) = (matrix(POSITIONS)?, matrix(TYPES)?);
        if positions.nrows() < self.shape.context || types.nrows() == 0 {
            return Err(Refusal::because("its positions are fewer than its file says of its texts"));
        }
        positions += &types.row(0);
        Ok(Some(positions.into_shared()))
    }

    fn norm(&mut self, name: Option<&str>) -> Result<Option<NormWeights>> {
        let Some(name) = name else { return Ok(None) };
        let family = self.shape.family;
        Ok(Some(NormWeights {
            kind: family.norm,
            scale: self.vector(&format!("{name}.weight"))?,
            shift: match family.norm {
                NormKind::Layer => self.vector(&format!("{name}.bias"))?,
                NormKind::Rms => Vec::new(),
            },
            epsilon: self.shape.epsilon,
        }))
    }

    fn block(&mut self, block: usize, plain: bool) -> Result<Block> {
        let named = |name: &str| format!("blk.{block}.{name}");
        let family: &'static Family = self.shape.family;
        let mut norms = |of: &Sublayer<Option<&'static str>>| -> Result<Sublayer<Option<NormWeights>>> {
            let mut norm = |name: Option<&str>| self.norm(name.map(named).as_deref());
            Ok(Sublayer { input: norm(of.input)?, result: norm(of.result)?, output: norm(of.output)? })
        };
        let (attention, ffn) = (norms(&family.attention)?, norms(&family.ffn)?);
        let head_norms = match family.head_norms {
            Some([queries, keys]) => self
                .norm(Some(&named(queries)))?
                .zip(self.norm(Some(&named(keys)))?)
                .map(|(queries, keys)| [queries, keys]),
            None => None,
        };
        let mut projections = [const { Vec::new() }; 4];
        for (projection, linears) in Projection::ALL.into_iter().zip(&mut projections) {
            for site in projection.sites(family.feed_forward) {
                linears.push(self.linear(&named(site.tensor()), self.shape.dim(*site), plain)?);
            }
            if let Some(stacked) = stacked(linears) {
                *linears = vec![stacked];
            }
        }
        Ok(Block { attention, ffn, head_norms, projections })
    }

    fn linear(&mut self, name: &str, size: (usize, usize), plain: bool) -> Result<Linear> {
        let mut matrix = self.matrix(&format!("{name}.weight"), size)?;
        if plain {
            matrix.unpack();
        }
        let bias = format!("{name}.bias");
        let bias = match self.find(&bias) {
            Some(_) => Some(self.vector(&bias)?.into()),
            None => None,
        };
        Ok(Linear { matrix, bias })
    }

    fn tensor(&self, name: &str) -> Result<Tensor> {
        self.find(name).cloned().ok_or_else(|| missing(name))
    }

    fn matrix(&mut self, name: &str, size: (usize, usize)) -> Result<Matrix> {
        let tensor = self.tensor(name)?;
        let begin = self.header.data_offset + tensor.offset;
        let matrix = self.file.seek(SeekFrom::Start(begin)).and_then(|_| {
            Matrix::read(&mut self.file.by_ref().take(tensor.bytes), tensor.kind, size, tensor.bytes)
        });
        Ok(matrix.map_err(GgufError::from)?)
    }

    fn vector(&mut self, name: &str) -> Result<Vec<f32>> {
        let tensor = self.tensor(name)?;
        Ok(read_tensor(&mut self.file, self.header, &tensor)?)
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::because(format!("there is no tensor '{name}'"))
}

/// The linears below each other in one matrix, so that one product computes all of them; none where they are not all F32 or only some have a
/// bias.
fn stacked(linears: &[Linear]) -> Option<Linear> {
    let matrices =
        linears.iter().map(|linear| Some(linear.matrix.as_plain()?.view())).collect::<Option<Vec<_>>>()?;
    let biases: Vec<_> = linears.iter().filter_map(|linear| Some(linear.bias.as_ref()?.view())).collect();
    if linears.len() < 2 || !(biases.is_empty() || biases.len() == linears.len()) {
        return None;
    }
    let bias = if biases.is_empty() { None } else { Some(concatenate(Axis(0), &biases).ok()?) };
    Some(Linear { matrix: Matrix::plain(concatenate(Axis(0), &matrices).ok()?), bias })
}

#[cfg(test)]
mod tests;
