//! `adapter`: lists, reactivates, exports and prunes trained adapters.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::output::{complain, print, print_json};
use super::setting::Setting;
use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::{counted, grouped};
use crate::domain::ids::AdapterId;
use crate::job::adapter_files::{Existing, Form, export};
use crate::job::adapters::{Listed, Of, Pruned, UseReport, list, prune, use_head, use_judge, what};
use crate::job::predictor_file::export_predictor;
use crate::upkeep::backup::{Occasion, back_up_quietly};

#[derive(clap::Args)]
pub(super) struct Adapter {
    /// The project file
    file: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List all heads and LoRAs
    List,
    /// Activate an earlier adapter again
    Use {
        /// Number of the adapter in the list
        #[arg(value_name = "ADAPTER", value_parser = number)]
        adapter: i64,
    },
    /// Write an adapter to files: a LoRA as GGUF for llama.cpp's tools, its head as JSON, and on request for PEFT and Ollama
    Export {
        /// Number of the adapter in the list [default: the active one]
        #[arg(value_name = "ADAPTER", value_parser = number)]
        adapter: Option<i64>,
        /// Forms to write next to the GGUF, with a page on how to run each
        #[arg(long, value_enum, value_name = "FORM,…", value_delimiter = ',', default_value = "gguf")]
        what: Vec<FormArgument>,
        /// Write a project file with the model alone instead, from which `predict` scores texts: no text, answer or expert is in it
        #[arg(long, conflicts_with_all = ["what", "force"])]
        predictor: bool,
        /// Folder to write to
        #[arg(short = 'o', long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
        /// Overwrite existing files
        #[arg(long)]
        force: bool,
    },
    /// Delete the weights of inactive LoRAs and the hidden states of earlier judges to free space. Heads and stored predictions stay
    Prune {
        /// Number of inactive LoRAs to keep, newest first
        #[arg(long, value_name = "N", default_value_t = 0)]
        keep: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormArgument {
    /// A LoRA as GGUF, its head as JSON: always written
    Gguf,
    /// A folder with safetensors and adapter_config.json
    Peft,
    /// A Modelfile, for a LoRA of a judge
    Ollama,
}

impl FormArgument {
    fn forms(asked: &[Self]) -> Vec<Form> {
        let all = [(Self::Gguf, Form::Gguf), (Self::Peft, Form::Peft), (Self::Ollama, Form::Ollama)];
        all.into_iter().filter(|(argument, _)| asked.contains(argument)).map(|(_, form)| form).collect()
    }
}

fn number(said: &str) -> std::result::Result<i64, &'static str> {
    said.parse().map_err(|_| "`hardcase adapter FILE list` shows the numbers")
}

impl Adapter {
    /// Whether this needs the model, and so a child process.
    #[cfg(feature = "engine")]
    pub fn needs_model(&self) -> bool {
        matches!(self.action, Action::Use { .. })
    }

