//! `merge`: brings copies of the project, or logs of labels, together.

use std::path::PathBuf;

use super::output::{complain, print, print_json};
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::sanitize::sanitize;
use crate::exchange::merge::{Mode, merge};
use crate::upkeep::backup::{Occasion, back_up_quietly};

/// A union: what FILE lacks comes in, nothing in it is overwritten, and merging again brings nothing new. A copy is only read. Which model
/// is active, who has which case, and notes that are not saved stay as they are in FILE.
#[derive(clap::Args)]
pub(super) struct Merge {
    /// The project file that takes in what the others have
    file: PathBuf,
    /// Copies of the project, or what `export --what events` wrote of one
    #[arg(required = true)]
    other: Vec<PathBuf>,
    /// Say what would come in and what conflicts, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Merge {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let mode = if self.dry_run { Mode::DryRun } else { Mode::Merge };
        let mut reports = Vec::new();
        if mode == Mode::Merge
            && let Some(line) = back_up_quietly(&self.file, Occasion::Before)
        {
            complain(&line);
        }
        for other in &self.other {
            match merge(&setting.job(&self.file), other, mode)? {
                Some(report) if setting.wants_json() => reports.push(report),
                Some(report) => print(&sanitize(&report.to_string()))?,
                None => setting.say("another process merged the same copy")?,
            }
        }
        if setting.wants_json() { print_json(&reports) } else { Ok(()) }
    }
}
