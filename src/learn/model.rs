//! Which model scouts: the one in the binary, a file, or the one that the project was scouted with.

use std::path::{Path, PathBuf};

use crate::domain::fault::{Fault, Result};
use crate::engine::encoder::{Encoder, EncoderOptions};
use crate::engine::model_file::{ModelFacts, sha256};
use crate::engine::{embedded, model_file};
use crate::store::Store;
use crate::store::pool::predictors::Model;

/// What a person may choose of the scout.
#[derive(Clone, Debug)]
pub struct ScoutModel {
    /// A GGUF file; none for the project's own model, or the embedded one.
    pub file: Option<PathBuf>,
    /// The embedded model's bytes.
    pub embedded: &'static [u8],
    /// Where the embedded model is unpacked.
    pub data_dir: PathBuf,
    /// Threads; as many as there are cores where none are named.
    pub threads: Option<std::num::NonZeroUsize>,
}

/// A model that is ready to load.
pub(crate) struct Chosen {
    pub model: Model,
    /// Codes of the languages that it was made for; none where its file does not say.
    pub languages: Vec<String>,
    path: PathBuf,
    threads: Option<std::num::NonZeroUsize>,
}

impl ScoutModel {
    /// Finds the model: the named file, else what the project was scouted with, else the embedded one.
    pub(crate) fn choose(&self, store: &Store) -> Result<Chosen> {
        if let Some(file) = &self.file {
            return self.in_file(file);
        }
        let known = store.active_predictor()?.map(|p| store.model(p.model)).transpose()?.flatten();
        match known {
            Some(model) if model.path.is_empty() && model.sha256 != self.embedded_hash() => Err(Fault::new(
                "scout with the project's model",
                format!("the project was scouted with another release's embedded model ({})", model.name),
            )
            .hint("Name a model file with --model; the project is then scouted again with it")),
            Some(model) if !model.path.is_empty() => {
                let chosen = self.in_file(Path::new(&model.path)).map_err(|f| {
                    f.hint(format!(
                        "The project was scouted with {}: name where it is now with --model",
                        model.name
                    ))
                })?;
                if chosen.model.sha256 == model.sha256 {
                    Ok(chosen)
                } else {
                    Err(Fault::new(
                        "scout with the project's model",
                        format!("{} is not the file that the project was scouted with any more", model.path),
                    )
                    .hint("Put the file back, or name a model with --model; the project is then scouted again with it"))
                }
            }
            _ => self.unpacked(),
        }
    }

    /// Finds the model without a project: the named file, else the embedded one.
    pub(crate) fn apart(&self) -> Result<Chosen> {
        match &self.file {
            Some(file) => self.in_file(file),
            None => self.unpacked(),
        }
    }

    /// Looks at the embedded model: unpacks it where it is not there, checks it, and says what it is.
    pub fn check_embedded(&self) -> Result<String> {
        let chosen = self.unpacked()?;
        Ok(format!(
            "{} ({}), unpacked in {}",
            chosen.model.name,
            chosen.model.architecture,
            self.data_dir.display()
        ))
    }

    /// The embedded model, unpacked.
    fn unpacked(&self) -> Result<Chosen> {
        let path = embedded::unpack(self.embedded, &self.data_dir)?;
        let facts = model_file::inspect(&path)?;
        let mut model = describe(&facts, self.embedded_hash(), String::new());
        model.bytes = self.embedded.len() as u64;
        let languages = match facts.languages.is_empty() {
            true => embedded::LANGUAGES.iter().map(|code| (*code).to_owned()).collect(),
            false => facts.languages,
        };
        Ok(Chosen { model, languages, path, threads: self.threads })
    }

    fn in_file(&self, file: &Path) -> Result<Chosen> {
        let facts = model_file::inspect(file).map_err(|f| {
            f.or_hint("Name an encoder model as GGUF with --model, or leave it out for the embedded one")
        })?;
        facts.require_encoder()?;
        let path = model_file::real_path(file);
        let model = described(&facts, &path)?;
        Ok(Chosen { model, languages: facts.languages, path, threads: self.threads })
    }

    fn embedded_hash(&self) -> Vec<u8> {
        use sha2::Digest;
        sha2::Sha256::digest(self.embedded).to_vec()
    }
}

fn describe(facts: &ModelFacts, sha256: Vec<u8>, path: String) -> Model {
    Model {
        sha256,
        name: facts.name.clone(),
        path,
        architecture: facts.architecture.clone(),
        quantisation: facts.quantisation.clone(),
        dimensions: facts.dimensions,
        bytes: facts.bytes,
    }
}

/// A model file as the project keeps it, with its hash.
pub(crate) fn described(facts: &ModelFacts, path: &Path) -> Result<Model> {
    let hex = sha256(path)?;
    let hash =
        (0..hex.len() / 2).filter_map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()).collect();
    Ok(describe(facts, hash, path.to_string_lossy().into_owned()))
}

impl Chosen {
    pub fn load(&self) -> Result<Encoder> {
        self.load_adapted(None)
    }

    /// Loads it with the adapter whose file's bytes these are.
    pub fn load_adapted(&self, adapter: Option<&[u8]>) -> Result<Encoder> {
        let options = match self.threads {
            Some(threads) => EncoderOptions { threads },
            None => EncoderOptions::default(),
        };
        Encoder::load_adapted(&self.path, options, adapter)
    }

    /// Where its file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Cores to keep busy.
    pub fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| EncoderOptions::default().threads).get()
    }
}
