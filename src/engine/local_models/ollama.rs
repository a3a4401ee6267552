//! Ollama's store: a manifest for each name, and the files themselves as blobs that are called by their hash.
//!
//! `manifests/HOST/NAMESPACE/MODEL/TAG` is JSON with a list of layers; the model's has a media type of its own and a digest `sha256:HEX`, whose
//! file is `blobs/sha256-HEX` (`blobs/sha256:HEX` before Ollama 0.1.24). Projectors and adapters are layers of other types and no models.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::walk::{Walked, walk};

/// The media type of the layer that is the model.
const MODEL: &str = "application/vnd.ollama.image.model";
/// The longest manifest that is read; usual ones have 1 KiB.
const LONGEST: u64 = 1 << 20;
/// A manifest's folders below `manifests`, and the manifest.
const PARTS: usize = 4;
/// What people leave out of a name.
const HOST: &str = "registry.ollama.ai";
const NAMESPACE: &str = "library";

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    #[serde(rename = "mediaType", default)]
    media_type: String,
    #[serde(default)]
    digest: String,
}

/// Each model's name, as people type it at `ollama run`, with its file; and what could not be looked at.
pub(super) fn models(store: &Path) -> (Vec<(String, PathBuf)>, Vec<String>) {
    let manifests = store.join("manifests");
    if !manifests.is_dir() {
        return (Vec::new(), Vec::new());
    }
    let Walked { files, remarks } = walk(&manifests, |depth, _| depth < PARTS, |_| true);
    let named = |file: &PathBuf| Some((name(file.strip_prefix(&manifests).ok()?)?, blob(store, file)?));
    let mut models: Vec<_> = files.iter().filter_map(named).collect();
    // Where several tags name one file, `latest` tells the least.
    models.sort_by_key(|(name, _)| (name.ends_with(":latest"), name.clone()));
    (models, remarks)
}

/// `llama3.2:3b`, `someone/model:tag`, `hf.co/someone/model:tag`.
fn name(manifest: &Path) -> Option<String> {
    let parts: Vec<&str> = manifest.iter().map(|part| part.to_str()).collect::<Option<_>>()?;
    let [host, namespace, model, tag] = parts[..] else { return None };
    Some(match (host, namespace) {
        (HOST, NAMESPACE) => format!("{model}:{tag}"),
        (HOST, _) => format!("{namespace}/{model}:{tag}"),
        _ => format!("{host}/{namespace}/{model}:{tag}"),
    })
}

/// The file of the model that a manifest describes.
fn blob(store: &Path, manifest: &Path) -> Option<PathBuf> {
    let mut text = Vec::new();
    File::open(manifest).ok()?.take(LONGEST).read_to_end(&mut text).ok()?;
    let manifest: Manifest = serde_json::from_slice(&text).ok()?;
    let layer = manifest.layers.iter().find(|layer| layer.media_type == MODEL)?;
    // A digest that is anything but a hash could lead out of the store.
    let hash = layer.digest.strip_prefix("sha256:")?;
    if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let blobs = store.join("blobs");
    let old = blobs.join(format!("sha256:{hash}"));
    if old.is_file() { Some(old) } else { Some(blobs.join(format!("sha256-{hash}"))) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn manifest(store: &Path, name: &str, text: &str) {
        let path = store.join("manifests").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn of_digest(digest: &str) -> String {
        format!(
            r#"{{"schemaVersion":2,"layers":[{{"mediaType":"application/vnd.ollama.image.license","digest":"sha256:{0}"}},
            {{"mediaType":"{MODEL}","digest":"{digest}","size":3}}]}}"#,
            "0".repeat(64)
        )
    }

    #[test]
    fn names_are_those_that_people_type_and_files_are_blobs() {
        let dir = tempfile::tempdir().unwrap();
        let (hash, old) = ("a".repeat(64), "b".repeat(64));
        fs::create_dir_all(dir.path().join("blobs")).unwrap();
        fs::write(dir.path().join(format!("blobs/sha256:{old}")), "").unwrap();
        let new = of_digest(&format!("sha256:{hash}"));
        manifest(dir.path(), "registry.ollama.ai/library/llama3.2/latest", &new);
        manifest(dir.path(), "registry.ollama.ai/library/llama3.2/3b", &new);
        manifest(dir.path(), "registry.ollama.ai/me/mine/v1", &of_digest(&format!("sha256:{old}")));
        manifest(dir.path(), "hf.co/someone/Qwen3-GGUF/Q8_0", &new);
        let (models, remarks) = models(dir.path());
        let names: Vec<&str> = models.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["hf.co/someone/Qwen3-GGUF:Q8_0", "llama3.2:3b", "me/mine:v1", "llama3.2:latest"]);
        let file = |at: usize| models[at].1.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!([file(1), file(2)], [format!("sha256-{hash}"), format!("sha256:{old}")]);
        assert_eq!(remarks, Vec::<String>::new());
    }

    #[test]
    fn a_manifest_that_is_none_or_leads_elsewhere_names_no_model() {
        let dir = tempfile::tempdir().unwrap();
        let at = |tag: &str| format!("registry.ollama.ai/library/m/{tag}");
        for (tag, text) in [
            ("a", "{}".to_owned()),
            ("b", "not JSON".to_owned()),
            ("c", of_digest("sha256:../../../etc/passwd")),
            ("d", of_digest(&format!("sha512:{}", "a".repeat(64)))),
            ("e", of_digest(&format!("sha256:{}/", "a".repeat(63)))),
            ("f", format!("{}[", "[".repeat(100_000))),
        ] {
            manifest(dir.path(), &at(tag), &text);
        }
        manifest(dir.path(), "registry.ollama.ai/library/too/few/or/many", "{}");
        assert_eq!(models(dir.path()), (Vec::new(), Vec::new()));
        assert_eq!(models(&dir.path().join("none")), (Vec::new(), Vec::new()));
    }
}
