//! `restore`: brings a project back from a backup.

use std::path::PathBuf;

use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::sanitize::sanitize;
use crate::upkeep::restore::{Newer, restore};

/// Restore a project from a backup, keeping labels given since.
///
/// The current file is kept under a dated name. Nobody may work on the project meanwhile.
#[derive(clap::Args)]
pub(super) struct Restore {
    /// The project file
    file: PathBuf,
    /// The backup to restore [default: the newest intact one; `hardcase backup FILE --list` shows all]
    #[arg(long, value_name = "BACKUP")]
    from: Option<PathBuf>,
    /// Do not bring over labels given since the backup; they stay in the file kept under a dated name. What people were shown
    /// since stays recorded all the same
    #[arg(long)]
    as_it_was: bool,
}

impl Restore {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let newer = if self.as_it_was { Newer::StayAside } else { Newer::ComeAlong };
        let report = restore(&setting.job(&self.file), self.from.as_deref(), newer)?;
        if setting.wants_json() {
            return setting.print(&report);
        }
        setting.say(&sanitize(&report.to_string()))
    }
}
