//! `task`: shows the task, or sets a new revision.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::output::{print_exact, print_json};
use super::setting::Setting;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::grouped::counted;
use crate::domain::task;
use crate::job::adapters::list;
use crate::job::task::{revisions, set};

/// Largest `TASK.toml` that is read, in bytes.
const LONGEST: u64 = 1_000_000;

#[derive(clap::Args)]
#[group(id = "action", required = true, multiple = false)]
struct Action {
    /// Print the current revision as TOML
    #[arg(long)]
    show: bool,
    /// Set a new revision. Labels that keep their name or id keep their answers
    #[arg(long, value_name = "TASK.toml")]
    set: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(super) struct Task {
    /// The project file
    file: PathBuf,
    #[command(flatten)]
    action: Action,
}

impl Task {
    pub fn run(self, setting: &Setting) -> Result<()> {
        if let Some(path) = self.action.set {
            let number = set(&self.file, read_task(&path)?, &setting.expert_on(&self.file)?)?;
            if setting.wants_json() {
                return print_json(&serde_json::json!({ "revision": number }));
            }
            let active = list(&self.file)?.into_iter().find(|a| a.active && !a.lacks.is_empty());
            return setting.say(&match active {
                Some(a) => format!(
                    "The task is now at revision {number}. Adapter {} stays active, but it does not know '{}' yet: run `hardcase tune` once each new \
                     label has 2 training labels.",
                    a.adapter,
                    a.lacks.join("', '")
                ),
                None => format!(
                    "The task is now at revision {number}. Run `hardcase scout` and `hardcase tune` to update the prelabels."
                ),
            });
        }
        let revisions = revisions(&self.file)?;
        if setting.wants_json() {
            return print_json(&revisions);
        }
        match revisions.last() {
            Some(standing) => print_exact(&format!(
                "# revision {}, the current one; {} in all\n{}",
                standing.number,
                counted(revisions.len(), "revision", "revisions"),
                standing.task.to_toml()?.trim_end()
            )),
            None => Err(Fault::usage("show the task", "the project has no task yet")
                .hint("Set one with `hardcase task FILE --set TASK.toml`")),
        }
    }
}

/// Reads and checks a `TASK.toml`.
pub(super) fn read_task(path: &Path) -> Result<task::Task> {
    let attempted = format!("read the task {}", path.display());
    // Not by its size: a device or a pipe has none.
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(|e| Fault::usage(&attempted, io_reason(&e)))?;
    if bytes.len() as u64 > LONGEST {
        return Err(
            Fault::usage(&attempted, "it is larger than 1 MB, too large for a task").hint("Give a TASK.toml")
        );
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Fault::usage(&attempted, "it is not UTF-8 text").hint("Save it as UTF-8"))?;
    task::Task::from_toml(text.trim_start_matches('\u{feff}'), &path.display().to_string())
}
