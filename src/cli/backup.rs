//! `backup`: makes a dated copy of the project, or lists the copies.

use std::path::PathBuf;

use super::output::{print, print_json};
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::grouped::{counted, grouped};
use crate::domain::sanitize::sanitize;
use crate::upkeep::backup::{ListedBackup, Occasion, back_up, back_up_to, list, rules};

/// Back up the project to the folder FILE.backups, or list its backups. Others may keep working meanwhile.
#[derive(clap::Args)]
#[command(after_help = rules())]
pub(super) struct Backup {
    /// The project file
    file: PathBuf,
    /// Write the copy to this path instead; it is never removed automatically
    #[arg(long, value_name = "PATH", conflicts_with = "list")]
    to: Option<PathBuf>,
    /// List the backups, newest first
    #[arg(long)]
    list: bool,
}

impl Backup {
    pub fn run(self, setting: &Setting) -> Result<()> {
        if self.list {
            let all = list(&self.file);
            return if setting.wants_json() { print_json(&all) } else { print(&sanitize(&in_words(&all))) };
        }
        let report = match &self.to {
            Some(to) => back_up_to(&self.file, to)?,
            None => back_up(&self.file, Occasion::Asked)?,
        };
        if setting.wants_json() { print_json(&report) } else { setting.say(&sanitize(&report.to_string())) }
    }
}

fn in_words(all: &[ListedBackup]) -> String {
    if all.is_empty() {
        return "No backup yet. `hardcase backup FILE` makes one.".into();
    }
    let lines = all.iter().map(|b| {
        let holds = match (b.holds, b.labels) {
            (_, Some(labels)) => counted(labels, "label", "labels"),
            ("labels", None) => "the label log".into(),
            ("earlier-version", None) => "earlier version".into(),
            (_, None) => "cannot be read".into(),
        };
        format!("{}  {:>14}  {holds:<16}  {}", b.made, grouped(b.bytes), b.backup.display())
    });
    lines.collect::<Vec<_>>().join("\n")
}
