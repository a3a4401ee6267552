//! `status`: shows where the project stands and what to do next.

use std::path::PathBuf;

use super::output::print;
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::sanitize::sanitize;
use crate::insight::slices::slices;
use crate::insight::status::status;

#[derive(clap::Args)]
pub(super) struct Status {
    /// The project file
    file: PathBuf,
    /// Show how far model and experts agree by meta:COLUMN (a column shown with the texts), source, language or length instead
    #[arg(long, value_name = "BY")]
    slice: Option<String>,
}

impl Status {
    pub fn run(self, setting: &Setting) -> Result<()> {
        if let Some(by) = &self.slice {
            let found = slices(&self.file, &setting.expert_on(&self.file)?, by)?;
            return if setting.wants_json() {
                setting.print(&found)
            } else {
                print(&sanitize(&found.to_string()))
            };
        }
        let report = status(&self.file, &setting.expert_on(&self.file)?)?;
        if setting.wants_json() { setting.print(&report) } else { print(&sanitize(&report.to_string())) }
    }
}
