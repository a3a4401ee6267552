//! `merge`: merges copies of a project, or label logs, into a project.

use std::path::PathBuf;

use super::output::{complain, print, print_json};
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::sanitize::sanitize;
use crate::exchange::merge::{Mode, merge};
use crate::upkeep::backup::{Occasion, back_up_quietly};

/// Merge copies of a project, or a label log, into a project.
///
/// FILE receives everything that it lacks. Nothing in it is overwritten, and merging the same copy again changes nothing. Copies are only
/// read. The active model, the leases of cases and unsaved notes stay as they are in FILE.
#[derive(clap::Args)]
pub(super) struct Merge {
    /// The project file to merge into
    file: PathBuf,
    /// Copies of the project, or label logs written by `export --what events`
    #[arg(required = true)]
    other: Vec<PathBuf>,
    /// Show what would be merged and what conflicts, without changing anything
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
                None => setting.say("Another process has already merged this copy.")?,
            }
        }
        if setting.wants_json() { print_json(&reports) } else { Ok(()) }
    }
}
