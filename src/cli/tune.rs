//! `tune`: trains on the answers.

use std::path::PathBuf;

use super::setting::Setting;
use crate::domain::fault::Result;
use crate::job::tune::{Rescore, tune};

#[derive(clap::Args)]
pub(super) struct Tune {
    /// The project file
    file: PathBuf,
    /// What to train
    #[arg(long, value_name = "KIND", default_value = "head", value_parser = ["head"])]
    adapter: String,
    /// Prelabel only the cases anew; the pool follows with the next mining
    #[arg(long)]
    no_rescore: bool,
}

impl Tune {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let rescore = if self.no_rescore { Rescore::CasesOnly } else { Rescore::Pool };
        let report = tune(&setting.job(&self.file), rescore)?;
        setting.print(&report)
    }
}
