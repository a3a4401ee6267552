//! `agreement`: whether the experts agree.

use std::path::PathBuf;

use super::output::{harmless, print};
use super::setting::Setting;
use crate::desk::agreement::agreement;
use crate::domain::fault::Result;

#[derive(clap::Args)]
pub(super) struct Agreement {
    /// The project file
    file: PathBuf,
}

impl Agreement {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let report = agreement(&self.file, &setting.expert_on(&self.file)?)?;
        if setting.wants_json() { setting.print(&report) } else { print(&harmless(&report.to_string())) }
    }
}
