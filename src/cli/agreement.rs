//! `agreement`: how well the experts agree, with each other and with the model.

use std::path::PathBuf;

use super::output::print;
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::sanitize::sanitize;
use crate::insight::agreement::agreement;

#[derive(clap::Args)]
pub(super) struct Agreement {
    /// The project file
    file: PathBuf,
}

impl Agreement {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let report = agreement(&self.file, &setting.expert_on(&self.file)?)?;
        if setting.wants_json() { setting.print(&report) } else { print(&sanitize(&report.to_string())) }
    }
}
