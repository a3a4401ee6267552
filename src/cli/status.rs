//! `status`: shows where the project stands and what to do next.

use std::path::PathBuf;

use super::output::print;
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::sanitize::sanitize;
use crate::insight::status::status;

#[derive(clap::Args)]
pub(super) struct Status {
    /// The project file
    file: PathBuf,
}

impl Status {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let report = status(&self.file, &setting.expert_on(&self.file)?)?;
        if setting.wants_json() { setting.print(&report) } else { print(&sanitize(&report.to_string())) }
    }
}
