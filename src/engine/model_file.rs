//! What a model file is, read from its header before llama.cpp sees it, and whether it can do what is wanted of it.

use std::fs;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::gguf::{Header, read_header};
use crate::domain::encoder_reading::{EncoderReading, PoolingChoice};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::hex::hex;

/// How a model makes one vector of a text's token vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Not at all.
    None,
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
    /// Codes of the languages that it was made for, as the file has them; none where it does not say.
    pub languages: Vec<String>,
}

/// Reads what the file at `path` says of itself.
///
/// # Errors
/// One sentence where it is not a whole GGUF model: another format, truncated, damaged, an adapter.
pub fn inspect(path: &Path) -> Result<ModelFacts> {
    let (header, bytes) = header_of(path)?;
    facts_of(&header, bytes, path)
}

/// The header of the file at `path`, and the file's size.
///
/// # Errors
/// One sentence where it is not a whole GGUF file.
pub(in crate::engine) fn header_of(path: &Path) -> Result<(Header, u64)> {
    let refuse = |why: String| refused(path, why);
    let io_fault = |error: std::io::Error| refuse(io_reason(&error)).because(error);
    let file = File::open(path).map_err(io_fault)?;
    let about = file.metadata().map_err(io_fault)?;
    if about.is_dir() {
        return Err(refuse("it is a directory".into()));
    }
    let header = read_header(BufReader::with_capacity(1 << 16, file), about.len())
        .map_err(|e| refuse(e.to_string()))?;
    Ok((header, about.len()))
}

/// What this header of the file at `path` says of its model.
///
/// # Errors
/// One sentence where it describes none.
pub(in crate::engine) fn facts_of(header: &Header, bytes: u64, path: &Path) -> Result<ModelFacts> {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    facts(header, bytes, stem).map_err(|(why, hint)| {
        let fault = refused(path, why);
        if hint.is_empty() { fault } else { fault.hint(hint) }
    })
}

fn refused(path: &Path, why: String) -> Fault {
    Fault::new(format!("use the model {}", path.display()), why)
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
        name: header
            .str("general.name")
            .map_or(stem, |name| name.chars().filter(|c| !c.is_control()).collect()),
        bytes,
        architecture: architecture.to_owned(),
        quantisation: quantisation(header, pooling)
            .ok_or_else(|| ("the file holds no weights".to_owned(), ""))?,
        parameters: header.tensors.iter().map(|t| t.values()).sum(),
        dimensions: number("embedding_length")?,
        context: number("context_length")?,
        pooling,
        languages: header.strings("general.languages"),
    })
}

/// The type in which most weights are stored. Of an encoder the table of the tokens' vectors does not count: it is looked up, nothing is computed
/// with it, and with a large vocabulary it is most of the file.
fn quantisation(header: &Header, pooling: Pooling) -> Option<String> {
    let is_table = |name: &str| pooling != Pooling::None && name == "token_embd.weight";
    let computed: Vec<_> = header.tensors.iter().filter(|t| !is_table(&t.name)).collect();
    let of_same_kind = |kind| computed.iter().filter(|t| t.kind == kind).map(|t| t.values()).sum::<u64>();
    computed.iter().map(|t| t.kind).max_by_key(|kind| of_same_kind(*kind)).map(|kind| kind.name())
}

impl ModelFacts {
    /// The same model where a person has said how it is to read texts.
    #[must_use]
    pub fn read_as(mut self, reading: &EncoderReading) -> Self {
        self.pooling = match reading.pooling {
            None => self.pooling,
            Some(PoolingChoice::Mean) => Pooling::Mean,
            Some(PoolingChoice::Cls) => Pooling::Cls,
            Some(PoolingChoice::Last) => Pooling::Last,
        };
        self
    }

