//! Language models of random numbers, written as GGUF files that llama.cpp loads: what tests and benchmarks compute with.
//!
//! Written as a stream, a row at a time. Nothing of the program itself uses them.

use std::io::{self, Write};
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::shape::Family;
use crate::engine::gguf::{TensorType, Value, encode_header, padding};

/// The first tokens: unknown, begin, end, and one for each byte.
const FIRST: usize = 3 + 256;

/// Pieces that any real vocabulary has in some form: without them a judge's cue would be written in bytes, and be as long as a text.
const WRITTEN: [&str; 6] = ["\u{2581}", "La", "Lab", "Labe", "Label", "Label:"];

/// The largest number of an embedding. What comes out of a norm is about 1, so with vectors of 64 scores lie about 1.4 from each other: as far
/// as the labels of an undecided model.
const SCORES: f32 = 0.3;

/// A model to be made up.
#[derive(Clone, Debug)]
pub struct Specimen {
    /// Its graph.
    pub family: Family,
    /// Number of blocks.
    pub blocks: usize,
    /// Length of a token's vector.
    pub dimensions: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys.
    pub key_heads: usize,
    /// Length of a head.
    pub head_size: usize,
    /// Width of the wide layer.
    pub wide: usize,
    /// Number of tokens, at least 260.
    pub vocabulary: usize,
    /// Whether scores are made with the tokens' vectors.
    pub tied: bool,
    /// Tokens that a block with a window sees; for Gemma alone.
    pub window: usize,
    /// Divisors of the frequencies; for Llama alone.
    pub turn_divisors: bool,
    /// What positions are divided by.
    pub linear_scale: Option<f32>,
    /// How matrices are stored: F32 or Q8_0.
    pub kind: TensorType,
    /// Of its numbers.
    pub seed: u64,
}

impl Specimen {
    /// A small one, with 300 tokens and vectors of 64.
    pub fn small(family: Family, kind: TensorType) -> Self {
        Self {
            family,
            blocks: if family == Family::Gemma3 { 7 } else { 3 },
            dimensions: 64,
            heads: 4,
            key_heads: 2,
            head_size: if family.norms_heads() { 32 } else { 16 },
            wide: 96,
            vocabulary: 300,
            tied: family != Family::Llama,
            window: 12,
            turn_divisors: family == Family::Llama,
            linear_scale: None,
            kind,
            seed: 1,
        }
    }

    /// Qwen3-0.6B's shape, with as many tokens as wanted (its own has 151,936).
    pub fn of_600_million(vocabulary: usize, kind: TensorType) -> Self {
        Self {
            blocks: 28,
            dimensions: 1_024,
            heads: 16,
            key_heads: 8,
            head_size: 128,
            wide: 3_072,
            vocabulary,
            ..Self::small(Family::Qwen3, kind)
        }
    }

    /// SmolLM-135M's shape.
    pub fn of_135_million(kind: TensorType) -> Self {
        Self {
            blocks: 30,
            dimensions: 576,
            heads: 9,
            key_heads: 3,
            head_size: 64,
            wide: 1_536,
            vocabulary: 49_152,
            tied: true,
            turn_divisors: false,
            ..Self::small(Family::Llama, kind)
        }
    }

