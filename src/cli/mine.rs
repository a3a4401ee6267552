//! `mine`: closes the current round and opens the next.

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
    #[arg(long, value_name = "S", help = format!("Strategy that chooses the cases: {} [default: the first]", strategies()))]
    strategy: Option<String>,
    /// Number of cases in the round, including those for evaluation and audit
    #[arg(long, value_name = "N", default_value_t = DEFAULT_BUDGET)]
    budget: usize,
    /// Number of experts per case, by split, and the share of training cases that get one more. Kept for later rounds; never more than
    /// there are active experts [default: eval=2,audit=2,train=1,share=0.1]
    #[arg(long, value_name = "eval=2,…")]
    overlap: Option<String>,
    /// Keep the current round open while other experts still have cases in it. Without this option it is closed, which only a lead may do
    #[arg(long)]
    keep_open: bool,
    /// Choose only texts that meet conditions, such as 'lang=de and source!=old.csv and re:refund'; audit cases are still drawn from all
    #[arg(long = "where", value_name = "CONDITIONS")]
    conditions: Option<String>,
    /// Close the current round even if nobody has answered any of its cases
    #[arg(long, conflicts_with = "keep_open")]
    force: bool,
}

impl Mine {
    /// Whether texts must be scored with a LoRA first. An error here is reported by the mining itself.
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
            conditions: self.conditions,
            incomplete: match (self.keep_open, self.force) {
                (true, _) => Old::StaysOpen,
                (false, true) => Old::IsClosed,
                (false, false) => Old::IsClosedIfBegun,
            },
        };
        let speaker = setting.expert_on(&self.file)?;
        let report = mine(&JobContext { expert: &speaker, ..setting.job(&self.file) }, &options)?;
        setting.print(&report)
    }
}
