//! Which model scouts: the one in the binary, a file, or the one that the project was scouted with.

use std::path::{Path, PathBuf};

use crate::domain::encoder_reading::EncoderReading;
use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::grouped;
use crate::domain::hex::hex;
use crate::engine::encoder::{Encoder, EncoderOptions};
use crate::engine::model_file::{ModelFacts, sha256};
use crate::engine::{embedded, model_file};
use crate::store::Store;
use crate::store::pool::predictors::Model;

/// Which model a person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// None: the project's own model, or the embedded one where it has none.
    Nothing,
    /// A GGUF file.
    File(PathBuf),
    /// The embedded one, whatever the project was scouted with.
    Embedded,
}

/// What a person may choose of the scout.
#[derive(Clone, Debug)]
pub struct ScoutModel {
    /// Which model is asked for.
    pub asked: Asked,
    /// How it is to read texts; none where nothing is said: as the project knows it, else as its file says.
    pub reading: Option<EncoderReading>,
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
        match &self.asked {
            Asked::File(file) => return self.known_or_new(file, store),
            Asked::Embedded => return self.unpacked(),
            Asked::Nothing => {}
        }
        let known = store.active_predictor()?.map(|p| store.model(p.model)).transpose()?.flatten();
        match known {
            Some(model) if model.is_vectors_alone() => Err(Fault::usage(
                "use the project's encoder",
                format!("the project has vectors that {} made elsewhere, and not that model itself", model.name),
            )
            .hint(format!(
                "Texts without a vector get theirs by `hardcase scout FILE --from DATA --model-name '{}'`; to read new texts or train a LoRA, first read \
                 all texts with the model inside hardcase: `hardcase scout FILE --embedded`",
                model.name
            ))),
            Some(model) if model.path.is_empty() && model.sha256 != self.embedded_hash(&model.reading) => {
                Err(Fault::new(
                    "use the project's encoder",
                    format!(
                        "the project was scouted with {}, which another release of hardcase has inside ({} bytes, sha256 {})",
                        model.name,
                        grouped(model.bytes),
                        hex(&model.sha256)
                    ),
                )
                .hint(
                    "Name its file with --model, or read all texts again with the model inside this release: \
                     `hardcase scout FILE --embedded`. Labels and the figures of earlier models stay",
                ))
            }
            Some(model) if model.path.is_empty() => {
                self.unpacked_as(self.reading.as_ref().unwrap_or(&model.reading))
            }
            Some(model) => {
                let reading = self.reading.as_ref().unwrap_or(&model.reading);
                let chosen = self.in_file(Path::new(&model.path), reading).map_err(|f| {
                    f.hint(format!(
                        "The project was scouted with {}: name where it is now with --model, or read all texts again with the model inside \
                         hardcase: `hardcase scout FILE --embedded`",
                        model.name
                    ))
                })?;
                if self.reading.is_some() {
                    return Ok(chosen);
                }
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
            None => self.unpacked(),
        }
    }

    /// The model in a file, read as is said, else as the project has read this file before.
    fn known_or_new(&self, file: &Path, store: &Store) -> Result<Chosen> {
        if let Some(reading) = &self.reading {
            return self.in_file(file, reading);
        }
        let usual = EncoderReading::default();
        let mut readings: Vec<EncoderReading> = store.models()?.into_iter().map(|m| m.reading).collect();
        readings.retain(|reading| *reading != usual);
        if readings.is_empty() {
            return self.in_file(file, &usual);
        }
        let hash = hash_of(file)?;
        let models = store.models()?;
        let known = |reading: &&EncoderReading| {
            let identity = reading.identity(&hash);
            models.iter().any(|model| model.sha256 == identity)
        };
        self.in_file(file, readings.iter().find(known).unwrap_or(&usual))
    }

    /// Finds the model without a project: the named file, else the embedded one.
    pub(crate) fn apart(&self) -> Result<Chosen> {
        match &self.asked {
            Asked::File(file) => self.in_file(file, &self.reading.clone().unwrap_or_default()),
            Asked::Nothing | Asked::Embedded => self.unpacked(),
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

    /// The embedded model, unpacked, read as is said.
    fn unpacked(&self) -> Result<Chosen> {
        self.unpacked_as(&self.reading.clone().unwrap_or_default())
    }

    fn unpacked_as(&self, reading: &EncoderReading) -> Result<Chosen> {
        let path = embedded::unpack(self.embedded, &self.data_dir)?;
        let facts = model_file::inspect(&path)?.read_as(reading);
        let mut model = describe(&facts, self.embedded_hash(reading), String::new());
        model.bytes = self.embedded.len() as u64;
        let languages = match facts.languages.is_empty() {
            true => embedded::LANGUAGES.iter().map(|code| (*code).to_owned()).collect(),
            false => facts.languages,
        };
        model.reading = reading.clone();
        Ok(Chosen { model, languages, path, threads: self.threads })
    }

    fn in_file(&self, file: &Path, reading: &EncoderReading) -> Result<Chosen> {
        let facts = model_file::inspect(file).map_err(|f| {
            f.or_hint("Name an encoder model as GGUF with --model, or leave it out for the embedded one")
        })?;
        let facts = facts.read_as(reading);
        facts.require_encoder()?;
        let path = model_file::real_path(file);
        let mut model = described(&facts, &path)?;
        model.sha256 = reading.identity(&model.sha256);
        model.reading = reading.clone();
        Ok(Chosen { model, languages: facts.languages, path, threads: self.threads })
    }

    fn embedded_hash(&self, reading: &EncoderReading) -> Vec<u8> {
        use sha2::Digest;
        reading.identity(&sha2::Sha256::digest(self.embedded))
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
        reading: EncoderReading::default(),
    }
}

/// A model file as the project keeps it, with its hash.
pub(crate) fn described(facts: &ModelFacts, path: &Path) -> Result<Model> {
    Ok(describe(facts, hash_of(path)?, path.to_string_lossy().into_owned()))
}

fn hash_of(path: &Path) -> Result<Vec<u8>> {
    let hex = sha256(path)?;
    Ok((0..hex.len() / 2).filter_map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()).collect())
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
        Encoder::load_adapted(&self.path, options, &self.model.reading, adapter)
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

/// The version of llama.cpp, as it names itself.
pub fn engine_version() -> String {
    crate::engine::llama::version()
}
