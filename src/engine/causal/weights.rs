//! The weights of a language model, read from its GGUF file.
//!
//! Only files that hold exactly what the passes compute are taken: a tensor more or less or of another shape, and the model is refused with a
//! sentence. What is large stays as the file stores it, unless it fits the memory that it is given.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::Array1;

use super::matrix::{Matrix, Scratch, can_unpack};
use super::shape::{Family, Shape, Turn, refused};
use crate::domain::fault::{Result, io_reason};
use crate::engine::gguf::{Header, Tensor, read_tensor, whole_header};

/// The linears of a block, in the order in which a token goes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Queries.
    Query,
    /// Keys.
    Key,
    /// Values.
    Value,
    /// What the heads' results go through.
    Attended,
    /// What opens the wide layer.
    Gate,
    /// Into the wide layer.
    Up,
    /// And back.
    Down,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Query, Self::Key, Self::Value, Self::Attended, Self::Gate, Self::Up, Self::Down];

    /// The name within its block of the tensor in the file.
    pub fn tensor(self) -> &'static str {
        match self {
            Self::Query => "attn_q",
            Self::Key => "attn_k",
            Self::Value => "attn_v",
            Self::Attended => "attn_output",
            Self::Gate => "ffn_gate",
            Self::Up => "ffn_up",
            Self::Down => "ffn_down",
        }
    }

    /// Rows (what comes out) and columns (what goes in) in a model of this shape.
    pub fn dim(self, shape: &Shape) -> (usize, usize) {
        let d = shape.dimensions;
        match self {
            Self::Query => (shape.queries(), d),
            Self::Key | Self::Value => (shape.keys(), d),
            Self::Attended => (d, shape.queries()),
            Self::Gate | Self::Up => (shape.wide, d),
            Self::Down => (d, shape.wide),
        }
    }
}

/// A frozen linear.
pub struct Linear {
    /// `out × in`.
    pub matrix: Matrix,
    /// `out`, where there is one.
    pub bias: Option<Array1<f32>>,
}

/// One block.
pub struct Block {
    /// Before attention.
    pub attention_norm: Vec<f32>,
    /// Of each head of queries and of keys.
    pub head_norms: Option<(Vec<f32>, Vec<f32>)>,
    /// Of what attention adds.
    pub attended_norm: Option<Vec<f32>>,
    /// Before the wide layer.
    pub wide_norm: Vec<f32>,
    /// Of what the wide layer adds.
    pub result_norm: Option<Vec<f32>>,
    /// In the order of [`Place::ALL`].
    linears: Vec<Linear>,
}

impl Block {
    /// The linear at a place.
    pub fn linear(&self, place: Place) -> &Linear {
        &self.linears[place as usize]
    }
}

/// A whole language model.
pub struct Weights {
    /// Its sizes.
    pub shape: Shape,
    /// `vocabulary × dimensions`: a token's vector.
    pub tokens: Matrix,
    /// `vocabulary × dimensions`: what a token's score is made with, where that is not its vector.
    output: Option<Matrix>,
    /// Before the scores.
    pub output_norm: Vec<f32>,
    /// What frequencies are divided by.
    pub turn_divisors: Option<Vec<f32>>,
    /// The blocks in order.
    pub blocks: Vec<Block>,
    scratch: Mutex<Scratch>,
}

impl Weights {
    /// Reads the model at `path`. The blocks' matrices are held as F32 if they take no more than `memory` bytes so.
    ///
    /// # Errors
    /// One sentence: a file that cannot be read, another architecture, or a tensor that should not be or should be otherwise.
    pub fn read(path: &Path, memory: u64) -> Result<Self> {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let unread = |e: std::io::Error| refused(&name, io_reason(&e)).because(e);
        let mut file = File::open(path).map_err(unread)?;
        let header = whole_header(&mut file).map_err(|e| refused(&name, e.to_string()).because(e))?;
        let source = BufReader::with_capacity(1 << 20, file);
        let shape = Shape::read(&header, &name)?;
        Source { file: source, header: &header, shape, name: &name, memory }.weights()
    }

