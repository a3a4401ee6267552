//! `label`, and `hardcase FILE`: the workstation.

use std::io::{BufRead, IsTerminal, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::output::{complain, prompt};
use super::plain;
use super::plain::Lines;
use super::setting::Setting;
#[cfg(unix)]
use super::stop_signals;
use crate::desk::grown::{Counting, grown};
use crate::desk::jobs::{End, JobKind, Jobs, News};
use crate::desk::people::{lead_under_a_name, usual_expert};
use crate::desk::session::{OnClose, Session, usual_names};
use crate::domain::fault::{Fault, FaultKind, Result, io_reason};
use crate::domain::grouped::counted;
use crate::domain::sanitize::sanitize;
use crate::exchange::merge::{Mode, merge};
use crate::tui::{Opening, Settings, defaults, run};
use crate::upkeep::backup::{Occasion, back_up_quietly};

#[derive(clap::Args)]
pub(super) struct Label {
    /// The project file
    file: PathBuf,
    /// Line by line, without drawing: for screen readers, serial lines and terminals that can do no more
    #[arg(long)]
    plain: bool,
}

impl Label {
    pub fn run(self, setting: &Setting) -> Result<()> {
        if self.plain { plainly(setting, &self.file) } else { workstation(setting, &self.file) }
    }
}

/// Whether the terminal can only print lines.
fn prints_only_lines() -> bool {
    let term = std::env::var_os("TERM").unwrap_or_default();
    cfg!(unix) && (term.is_empty() || term == "dumb") && stdin().is_terminal() && stdout().is_terminal()
}

/// Labels line by line.
fn plainly(setting: &Setting, project: &Path) -> Result<()> {
    let expert = expert(setting, project)?;
    let mut session = Session::open(project, &expert, OnClose::ReleaseCases)?;
    if let Some(says) = session.welcome(&expert) {
        setting.say(&says)?;
    }
    // To count what is new could take as long as the file is.
    let changed = grown(project, Counting::Nothing).unwrap_or_default().files;
    for file in changed {
        let (says, data) = (file.says(), file.from.join(&file.name));
        let import = format!("hardcase import {} {}", project.display(), data.display());
        setting.say(&format!("{says}. To add what is new in it: {import}"))?;
    }
    let mut jobs = |kinds| run_jobs(project, &expert, kinds);
    let left = plain::label(&mut Lines, &mut session, &mut jobs);
    let closed = session.close();
    let left = left.and_then(|left| closed.map(|()| left.answered()));
    if left.as_ref().is_err_and(Fault::is_displaced) {
        return taken_away(setting, project, left.map(drop));
    }
    leave(setting, project, None, left)
}

/// Runs jobs to their end, one after the other, and says how each ended.
fn run_jobs(project: &Path, expert: &str, kinds: Vec<JobKind>) -> Result<Vec<String>> {
    let (to, news) = std::sync::mpsc::channel();
    let jobs = Jobs::new(project, expert, move |news| drop(to.send(news)))?;
    let mut waiting = kinds.len();
    jobs.start(kinds)?;
    let mut says = Vec::new();
    while waiting > 0 {
        let Ok(news) = news.recv() else { break };
        if let News::Ended(kind, end, message) = news {
            waiting -= 1;
            says.push(match (kind, end) {
                (JobKind::Mine, End::Done) => "The next cases are chosen.".to_owned(),
                (_, End::Done) => {
                    format!("{}.", message.split(". ").next().unwrap_or_default().trim_end_matches('.'))
                }
                _ => format!("Stopped while {}: {message}", kind.doing()),
            });
            if end != End::Done {
                break;
            }
        }
    }
    Ok(says)
}

/// Backs the project up and says in one line what was done, and how to come back.
fn leave(setting: &Setting, project: &Path, signal: Option<i32>, left: Result<usize>) -> Result<()> {
    // Where nobody sat down, there is nothing to keep.
    // Nor is there time for it where something could not even be saved before the end.
    let in_time = signal.is_none() || left.is_ok();
    let sat = in_time && !left.as_ref().is_err_and(|fault| fault.exit_code() == FaultKind::Usage.exit_code());
    if sat
        && let Some(line) = back_up_quietly(project, Occasion::SessionEnded)
        && left.is_ok()
    {
        complain(&line);
    }
    let answered = left?;
    let name = sanitize(&project.display().to_string());
    let word = if name.chars().any(char::is_whitespace) { format!("'{name}'") } else { name };
    setting.say(&format!(
        "You answered {}; all is saved. To come back: hardcase {word}",
        counted(answered, "case", "cases")
    ))
}

/// Opens the workstation on a project.
pub(super) fn workstation(setting: &Setting, project: &Path) -> Result<()> {
    if prints_only_lines() {
        return plainly(setting, project);
    }
    let settings = settings()?;
    let expert = expert(setting, project)?;
    let (signal, left) = run(Opening { project, expert: &expert, settings });
    if let Some(signal) = signal {
        // The time to end has begun: what is left to do may use the rest of it, and nothing is asked any more.
        setting.watch.end_by(signal);
    }
    if let Err(fault) = &left
        && fault.is_displaced()
    {
        return taken_away(setting, project, left.map(drop));
    }
    leave(setting, project, signal, left)
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

/// Replaces this process by the workstation: a fresh process has no jobs behind it and no signal handlers installed. It asks for the expert's
/// name where none is given.
pub(super) fn hand_over(setting: &Setting, project: &Path, expert: Option<&str>) -> Result<()> {
    let attempted = || format!("open the workstation on {}", project.display());
    let failed = |e: std::io::Error| Fault::new(attempted(), io_reason(&e)).because(e);
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.arg("label").arg(project);
    if let Some(expert) = expert {
        command.arg("--as").arg(expert);
    }
    if setting.alone {
        command.arg("--alone");
    }
    #[cfg(unix)]
    {
        stop_signals::leave_to_system();
        if setting.watch.stopped_by().is_some() {
            return Err(Fault::new(attempted(), "it was stopped")
                .hint("The project is made; run the same command to label"));
        }
        Err(failed(std::os::unix::process::CommandExt::exec(&mut command)))
    }
    #[cfg(not(unix))]
    command.status().map(drop).map_err(failed)
}

/// The person's settings.
pub(super) fn settings() -> Result<Settings> {
    let settings = match settings_file() {
        Some(path) => {
            offer_defaults(&path);
            Settings::read(&path)?
        }
        None => Settings::default(),
    };
    let colourless = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    Ok(if colourless { settings.without_colour() } else { settings })
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
    let usual = usual_expert(project, &setting.expert)?;
    // People who share a login must not label under each other's names.
    if matches!(&names[..], [name] if *name == usual) || !setting.asks() {
        return Ok(usual);
    }
    // Of several, the last one is the likeliest; a name that was given once on a command line is not.
    let offered = if let [last, _, ..] = &names[..] { last } else { &usual };
    let name = ask_name(offered)?;
    lead_under_a_name(project, &name)?;
    Ok(name)
}

/// Asks a person at the terminal for the name that is recorded with the labels.
fn ask_name(usual: &str) -> Result<String> {
    prompt(&format!("Your name, recorded with your labels [{}]: ", sanitize(usual)))?;
    let mut line = String::new();
    stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|e| Fault::new("read your name", io_reason(&e)).because(e))?;
    let name = line.trim();
    Ok(if name.is_empty() { usual.to_owned() } else { name.to_owned() })
}
