//! `mine`: closes the round and opens the next.

use std::path::PathBuf;

use super::setting::Setting;
use crate::domain::fault::Result;
#[cfg(feature = "engine")]
use crate::job::adapters::{is_behind, read_rest};
use crate::job::mine::{DEFAULT_BUDGET, MineOptions, mine, strategies};

#[derive(clap::Args)]
pub(super) struct Mine {
    /// The project file
    file: PathBuf,
    #[arg(long, value_name = "S", help = format!("How to choose the cases, the default first: {}", strategies()))]
    strategy: Option<String>,
    /// Cases of the round, evaluation and audit included
    #[arg(long, value_name = "N", default_value_t = DEFAULT_BUDGET)]
    budget: usize,
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
        let options = MineOptions { strategy: self.strategy, budget: self.budget };
        let report = mine(&setting.job(&self.file), &options)?;
        setting.print(&report)
    }
}
