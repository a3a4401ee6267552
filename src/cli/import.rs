//! `import`: adds texts to a project.

use std::path::{Path, PathBuf};

use super::arguments::Reading;
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::read_options::ReadOptions;
use crate::job::import::{BadRows, import, input_formats};

#[derive(clap::Args)]
pub(super) struct Import {
    /// The project file
    file: PathBuf,
    #[arg(required = true, help = format!("{}; `-` is standard input", input_formats()))]
    data: Vec<PathBuf>,
    #[command(flatten)]
    importing: Importing,
}

/// How data is imported; shared by `import`, `new` and `hardcase DATA`.
#[derive(clap::Args)]
pub(super) struct Importing {
    #[command(flatten)]
    reading: Reading,
    /// Write rows that cannot be read to DATA.rejects.jsonl instead of stopping
    #[arg(long)]
    skip_bad: bool,
}

impl Importing {
    /// How to read the data, and what to do with rows that cannot be read.
    pub fn checked(self) -> (ReadOptions, BadRows) {
        let bad_rows = if self.skip_bad { BadRows::Reject } else { BadRows::Stop };
        (self.reading.into(), bad_rows)
    }
}

impl Import {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let (options, bad_rows) = self.importing.checked();
        import_all(setting, &self.file, &self.data, &options, bad_rows)
    }
}

/// Imports one file after the other and prints a report for each.
pub(super) fn import_all(
    setting: &Setting,
    project: &Path,
    data: &[PathBuf],
    options: &ReadOptions,
    bad_rows: BadRows,
) -> Result<()> {
    for file in data {
        let report = import(&setting.job(project), file, options, bad_rows)?;
        setting.print(&report)?;
    }
    Ok(())
}
