//! Models that other programs keep: found where these keep them, and named instead of a path.

use std::path::{Path, PathBuf};

use super::judge::model;
use super::project::{Project, Ran, program, run};

const ENCODER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/encoder.gguf");

/// A home with a store of Ollama's and a folder of LM Studio's.
struct Home(PathBuf);

impl Home {
    fn in_project(project: &Project) -> Self {
        let home = Self(project.path("home"));
        let folder = home.0.join(".lmstudio/models/someone/MiniLM-GGUF");
        std::fs::create_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink(ENCODER, folder.join("MiniLM-Q8_0.gguf")).unwrap();
        std::fs::write(folder.join("odd\u{1b}[31m.gguf"), "GGUF\u{3}").unwrap();
        home
    }

    fn give_ollama(&self, file: &Path) {
        let store = self.0.join(".ollama/models");
        let (manifests, blobs) =
            (store.join("manifests/registry.ollama.ai/library/tiny"), store.join("blobs"));
        std::fs::create_dir_all(&manifests).unwrap();
        std::fs::create_dir_all(&blobs).unwrap();
        let hash = "0".repeat(64);
        std::os::unix::fs::symlink(file, blobs.join(format!("sha256-{hash}"))).unwrap();
        let layer =
            format!(r#"{{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:{hash}"}}"#);
        std::fs::write(manifests.join("656k"), format!(r#"{{"layers":[{layer}]}}"#)).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = program();
        command.env("HOME", &self.0).args(arguments);
        for name in
            ["OLLAMA_MODELS", "LLAMA_CACHE", "HF_HUB_CACHE", "HF_HOME", "HARDCASE_MODELS", "XDG_CACHE_HOME"]
        {
            command.env_remove(name);
        }
        run(command)
    }
}

#[test]
fn models_of_other_programs_are_listed_measured_and_named_instead_of_a_path() {
    let project = Project::with_ads(40);
    let home = Home::in_project(&project);
    let file = project.file();
    let file = file.to_str().unwrap();
    let tiny = model("tinystories-656k-q8_0.gguf");
    if let Some(tiny) = &tiny {
        home.give_ollama(tiny);
    }

    let list = home.run(&["models", "--json"]).json();
    let find = |name: &str| list["models"].as_array().unwrap().iter().find(|m| m["name"] == name).cloned();
    let encoder = find("MiniLM-Q8_0").unwrap();
    assert_eq!(encoder["can"], serde_json::json!(["scout", "tune"]));
    assert_eq!((&encoder["architecture"], &encoder["context"]), (&"bert".into(), &512.into()));
    let odd = find("odd\u{fffd}[31m").unwrap();
    assert!(odd["note"].as_str().unwrap().contains("truncated"), "{odd}");
    let text = home.run(&["models"]).done().out;
    assert!(
        text.contains("MiniLM-Q8_0") && text.contains("LM Studio") && text.contains("cannot be used"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "{text:?}");

    let measured = home.run(&["models", "minilm-q8_0", "--json"]).json();
    assert!(measured["probe"]["texts_per_second"].as_f64() > Some(0.0), "{measured}");

    home.run(&["scout", file, "--model", "minilm-q8_0"]).done();
    home.run(&["scout", file, "--model", "MiniLM"])
        .refused(2, &["use the model MiniLM", "Do you mean MiniLM-Q8_0?"]);
    if tiny.is_some() {
        let judged =
            home.run(&["judge", file, "--model", "tiny", "--limit", "3", "--threads", "1", "--json"]).json();
        assert_eq!(judged["judged"], 3, "{judged}");
        // An encoder by its name is refused as by its path.
        home.run(&["judge", file, "--model", "MiniLM-Q8_0"]).refused(1, &["it writes none"]);
        let all = home.run(&["models", "--probe", "--json"]).json();
        let speeds: Vec<bool> = all["models"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["texts_per_second"].as_f64() > Some(0.0))
            .collect();
        assert_eq!(speeds.iter().filter(|known| **known).count(), 2, "{all}");
    }
}
