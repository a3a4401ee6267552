//! `adapter export`: an adapter as files that other programs load, with a page that says how to run each.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::adapters::{adapter_row, head_of};
use crate::domain::adapter::AdapterKind;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::hex::hex;
use crate::domain::ids::AdapterId;
use crate::domain::judge_chat::{Message, Speaker};
use crate::domain::predictor::{PromptLayout, PromptSettings};
use crate::domain::settings::Stored;
use crate::stats::classifier::answered::HeadModel;
use crate::stats::classifier::linear::Linear;
use crate::store::pool::predictors::Model;
use crate::store::{Access, Store};
use crate::work::output::write_to;

/// What becomes of files that are there already. Another project's adapter may have the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// They stay, and nothing is written.
    Stay,
    /// They are replaced.
    AreReplaced,
}

/// A form in which an adapter leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A LoRA as GGUF, and the head on the vectors as JSON.
    Gguf,
    /// A folder that PEFT loads.
    Peft,
    /// A file that `ollama create` takes.
    Ollama,
}

/// An adapter with all that its files say.
struct Leaving {
    /// `lora-3`: what its files are called.
    name: String,
    kind: AdapterKind,
    base: Model,
    /// Whether it adapts a judge, rather than an encoder.
    judges: bool,
    /// The judge's prompt; none of an encoder's adapter, nor of one that has never judged.
    prompt: Option<PromptSettings>,
    labels: Vec<String>,
    bytes: Vec<u8>,
    head: Option<Vec<u8>>,
}

