//! What a model file is, read from its header before llama.cpp sees it, and whether it can do what is wanted of it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::gguf::{Header, read_header};
use crate::domain::fault::{Fault, Result, io_reason};

/// How a model makes one vector of a text's token vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Not at all.
    None,
    /// Their mean.
    Mean,
    /// The first token's.
    Cls,
    /// The last token's.
    Last,
    /// A score for a pair of texts instead of a vector.
    Rank,
}

/// What a model file says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFacts {
    /// The model's name where the file gives one, else the file's.
    pub name: String,
    /// Size of the file.
    pub bytes: u64,
    /// `bert`, `llama`, …
    pub architecture: String,
    /// How most of its weights are stored: `Q8_0`, `F32`, …
    pub quantisation: String,
    /// Number of weights.
    pub parameters: u64,
    /// Length of its vectors.
    pub dimensions: usize,
    /// The longest text it was trained for, in tokens.
    pub context: usize,
    /// How it makes a vector of a text.
    pub pooling: Pooling,
}

/// Reads what the file at `path` says of itself.
///
/// # Errors
/// One sentence where it is not a whole GGUF model: another format, truncated, damaged, an adapter.
pub fn inspect(path: &Path) -> Result<ModelFacts> {
    let refuse = |why: String| Fault::new(format!("use the model {}", path.display()), why);
    let io_fault = |error: std::io::Error| refuse(io_reason(&error)).because(error);
    let file = File::open(path).map_err(io_fault)?;
    let about = file.metadata().map_err(io_fault)?;
    if about.is_dir() {
        return Err(refuse("it is a directory".into()));
    }
    let header = read_header(BufReader::new(file), about.len()).map_err(|e| refuse(e.to_string()))?;
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    facts(&header, about.len(), stem).map_err(|(why, hint)| {
        let fault = refuse(why);
        if hint.is_empty() { fault } else { fault.hint(hint) }
    })
}

type Refusal = (String, &'static str);

fn facts(header: &Header, bytes: u64, stem: String) -> Result<ModelFacts, Refusal> {
    match header.str("general.type") {
        None | Some("model") => {}
        Some("adapter") => {
            return Err(("it is an adapter, not a model".into(), "Give the model that it was trained on"));
        }
        Some(other) => return Err((format!("it holds no model but '{}'", other.escape_debug()), "")),
    }
    let Some(architecture) = header.str("general.architecture") else {
        return Err(("the file does not name its architecture".into(), ""));
    };
    let number = |key: &str| {
        header
            .u64(&format!("{architecture}.{key}"))
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| (1..=1 << 24).contains(n))
            .ok_or_else(|| (format!("the file gives no usable '{}.{key}'", architecture.escape_debug()), ""))
    };
    let pooling = match header.u64(&format!("{architecture}.pooling_type")) {
        None | Some(0) => Pooling::None,
        Some(1) => Pooling::Mean,
        Some(2) => Pooling::Cls,
        Some(3) => Pooling::Last,
        Some(4) => Pooling::Rank,
        Some(n) => return Err((format!("the file names the unknown pooling {n}"), "")),
    };
    Ok(ModelFacts {
        name: header.str("general.name").map_or(stem, |name| name.chars().filter(|c| !c.is_control()).collect()),
        bytes,
        architecture: architecture.to_owned(),
        quantisation: quantisation(header).ok_or_else(|| ("the file holds no weights".to_owned(), ""))?,
        parameters: header.tensors.iter().map(|t| t.values()).sum(),
        dimensions: number("embedding_length")?,
        context: number("context_length")?,
        pooling,
    })
}

/// The type in which most weights are stored.
fn quantisation(header: &Header) -> Option<String> {
    let of_same_kind = |kind| header.tensors.iter().filter(|t| t.kind == kind).map(|t| t.values()).sum::<u64>();
    header.tensors.iter().map(|t| t.kind).max_by_key(|kind| of_same_kind(*kind)).map(|kind| kind.name())
}

impl ModelFacts {
    /// Refuses a model that yields no vectors of texts.
    ///
    /// # Errors
    /// One sentence: a language model without pooling, or a reranker.
    pub fn require_encoder(&self) -> Result<()> {
        let why = match self.pooling {
            Pooling::Mean | Pooling::Cls | Pooling::Last => return Ok(()),
            Pooling::Rank => "it ranks pairs of texts and yields no vectors".to_owned(),
            Pooling::None => format!(
                "it is a language model of the architecture {} without pooling, and yields no vectors of texts",
                self.architecture.escape_debug()
            ),
        };
        Err(Fault::new(format!("scout with the model {}", self.name), why)
            .hint("Give an embedding model as GGUF, such as all-MiniLM-L6-v2; language models are for 'hardcase judge'"))
    }
}

/// The sha256 of a file in hexadecimal. Reads it whole, about a second per GiB: worth keeping beside the file's
/// size and time of change.
///
/// # Errors
/// Where it cannot be read.
pub fn sha256(path: &Path) -> Result<String> {
    let io_fault =
        |e: std::io::Error| Fault::new(format!("read the model {}", path.display()), io_reason(&e)).because(e);
    let mut file = File::open(path).map_err(io_fault)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 20];
    loop {
        match file.read(&mut chunk).map_err(io_fault)? {
            0 => break,
            n => hash.update(&chunk[..n]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
