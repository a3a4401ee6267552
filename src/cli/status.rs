//! `status`: where the project stands.

use std::path::PathBuf;

use super::output::{harmless, print};
use super::setting::Setting;
use crate::desk::status::status;
use crate::domain::fault::Result;

#[derive(clap::Args)]
pub(super) struct Status {
    /// The project file
    file: PathBuf,
}

impl Status {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let report = status(&self.file, &setting.reader_on(&self.file)?)?;
        if setting.wants_json() { setting.print(&report) } else { print(&harmless(&report.to_string())) }
    }
}
