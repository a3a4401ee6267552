//! A model file that lies on this machine, as people are told of it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};

/// What a model can do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ability {
    /// Turn texts into vectors, as `scout` needs it.
    Scout,
    /// Give labels their probabilities, as `judge` needs it.
    Judge,
    /// Be trained on the answers.
    Tune,
}

impl Ability {
    /// The verb that needs it.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Scout => "scout",
            Self::Judge => "judge",
            Self::Tune => "tune",
        }
    }
}

/// A model file, or the files of a model in parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LocalModel {
    /// What people call it. No other model of the list is called so.
    pub name: String,
    /// Other names of the same file.
    pub also: Vec<String>,
    /// The program that keeps it, or `HARDCASE_MODELS`; none where a person gave its path.
    pub kept_by: Option<String>,
    /// The file, or the first of the files.
    #[serde(serialize_with = "as_text")]
    pub path: PathBuf,
    /// Number of files.
    pub files: usize,
    /// Size of all files.
    pub bytes: u64,
    /// `llama`, `bert`, …; none where the file cannot be read. So for all that follow.
    pub architecture: Option<String>,
    /// How most of its weights are stored: `Q4_K`, `F16`, …
    pub quantisation: Option<String>,
    /// Number of weights.
    pub parameters: Option<u64>,
    /// The longest text it was trained for, in tokens.
    pub context: Option<usize>,
    /// What it can do here; nothing where its file cannot be used.
    pub can: Vec<Ability>,
    /// Why it cannot do more, as a clause.
    pub note: Option<String>,
    /// Texts it reads a second on this machine, where that was measured.
    pub texts_per_second: Option<f64>,
}

impl LocalModel {
    /// Whether it can do that.
    pub fn can(&self, ability: Ability) -> bool {
        self.can.contains(&ability)
    }
}

/// A path need not be UTF-8, and JSON must be.
fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}