/// Writes an adapter as files into a folder: a LoRA as `NAME.gguf`, which llama.cpp's tools load, and the head on the vectors, a head's or a
/// LoRA's, as `NAME.head.json`; as PEFT's `NAME-peft` and Ollama's `NAME.Modelfile` where these are asked for, and then with a page on how to run them.
/// Returns the files.
///
/// # Errors
/// No such adapter, its bytes were dropped, a form that it cannot have, a file that is there already and may not be replaced, or a folder that cannot be
/// written.
pub fn export(
    project: &Path,
    adapter: AdapterId,
    folder: &Path,
    forms: &[Form],
    existing: Existing,
) -> Result<Vec<PathBuf>> {
    let attempted = format!("export adapter {adapter}");
    let leaving = Leaving::read(&Store::open(project, Access::Read)?, adapter, &attempted)?;
    let mut files = leaving.gguf(folder);
    for form in forms {
        match form {
            Form::Gguf => {}
            Form::Peft => files.extend(leaving.peft(folder, &attempted)?),
            Form::Ollama => files.push(leaving.ollama(folder, &attempted)?),
        }
    }
    if forms.iter().any(|form| *form != Form::Gguf) {
        files.push((folder.join(format!("{}.README.md", leaving.name)), leaving.page(forms).into_bytes()));
    }
    let failed = |e: std::io::Error| Fault::new(&attempted, io_reason(&e)).because(e);
    if folder.exists() && !folder.is_dir() {
        return Err(Fault::usage(&attempted, format!("{} is not a folder", folder.display()))
            .hint("Name a folder with -o"));
    }
    if let Some((taken, _)) = files.iter().find(|(path, _)| existing == Existing::Stay && path.exists()) {
        return Err(Fault::usage(&attempted, format!("{} is there already", taken.display()))
            .hint("Name another folder with -o, or replace it with --force"));
    }
    for (path, bytes) in &files {
        std::fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(failed)?;
        write_to(Some(path), |out| out.write_all(bytes).map_err(failed))?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// A head with what it computes, in words.
fn head_in_json(head: &HeadModel, labels: &[String]) -> serde_json::Value {
    match head {
        HeadModel::Several(heads) => json!({
            "what": "probability of each label by itself = 1 / (1 + exp(-(weights · v + bias))), v the model's vector of the text at length 1; a text has \
                     the labels of 0.5 and more",
            "labels": labels,
            "weights": heads.weights.rows().into_iter().map(|row| row.to_vec()).collect::<Vec<Vec<f32>>>(),
            "bias": heads.bias.to_vec(),
        }),
        HeadModel::One(Linear::Softmax(head)) => json!({
            "what": "probabilities = softmax(weights · v + bias), v the model's vector of the text at length 1",
            "labels": labels,
            "weights": head.weights.rows().into_iter().map(|row| row.to_vec()).collect::<Vec<Vec<f32>>>(),
            "bias": head.bias.to_vec(),
        }),
        HeadModel::One(Linear::Ordinal(head)) => json!({
            "what": "probability of a level or one below it = 1 / (1 + exp(weights · v - threshold)), with the threshold between it and the next \
                     level, v the model's vector of the text at length 1",
            "labels": labels,
            "weights": head.weights.to_vec(),
            "thresholds": head.thresholds.to_vec(),
        }),
    }
}

impl Leaving {
    fn read(store: &Store, adapter: AdapterId, attempted: &str) -> Result<Self> {
        let row = adapter_row(store, adapter, attempted)?;
        let bytes = store.adapter_bytes(adapter)?.filter(|bytes| !bytes.is_empty());
        let bytes = bytes.ok_or_else(|| Fault::usage(attempted, "its bytes were dropped"))?;
        let task = store.task()?.task;
        let labels: Vec<String> = row
            .labels
            .iter()
            .map(|id| task.index_of_id(id).map_or_else(|| id.clone(), |i| task.labels[i].name.clone()))
            .collect();
        let predictor =
            store.predictors()?.into_iter().find(|p| !p.is_combined() && p.adapter() == Some(adapter));
        let judge = predictor.as_ref().and_then(|p| p.judge());
        let prompt = match judge.map(|judge| &judge.settings) {
            Some(Stored::Known(settings)) => Some(settings.prompt.clone()),
            _ => None,
        };
        let head = match predictor.as_ref().filter(|p| p.judge().is_none()) {
            None => None,
            Some(predictor) => head_of(store, predictor)?
                .map(|head| format!("{:#}\n", head_in_json(&head, &labels)).into_bytes()),
        };
        let base = store.model(row.model)?;
        let base = base.ok_or_else(|| Fault::new(attempted, "the project does not name its model"))?;
        let trained_to_judge = row.settings.known().is_some_and(|settings| settings.judge_lora().is_some());
        Ok(Self {
            name: format!("{}-{adapter}", row.kind),
            kind: row.kind,
            base,
            judges: prompt.is_some() || trained_to_judge,
            prompt,
            labels,
            bytes,
            head,
        })
    }

    fn gguf(&self, folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let lora = (self.kind != AdapterKind::Head)
            .then(|| (folder.join(format!("{}.gguf", self.name)), self.bytes.clone()));
        let head = self.head.clone().map(|head| (folder.join(format!("{}.head.json", self.name)), head));
        lora.into_iter().chain(head).collect()
    }

    fn peft(&self, folder: &Path, attempted: &str) -> Result<Vec<(PathBuf, Vec<u8>)>> {
        self.must_be_lora("PEFT", attempted)?;
        let to = folder.join(format!("{}-peft", self.name));
        let files = peft(&self.bytes, &self.base).map_err(|f| f.while_trying(attempted))?;
        Ok(files.into_iter().map(|(name, bytes)| (to.join(name), bytes)).collect())
    }

    fn ollama(&self, folder: &Path, attempted: &str) -> Result<(PathBuf, Vec<u8>)> {
        self.must_be_lora("Ollama", attempted)?;
        let refused = |why: &str| {
            Fault::usage(attempted, why).hint("Write it as GGUF for llama-server, or with --what peft")
        };
        if self.kind == AdapterKind::Alora {
            return Err(refused(
                "it is an alora, which acts on answers alone, and Ollama lets an adapter act on everything",
            ));
        }
        let Some(prompt) = &self.prompt else {
            let why = match self.judges {
                true => "it has never judged, so the question that goes with it is not known",
                false => "it adapts an encoder, which gives vectors and no answers",
            };
            return Err(refused(why));
        };
        Ok((folder.join(format!("{}.Modelfile", self.name)), self.modelfile(prompt).into_bytes()))
    }

    fn must_be_lora(&self, program: &str, attempted: &str) -> Result<()> {
        if self.kind == AdapterKind::Head {
            let why = format!("it is a head on vectors, and {program} takes LoRAs");
            return Err(Fault::usage(attempted, why).hint(
                "Leave --what out: a head is written as JSON. `hardcase adapter FILE list` shows the LoRAs",
            ));
        }
        Ok(())
    }

    /// The model in which Ollama finds base and adapter, with what the judge says before every text.
    fn modelfile(&self, prompt: &PromptSettings) -> String {
        let mut file = format!(
            "# {} for {}. Make it with: ollama create {} -f {0}.Modelfile\n\
             # Then send each text as one message, as {0}.README.md shows.\nFROM {}\nADAPTER ./{0}.gguf\n",
            self.name,
            self.base.name,
            self.name,
            if self.base.path.is_empty() { &self.base.name } else { &self.base.path }
        );
        if !prompt.layout.is_in_turns() {
            // Nothing of a chat template may stand around what the adapter has learned from.
            file.push_str("TEMPLATE \"\"\"{{ .Prompt }}\"\"\"\n");
        }
        let messages = self.messages(prompt);
        let before = messages.len().saturating_sub(1);
        for Message { role, content } in messages.iter().take(before).filter(|_| prompt.layout.is_in_turns())
        {
            let content = content.replace("\"\"\"", "'''");
            match role {
                Speaker::System => file.push_str(&format!("SYSTEM \"\"\"{content}\"\"\"\n")),
                Speaker::User => file.push_str(&format!("MESSAGE user \"\"\"{content}\"\"\"\n")),
                Speaker::Assistant => file.push_str(&format!("MESSAGE assistant \"\"\"{content}\"\"\"\n")),
            }
        }
        file.push_str("PARAMETER temperature 0\nPARAMETER num_predict 16\n");
        file
    }

    /// What is asked of a text, in whose place there is a mark.
    fn messages(&self, prompt: &PromptSettings) -> Vec<Message> {
        match prompt.layout {
            PromptLayout::NoPrompt => Vec::new(),
            _ => prompt.chat("THE_TEXT"),
        }
    }

    /// The page that says what the files are and how to run each.
    fn page(&self, forms: &[Form]) -> String {
        let Self { name, base, .. } = self;
        let place = match base.path.is_empty() {
            true => "inside hardcase".to_owned(),
            false => format!("`{}` when this was written", base.path),
        };
        let mut page = format!(
            "# {name}\n\nA {} for **{}** ({}, {}, {} bytes), which was at {place}. Its sha256 is `{}`: with another model, or another \
             quantisation of it, the answers differ.\n\nLabels: {}.\n",
            match self.kind {
                AdapterKind::Head => "head on the vectors",
                AdapterKind::Lora => "LoRA",
                AdapterKind::Alora => "LoRA that acts on the answer alone (activated LoRA)",
            },
            base.name,
            base.architecture,
            base.quantisation,
            base.bytes,
            hex(&base.sha256),
            self.labels.join(", "),
        );
        let model = if base.path.is_empty() { "BASE.gguf" } else { &base.path };
        page.push_str(&format!("\n## llama.cpp: `{name}.gguf`\n\n"));
        page.push_str(&match self.judges {
            true => format!("```sh\nllama-server -m '{model}' --lora {name}.gguf\n```\n"),
            false => format!(
                "```sh\nllama-embedding -m '{model}' --lora {name}.gguf -p 'A text'\n```\n\nThe vector, at length 1, goes through `{name}.head.json`: \
                 `softmax(weights · vector + bias)`.\n"
            ),
        });
        if forms.contains(&Form::Peft) {
            let class = if self.judges { "AutoModelForCausalLM" } else { "AutoModel" };
            page.push_str(&format!(
                "\n## PEFT: `{name}-peft`\n\n`BASE` is the model that {0} was converted from, as `transformers` loads it.\n\n```python\nfrom transformers \
                 import {class}\nfrom peft import PeftModel\n\nmodel = PeftModel.from_pretrained({class}.from_pretrained(\"BASE\"), \"{name}-peft\")\n```\n",
                base.name
            ));
            if self.kind == AdapterKind::Alora {
                page.push_str("\nPEFT reads `alora_invocation_tokens` from version 0.18 on; an earlier one would let the adapter act on everything.\n");
            }
        }
        if forms.contains(&Form::Ollama) {
            page.push_str(&format!(
                "\n## Ollama: `{name}.Modelfile`\n\n```sh\nollama create {name} -f {name}.Modelfile\nollama run {name}\n```\n"
            ));
        }
        if self.judges && self.prompt.is_none() {
            page.push_str(
                "\n## What to ask\n\nThe adapter has never judged in the project, so the question that goes with it is not known here. \
                 `hardcase adapter FILE use` lets it judge; export it again after that.\n",
            );
        }
        if let Some(prompt) = &self.prompt {
            let messages = self.messages(prompt);
            let asked = match prompt.layout.is_in_turns() {
                true => {
                    let json = serde_json::to_string_pretty(&messages).unwrap_or_default();
                    format!(
                        "these messages, through the model's own chat template:\n\n```json\n{json}\n```\n"
                    )
                }
                false => {
                    let said: Vec<String> = messages.into_iter().map(|message| message.content).collect();
                    format!("this prompt, without a chat template:\n\n```\n{}\n```\n", said.join("\n\n"))
                }
            };
            page.push_str(&format!(
                "\n## What to ask\n\nThe adapter was trained on one question. Ask the same, in {asked}\n`THE_TEXT` is a text on one line. The answer is \
                 the name of a label; its probability is that of the name's tokens.\n"
            ));
        }
        page
    }
}

#[cfg(feature = "engine")]
fn peft(bytes: &[u8], base: &Model) -> Result<Vec<(&'static str, Vec<u8>)>> {
    use crate::engine::gguf::read_header;
    use crate::engine::lora::AdapterFile;
    use crate::formats::{PeftAdapter, PeftUpdate, peft_files};

    const WRITE: &str = "write the adapter for PEFT";
    let file = AdapterFile::decode(bytes).map_err(|e| Fault::new(WRITE, e.to_string()).because(e))?;
    let architecture = file.family.name;
    // Only files of Llama's architecture have rows in another order, which depends on the number of heads. The model's file says it.
    let heads = match architecture {
        "llama" => {
            let missing = || {
                Fault::usage(
                    WRITE,
                    format!("its model {} is not at {}, and says how its heads lie", base.name, base.path),
                )
                .hint("Put the file back where it was when the adapter was trained")
            };
            let model = std::fs::File::open(&base.path).map_err(|e| missing().because(e))?;
            let length = model.metadata().map_err(|e| missing().because(e))?.len();
            let header =
                read_header(std::io::BufReader::new(model), length).map_err(|e| missing().because(e))?;
            let number = |key: &str| header.u64(key).and_then(|n| usize::try_from(n).ok());
            let heads = number("llama.attention.head_count").ok_or_else(missing)?;
            Some((heads, number("llama.attention.head_count_kv").unwrap_or(heads)))
        }
        _ => None,
    };
    let sites: Vec<&'static str> = file.family.sites().map(|site| site.tensor()).collect();
    let updates = file.lora.updates.iter().enumerate().map(|(at, update)| PeftUpdate {
        block: at / sites.len(),
        layer: sites[at % sites.len()],
        a: update.a.view(),
        b: update.b.view(),
    });
    peft_files(&PeftAdapter {
        architecture,
        base: &base.name,
        alpha: file.lora.alpha,
        heads,
        invocation: &file.invocation,
        updates: updates.collect(),
    })
}

#[cfg(not(feature = "engine"))]
fn peft(_bytes: &[u8], _base: &Model) -> Result<Vec<(&'static str, Vec<u8>)>> {
    Err(Fault::usage("write the adapter for PEFT", "it is a LoRA, and this build cannot read one")
        .hint("Run this command with a full build of hardcase"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::encoder_reading::EncoderReading;
    use crate::domain::predictor::PromptLabelSettings;

    fn leaving(kind: AdapterKind, layout: PromptLayout) -> Leaving {
        let label = |name: &str| PromptLabelSettings {
            name: name.into(),
            description: String::new(),
            examples: Vec::new(),
        };
        let prompt = PromptSettings {
            layout,
            question: "Is it \"\"\"spam\"\"\"?".into(),
            guideline: String::new(),
            labels: vec![label("spam"), label("ham")],
            examples: vec![("buy now".into(), 0)],
            nearest: 0,
        };
        Leaving {
            name: format!("{kind}-3"),
            kind,
            base: Model {
                sha256: vec![0xAB; 32],
                name: "SmolLM2".into(),
                path: "/models/smol.gguf".into(),
                architecture: "llama".into(),
                quantisation: "Q8_0".into(),
                dimensions: 0,
                bytes: 1_000,
                reading: EncoderReading::default(),
            },
            judges: true,
            prompt: Some(prompt),
            labels: vec!["spam".into(), "ham".into()],
            bytes: vec![1],
            head: None,
        }
    }

    #[test]
    fn ollama_is_told_the_model_the_adapter_and_what_the_judge_says_first() {
        let lora = leaving(AdapterKind::Lora, PromptLayout::SystemTurn);
        let (path, bytes) = lora.ollama(Path::new("out"), "export").unwrap();
        assert_eq!(path, Path::new("out/lora-3.Modelfile"));
        let file = String::from_utf8(bytes).unwrap();
        assert!(
            file.contains("\nFROM /models/smol.gguf\nADAPTER ./lora-3.gguf\nSYSTEM \"\"\"Is it '''spam'''?"),
            "{file}"
        );
        assert!(
            file.contains(
                "MESSAGE user \"\"\"Text: buy now\nLabel:\"\"\"\nMESSAGE assistant \"\"\"spam\"\"\"\n"
            ),
            "{file}"
        );
        assert!(!file.contains("THE_TEXT") && !file.contains("TEMPLATE"), "{file}");
        let mut alone = leaving(AdapterKind::Lora, PromptLayout::TextAlone);
        alone.prompt = alone.prompt.map(|prompt| prompt.text_alone());
        let file = String::from_utf8(alone.ollama(Path::new("."), "export").unwrap().1).unwrap();
        assert!(file.contains("TEMPLATE \"\"\"{{ .Prompt }}\"\"\"\n") && !file.contains("SYSTEM"), "{file}");
    }

    #[test]
    fn what_a_program_cannot_run_is_refused_in_one_sentence() {
        let refused = |leaving: &Leaving| leaving.ollama(Path::new("."), "export").unwrap_err().to_string();
        assert!(
            refused(&leaving(AdapterKind::Alora, PromptLayout::UserTurn)).contains("acts on answers alone")
        );
        assert!(refused(&leaving(AdapterKind::Head, PromptLayout::UserTurn)).contains("it is a head"));
        let never_used = Leaving { prompt: None, ..leaving(AdapterKind::Lora, PromptLayout::UserTurn) };
        let page = never_used.page(&[Form::Gguf, Form::Peft]);
        assert!(page.contains("llama-server") && page.contains("AutoModelForCausalLM"), "{page}");
        assert!(page.contains("has never judged") && !page.contains("head.json"), "{page}");
        assert!(
            never_used.ollama(Path::new("x"), "export").unwrap_err().to_string().contains("never judged")
        );
        let encoder =
            Leaving { judges: false, prompt: None, ..leaving(AdapterKind::Lora, PromptLayout::UserTurn) };
        assert!(refused(&encoder).contains("it adapts an encoder"));
        let head = leaving(AdapterKind::Head, PromptLayout::UserTurn);
        assert!(head.peft(Path::new("."), "export").unwrap_err().to_string().contains("PEFT takes LoRAs"));
    }

    #[test]
    fn the_page_names_the_model_its_hash_and_how_to_run_each() {
        let page = leaving(AdapterKind::Alora, PromptLayout::SystemTurn).page(&[Form::Peft]);
        for part in
            ["# alora-3\n", "**SmolLM2**", "`/models/smol.gguf`", &"ab".repeat(32), "--lora alora-3.gguf"]
        {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(
            page.contains("PeftModel.from_pretrained") && page.contains("alora_invocation_tokens"),
            "{page}"
        );
        assert!(
            page.contains("\"content\": \"Text: THE_TEXT\\nLabel:\"") && !page.contains("ollama"),
            "{page}"
        );
        let plain = leaving(AdapterKind::Lora, PromptLayout::Plain).page(&[Form::Ollama]);
        assert!(
            plain.contains("ollama create lora-3") && plain.contains("Text: THE_TEXT\nLabel:\n```"),
            "{plain}"
        );
    }
}
