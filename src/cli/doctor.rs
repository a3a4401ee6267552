//! `doctor`: checks this machine and a project, and repairs a damaged project.

use std::io::IsTerminal;
use std::path::PathBuf;

use super::output::{print, print_json};
use super::setting::Setting;
use crate::domain::fault::{Fault, FaultKind, Result};
use crate::domain::sanitize::sanitize;
use crate::upkeep::diagnostic::{Finding, State};
pub(super) use crate::upkeep::doctor::TRY_LOCK;
use crate::upkeep::doctor::{ask_for_lock, examine};
use crate::upkeep::key::remove_key;
use crate::upkeep::repair::repair;
use crate::upkeep::support::support_report;
use crate::work::output::write_text;

#[derive(clap::Args)]
pub(super) struct Doctor {
    /// A project file to check
    file: Option<PathBuf>,
    /// Copy everything readable from a damaged project into a new file in its place. The damaged file is kept under a dated name, and a
    /// report says what was lost. Nobody may work on the project meanwhile
    #[arg(long, requires = "file")]
    repair: bool,
    /// Exit with 0 although the repair lost something; without it the exit code is then 3
    #[arg(long, requires = "repair")]
    accept_losses: bool,
    /// Remove the key of a judge's server from the project, if a server repeated it in a refusal
    #[arg(long, requires = "file", conflicts_with = "repair")]
    remove_key: bool,
    /// Write a report for support: the program, the machine, the findings and the numbers of the project, without texts, labels and names
    #[arg(long, value_name = "OUT", conflicts_with_all = ["repair", "remove_key"])]
    bundle: Option<PathBuf>,
}

impl Doctor {
    pub fn run(self, setting: &Setting) -> Result<()> {
        if let Some(file) = self.file.as_deref().filter(|_| self.repair) {
            let report = repair(file)?;
            if setting.wants_json() {
                print_json(&report)?;
            } else {
                print(&sanitize(&report.to_string()))?;
            }
            if report.lost_anything() && !self.accept_losses {
                return Err(Fault::new(
                    "repair the project without a loss",
                    "some of what it held is gone or changed",
                )
                .kind(FaultKind::Check)
                .hint("The report above says what; the project can be used"));
            }
            return Ok(());
        }
        if let Some(file) = self.file.as_deref().filter(|_| self.remove_key) {
            let report = remove_key(file)?;
            return if setting.wants_json() {
                print_json(&report)
            } else {
                print(&sanitize(&report.to_string()))
            };
        }
        let mut findings = vec![terminal(), processor()];
        #[cfg(feature = "engine")]
        findings.push(embedded_model(setting));
        #[cfg(not(feature = "engine"))]
        findings.push(Finding::new(
            "models",
            State::Warning,
            "this build has none: you can label, but not scout",
        ));
        if let Some(file) = &self.file {
            findings.extend(examine(file)?);
        }
        if let Some(out) = &self.bundle {
            let report = support_report(&super::version::long(), &findings, self.file.as_deref());
            write_text(out, &sanitize(&report))?;
            return setting.say(&format!(
                "Written to {}. It holds no text, label or name of yours; read it before you send it.",
                out.display()
            ));
        }
        let wrong = findings.iter().filter(|f| f.state == State::Wrong).count();
        if setting.wants_json() {
            print_json(&findings)?;
        } else {
            for f in &findings {
                let sign = match f.state {
                    State::Fine => "ok  ",
                    State::Warning => "note",
                    State::Wrong => "BAD ",
                };
                print(&format!("{sign} {:<12} {}", f.what, sanitize(&f.says)))?;
            }
        }
        if wrong > 0 {
            return Err(Fault::new("pass all checks", format!("{wrong} of {} failed", findings.len()))
                .kind(FaultKind::Check)
                .hint("Each failed check above says what to do"));
        }
        Ok(())
    }
}

/// The second of two processes that ask for the same lock.
#[derive(clap::Args)]
pub(super) struct TryLock {
    /// The file that the first process has locked
    scratch: PathBuf,
}

impl TryLock {
    pub fn run(self) -> Result<()> {
        ask_for_lock(&self.scratch)
    }
}

fn terminal() -> Finding {
    let name = std::env::var("TERM").unwrap_or_default();
    match (std::io::stdout().is_terminal(), rustix::termios::tcgetwinsize(std::io::stdout())) {
        (true, Ok(size)) if size.ws_col >= 80 && size.ws_row >= 24 => {
            Finding::new("terminal", State::Fine, format!("{name}, {} × {}", size.ws_col, size.ws_row))
        }
        (true, Ok(size)) => Finding::new(
            "terminal",
            State::Warning,
            format!("{name}, {} × {}: make it at least 80 × 24", size.ws_col, size.ws_row),
        ),
        _ => Finding::new("terminal", State::Fine, "output goes to a file or a pipe"),
    }
}

fn processor() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let best = super::version::instructions()
        .unwrap_or("baseline instructions; a binary built on this machine scouts several times faster");
    Finding::new("processor", State::Fine, format!("{cores} threads; this binary uses {best}"))
}

#[cfg(feature = "engine")]
fn embedded_model(setting: &Setting) -> Finding {
    match setting.scout_model(None, None).check_embedded() {
        Ok(says) => Finding::new("scout", State::Fine, says),
        Err(fault) => Finding::new("scout", State::Wrong, fault.to_string()),
    }
}
