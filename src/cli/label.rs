//! `label`, and `hardcase FILE`: the workstation.

use std::io::{BufRead, stdin};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::output::{complain, prompt};
use super::setting::Setting;
use crate::desk::session::usual_names;
use crate::domain::fault::{Fault, FaultKind, Result, io_reason};
use crate::domain::sanitize::sanitize;
use crate::tui::{Opening, Settings, defaults, run};
use crate::upkeep::backup::{Occasion, back_up_quietly};

#[derive(clap::Args)]
pub(super) struct Label {
    /// The project file
    file: PathBuf,
}

impl Label {
    pub fn run(self, setting: &Setting) -> Result<()> {
        workstation(setting, &self.file)
    }
}

/// Opens the workstation on a project.
pub(super) fn workstation(setting: &Setting, project: &Path) -> Result<()> {
    let settings = match settings_file() {
        Some(path) => {
            offer_defaults(&path);
            Settings::read(&path)?
        }
        None => Settings::default(),
    };
    let colourless = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let settings = if colourless { settings.without_colour() } else { settings };
    let expert = expert(setting, project)?;
    let left = run(Opening { project, expert: &expert, settings });
    // Where nobody sat down, there is nothing to keep.
    let sat = !left.as_ref().is_err_and(|fault| fault.exit_code() == FaultKind::Usage.exit_code());
    if sat
        && let Some(line) = back_up_quietly(project, Occasion::SittingEnded)
        && left.is_ok()
    {
        complain(&line);
    }
    left
}

/// Opens the workstation in a process of its own, which has not run a job and heard no signals yet.
pub(super) fn hand_over(setting: &Setting, project: &Path) -> Result<()> {
    let attempted = || format!("open the workstation on {}", project.display());
    let failed = |e: std::io::Error| Fault::new(attempted(), io_reason(&e)).because(e);
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.arg("label").arg(project);
    if setting.named {
        command.arg("--as").arg(&setting.expert);
    }
    #[cfg(unix)]
    return Err(failed(std::os::unix::process::CommandExt::exec(&mut command)));
    #[cfg(not(unix))]
    command.status().map(drop).map_err(failed)
}

/// Where this person's settings are.
fn settings_file() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "hardcase").map(|dirs| dirs.config_dir().join("settings.toml"))
}

/// Puts the commented defaults where a person would look for settings. Where that cannot be, the defaults hold all the same.
fn offer_defaults(path: &Path) {
    if !path.exists()
        && let Some(folder) = path.parent()
        && std::fs::create_dir_all(folder).is_ok()
    {
        let _ = std::fs::write(path, defaults());
    }
}

/// Who labels: as the command line says, else as this login always did, else as the person says now.
fn expert(setting: &Setting, project: &Path) -> Result<String> {
    if setting.named {
        return Ok(setting.expert.clone());
    }
    let names = usual_names(project)?;
    let usual = names.first().cloned().unwrap_or_else(|| setting.expert.clone());
    // Where several people share a login, none of them signs for another.
    if names.len() == 1 || !setting.asks() {
        return Ok(usual);
    }
    prompt(&format!("Your name, as your labels will be signed [{}]: ", sanitize(&usual)))?;
    let mut line = String::new();
    stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|e| Fault::new("read your name", io_reason(&e)).because(e))?;
    let name = line.trim();
    Ok(if name.is_empty() { usual } else { name.to_owned() })
}