    /// Writes its file.
    ///
    /// # Errors
    /// Where the file cannot be written, or a size does not fill the blocks of the type.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = io::BufWriter::with_capacity(1 << 20, std::fs::File::create(path)?);
        let tensors = self.tensors();
        let odd =
            || io::Error::new(io::ErrorKind::InvalidInput, "a size does not fill the blocks of the type");
        let listed = tensors.iter().map(|(name, shape, kind, _)| (name.clone(), shape.clone(), *kind));
        let (head, _) = encode_header(self.metadata(), listed).ok_or_else(odd)?;
        file.write_all(&head)?;
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        for (_, shape, kind, numbers) in &tensors {
            let rows = shape.get(1).copied().unwrap_or(1);
            let mut written = 0;
            for _ in 0..rows {
                let row: Vec<f32> = (0..shape[0])
                    .map(|_| numbers.middle + rng.gen_range(-numbers.most..numbers.most))
                    .collect();
                let bytes = stored(*kind, &row);
                file.write_all(&bytes)?;
                written += bytes.len() as u64;
            }
            file.write_all(&vec![0; padding(written) as usize])?;
        }
        file.flush()
    }

    fn metadata(&self) -> Vec<(String, Value)> {
        let name = self.family.name();
        let number = |key: &str, n: usize| (format!("{name}.{key}"), Value::U32(n as u32));
        let mut all = vec![
            ("general.architecture".to_owned(), Value::text(name)),
            ("general.name".to_owned(), Value::text("specimen")),
            number("block_count", self.blocks),
            number("context_length", 2_048),
            number("embedding_length", self.dimensions),
            number("feed_forward_length", self.wide),
            number("attention.head_count", self.heads),
            number("attention.head_count_kv", self.key_heads),
            number("attention.key_length", self.head_size),
            number("attention.value_length", self.head_size),
            number("rope.dimension_count", self.head_size),
            (format!("{name}.rope.freq_base"), Value::F32(50_000.0)),
            (format!("{name}.attention.layer_norm_rms_epsilon"), Value::F32(1e-5)),
        ];
        if self.family == Family::Gemma3 {
            all.push(number("attention.sliding_window", self.window));
        }
        if let Some(factor) = self.linear_scale {
            all.push((format!("{name}.rope.scaling.type"), Value::text("linear")));
            all.push((format!("{name}.rope.scaling.factor"), Value::F32(factor)));
        }
        all.extend(self.tokenizer());
        all
    }

    /// A tokenizer after the pattern of SentencePiece, which knows every byte, the space, the judge's cue with what it is merged from, and made-up words.
    fn tokenizer(&self) -> Vec<(String, Value)> {
        let (string, float, integer) = (8, 6, 5);
        let (mut texts, mut scores, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
        for token in 0..self.vocabulary {
            let (text, kind) = match token {
                0 => ("<unk>".to_owned(), 2i32),
                1 => ("<s>".to_owned(), 3),
                2 => ("</s>".to_owned(), 3),
                byte if byte < FIRST => (format!("<0x{:02X}>", byte - 3), 6),
                word => {
                    let known = WRITTEN.get(word - FIRST).map(|piece| (*piece).to_owned());
                    (known.unwrap_or_else(|| format!("\u{2581}w{word}")), 1)
                }
            };
            texts.extend((text.len() as u64).to_le_bytes());
            texts.extend(text.as_bytes());
            scores.extend((-(token as f32)).to_le_bytes());
            kinds.extend(kind.to_le_bytes());
        }
        let array = |kind, bytes| Value::Array { kind, count: self.vocabulary as u64, bytes };
        let entries = [
            ("model", Value::text("llama")),
            ("tokens", array(string, texts)),
            ("scores", array(float, scores)),
            ("token_type", array(integer, kinds)),
            ("unknown_token_id", Value::U32(0)),
            ("bos_token_id", Value::U32(1)),
            ("eos_token_id", Value::U32(2)),
            ("add_bos_token", Value::Bool(true)),
        ];
        entries.map(|(key, value)| (format!("tokenizer.ggml.{key}"), value)).into()
    }

    fn tensors(&self) -> Vec<(String, Vec<u64>, TensorType, Numbers)> {
        let (d, head, wide) = (self.dimensions, self.head_size, self.wide);
        let (queries, keys) = (self.heads * head, self.key_heads * head);
        let mut list = Vec::new();
        let mut matrix = |name: String, from: usize, out: usize, most: f32| {
            list.push((name, vec![from as u64, out as u64], self.kind, Numbers { middle: 0.0, most }));
        };
        let scaled = if self.family == Family::Gemma3 { (d as f32).sqrt() } else { 1.0 };
        matrix("token_embd.weight".into(), d, self.vocabulary, SCORES / scaled);
        if !self.tied {
            matrix("output.weight".into(), d, self.vocabulary, SCORES);
        }
        for block in 0..self.blocks {
            let linears = [("attn_q", d, queries), ("attn_k", d, keys), ("attn_v", d, keys)];
            let wide = [
                ("attn_output", queries, d),
                ("ffn_gate", d, wide),
                ("ffn_up", d, wide),
                ("ffn_down", wide, d),
            ];
            for (name, from, out) in linears.into_iter().chain(wide) {
                matrix(format!("blk.{block}.{name}.weight"), from, out, (2.0 / from as f32).sqrt());
            }
        }
        let mut vector = |name: String, size: usize, middle: f32| {
            list.push((name, vec![size as u64], TensorType::F32, Numbers { middle, most: 0.2 }));
        };
        vector("output_norm.weight".into(), d, 1.0);
        if self.turn_divisors {
            vector("rope_freqs.weight".into(), head / 2, 1.5);
        }
        for block in 0..self.blocks {
            let mut vector = |name: &str, size, middle| vector(format!("blk.{block}.{name}"), size, middle);
            vector("attn_norm.weight", d, 1.0);
            vector("ffn_norm.weight", d, 1.0);
            if self.family.norms_heads() {
                vector("attn_q_norm.weight", head, 1.0);
                vector("attn_k_norm.weight", head, 1.0);
            }
            if self.family.norms_results() {
                vector("post_attention_norm.weight", d, 1.0);
                vector("post_ffw_norm.weight", d, 1.0);
            }
            if self.family == Family::Qwen2 {
                vector("attn_q.bias", queries, 0.0);
                vector("attn_k.bias", keys, 0.0);
                vector("attn_v.bias", keys, 0.0);
            }
        }
        list
    }
}

/// Uniform numbers about a middle.
struct Numbers {
    middle: f32,
    most: f32,
}

/// A row as its type stores it, rounded by ggml.
fn stored(kind: TensorType, row: &[f32]) -> Vec<u8> {
    if kind == TensorType::F32 {
        return row.iter().flat_map(|x| x.to_le_bytes()).collect();
    }
    let size = kind.bytes_for(row.len() as u64).unwrap_or(0);
    let mut bytes = vec![0u8; size as usize];
    let length = row.len() as i64;
    #[expect(
        unsafe_code,
        reason = "ggml reads one row and writes the bytes of its blocks, for which there is room"
    )]
    let written = unsafe {
        let (from, to) = (row.as_ptr(), bytes.as_mut_ptr().cast());
        llama_cpp_sys_2::ggml_quantize_chunk(kind.raw(), from, to, 0, 1, length, std::ptr::null())
    };
    bytes.truncate(written);
    bytes
}