    /// What tokens' scores are made with.
    pub fn output(&self) -> &Matrix {
        self.output.as_ref().unwrap_or(&self.tokens)
    }

    /// The turn of a block.
    pub fn turn_of(&self, block: usize) -> Turn {
        match &self.shape.window {
            Some(window) if window.blocks[block] => window.turn,
            _ => self.shape.turn,
        }
    }

    /// Memory to unpack matrices in: one thread at a time computes with a model, with all cores.
    pub fn scratch(&self) -> MutexGuard<'_, Scratch> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every tensor that a model of this shape must have and those that it may have, with their shapes in ggml's order.
fn tensors(shape: &Shape) -> Vec<(String, Vec<u64>, bool)> {
    let mut list = Vec::new();
    let mut add = |name: String, sizes: &[usize], must: bool| {
        list.push((name, sizes.iter().map(|n| *n as u64).collect(), must));
    };
    let (d, must, may) = (shape.dimensions, true, false);
    add("token_embd.weight".into(), &[d, shape.vocabulary], must);
    add("output_norm.weight".into(), &[d], must);
    add("output.weight".into(), &[d, shape.vocabulary], may);
    if shape.family == Family::Llama {
        add("rope_freqs.weight".into(), &[shape.head_size / 2], may);
    }
    for block in 0..shape.blocks {
        let mut vector = |name: &str, size| add(format!("blk.{block}.{name}.weight"), &[size], must);
        vector("attn_norm", d);
        vector("ffn_norm", d);
        if shape.family.norms_heads() {
            vector("attn_q_norm", shape.head_size);
            vector("attn_k_norm", shape.head_size);
        }
        if shape.family.norms_results() {
            vector("post_attention_norm", d);
            vector("post_ffw_norm", d);
        }
        for place in Place::ALL {
            let (out, from) = place.dim(shape);
            add(format!("blk.{block}.{}.weight", place.tensor()), &[from, out], must);
            if matches!(place, Place::Query | Place::Key | Place::Value) {
                add(format!("blk.{block}.{}.bias", place.tensor()), &[out], may);
            }
        }
    }
    list
}

struct Source<'h> {
    file: BufReader<File>,
    header: &'h Header,
    shape: Shape,
    name: &'h str,
    memory: u64,
}

