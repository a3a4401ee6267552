//! `report`: writes a report for an auditor.

use std::path::PathBuf;

use super::output::print;
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::grouped::counted;
use crate::domain::progress::Watcher;
use crate::insight::report::{document, markdown, report};
use crate::work::output::write_text;

/// Write a report for an auditor.
///
/// It covers the task and its revisions, who labelled what and how blind, agreement, decisions, the audit, models, rounds, and the limits of all
/// this. The same project file always gives the same report.
#[derive(clap::Args)]
pub(super) struct Report {
    /// The project file
    file: PathBuf,
    /// File to write to [default: standard output]
    #[arg(short, long, value_name = "OUT")]
    out: Option<PathBuf>,
}

impl Report {
    pub fn run(self, setting: &Setting) -> Result<()> {
        setting.watch.end_at_once();
        let report = report(&self.file, &setting.expert_on(&self.file)?)?;
        let text = if setting.wants_json() { format!("{}\n", document(&report)?) } else { markdown(&report) };
        if report.about.left_out > 0 {
            setting.watch.note(&format!(
                "Left out the answers to {} whose cases are still open. Only a lead may see them (--as NAME).",
                counted(report.about.left_out, "text", "texts")
            ));
        }
        match self.out.filter(|out| out.as_os_str() != "-") {
            None => print(text.trim_end()),
            Some(out) => {
                write_text(&out, &text)?;
                setting.say(&format!("Wrote {}.", counted(text.lines().count(), "line", "lines")))
            }
        }
    }
}
