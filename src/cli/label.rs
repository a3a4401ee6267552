//! `label`, and `hardcase FILE`: the workstation.

use std::io::{BufRead, stdin};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::output::{complain, prompt};
use super::setting::Setting;
use crate::desk::session::usual_names;
use crate::domain::fault::{Fault, FaultKind, Result, io_reason};
use crate::domain::sanitize::sanitize;
use crate::exchange::merge::{Mode, merge};
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
    if let Err(fault) = &left
        && fault.is_displaced()
    {
        return taken_away(setting, project, left);
    }
    // Where nobody sat down, there is nothing to keep.
    let sat = !left.as_ref().is_err_and(|fault| fault.exit_code() == FaultKind::Usage.exit_code());
    if sat
        && let Some(line) = back_up_quietly(project, Occasion::SessionEnded)
        && left.is_ok()
    {
        complain(&line);
    }
    left
}

/// The project was taken away while it was open: says so, and offers to bring the labels into what is there now.
fn taken_away(setting: &Setting, project: &Path, left: Result<()>) -> Result<()> {
    let Err(fault) = &left else { return left };
    let Some(rescue) = fault.rescue().filter(|_| setting.asks() && project.exists()) else { return left };
    complain(&fault.to_string());
    prompt(&format!("Bring them into {} now? [Y/n] ", sanitize(&project.display().to_string())))?;
    let mut line = String::new();
    stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|e| Fault::new("read your answer", io_reason(&e)).because(e))?;
    if line.trim().to_lowercase().starts_with('n') || line.is_empty() {
        return left;
    }
    if let Some(report) = merge(&setting.job(project), rescue, Mode::Merge)? {
        setting.say(&sanitize(&report.to_string()))?;
    }
    Ok(())
}

/// Replaces this process by the workstation: a fresh process has no jobs behind it and no signal handlers installed.
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

fn settings_file() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "hardcase").map(|dirs| dirs.config_dir().join("settings.toml"))
}

/// Writes the commented default settings where a person would look for them. If that fails, the defaults apply anyway.
fn offer_defaults(path: &Path) {
    if !path.exists()
        && let Some(folder) = path.parent()
        && std::fs::create_dir_all(folder).is_ok()
    {
        let _ = std::fs::write(path, defaults());
    }
}

/// Who labels: `--as`, else the name that this login always used, else the name that the person types now.
fn expert(setting: &Setting, project: &Path) -> Result<String> {
    if setting.named {
        return Ok(setting.expert.clone());
    }
    let names = usual_names(project)?;
    let usual = names.first().cloned().unwrap_or_else(|| setting.expert.clone());
    // People who share a login must not label under each other's names.
    if names.len() == 1 || !setting.asks() {
        return Ok(usual);
    }
    prompt(&format!("Your name, recorded with your labels [{}]: ", sanitize(&usual)))?;
    let mut line = String::new();
    stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|e| Fault::new("read your name", io_reason(&e)).because(e))?;
    let name = line.trim();
    Ok(if name.is_empty() { usual } else { name.to_owned() })
}
