//! `tune`: trains on the answers.

use std::path::PathBuf;

use super::setting::Setting;
#[cfg(feature = "engine")]
use crate::domain::fault::Fault;
use crate::domain::fault::Result;
#[cfg(feature = "engine")]
use crate::job::train_judge::{TrainJudgeOptions, is_language_model, train_judge};
#[cfg(feature = "engine")]
use crate::job::train_lora::{TrainLoraOptions, train_lora};
use crate::job::tune::{Rescore, tune};
#[cfg(feature = "engine")]
use crate::learn::judge_training::AdapterScope;

/// What this build can train.
#[cfg(feature = "engine")]
const KINDS: [&str; 3] = ["head", LORA, ALORA];
#[cfg(not(feature = "engine"))]
const KINDS: [&str; 1] = ["head"];
#[cfg(feature = "engine")]
const LORA: &str = "lora";
#[cfg(feature = "engine")]
const ALORA: &str = "alora";

#[derive(clap::Args)]
pub(super) struct Tune {
    /// The project file
    file: PathBuf,
    /// What to train: the linear head on the model's vectors, in a second, or low-rank updates of the model, in a minute; `alora`
    /// changes a language model's reading of its answer's beginning alone
    #[arg(long, value_name = "KIND", default_value = "head", value_parser = KINDS)]
    adapter: String,
    /// The encoder model as GGUF, where it has moved since it scouted; or the language model that judges, which is then the one trained
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "GGUF")]
    model: Option<PathBuf>,
    /// How often each label is seen by a LoRA [default: 2; 3 from 500 training labels]; by a language model at most, as held-out labels
    /// advise [default: 2; 8 for a small one]
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=50))]
    epochs: Option<u8>,
    /// Threads [default: one for each core]
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,
    /// Prelabel only the cases again; the pool follows when the next round is mined
    #[arg(long)]
    no_rescore: bool,
}

impl Tune {
    /// Whether it works with the model itself.
    #[cfg(feature = "engine")]
    pub fn needs_model(&self) -> bool {
        self.adapter != "head"
    }

    /// Which adapter of the judge it trains, where it does: a model that is named says whether the scout or the judge is meant.
    #[cfg(feature = "engine")]
    fn judge_adapter(&self) -> Result<Option<AdapterScope>> {
        match (self.adapter.as_str(), &self.model) {
            (ALORA, _) => Ok(Some(AdapterScope::Alora)),
            (LORA, Some(model)) => Ok(is_language_model(model)?.then_some(AdapterScope::Lora)),
            _ => Ok(None),
        }
    }

    /// An option that was given and that only a LoRA has a use for.
    #[cfg(feature = "engine")]
    fn of_a_lora(&self) -> Option<&'static str> {
        [
            ("--epochs", self.epochs.is_some()),
            ("--model", self.model.is_some()),
            ("--threads", self.threads.is_some()),
        ]
        .into_iter()
        .find_map(|(option, given)| given.then_some(option))
    }

    pub fn run(self, setting: &Setting) -> Result<()> {
        let rescore = if self.no_rescore { Rescore::CasesOnly } else { Rescore::Pool };
        #[cfg(feature = "engine")]
        if let Some(scope) = self.judge_adapter()? {
            let options = TrainJudgeOptions {
                scope,
                model: self.model,
                epochs: self.epochs.map(usize::from),
                threads: self.threads,
                rescore,
            };
            let report = train_judge(&setting.job(&self.file), &options)?;
            return setting.print(&report);
        }
        #[cfg(feature = "engine")]
        if self.needs_model() {
            let model = setting.scout_model(self.model, self.threads);
            let options = TrainLoraOptions { epochs: self.epochs.map(usize::from), rescore };
            let report = train_lora(&setting.job(&self.file), &model, &options)?;
            return setting.print(&report);
        }
        #[cfg(feature = "engine")]
        if let Some(option) = self.of_a_lora() {
            return Err(Fault::usage("tune the head", format!("{option} goes with --adapter lora"))
                .hint("Leave it out, or add --adapter lora"));
        }
        let report = tune(&setting.job(&self.file), rescore)?;
        setting.print(&report)
    }
}