    pub fn run(self, setting: &Setting) -> Result<()> {
        match self.action {
            Action::List => {
                let adapters = list(&self.file)?;
                if setting.wants_json() { print_json(&adapters) } else { print(&in_words(&adapters)) }
            }
            Action::Use { adapter } => {
                let adapter = AdapterId(adapter);
                let job = setting.job(&self.file);
                let report = match what(&self.file, adapter)? {
                    Of::Lora => use_lora(setting, &self.file, adapter)?,
                    Of::Head => use_head(&job, adapter)?,
                    Of::Judge => use_judge(&job, adapter)?,
                };
                if setting.wants_json() { print_json(&report) } else { setting.say(&report.to_string()) }
            }
            Action::Export { adapter, what, predictor, out, force } => {
                let active = || -> Result<Option<AdapterId>> {
                    Ok(list(&self.file)?.into_iter().find(|a| a.active).map(|a| a.adapter))
                };
                let chosen = match adapter {
                    Some(adapter) => Some(AdapterId(adapter)),
                    None => active()?,
                };
                let existing = if force { Existing::AreReplaced } else { Existing::Stay };
                let chosen = chosen.ok_or_else(|| {
                    Fault::usage("export the active adapter", "no adapter is active")
                        .hint("Give an adapter's number; `hardcase adapter FILE list` shows them")
                })?;
                let files = match predictor {
                    true => vec![export_predictor(&self.file, chosen, &out)?],
                    false => export(&self.file, chosen, &out, &FormArgument::forms(&what), existing)?,
                };
                if setting.wants_json() {
                    return print_json(&serde_json::json!({ "files": files }));
                }
                let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
                setting.say(&format!("wrote {}", names.join(" and ")))
            }
            Action::Prune { keep } => {
                if let Some(line) = back_up_quietly(&self.file, Occasion::Before) {
                    complain(&line);
                }
                let Pruned { adapters, texts, bytes } = prune(&self.file, keep)?;
                if setting.wants_json() {
                    return print_json(
                        &serde_json::json!({ "dropped": adapters, "hidden_states": texts, "bytes": bytes }),
                    );
                }
                let weights = format!("the weights of {}", counted(adapters, "LoRA", "LoRAs"));
                let states = format!("the hidden states of {}", counted(texts, "text", "texts"));
                let deleted: Vec<String> = [(adapters, weights), (texts, states)]
                    .into_iter()
                    .filter_map(|(n, what)| (n > 0).then_some(what))
                    .collect();
                setting.say(&match deleted.join(" and ") {
                    nothing if nothing.is_empty() => "There is nothing to prune.".to_owned(),
                    deleted => {
                        format!(
                            "Deleted {deleted}: {} bytes in the project file can be reused.",
                            grouped(bytes as u64)
                        )
                    }
                })
            }
        }
    }
}

#[cfg(feature = "engine")]
fn use_lora(setting: &Setting, project: &std::path::Path, adapter: AdapterId) -> Result<UseReport> {
    let model = setting.scout_model(None, None);
    crate::job::adapters::use_lora(&setting.job(project), adapter, &model)
}

#[cfg(not(feature = "engine"))]
fn use_lora(_setting: &Setting, _project: &std::path::Path, _adapter: AdapterId) -> Result<UseReport> {
    Err(Fault::usage("use the adapter", "it is a LoRA, and this build has no models")
        .hint("Run this command with a full build of hardcase"))
}

fn in_words(adapters: &[Listed]) -> String {
    if adapters.is_empty() {
        return "No adapter yet. `hardcase tune FILE` trains the first.".into();
    }
    let mut lines = vec!["adapter  kind  round  labels       bytes".to_owned()];
    for a in adapters {
        let round = a.round.map_or_else(|| "-".into(), |r| r.to_string());
        let comparison = a.settings.as_ref().and_then(|settings| Some((settings, settings.comparison()?)));
        let against = comparison.map_or_else(String::new, |(settings, c)| {
            let distilled = settings.encoder_lora().is_some_and(|lora| lora.distilled.is_some());
            let other = match (settings.judge_lora(), distilled) {
                (Some(_), _) => "the judge without it",
                (None, true) => "the scout before (distilled from all models)",
                (None, false) => "the head",
            };
            format!(
                "  log-loss {:+.3} against {other} (lower is better; standard error {:.3}, n = {})",
                c.difference, c.error, c.n
            )
        });
        let bytes = if a.bytes == 0 { "pruned".into() } else { grouped(a.bytes as u64) };
        let active = match (a.active, a.judging) {
            (true, _) => "  active",
            (false, true) => "  judges",
            (false, false) => "",
        };
        let lacks = match a.lacks.join("', '") {
            none if none.is_empty() => none,
            names => format!("  does not know '{names}'"),
        };
        lines.push(format!(
            "{:>7}  {:<5}  {round:>5}  {:>6}  {bytes:>10}{active}{lacks}{against}",
            a.adapter.0, a.kind, a.training
        ));
    }
    lines.join("\n")
}
