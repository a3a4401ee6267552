//! `restore`: the project as it was in a backup.

use std::path::PathBuf;

use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::sanitize::sanitize;
use crate::upkeep::restore::{Newer, restore};

/// The file that is there is put aside under a dated name, and labels that were given since the backup come along. Nobody may work on the
/// project meanwhile.
#[derive(clap::Args)]
pub(super) struct Restore {
    /// The project file
    file: PathBuf,
    /// The backup [default: the newest that is whole; `hardcase backup FILE --list` shows all]
    #[arg(long, value_name = "BACKUP")]
    from: Option<PathBuf>,
    /// Leave labels that were given since in the file that is put aside
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
