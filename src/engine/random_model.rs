//! Models of random numbers of every family, written as GGUF files that llama.cpp loads: what tests and benchmarks compute with.
//!
//! Written as a stream, a row at a time. It is compiled for tests alone; benchmarks take it in as a module of their own.

use std::io::{self, Write};
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::engine::gguf::{TensorType, Value, encode_header, padding};
use crate::engine::transformer::family::{Biases, EmbeddingScale, Positions, RopeDivisors, Windows};
use crate::engine::transformer::{Family, Role, Site};

/// The first tokens: unknown, begin, end, and one for each byte.
const FIRST: usize = 3 + 256;

/// Pieces that any real vocabulary has in some form: without them a judge's cue would be written in bytes, and be as long as a text.
const WRITTEN: [&str; 6] = ["\u{2581}", "La", "Lab", "Labe", "Label", "Label:"];

/// The largest number of an embedding. What comes out of a norm is about 1, so with vectors of 64 scores lie about 1.4 from each other: as far
/// as the labels of an undecided model.
const SCORES: f32 = 0.3;

/// The longest text.
const CONTEXT: usize = 2_048;

/// The numbers by which the format knows arrays of texts, of floats and of integers.
const STRING: u32 = 8;
const FLOAT: u32 = 6;
const INTEGER: u32 = 5;

/// A model to be made up.
#[derive(Clone, Debug)]
pub struct RandomModel {
    /// Its graph.
    pub family: &'static Family,
    /// Number of blocks.
    pub blocks: usize,
    /// Length of a token's vector.
    pub dimensions: usize,
    /// Heads of queries.
    pub heads: usize,
    pub key_heads: usize,
    /// Length of a head.
    pub head_size: usize,
    /// Width of the feed-forward layer.
    pub ffn_dim: usize,
    /// Number of tokens, at least 260.
    pub vocabulary: usize,
    /// Whether scores are made with the tokens' vectors.
    pub tied: bool,
    /// Tokens that a block with a window sees, in families with windows.
    pub window: usize,
    /// Whether frequencies are divided, in families where they may be.
    pub rope_divisors: RopeDivisors,
    /// What positions are divided by.
    pub linear_scale: Option<f32>,
    /// How matrices are stored: F32, or a type that ggml can make.
    pub kind: TensorType,
    /// Of its numbers.
    pub seed: u64,
}

impl RandomModel {
    /// A small one, with 300 tokens and vectors of 64.
    pub fn small(family: &'static Family, kind: TensorType) -> Self {
        let llama = family.name == "llama";
        Self {
            family,
            blocks: if family.windows == Windows::None { 3 } else { 7 },
            dimensions: 64,
            heads: 4,
            key_heads: if family.role == Role::Encoder { 4 } else { 2 },
            head_size: if family.head_norms.is_some() { 32 } else { 16 },
            ffn_dim: 96,
            vocabulary: 300,
            tied: !llama,
            window: 12,
            rope_divisors: if llama { RopeDivisors::Optional } else { RopeDivisors::Absent },
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
            ffn_dim: 3_072,
            vocabulary,
            ..Self::small(named("qwen3"), kind)
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
            ffn_dim: 1_536,
            vocabulary: 49_152,
            tied: true,
            rope_divisors: RopeDivisors::Absent,
            ..Self::small(named("llama"), kind)
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
        let name = self.family.name;
        let number = |key: &str, n: usize| (format!("{name}.{key}"), Value::U32(n as u32));
        let mut all = vec![
            ("general.architecture".to_owned(), Value::text(name)),
            ("general.name".to_owned(), Value::text("random model")),
            number("block_count", self.blocks),
            number("context_length", CONTEXT),
            number("embedding_length", self.dimensions),
            number("feed_forward_length", self.ffn_dim),
            number("attention.head_count", self.heads),
            number("attention.head_count_kv", self.key_heads),
            number("attention.key_length", self.head_size),
            number("attention.value_length", self.head_size),
            number("rope.dimension_count", self.head_size),
            (format!("{name}.rope.freq_base"), Value::F32(50_000.0)),
            (format!("{name}.{}", self.family.epsilon), Value::F32(1e-5)),
        ];
        if self.family.windows != Windows::None {
            all.push(number("attention.sliding_window", self.window));
        }
        if self.family.role == Role::Encoder {
            // The mean.
            all.push(number("pooling_type", 1));
            all.push((format!("{name}.attention.causal"), Value::Bool(false)));
        }
        if let Some(factor) = self.linear_scale {
            all.push((format!("{name}.rope.scaling.type"), Value::text("linear")));
            all.push((format!("{name}.rope.scaling.factor"), Value::F32(factor)));
        }
        all.extend(if self.family.role == Role::Encoder {
            self.word_pieces()
        } else {
            self.sentence_pieces()
        });
        all
    }

    /// A tokenizer after the pattern of BERT: its marks, and made-up words.
    fn word_pieces(&self) -> Vec<(String, Value)> {
        let (mut texts, mut kinds) = (Vec::new(), Vec::new());
        for token in 0..self.vocabulary {
            let mark = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].get(token);
            let text = mark.map_or_else(|| format!("\u{2581}w{token}"), |mark| (*mark).to_owned());
            texts.extend((text.len() as u64).to_le_bytes());
            texts.extend(text.as_bytes());
            kinds.extend(if mark.is_some() { 3i32 } else { 1 }.to_le_bytes());
        }
        let array = |kind, bytes| Value::Array { kind, count: self.vocabulary as u64, bytes };
        let entries = [
            ("model", Value::text("bert")),
            ("tokens", array(STRING, texts)),
            ("token_type", array(INTEGER, kinds)),
            ("token_type_count", Value::U32(2)),
            ("padding_token_id", Value::U32(0)),
            ("unknown_token_id", Value::U32(1)),
            ("cls_token_id", Value::U32(2)),
            ("bos_token_id", Value::U32(2)),
            ("seperator_token_id", Value::U32(3)),
            ("eos_token_id", Value::U32(3)),
            ("mask_token_id", Value::U32(4)),
        ];
        entries.map(|(key, value)| (format!("tokenizer.ggml.{key}"), value)).into()
    }