    /// Refuses a model that yields no vectors of texts.
    ///
    /// # Errors
    /// One sentence: a language model without pooling, or a reranker.
    pub fn require_encoder(&self) -> Result<()> {
        let attempted = format!("scout with the model {}", self.name);
        let why = match self.pooling {
            Pooling::Mean | Pooling::Cls | Pooling::Last => return Ok(()),
            Pooling::None if self.is_encoder() => {
                let why = "its file does not say how one vector of a text is made of its tokens' vectors";
                return Err(Fault::new(attempted, why).hint(
                    "Say it with --pooling mean or --pooling cls: the model's page names it, often in 1_Pooling/config.json",
                ));
            }
            Pooling::Rank => "it ranks pairs of texts and yields no vectors".to_owned(),
            Pooling::None => format!(
                "it is a language model of the architecture {} without pooling, and yields no vectors of texts",
                self.architecture.escape_debug()
            ),
        };
        Err(Fault::new(attempted, why)
            .hint("Give an embedding model as GGUF, such as all-MiniLM-L6-v2; language models are for 'hardcase judge'"))
    }

    /// Whether models of its architecture read a text as a whole and write none.
    fn is_encoder(&self) -> bool {
        ["bert", "t5encoder"].iter().any(|name| self.architecture.contains(name))
    }

    /// Refuses a model that continues no text.
    ///
    /// # Errors
    /// One sentence: an encoder, or a reranker.
    pub fn require_language_model(&self) -> Result<()> {
        if self.pooling == Pooling::None && !self.is_encoder() {
            return Ok(());
        }
        let why = format!(
            "it is of the architecture {} and turns texts into vectors; it writes none",
            self.architecture.escape_debug()
        );
        Err(Fault::new(format!("judge with the model {}", self.name), why)
            .hint("Give a language model as GGUF, such as Qwen3-0.6B-Q8_0; 'hardcase scout' takes encoders"))
    }
}

/// Where the file at `path` really is, behind all links: so that a project finds it again.
///
/// llama.cpp finds the other parts of a model by the name of the first, which what a link leads to need not have: a part keeps its name.
pub fn real_path(path: &Path) -> PathBuf {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let is_part =
        |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().contains("-00001-of-"));
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if is_part(path) && !is_part(&real) => {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()).join(name)
        }
        _ => real,
    }
}

