//! `tune`: trains on the answers.

use std::path::PathBuf;

use super::setting::Setting;
#[cfg(feature = "engine")]
use crate::domain::fault::Fault;
use crate::domain::fault::Result;
#[cfg(feature = "engine")]
use crate::job::adapt::{AdaptOptions, adapt};
use crate::job::tune::{Rescore, tune};

/// What this build can train.
#[cfg(feature = "engine")]
const KINDS: [&str; 2] = ["head", LORA];
#[cfg(not(feature = "engine"))]
const KINDS: [&str; 1] = ["head"];
#[cfg(feature = "engine")]
const LORA: &str = "lora";

#[derive(clap::Args)]
pub(super) struct Tune {
    /// The project file
    file: PathBuf,
    /// What to train: the linear head on the model's vectors, in a second, or low-rank updates of the model, in a minute
    #[arg(long, value_name = "KIND", default_value = "head", value_parser = KINDS)]
    adapter: String,
    /// The encoder model as GGUF, where it has moved since it scouted
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "GGUF")]
    model: Option<PathBuf>,
    /// How often each label is seen by a LoRA [default: 2; 3 from 500 training labels]
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=50))]
    epochs: Option<u8>,
    /// Threads [default: one for each core]
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,
    /// Prelabel only the cases anew; the pool follows with the next mining
    #[arg(long)]
    no_rescore: bool,
}

impl Tune {
    /// Whether it works with the model itself.
    #[cfg(feature = "engine")]
    pub fn needs_model(&self) -> bool {
        self.adapter == LORA
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
        if self.needs_model() {
            let model = setting.scout_model(self.model, self.threads);
            let options = AdaptOptions { epochs: self.epochs.map(usize::from), rescore };
            let report = adapt(&setting.job(&self.file), &model, &options)?;
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
