//! `scout`: embeds and prelabels all new texts.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::setting::Setting;
use crate::domain::fault::Result;
use crate::job::scout::scout;

#[derive(clap::Args)]
pub(super) struct Scout {
    /// The project file
    file: PathBuf,
    /// An encoder model as GGUF [default: the project's encoder, else the embedded one]
    #[arg(long, value_name = "GGUF")]
    model: Option<PathBuf>,
    /// Number of threads [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl Scout {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let model = setting.scout_model(self.model, self.threads);
        let report = scout(&setting.job(&self.file), &model)?;
        setting.print(&report)
    }
}
