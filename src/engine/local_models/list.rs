//! The list itself, and one model of it.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::files::{Found, files};
use super::names::named;
use super::places::Machine;
use super::read::{LeftOut, read};
use crate::domain::fault::{Fault, Result};
use crate::domain::local_model::LocalModel;
use crate::engine::judge::is_url;

/// The models of a machine.
#[derive(Debug, Default)]
pub struct LocalModels {
    /// In the order of the programs that keep them, and there as these keep them.
    pub models: Vec<LocalModel>,
    /// Files that go with a model and are none, such as projectors and adapters.
    pub companions: usize,
    /// Files that a program keeps among its models and that are not GGUF.
    pub other_formats: usize,
    /// Clauses about what was not looked at.
    pub remarks: Vec<String>,
}

/// Lists the models of a machine. Reads the headers of the files and nothing else of them.
pub fn list(machine: &Machine) -> LocalModels {
    let (found, remarks) = files(machine);
    let mut list = LocalModels { remarks, ..LocalModels::default() };
    for read in found.par_iter().map(read).collect::<Vec<_>>() {
        match read {
            Ok(model) => list.models.push(model),
            Err(LeftOut::Companion) => list.companions += 1,
            Err(LeftOut::OtherFormat) => list.other_formats += 1,
        }
    }
    list
}

/// The file that a person means by a path or by a name of the list. What is there as a file, or is written like a path, is one.
///
/// # Errors
/// A name that no model has, or several.
pub fn file_of(machine: &Machine, typed: &Path) -> Result<PathBuf> {
    if is_path(typed) {
        return Ok(typed.to_owned());
    }
    let (all, _) = files(machine);
    let found = named(&all, &typed.to_string_lossy())?;
    found.parts.first().cloned().ok_or_else(|| Fault::new("use the model", "it has no file"))
}

/// The model that a person means by a path or by a name of the list.
///
/// # Errors
/// A name that no model has, or several; a file that is no model.
pub fn model_of(machine: &Machine, typed: &Path) -> Result<LocalModel> {
    let found = if is_path(typed) {
        Found::at(typed)
    } else {
        named(&files(machine).0, &typed.to_string_lossy())?.clone()
    };
    read(&found).map_err(|_| {
        let why = "it goes with a model and is none, such as a projector or an adapter";
        Fault::usage(format!("use the model {}", typed.display()), why)
            .hint("`hardcase models` lists the models of this machine")
    })
}

