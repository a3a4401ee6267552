//! The model files of all places: parts put together, each file once, and no two of one name.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::ollama;
use super::places::{Keeper, Machine, Place, places};
use super::walk::{Walked, is_gguf_name, walk};
use crate::domain::sanitize::sanitize_line;

/// Names are cut after so many characters.
const LONGEST_NAME: usize = 120;
/// What a file is called in stores that name the folder after the model.
const NAMELESS: &str = "model";

/// A model file, before it has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub name: String,
    /// Its other names.
    pub also: Vec<String>,
    /// None where a person gave its path.
    pub keeper: Option<Keeper>,
    /// Its files: one, or the parts in order.
    pub parts: Vec<PathBuf>,
    /// Parts that are not there.
    pub missing: usize,
}

impl Found {
    /// The file at `path`, with the other parts if it is the first of some.
    pub fn at(path: &Path) -> Self {
        let Some(Part { stem, number: 1, of }) = Part::of(path) else {
            return Self { keeper: None, ..found(&stem(path), Keeper::Variable, vec![path.to_owned()], 0) };
        };
        let part = |number: usize| path.with_file_name(format!("{stem}-{number:05}-of-{of:05}.gguf"));
        let parts: Vec<PathBuf> = (1..=of).map(part).filter(|part| part.exists()).collect();
        let missing = of - parts.len();
        Self { keeper: None, ..found(&stem, Keeper::Variable, parts, missing) }
    }

    /// All its names, the one of the list first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.also).map(String::as_str)
    }

    /// Whether its file's name does not say that it is GGUF.
    pub fn has_no_ending(&self) -> bool {
        self.keeper == Some(Keeper::Ollama)
    }
}

/// All of them, in the order of the places, and what is to be said of places that could not be looked through.
pub(super) fn files(machine: &Machine) -> (Vec<Found>, Vec<String>) {
    let (places, mut remarks) = places(machine);
    let mut all = Vec::new();
    for place in &places {
        let (found, more) = in_place(place);
        all.extend(found);
        remarks.extend(more);
    }
    let mut found = each_once(all);
    tell_apart(&mut found);
    (found, remarks)
}

fn in_place(place: &Place) -> (Vec<Found>, Vec<String>) {
    if place.keeper == Keeper::Ollama {
        let (models, remarks) = ollama::models(&place.folder);
        let found = models.into_iter().map(|(name, path)| found(&name, place.keeper, vec![path], 0));
        return (found.collect(), remarks);
    }
    let Walked { files, remarks } =
        walk(&place.folder, |depth, name| enters(place.keeper, depth, name), is_gguf_name);
    (put_together(place.keeper, files), remarks)
}

/// In Hugging Face's cache, what has names are the snapshots of models: links to the blobs next to them.
fn enters(keeper: Keeper, depth: usize, name: &str) -> bool {
    match (keeper, depth) {
        (Keeper::HuggingFace, 1) => name.starts_with("models--"),
        (Keeper::HuggingFace, 2) => name == "snapshots",
        _ => true,
    }
}

fn found(name: &str, keeper: Keeper, parts: Vec<PathBuf>, missing: usize) -> Found {
    Found { name: sanitize_line(name, LONGEST_NAME), also: Vec::new(), keeper: Some(keeper), parts, missing }
}

/// Makes one of the files that are parts of a model.
fn put_together(keeper: Keeper, files: Vec<PathBuf>) -> Vec<Found> {
    let (mut models, mut in_parts) = (Vec::new(), BTreeMap::<_, BTreeMap<usize, PathBuf>>::new());
    for file in files {
        match Part::of(&file) {
            Some(part) => {
                let model = (part.stem, part.of);
                in_parts
                    .entry((file.parent().map(Path::to_owned), model))
                    .or_default()
                    .insert(part.number, file);
            }
            None => models.push(found(&stem(&file), keeper, vec![file], 0)),
        }
    }
    models.extend(in_parts.into_iter().map(|((_, (stem, of)), parts)| {
        let missing = of.saturating_sub(parts.len());
        found(&stem, keeper, parts.into_values().collect(), missing)
    }));
    models
}

/// What a file's name says of the part of a model that it is: `NAME-00002-of-00003.gguf`, as llama.cpp splits models.
struct Part {
    stem: String,
    number: usize,
    of: usize,
}

impl Part {
    fn of(file: &Path) -> Option<Self> {
        let stem = file.file_stem()?.to_str()?;
        let (rest, of) = stem.rsplit_once("-of-")?;
        let (stem, number) = rest.rsplit_once('-')?;
        let five = |digits: &str| {
            let plain = digits.len() == 5 && digits.bytes().all(|digit| digit.is_ascii_digit());
            if plain { digits.parse::<usize>().ok() } else { None }
        };
        let (number, of) = (five(number)?, five(of)?);
        (of > 1 && (1..=of).contains(&number)).then(|| Self { stem: stem.to_owned(), number, of })
    }
}

fn stem(file: &Path) -> String {
    let text = |name: Option<&std::ffi::OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
    let stem = text(file.file_stem());
    if stem == NAMELESS { text(file.parent().and_then(Path::file_name)) } else { stem }
}

/// Each file once, under its first name.
fn each_once(all: Vec<Found>) -> Vec<Found> {
    let (mut list, mut known) = (Vec::<Found>::new(), HashMap::new());
    for found in all {
        let Some(identity) = found.parts.first().map(|path| Identity::of(path)) else { continue };
        let at = *known.entry(identity).or_insert(list.len());
        match list.get_mut(at) {
            None => list.push(found),
            Some(first) if first.name != found.name && !first.also.contains(&found.name) => {
                first.also.push(found.name)
            }
            Some(_) => {}
        }
    }
    list
}