    /// A tokenizer after the pattern of SentencePiece, which knows every byte, the space, the judge's cue with what it is merged from, and made-up words.
    fn sentence_pieces(&self) -> Vec<(String, Value)> {
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
            ("tokens", array(STRING, texts)),
            ("scores", array(FLOAT, scores)),
            ("token_type", array(INTEGER, kinds)),
            ("unknown_token_id", Value::U32(0)),
            ("bos_token_id", Value::U32(1)),
            ("eos_token_id", Value::U32(2)),
            ("add_bos_token", Value::Bool(true)),
        ];
        entries.map(|(key, value)| (format!("tokenizer.ggml.{key}"), value)).into()
    }

    /// Rows and columns of a linear layer.
    fn dim(&self, site: Site) -> (usize, usize) {
        let (d, queries, keys) =
            (self.dimensions, self.heads * self.head_size, self.key_heads * self.head_size);
        match site {
            Site::Query => (queries, d),
            Site::Key | Site::Value => (keys, d),
            Site::AttnOutput => (d, queries),
            Site::Gate | Site::Up => (self.ffn_dim, d),
            Site::Down => (d, self.ffn_dim),
        }
    }

    fn tensors(&self) -> Vec<(String, Vec<u64>, TensorType, Numbers)> {
        let (d, family) = (self.dimensions, self.family);
        let mut list = Vec::new();
        let mut matrix = |name: String, from: usize, out: usize, most: f32| {
            list.push((name, vec![from as u64, out as u64], self.kind, Numbers { middle: 0.0, most }));
        };
        let scaled = match family.embedding_scale {
            EmbeddingScale::One => 1.0,
            EmbeddingScale::RootOfWidth => (d as f32).sqrt(),
        };
        matrix("token_embd.weight".into(), d, self.vocabulary, SCORES / scaled);
        if !self.tied && family.role == Role::LanguageModel {
            matrix("output.weight".into(), d, self.vocabulary, SCORES);
        }
        for block in 0..self.blocks {
            for site in family.sites() {
                let (out, from) = self.dim(site);
                matrix(
                    format!("blk.{block}.{}.weight", site.tensor()),
                    from,
                    out,
                    (2.0 / from as f32).sqrt(),
                );
            }
        }
        if family.positions == Positions::Learned {
            for (name, rows) in [("position_embd.weight", CONTEXT), ("token_types.weight", 2)] {
                let numbers = Numbers { middle: 0.0, most: SCORES };
                list.push((name.into(), vec![d as u64, rows as u64], TensorType::F32, numbers));
            }
        }
        let mut vector = |name: String, size: usize, middle: f32| {
            list.push((name, vec![size as u64], TensorType::F32, Numbers { middle, most: 0.2 }));
        };
        let parts = |name: &str| family.norm_tensors(name).into_iter().zip([1.0, 0.0]);
        for (name, middle) in family.embedding_norm.iter().chain(&family.final_norm).flat_map(|n| parts(n)) {
            vector(name, d, middle);
        }
        if self.rope_divisors == RopeDivisors::Optional {
            vector("rope_freqs.weight".into(), self.head_size / 2, 1.5);
        }
        for block in 0..self.blocks {
            let mut vector = |name: &str, size, middle| vector(format!("blk.{block}.{name}"), size, middle);
            for (name, middle) in family.norms().flat_map(parts) {
                vector(&name, d, middle);
            }
            for name in family.head_norms.iter().flatten() {
                vector(&format!("{name}.weight"), self.head_size, 1.0);
            }
            for site in family.sites() {
                let biased = match family.biases {
                    Biases::All => true,
                    Biases::OptionalInAttention => {
                        family.name == "qwen2" && matches!(site, Site::Query | Site::Key | Site::Value)
                    }
                };
                if biased {
                    vector(&format!("{}.bias", site.tensor()), self.dim(site).0, 0.0);
                }
            }
        }
        list
    }
}

/// The family of this name, which there is.
fn named(name: &str) -> &'static Family {
    Family::named(name).unwrap_or(Family::ALL[0])
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
