//! `new`: makes a project, and imports data where it is named.

use std::path::PathBuf;

use super::arguments::Reading;
use super::import::import_all;
use super::setting::Setting;
use super::task::read_task;
use crate::domain::fault::Result;
use crate::job::create::create;
use crate::job::import::BadRows;

/// The seed of a project that is given none: the same data then gives the same rounds everywhere.
pub(super) const DEFAULT_SEED: u64 = 1;

#[derive(clap::Args)]
pub(super) struct New {
    /// The project file to make
    file: PathBuf,
    /// The task: question, guideline and labels
    #[arg(long, value_name = "TASK.toml")]
    task: Option<PathBuf>,
    /// Texts to import; may be given several times
    #[arg(long, value_name = "DATA")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Put rows that cannot be read into DATA.rejects.jsonl instead of stopping
    #[arg(long)]
    skip_bad: bool,
}

impl New {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let task = self.task.as_deref().map(read_task).transpose()?;
        let warning =
            create(&self.file, task.as_ref(), setting.seed.unwrap_or(DEFAULT_SEED), &setting.expert)?;
        if let Some(warning) = warning {
            setting.say(&warning)?;
        }
        setting.say(&format!("made {}", self.file.display()))?;
        let bad_rows = if self.skip_bad { BadRows::Reject } else { BadRows::Stop };
        import_all(setting, &self.file, &self.data, &self.reading.into(), bad_rows)?;
        let file = self.file.display();
        setting.say(&match (&task, self.data.is_empty()) {
            (None, _) => {
                format!("next: write a TASK.toml and set it with `hardcase task {file} --set TASK.toml`")
            }
            (_, true) => format!("next: `hardcase import {file} DATA`"),
            (_, false) => format!("next: `hardcase scout {file}`"),
        })
    }
}