fn is_path(typed: &Path) -> bool {
    let text = typed.to_string_lossy();
    // The name of a model may have a slash in it, and none begins or ends like this.
    let written_so = text.starts_with(['/', '.', '~']) || text.ends_with(".gguf") && text.contains('/');
    written_so || is_url(&text) || typed.exists()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;
    use crate::domain::local_model::Ability;
    use crate::domain::skip::test_data;
    use crate::engine::gguf::{TensorType, Value, encode_header};

    const EMBEDDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/encoder.gguf");

    /// A GGUF file with these metadata and one tensor.
    fn gguf(metadata: &[(&str, Value)]) -> Vec<u8> {
        let metadata = metadata.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        let (mut bytes, _) = encode_header(metadata, [("w".into(), vec![8], TensorType::F32)]).unwrap();
        bytes.extend([0; 32]);
        bytes
    }

    fn language_model(architecture: &str) -> Vec<u8> {
        gguf(&[
            ("general.architecture", Value::text(architecture)),
            (&format!("{architecture}.embedding_length"), Value::U32(8)),
            (&format!("{architecture}.context_length"), Value::U32(4096)),
        ])
    }

    struct Home(tempfile::TempDir);

    impl Home {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
            let path = self.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, bytes).unwrap();
            path
        }

        fn ollama(&self, name: &str, hash: char, bytes: &[u8]) {
            let hash = hash.to_string().repeat(64);
            let layer =
                format!(r#"{{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:{hash}"}}"#);
            let manifest = format!(r#"{{"layers":[{layer}]}}"#);
            self.put(
                &format!(".ollama/models/manifests/registry.ollama.ai/library/{name}"),
                manifest.as_bytes(),
            );
            self.put(&format!(".ollama/models/blobs/sha256-{hash}"), bytes);
        }

        fn machine(&self) -> Machine {
            let home = self.0.path().to_owned();
            Machine { root: home.join("root"), home: Some(home), variables: BTreeMap::new() }
        }
    }

    #[test]
    fn models_are_listed_with_what_they_can_do_and_what_is_none_is_left_out() {
        let home = Home::new();
        home.ollama("llama3.2/3b", 'a', &language_model("llama"));
        home.ollama("llama3.2/latest", 'a', &language_model("llama"));
        home.ollama("other/1", 'b', b"PK\x03\x04 no GGUF");
        home.put(".lmstudio/models/a/b/MiniLM.gguf", &fs::read(EMBEDDED).unwrap());
        home.put(
            ".lmstudio/models/a/b/mmproj-F16.gguf",
            &gguf(&[("general.architecture", Value::text("clip"))]),
        );
        home.put(".lmstudio/models/a/b/notes.gguf", b"version https://git-lfs.github.com/spec/v1");
        home.put(".lmstudio/models/a/b/half.gguf", &language_model("llama")[..60]);
        let list = list(&home.machine());
        let said: Vec<_> = list.models.iter().map(|m| (m.name.as_str(), &m.can[..])).collect();
        assert_eq!(
            said,
            [
                ("llama3.2:3b", &[Ability::Judge][..]),
                ("MiniLM", &[Ability::Scout, Ability::Tune][..]),
                ("half", &[][..]),
                ("notes", &[][..]),
            ]
        );
        assert_eq!((list.companions, list.other_formats, list.remarks.len()), (1, 1, 0));
        let note = |at: usize| list.models[at].note.clone().unwrap_or_default();
        assert_eq!(list.models[0].also, ["llama3.2:latest"]);
        assert_eq!(list.models[0].context, Some(4096));
        assert!(note(0).starts_with("it cannot be trained here: "), "{}", note(0));
        assert_eq!(list.models[1].quantisation.as_deref(), Some("Q4_0"));
        assert!(note(2).contains("truncated"), "{}", note(2));
        assert!(note(3).contains("it looks like a text file"), "{}", note(3));
    }

    #[test]
    fn a_model_in_parts_is_one_that_can_judge_and_not_be_trained() {
        let home = Home::new();
        let first = home.put(".lmstudio/models/a/Big-00001-of-00002.gguf", &language_model("qwen3"));
        home.put(".lmstudio/models/a/Big-00002-of-00002.gguf", &gguf(&[("split.no", Value::U16(1))]));
        let list = list(&home.machine());
        let [big] = &list.models[..] else { panic!("{:?}", list.models) };
        assert_eq!((big.files, big.parameters, &big.can[..]), (2, Some(16), &[Ability::Judge][..]));
        assert_eq!(file_of(&home.machine(), Path::new("big")).unwrap(), first);
        assert_eq!(model_of(&home.machine(), &first).unwrap().files, 2);
        fs::remove_file(home.0.path().join(".lmstudio/models/a/Big-00002-of-00002.gguf")).unwrap();
        let said = super::list(&home.machine()).models[0].note.clone().unwrap();
        assert_eq!(said, "1 of its 2 parts are not there");
    }

    #[test]
    fn a_path_is_a_path_and_anything_else_is_a_name() {
        let home = Home::new();
        home.ollama("qwen3/0.6b", 'c', &language_model("qwen3"));
        let of = |typed: &str| file_of(&home.machine(), Path::new(typed));
        for path in ["/m/none.gguf", "./x", "~/x", "m/none.gguf", "http://localhost:8000", EMBEDDED] {
            assert_eq!(of(path).unwrap(), Path::new(path));
        }
        assert!(of("qwen3").unwrap().ends_with(format!("blobs/sha256-{}", "c".repeat(64))));
        assert!(of("qwen2").unwrap_err().to_string().contains("Do you mean qwen3:0.6b?"));
        assert!(of("none.gguf").unwrap_err().to_string().contains("there is no such file"));
    }

    #[test]
    fn a_real_language_model_can_judge_and_be_trained() {
        let Some(model) = test_data("models/SmolLM2-135M-Instruct.Q4_1.gguf") else { return };
        let model = model_of(&Machine::default(), &model).unwrap();
        assert_eq!(model.can, [Ability::Judge, Ability::Tune], "{:?}", model.note);
        assert_eq!(model.name, "SmolLM2-135M-Instruct.Q4_1");
    }
}