impl Source<'_> {
    fn weights(mut self) -> Result<Weights> {
        self.check()?;
        let of_blocks = Place::ALL.map(|place| {
            let (out, from) = place.dim(&self.shape);
            (out * from) as u64
        });
        let plain = of_blocks.iter().sum::<u64>().saturating_mul(4 * self.shape.blocks as u64) <= self.memory;
        let divisors = self.find("rope_freqs.weight").is_some();
        let tied = self.find("output.weight").is_none();
        let size = (self.shape.vocabulary, self.shape.dimensions);
        Ok(Weights {
            tokens: self.matrix("token_embd.weight", size)?,
            output: if tied { None } else { Some(self.matrix("output.weight", size)?) },
            output_norm: self.vector("output_norm.weight")?,
            turn_divisors: if divisors { Some(self.vector("rope_freqs.weight")?) } else { None },
            blocks: (0..self.shape.blocks).map(|block| self.block(block, plain)).collect::<Result<_>>()?,
            shape: self.shape,
            scratch: Mutex::default(),
        })
    }

    /// That the tensors are those of the shape, each of its size and of a type that can be unpacked.
    fn check(&self) -> Result<()> {
        // The number of blocks is the file's word: it must not make us list more than the file holds.
        if self.header.tensors.len() < 9 * self.shape.blocks {
            return Err(self.refuse(format!("its file does not hold {} blocks", self.shape.blocks)));
        }
        let mut wanted = tensors(&self.shape);
        wanted.sort();
        for (name, sizes, must) in &wanted {
            match self.find(name) {
                None if *must => return Err(self.refuse(format!("there is no tensor '{name}'"))),
                Some(tensor) if tensor.shape != *sizes => {
                    let why = format!("tensor '{name}' has the shape {:?}, not {sizes:?}", tensor.shape);
                    return Err(self.refuse(why));
                }
                _ => {}
            }
        }
        for tensor in &self.header.tensors {
            if wanted.binary_search_by(|(name, ..)| name.cmp(&tensor.name)).is_err() {
                let why = format!("nothing here computes its tensor '{}'", tensor.name.escape_debug());
                return Err(self.refuse(why));
            }
            let vector = tensor.shape.len() == 1;
            if !can_unpack(tensor.kind) || vector && !tensor.kind.has_f32_form() {
                let why = format!("tensor '{}' is stored as {}", tensor.name, tensor.kind.name());
                return Err(self.refuse(why));
            }
        }
        Ok(())
    }

    fn refuse(&self, why: impl Into<String>) -> crate::domain::fault::Fault {
        refused(self.name, why)
    }

    fn find(&self, name: &str) -> Option<&Tensor> {
        self.header.tensors.iter().find(|tensor| tensor.name == name)
    }

    fn block(&mut self, block: usize, plain: bool) -> Result<Block> {
        let named = |name: &str| format!("blk.{block}.{name}.weight");
        let family = self.shape.family;
        let head_norms = if family.norms_heads() {
            Some((self.vector(&named("attn_q_norm"))?, self.vector(&named("attn_k_norm"))?))
        } else {
            None
        };
        let mut of_results = |name: &str| {
            if family.norms_results() { self.vector(&named(name)).map(Some) } else { Ok(None) }
        };
        let (attended_norm, result_norm) = (of_results("post_attention_norm")?, of_results("post_ffw_norm")?);
        let mut linears = Vec::new();
        for place in Place::ALL {
            let mut matrix = self.matrix(&named(place.tensor()), place.dim(&self.shape))?;
            if plain {
                matrix.unpack();
            }
            let bias = format!("blk.{block}.{}.bias", place.tensor());
            let bias = match self.find(&bias) {
                Some(_) => Some(self.vector(&bias)?.into()),
                None => None,
            };
            linears.push(Linear { matrix, bias });
        }
        Ok(Block {
            attention_norm: self.vector(&named("attn_norm"))?,
            head_norms,
            attended_norm,
            wide_norm: self.vector(&named("ffn_norm"))?,
            result_norm,
            linears,
        })
    }

    fn tensor(&self, name: &str) -> Result<Tensor> {
        self.find(name).cloned().ok_or_else(|| self.refuse(format!("there is no tensor '{name}'")))
    }

    fn matrix(&mut self, name: &str, size: (usize, usize)) -> Result<Matrix> {
        let tensor = self.tensor(name)?;
        let begin = self.header.data_offset + tensor.offset;
        let matrix = self.file.seek(SeekFrom::Start(begin)).and_then(|_| {
            Matrix::read(&mut self.file.by_ref().take(tensor.bytes), tensor.kind, size, tensor.bytes)
        });
        matrix.map_err(|e| self.refuse(format!("tensor '{name}': {}", io_reason(&e))).because(e))
    }

    fn vector(&mut self, name: &str) -> Result<Vec<f32>> {
        let tensor = self.tensor(name)?;
        let values = read_tensor(&mut self.file, self.header, &tensor);
        values.map_err(|e| self.refuse(e.to_string()).because(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::causal::specimen::Specimen;
    use crate::engine::gguf::{TensorType, Value, encode_header};

    type Change<'c> = &'c dyn Fn(&mut Vec<(String, Value)>, &mut Vec<Tensor>);

    /// What is said of a small model whose header was changed.
    fn said(family: Family, change: Change<'_>) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.gguf");
        Specimen::small(family, TensorType::F32).write(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let mut header = crate::engine::gguf::read_header(&bytes[..], bytes.len() as u64).unwrap();
        change(&mut header.metadata, &mut header.tensors);
        let listed = header.tensors.iter().map(|t| (t.name.clone(), t.shape.clone(), t.kind));
        let (mut changed, encoded) = encode_header(header.metadata.clone(), listed).unwrap();
        let most: u64 = encoded.tensors.iter().map(|t| t.bytes + 64).sum();
        changed.resize(changed.len() + most.min(1 << 24) as usize, 0);
        std::fs::write(&path, changed).unwrap();
        Weights::read(&path, 0).map(|_| ()).map_err(|e| e.to_string()).err().unwrap_or_default()
    }

    fn set(metadata: &mut Vec<(String, Value)>, key: &str, value: Value) {
        metadata.retain(|(other, _)| other != key);
        metadata.push((key.to_owned(), value));
    }

    #[test]
    fn a_model_that_is_not_computed_exactly_is_refused_by_name() {
        assert_eq!(said(Family::Llama, &|_, _| {}), "");
        let keys = |key: &'static str, value: Value| {
            said(Family::Llama, &move |metadata, _| set(metadata, key, value.clone()))
        };
        let phi = keys("general.architecture", Value::text("phi3"));
        assert!(phi.contains("'phi3'") && phi.contains("llama, qwen2, qwen3, gemma3"), "{phi}");
        assert!(phi.starts_with("cannot train an adapter of model.gguf: "), "{phi}");
        for (key, value, says) in [
            ("llama.attention.head_count", Value::U32(u32::MAX), "'llama.attention.head_count'"),
            ("llama.attention.head_count", Value::U32(0), "'llama.attention.head_count'"),
            ("llama.attention.head_count", Value::U32(3), "do not fit each other"),
            ("llama.attention.head_count", Value::U32(8), "tensor 'blk.0.attn_output.weight' has the shape"),
            ("llama.block_count", Value::U32(900), "does not hold 900 blocks"),
            ("llama.block_count", Value::U32(u32::MAX), "'llama.block_count'"),
            ("llama.feed_forward_length", Value::U32(97), "has the shape"),
            ("llama.attention.layer_norm_rms_epsilon", Value::F32(f32::NAN), "layer_norm_rms_epsilon"),
            ("llama.rope.scaling.type", Value::text("yarn"), "'yarn'"),
            ("llama.expert_count", Value::U32(8), "'expert_count'"),
            ("llama.final_logit_softcapping", Value::F32(30.0), "'final_logit_softcapping'"),
            ("llama.attention.causal", Value::Bool(false), "those after them"),
            ("llama.rope.dimension_count", Value::U32(8), "do not fit each other"),
        ] {
            let said = keys(key, value);
            assert!(said.contains(says), "{key}: {said}");
        }
        let pattern = said(Family::Gemma3, &|metadata, _| {
            let bytes = vec![1; 3];
            let value = Value::Array { kind: 7, count: 3, bytes };
            set(metadata, "gemma3.attention.sliding_window_pattern", value);
        });
        assert!(pattern.contains("which of its blocks have a window"), "{pattern}");
    }

    #[test]
    fn a_tensor_more_or_less_or_of_another_shape_is_refused_by_name() {
        let tensors = |change: fn(&mut Vec<Tensor>)| said(Family::Qwen3, &move |_, tensors| change(tensors));
        let missing = tensors(|tensors| tensors.retain(|t| t.name != "blk.1.ffn_up.weight"));
        assert!(missing.contains("no tensor 'blk.1.ffn_up.weight'"), "{missing}");
        let more = tensors(|tensors| {
            let tensor = Tensor { name: "blk.1.attn_sinks.weight".into(), ..tensors[0].clone() };
            tensors.push(tensor);
        });
        assert!(more.contains("'blk.1.attn_sinks.weight'"), "{more}");
        let wrong = tensors(|tensors| {
            if let Some(norm) = tensors.iter_mut().find(|t| t.name == "blk.0.attn_q_norm.weight") {
                norm.shape = vec![31];
            }
        });
        assert!(wrong.contains("'blk.0.attn_q_norm.weight' has the shape [31], not [32]"), "{wrong}");
        let vectors = tensors(|tensors| tensors.retain(|t| t.name != "token_embd.weight"));
        assert!(vectors.contains("no embeddings"), "{vectors}");
    }

    #[test]
    fn half_a_model_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.gguf");
        Specimen::small(Family::Llama, TensorType::Q8_0).write(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for length in [0, 5, 500, bytes.len() / 2, bytes.len() - 64] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert!(Weights::read(&path, 0).is_err(), "{length} bytes");
        }
    }
}