/// The sha256 of a file in hexadecimal. Reads it whole, about a second per GiB: worth keeping next to the file's
/// size and time of change.
///
/// # Errors
/// Where it cannot be read.
pub fn sha256(path: &Path) -> Result<String> {
    let io_fault = |e: std::io::Error| {
        Fault::new(format!("read the model {}", path.display()), io_reason(&e)).because(e)
    };
    let mut file = File::open(path).map_err(io_fault)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 20];
    loop {
        match file.read(&mut chunk).map_err(io_fault)? {
            0 => break,
            n => hash.update(&chunk[..n]),
        }
    }
    Ok(hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::gguf::{TensorType, Value, encode_header};

    const EMBEDDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/encoder.gguf");

    fn inspected(metadata: &[(&str, Value)]) -> Result<ModelFacts> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("some-model.gguf");
        let metadata = metadata.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        let (mut bytes, _) = encode_header(metadata, [("w".into(), vec![8], TensorType::F32)]).unwrap();
        bytes.extend([0; 32]);
        fs::write(&path, bytes).unwrap();
        inspect(&path)
    }

    #[test]
    fn the_embedded_model_says_what_it_is() {
        let facts = inspect(Path::new(EMBEDDED)).unwrap();
        assert_eq!(
            facts,
            ModelFacts {
                name: "multilingual-e5-small-108k".into(),
                bytes: 39_159_648,
                architecture: "bert".into(),
                quantisation: "Q4_0".into(),
                parameters: 62_963_712,
                dimensions: 384,
                context: 512,
                pooling: Pooling::Mean,
                languages: Vec::new(),
            }
        );
        facts.require_encoder().unwrap();
    }

    #[test]
    fn the_languages_of_a_model_are_those_that_its_file_names() {
        let word = |word: &str| [&(word.len() as u64).to_le_bytes()[..], word.as_bytes()].concat();
        let bytes = [word("en"), word("pt-BR")].concat();
        let facts = inspected(&[
            ("general.architecture", Value::text("bert")),
            ("bert.embedding_length", Value::U32(8)),
            ("bert.context_length", Value::U32(8)),
            ("general.languages", Value::Array { kind: 8, count: 2, bytes }),
        ]);
        assert_eq!(facts.unwrap().languages, ["en", "pt-BR"]);
    }

    #[test]
    fn the_hash_of_a_file_is_sha256() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        fs::write(&path, "abc").unwrap();
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            sha256(&path).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_leads_to_its_file_and_a_part_keeps_the_name_by_which_the_others_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(dir.path()).unwrap();
        fs::write(folder.join("blob"), "").unwrap();
        for name in ["whole.gguf", "big-00001-of-00002.gguf"] {
            std::os::unix::fs::symlink("blob", folder.join(name)).unwrap();
        }
        assert_eq!(real_path(&folder.join("whole.gguf")), folder.join("blob"));
        let part = folder.join("big-00001-of-00002.gguf");
        assert_eq!(real_path(&part), part);
        assert_eq!(real_path(Path::new("none.gguf")), Path::new("none.gguf"));
    }

    #[test]
    fn what_is_no_model_is_refused_in_one_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.txt");
        fs::write(&path, "these are my notes").unwrap();
        let said = inspect(&path).unwrap_err().to_string();
        assert!(said.ends_with("notes.txt: it is not a GGUF file (it looks like a text file)"), "{said}");
        assert!(inspect(dir.path()).unwrap_err().to_string().contains("it is a directory"));
        assert!(inspect(&dir.path().join("none")).unwrap_err().to_string().contains("there is no such file"));
    }

    #[test]
    fn a_truncated_model_says_how_much_is_missing() {
        let whole = fs::read(EMBEDDED).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("half.gguf");
        fs::write(&path, &whole[..whole.len() - 1000]).unwrap();
        let said = inspect(&path).unwrap_err().to_string();
        assert!(said.contains("truncated: at least 1000 of 39159648 bytes are missing"), "{said}");
    }

    #[test]
    fn an_adapter_and_a_nameless_architecture_are_refused() {
        let bert = || ("general.architecture", Value::text("bert"));
        let said = inspected(&[bert(), ("general.type", Value::text("adapter"))]).unwrap_err().to_string();
        assert!(said.contains("it is an adapter, not a model"), "{said}");
        assert!(inspected(&[]).unwrap_err().to_string().contains("does not name its architecture"));
        let said = inspected(&[bert(), ("bert.context_length", Value::U32(512))]).unwrap_err().to_string();
        assert!(said.contains("gives no usable 'bert.embedding_length'"), "{said}");
    }

    #[test]
    fn an_encoder_whose_file_names_no_pooling_is_asked_for_it() {
        let facts = inspected(&[
            ("general.architecture", Value::text("nomic-bert")),
            ("nomic-bert.embedding_length", Value::U32(8)),
            ("nomic-bert.context_length", Value::U32(8)),
        ])
        .unwrap();
        let said = facts.require_encoder().unwrap_err().to_string();
        assert!(said.contains("does not say how one vector") && said.contains("--pooling mean"), "{said}");
        let reading = EncoderReading { pooling: Some(PoolingChoice::Cls), ..EncoderReading::default() };
        let facts = facts.read_as(&reading);
        assert_eq!(facts.pooling, Pooling::Cls);
        facts.require_encoder().unwrap();
        assert_eq!(facts.clone().read_as(&EncoderReading::default()), facts);
    }

    #[test]
    fn a_language_model_without_pooling_and_a_reranker_are_no_encoders() {
        let of = |pooling: Option<u32>| {
            let mut metadata = vec![
                ("general.architecture", Value::text("llama")),
                ("llama.embedding_length", Value::U32(8)),
                ("llama.context_length", Value::U32(8)),
            ];
            metadata.extend(pooling.map(|p| ("llama.pooling_type", Value::U32(p))));
            inspected(&metadata).unwrap()
        };
        assert_eq!(of(None).name, "some-model");
        let said = of(None).require_encoder().unwrap_err().to_string();
        assert!(said.contains("language model of the architecture llama without pooling"), "{said}");
        assert!(of(Some(4)).require_encoder().unwrap_err().to_string().contains("ranks pairs"));
        of(None).require_language_model().unwrap();
        let said = of(Some(3)).require_language_model().unwrap_err().to_string();
        assert!(said.contains("turns texts into vectors; it writes none"), "{said}");
        of(Some(3)).require_encoder().unwrap();
    }
}
