//! `scout`: embeds and prelabels all new texts.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::models::named_file;
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::job::scout::scout;

#[derive(clap::Args)]
pub(super) struct Scout {
    /// The project file
    file: PathBuf,
    /// An encoder model: a name from `hardcase models`, or the path of a GGUF file [default: the project's encoder, else the embedded one]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Number of threads [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl Scout {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let model = setting.scout_model(named_file(self.model)?, self.threads);
        let report = scout(&setting.job(&self.file), &model)?;
        setting.print(&report)
    }
}