/// What two names of one file have in common.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    #[cfg(unix)]
    Node(u64, u64),
    Path(PathBuf),
}

impl Identity {
    fn of(path: &Path) -> Self {
        #[cfg(unix)]
        if let Ok(about) = fs::metadata(path) {
            use std::os::unix::fs::MetadataExt;
            return Self::Node(about.dev(), about.ino());
        }
        Self::Path(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
    }
}

/// Gives those that are called alike the names of their keepers, and numbers where that is not enough. The first of a name keeps it only if it is
/// alone: a name that could mean another file next week is none.
fn tell_apart(found: &mut [Found]) {
    let mut count = HashMap::<String, usize>::new();
    for found in found.iter() {
        *count.entry(found.name.to_lowercase()).or_default() += 1;
    }
    let is_alone = |name: &str| count.get(&name.to_lowercase()) == Some(&1);
    let mut taken: HashSet<String> =
        found.iter().filter(|f| is_alone(&f.name)).map(|f| f.name.to_lowercase()).collect();
    for found in found.iter_mut().filter(|f| !is_alone(&f.name)) {
        let named = format!("{}@{}", found.name, found.keeper.map_or("path", Keeper::suffix));
        let mut name = named.clone();
        let mut number = 1;
        while !taken.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{named}-{number}");
        }
        found.name = name;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(dir: &Path, name: &str) -> PathBuf {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, name).unwrap();
        path
    }

    fn at_home(home: &Path) -> (Vec<Found>, Vec<String>) {
        files(&Machine { home: Some(home.to_owned()), root: home.join("root"), variables: BTreeMap::new() })
    }

    fn names(found: &[Found]) -> Vec<&str> {
        found.iter().map(|f| f.name.as_str()).collect()
    }

    #[test]
    fn files_are_called_by_their_stem_or_their_folder_and_by_their_keeper_where_two_are_called_alike() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), ".lmstudio/models/someone/Qwen3-GGUF/Qwen3-Q8_0.gguf");
        put(dir.path(), ".lmstudio/models/another/Qwen3-GGUF/Qwen3-Q8_0.gguf");
        put(dir.path(), ".cache/llama.cpp/qwen3-q8_0.gguf");
        put(dir.path(), ".cache/llama.cpp/alone.gguf");
        put(dir.path(), ".local/share/Jan/data/llamacpp/models/someone/Gemma/model.gguf");
        put(dir.path(), ".local/share/nomic.ai/GPT4All/Phi.gguf");
        put(dir.path(), ".local/share/nomic.ai/GPT4All/incomplete-Phi.gguf.part");
        let (found, remarks) = at_home(dir.path());
        assert_eq!(
            names(&found),
            [
                "Qwen3-Q8_0@lm-studio",
                "Qwen3-Q8_0@lm-studio-2",
                "alone",
                "qwen3-q8_0@llama.cpp",
                "Phi",
                "Gemma"
            ]
        );
        assert_eq!(remarks, Vec::<String>::new());
    }

    #[test]
    fn the_parts_of_a_model_are_one_and_missing_ones_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        for part in 1..=3 {
            put(dir.path(), &format!(".lmstudio/models/a/Big-0000{part}-of-00003.gguf"));
        }
        put(dir.path(), ".lmstudio/models/b/Half-00002-of-00002.gguf");
        put(dir.path(), ".lmstudio/models/b/One-00001-of-00001.gguf");
        let (found, _) = at_home(dir.path());
        assert_eq!(names(&found), ["One-00001-of-00001", "Big", "Half"]);
        assert_eq!((found[1].parts.len(), found[1].missing), (3, 0));
        assert!(found[1].parts[0].ends_with("Big-00001-of-00003.gguf"));
        assert_eq!((found[2].parts.len(), found[2].missing), (1, 1));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_two_names_is_one_and_snapshots_are_links_to_blobs() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let hub = ".cache/huggingface/hub/models--someone--Qwen3-GGUF";
        let blob = put(dir.path(), &format!("{hub}/blobs/{}", "c".repeat(64)));
        put(dir.path(), &format!("{hub}/blobs/stray.gguf"));
        put(dir.path(), ".cache/huggingface/hub/datasets--x/snapshots/1/data.gguf");
        for revision in ["1", "2"] {
            let snapshot = dir.path().join(hub).join("snapshots").join(revision);
            fs::create_dir_all(&snapshot).unwrap();
            symlink(format!("../../blobs/{}", "c".repeat(64)), snapshot.join("Qwen3.gguf")).unwrap();
        }
        let other = dir.path().join(".lmstudio/models/me/mine.gguf");
        fs::create_dir_all(other.parent().unwrap()).unwrap();
        fs::hard_link(&blob, &other).unwrap();
        let (found, _) = at_home(dir.path());
        assert_eq!(names(&found), ["mine"]);
        assert_eq!(found[0].also, ["Qwen3"]);
        assert_eq!(found[0].parts, [other]);
    }

    #[test]
    fn a_name_that_would_act_on_a_terminal_is_made_harmless() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), ".lmstudio/models/a/x\u{1b}[31m\ny.gguf");
        let (found, _) = at_home(dir.path());
        assert_eq!(names(&found), ["x\u{fffd}[31m y"]);
    }
}
