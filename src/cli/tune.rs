//! `tune`: trains on the answers and updates the prelabels.

#[cfg(feature = "engine")]
use std::path::Path;
use std::path::PathBuf;

#[cfg(feature = "engine")]
use serde::Serialize;

#[cfg(feature = "engine")]
use super::models::named_file;
use super::setting::Setting;
#[cfg(feature = "engine")]
use crate::domain::fault::Fault;
use crate::domain::fault::Result;
#[cfg(feature = "engine")]
use crate::domain::progress::Watcher;
#[cfg(feature = "engine")]
use crate::job::train_judge::{
    TrainJudgeOptions, TrainJudgeReport, has_local_judge, is_language_model, train_judge,
};
#[cfg(feature = "engine")]
use crate::job::train_lora::{TrainLoraOptions, TrainLoraReport, Verdict, train_lora};
use crate::job::tune::{Rescore, tune};
#[cfg(feature = "engine")]
use crate::learn::judge_training::AdapterScope;

/// What this build can train.
#[cfg(feature = "engine")]
const KINDS: [&str; 4] = ["head", LORA, ALORA, AUTO];
#[cfg(not(feature = "engine"))]
const KINDS: [&str; 1] = ["head"];
#[cfg(feature = "engine")]
const LORA: &str = "lora";
#[cfg(feature = "engine")]
const ALORA: &str = "alora";
#[cfg(feature = "engine")]
const AUTO: &str = "auto";

#[derive(clap::Args)]
pub(super) struct Tune {
    /// The project file
    file: PathBuf,
    /// What to train: `head`, a linear classifier on the encoder's vectors (about a second); `lora`, low-rank updates of the encoder or of
    /// the judge (minutes); `alora`, a LoRA of the judge that is active only at the answer, so that the cached prompt stays valid; `auto`, a
    /// LoRA of the encoder and then, where a model file has judged, an `alora` of that judge and what `--distil` does
    #[arg(long, value_name = "KIND", default_value = "head", value_parser = KINDS)]
    adapter: String,
    /// Teach a LoRA of the encoder what scout and judge together say of the pool, beside the labels: `predict` then has what the judge knows at
    /// the scout's speed. It becomes active only where it is better than the scout on labels that it has not seen
    #[cfg(feature = "engine")]
    #[arg(long, conflicts_with = "adapter")]
    distil: bool,
    /// The encoder, if its file has moved; or the judge's language model, to train the judge instead: a name from `hardcase models`, or the
    /// path of a GGUF file
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Number of epochs for a LoRA [default: 2; 3 from 500 training labels]. For a judge, the greatest number; cross-validation chooses
    /// [default: 16]
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=50))]
    epochs: Option<u8>,
    /// Number of threads [default: one for each core]
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,
    /// Update only the prelabels of existing cases; the rest of the pool follows when you mine next
    #[arg(long)]
    no_rescore: bool,
}

impl Tune {
    /// Whether this needs the model, and so a child process.
    #[cfg(feature = "engine")]
    pub fn needs_model(&self) -> bool {
        self.adapter != "head" || self.distil
    }

    /// The kind of judge adapter to train, if it is the judge that is trained: the model's architecture tells encoder and judge apart.
    #[cfg(feature = "engine")]
    fn judge_adapter(&self, model: Option<&Path>) -> Result<Option<AdapterScope>> {
        match (self.adapter.as_str(), model) {
            (ALORA, _) => Ok(Some(AdapterScope::Alora)),
            (LORA, Some(model)) => Ok(is_language_model(model)?.then_some(AdapterScope::Lora)),
            _ => Ok(None),
        }
    }

    /// An option that was given and that applies only to a LoRA.
    #[cfg(feature = "engine")]
    fn lora_option(&self) -> Option<&'static str> {
        [
            ("--epochs", self.epochs.is_some()),
            ("--model", self.model.is_some()),
            ("--threads", self.threads.is_some()),
        ]
        .into_iter()
        .find_map(|(option, given)| given.then_some(option))
    }

    pub fn run(self, setting: &Setting) -> Result<()> {
        #[cfg(feature = "engine")]
        let model = named_file(self.model.clone())?;
        let rescore = if self.no_rescore { Rescore::CasesOnly } else { Rescore::Pool };
        #[cfg(feature = "engine")]
        if self.adapter == AUTO {
            return self.all(setting, model, rescore);
        }
        #[cfg(feature = "engine")]
        if let Some(scope) = self.judge_adapter(model.as_deref())? {
            let options = TrainJudgeOptions {
                scope,
                model,
                epochs: self.epochs.map(usize::from),
                threads: self.threads,
                rescore,
            };
            let report = train_judge(&setting.job(&self.file), &options)?;
            return setting.print(&report);
        }
        #[cfg(feature = "engine")]
        if self.needs_model() {
            let model = setting.scout_model(model, self.threads);
            let options =
                TrainLoraOptions { epochs: self.epochs.map(usize::from), rescore, distil: self.distil };
            let report = train_lora(&setting.job(&self.file), &model, &options)?;
            return setting.print(&report);
        }
        #[cfg(feature = "engine")]
        if let Some(option) = self.lora_option() {
            return Err(Fault::usage("train the head", format!("{option} applies only to a LoRA"))
                .hint("Leave it out, or add --adapter lora"));
        }
        let report = tune(&setting.job(&self.file), rescore)?;
        setting.print(&report)
    }

    /// Trains the encoder, then the judge if a model file has judged, and then the encoder again on what both say together. What only the judge is
    /// lacking is a note: the encoder's LoRA is worth having without it.
    #[cfg(feature = "engine")]
    fn all(self, setting: &Setting, model: Option<PathBuf>, rescore: Rescore) -> Result<()> {
        if self.epochs.is_some() {
            let why =
                "--epochs applies to one adapter, and encoder and judge are trained for different numbers";
            return Err(Fault::usage("train all adapters", why).hint("Leave it out, or name the adapter"));
        }
        let encoder = setting.scout_model(model, self.threads);
        let job = setting.job(&self.file);
        let lora = train_lora(&job, &encoder, &TrainLoraOptions { epochs: None, rescore, distil: false })?;
        let options = TrainJudgeOptions {
            scope: AdapterScope::Alora,
            model: None,
            epochs: None,
            threads: self.threads,
            rescore,
        };
        let judge = match has_local_judge(&self.file)? && lora.verdict != Verdict::Stopped {
            true => match train_judge(&job, &options) {
                Ok(report) => Some(report),
                Err(fault) => {
                    setting.watch.note(&fault.to_string());
                    None
                }
            },
            false => None,
        };
        let distilled = match &judge {
            Some(judge) if !judge.stopped() => {
                let options = TrainLoraOptions { epochs: None, rescore, distil: true };
                Some(train_lora(&job, &encoder, &options)?)
            }
            _ => None,
        };
        setting.print(&All { lora, judge, distilled })
    }
}

/// What came of training encoder and judge.
#[cfg(feature = "engine")]
#[derive(Serialize)]
struct All {
    lora: TrainLoraReport,
    /// None where no model file has judged, or it cannot be trained.
    judge: Option<TrainJudgeReport>,
    /// None where no judge was trained.
    distilled: Option<TrainLoraReport>,
}

#[cfg(feature = "engine")]
impl std::fmt::Display for All {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.lora)?;
        self.judge.as_ref().map_or(Ok(()), |judge| write!(f, ". Then {judge}"))?;
        self.distilled.as_ref().map_or(Ok(()), |distilled| write!(f, ". At last, {distilled}"))
    }
}
