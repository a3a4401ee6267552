//! Where programs on this machine keep their model files.
//!
//! The folders are the programs' own defaults and the variables with which they are moved. What is not there costs one look.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// A program that keeps model files, or the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// The folders that the person names.
    Variable,
    Ollama,
    LmStudio,
    LlamaCpp,
    HuggingFace,
    Gpt4All,
    Jan,
}

impl Keeper {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Variable => VARIABLE,
            Self::Ollama => "Ollama",
            Self::LmStudio => "LM Studio",
            Self::LlamaCpp => "llama.cpp",
            Self::HuggingFace => "Hugging Face",
            Self::Gpt4All => "GPT4All",
            Self::Jan => "Jan",
        }
    }

    /// What stands after a model's name where another program keeps one of that name, too.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Variable => "own",
            Self::Ollama => "ollama",
            Self::LmStudio => "lm-studio",
            Self::LlamaCpp => "llama.cpp",
            Self::HuggingFace => "hugging-face",
            Self::Gpt4All => "gpt4all",
            Self::Jan => "jan",
        }
    }
}

/// The variable that names further folders, separated as in `PATH`.
const VARIABLE: &str = "HARDCASE_MODELS";
/// All variables that are looked at.
const VARIABLES: [&str; 7] = [
    VARIABLE,
    "OLLAMA_MODELS",
    "LLAMA_CACHE",
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "HF_HOME",
    "XDG_CACHE_HOME",
];

/// What of a machine tells where models lie.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// The person's home, where it is known.
    pub home: Option<PathBuf>,
    /// The root of the file system.
    pub root: PathBuf,
    /// Variables of the environment.
    pub variables: BTreeMap<&'static str, OsString>,
}

impl Machine {
    /// The one that this process runs on.
    pub fn this() -> Self {
        let variables = VARIABLES.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
        Self {
            home: directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()),
            root: PathBuf::from("/"),
            variables: variables.collect(),
        }
    }

    fn variable(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }
}

/// A folder, and who keeps models there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub keeper: Keeper,
    pub folder: PathBuf,
}

/// The folders that are there, each once, in the order in which their models' names take precedence; and what is to be said of those that the
/// person names and that are not there.
pub(super) fn places(machine: &Machine) -> (Vec<Place>, Vec<String>) {
    let (mut places, mut remarks, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for (keeper, folder) in candidates(machine) {
        if !folder.is_dir() {
            if keeper == Keeper::Variable {
                remarks.push(format!("{VARIABLE} names {}, and there is no such folder", folder.display()));
            }
            continue;
        }
        if seen.insert(fs::canonicalize(&folder).unwrap_or_else(|_| folder.clone())) {
            places.push(Place { keeper, folder });
        }
    }
    (places, remarks)
}

fn candidates(machine: &Machine) -> Vec<(Keeper, PathBuf)> {
    let mut list = Vec::new();
    if let Some(folders) = machine.variables.get(VARIABLE) {
        let folders = std::env::split_paths(folders).filter(|folder| !folder.as_os_str().is_empty());
        list.extend(folders.map(|folder| (Keeper::Variable, folder)));
    }
    let named = |keeper, variable, inside: &str| {
        let folder = machine.variable(variable)?;
        Some((keeper, if inside.is_empty() { folder } else { folder.join(inside) }))
    };
    let home = |keeper, inside: &str| machine.home.as_deref().map(|home: &Path| (keeper, home.join(inside)));
    let all = [
        named(Keeper::Ollama, "OLLAMA_MODELS", ""),
        home(Keeper::Ollama, ".ollama/models"),
        // The service of the Linux installer runs as a user of its own.
        Some((Keeper::Ollama, machine.root.join("usr/share/ollama/.ollama/models"))),
        home(Keeper::LmStudio, ".lmstudio/models"),
        home(Keeper::LmStudio, ".cache/lm-studio/models"),
        named(Keeper::LlamaCpp, "LLAMA_CACHE", ""),
        named(Keeper::LlamaCpp, "XDG_CACHE_HOME", "llama.cpp"),
        home(Keeper::LlamaCpp, ".cache/llama.cpp"),
        home(Keeper::LlamaCpp, "Library/Caches/llama.cpp"),
        named(Keeper::HuggingFace, "HF_HUB_CACHE", ""),
        named(Keeper::HuggingFace, "HUGGINGFACE_HUB_CACHE", ""),
        named(Keeper::HuggingFace, "HF_HOME", "hub"),
        named(Keeper::HuggingFace, "XDG_CACHE_HOME", "huggingface/hub"),
        home(Keeper::HuggingFace, ".cache/huggingface/hub"),
        home(Keeper::Gpt4All, ".local/share/nomic.ai/GPT4All"),
        home(Keeper::Gpt4All, "Library/Application Support/nomic.ai/GPT4All"),
        home(Keeper::Jan, "jan/models"),
        home(Keeper::Jan, ".config/Jan/data/models"),
        home(Keeper::Jan, ".config/Jan/data/llamacpp/models"),
        home(Keeper::Jan, ".local/share/Jan/data/models"),
        home(Keeper::Jan, ".local/share/Jan/data/llamacpp/models"),
        home(Keeper::Jan, "Library/Application Support/Jan/data/models"),
        home(Keeper::Jan, "Library/Application Support/Jan/data/llamacpp/models"),
    ];
    list.extend(all.into_iter().flatten());
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_looked_at_once_however_it_is_named_and_one_that_is_not_there_is_told_where_it_was_asked_for()
     {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_owned();
        for folder in ["hub", ".ollama/models", "mine"] {
            fs::create_dir_all(home.join(folder)).unwrap();
        }
        let own = std::env::join_paths([home.join("mine"), home.join("none")]).unwrap();
        let machine = Machine {
            home: Some(home.clone()),
            root: home.join("root"),
            variables: BTreeMap::from([
                (VARIABLE, own),
                ("OLLAMA_MODELS", home.join(".ollama/../.ollama/models").into()),
                ("HF_HOME", home.clone().into()),
                ("LLAMA_CACHE", OsString::new()),
            ]),
        };
        let (places, remarks) = places(&machine);
        let keepers: Vec<Keeper> = places.iter().map(|place| place.keeper).collect();
        assert_eq!(keepers, [Keeper::Variable, Keeper::Ollama, Keeper::HuggingFace]);
        assert_eq!(remarks.len(), 1);
        assert!(remarks[0].ends_with("none, and there is no such folder"), "{remarks:?}");
    }
}
