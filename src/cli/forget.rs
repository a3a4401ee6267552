//! `forget`: removes texts from a project for good.

use std::io::{IsTerminal, stdin};
use std::path::PathBuf;

use super::output::{print, print_json};
use super::setting::Setting;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::sanitize::sanitize;
use crate::upkeep::forget::{forget, would_forget};

/// Remove texts and all that was said of them from a project, for good.
///
/// The text, its columns, vectors, predictions, notes and drafts are removed from the file, and no merge or import brings them
/// back. Who labelled it, when, and with which label stays. Backups are not changed: those that still hold the text are named.
#[derive(clap::Args)]
pub(super) struct Forget {
    /// The project file
    file: PathBuf,
    /// The numbers of the texts, as on the screen Items and in exports
    #[arg(required = true, value_name = "ITEM")]
    items: Vec<i64>,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Only say what would be removed
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
}

impl Forget {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let items: Vec<ItemId> = self.items.iter().copied().map(ItemId).collect();
        let report = if self.dry_run || !self.yes { Some(would_forget(&self.file, &items)?) } else { None };
        let report = match report {
            Some(would) if self.dry_run => would,
            Some(would) => {
                if !stdin().is_terminal() || setting.wants_json() {
                    return Err(Fault::usage(
                        "remove texts",
                        "this cannot be undone, and nobody can be asked here",
                    )
                    .hint("Pass --yes to remove them, or --dry-run to see what would be removed"));
                }
                print(&sanitize(&would.to_string()))?;
                print("This cannot be undone. Type yes to remove:")?;
                let mut said = String::new();
                let read = stdin().read_line(&mut said);
                if read.is_err() || !said.trim().eq_ignore_ascii_case("yes") {
                    return setting.say("Nothing was removed.");
                }
                forget(&self.file, &items)?
            }
            None => forget(&self.file, &items)?,
        };
        if setting.wants_json() { print_json(&report) } else { setting.say(&sanitize(&report.to_string())) }
    }
}
