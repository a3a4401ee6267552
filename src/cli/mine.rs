//! `mine`: closes the round and opens the next.

use std::path::PathBuf;

use super::setting::Setting;
use crate::domain::fault::Result;
#[cfg(feature = "engine")]
use crate::job::adapters::{is_behind, read_rest};
use crate::job::mine::{DEFAULT_BUDGET, MineOptions, Old, mine, strategies};
use crate::work::JobContext;

#[derive(clap::Args)]
pub(super) struct Mine {
    /// The project file
    file: PathBuf,
    #[arg(long, value_name = "S", help = format!("How to choose the cases, the default first: {}", strategies()))]
    strategy: Option<String>,
    /// Cases of the round, evaluation and audit included
    #[arg(long, value_name = "N", default_value_t = DEFAULT_BUDGET)]
    budget: usize,
    /// How many experts see a case, by its use, and the share of training cases that one more sees; kept for later rounds
    /// [default: eval=2,audit=2,train=1,share=0.1]. Never more than there are active experts
    #[arg(long, value_name = "eval=2,…")]
    overlap: Option<String>,
    /// Leave a round open to which others owe answers; they count in it. Otherwise a lead closes it, and nobody else may
    #[arg(long)]
    keep_open: bool,
}

impl Mine {
    /// Whether a model has to read texts first. What cannot be told is said when it is mined.
    #[cfg(feature = "engine")]
    pub fn needs_model(&self) -> bool {
        is_behind(&self.file).unwrap_or(false)
    }

    pub fn run(self, setting: &Setting) -> Result<()> {
        #[cfg(feature = "engine")]
        if self.needs_model() {
            read_rest(&setting.job(&self.file), &setting.scout_model(None, None))?;
        }
        let options = MineOptions {
            strategy: self.strategy,
            budget: self.budget,
            overlap: self.overlap,
            incomplete: if self.keep_open { Old::StaysOpen } else { Old::IsClosed },
        };
        let speaker = setting.reader_on(&self.file)?;
        let report = mine(&JobContext { expert: &speaker, ..setting.job(&self.file) }, &options)?;
        setting.print(&report)
    }
}
