//! From the command line to the verb, and from its outcome to the exit code.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};

use super::arguments::Global;
use super::setting::Setting;
use super::{
    adapter, adjudicate, agreement, answer, assign, backup, doctor, expert, export, import, label, merge,
    mine, new, next, open, report, restore, status, task, tune,
};
#[cfg(feature = "engine")]
use super::{demo, guard, judge, predict, scout, simulate};
use crate::domain::fault::Result;
use crate::domain::sanitize::sanitize;

const FILE_HELP: &str = "`hardcase FILE` opens a project, and makes one from a file of texts";

/// Label what a local model finds hard, and train it on the answers.
#[derive(Parser)]
#[command(version, about, max_term_width = 100, after_help = FILE_HELP)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make the demo project and open the workstation on it
    #[cfg(feature = "engine")]
    Demo(demo::Demo),
    /// Open a project, or make one from a file of texts
    #[command(name = open::VERB, hide = true)]
    Open(open::Open),
    /// Open the workstation on a project, straight on the next case
    Label(label::Label),
    /// Make a project
    New(new::New),
    #[command(about = format!("Add texts ({})", crate::job::import::input_formats()))]
    Import(import::Import),
    /// Embed and prelabel every text that lacks it
    #[cfg(feature = "engine")]
    Scout(scout::Scout),
    /// Have a language model judge the texts nearest the boundary
    #[cfg(feature = "engine")]
    Judge(judge::Judge),
    /// Close the round and open the next with its cases
    Mine(mine::Mine),
    /// Show the next case
    Next(next::Next),
    /// Answer for an item
    Answer(answer::Answer),
    /// Train on the answers, and prelabel the pool anew
    Tune(tune::Tune),
    /// List earlier adapters, use one again, write one as a file, drop their bytes
    Adapter(adapter::Adapter),
    /// Where the project stands, and what to do next
    Status(status::Status),
    /// Whether the experts agree, with each other and with the model
    Agreement(agreement::Agreement),
    /// Decide where experts differ
    Adjudicate(adjudicate::Adjudicate),
    /// Score new texts with the active model
    #[cfg(feature = "engine")]
    Predict(predict::Predict),
    /// Play the loop on texts whose labels are known, by several strategies
    #[cfg(feature = "engine")]
    Simulate(simulate::Simulate),
    /// A report for an auditor: what was asked, who labelled how, agreement, decisions, models
    Report(report::Report),
    /// Write labels, predictions, final labels, the imported rows or the label log
    Export(export::Export),
    /// Bring copies of a project together, or take a log of labels back
    Merge(merge::Merge),
    /// Give a reviewer elsewhere cases, in a copy that comes back by merge
    Assign(assign::Assign),
    /// Who labels here, who leads, and which names are one person
    Expert(expert::Expert),
    /// Show the task, or set a new revision of it
    Task(task::Task),
    /// Copy a project to its folder of backups, or list them
    Backup(backup::Backup),
    /// Go back to a backup; what is there is put aside, and its labels come along
    Restore(restore::Restore),
    /// What is fine on this machine and in a project, and what is not
    Doctor(doctor::Doctor),
    /// Ask for a lock that the process before holds, as `doctor` does
    #[command(name = doctor::TRY_LOCK, hide = true)]
    TryLock(doctor::TryLock),
}

/// Runs the command line. `model` is the embedded model; empty in a build without the engine.
pub fn run(model: &'static [u8]) -> ExitCode {
    let arguments = match parsed() {
        Ok(arguments) => arguments,
        Err(error) => {
            print_usage(&error);
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let setting = Setting::new(arguments.global, model);
    #[cfg(feature = "engine")]
    if let Some(what) = arguments.verb.model_work()
        && let Some(code) = guard::in_child(what)
    {
        return code;
    }
    match arguments.verb.run(&setting) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            super::output::complain(&fault.to_string());
            if setting.verbose {
                let mut source = std::error::Error::source(&fault);
                while let Some(cause) = source {
                    super::output::complain(&format!("  because: {cause}"));
                    source = cause.source();
                }
            }
            ExitCode::from(fault.exit_code())
        }
    }
}

/// Help and version are no errors; clap prints them where they belong. An error repeats what was typed, and that may be the name of a file
/// that somebody else gave it.
fn print_usage(error: &clap::Error) {
    let plain = |argument: std::ffi::OsString| {
        let said = argument.to_string_lossy();
        sanitize(&said) == said
    };
    if !error.use_stderr() || std::env::args_os().all(plain) {
        let _ = error.print();
    } else {
        super::output::complain(error.render().to_string().trim_start_matches("error: "));
    }
}

/// The command line; a file where a verb is expected is opened.
fn parsed() -> std::result::Result<Arguments, clap::Error> {
    let error = match Arguments::try_parse() {
        Err(error) if error.kind() == ErrorKind::InvalidSubcommand => error,
        other => return other,
    };
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return Err(error);
    };
    let arguments: Vec<_> = std::env::args_os().collect();
    match open::with_verb(&arguments, word) {
        Some(with) => Arguments::try_parse_from(with),
        None => Err(error),
    }
}

impl Verb {
    /// What the verb does with llama.cpp, where it does: such verbs run in a child process.
    #[cfg(feature = "engine")]
    fn model_work(&self) -> Option<&'static str> {
        match self {
            Self::Scout(_) => Some("scouting"),
            Self::Judge(_) => Some("judging"),
            Self::Predict(_) => Some("scoring"),
            Self::Simulate(_) => Some("simulating"),
            Self::Mine(verb) if verb.needs_model() => Some("reading the pool with the LoRA"),
            Self::Tune(verb) if verb.needs_model() => Some("training the adapter"),
            Self::Adapter(verb) if verb.needs_model() => Some("prelabelling with the adapter"),
            Self::Demo(verb) if !verb.opens_screen() => Some("scouting the demo"),
            _ => None,
        }
    }

    fn run(self, setting: &Setting) -> Result<()> {
        match self {
            #[cfg(feature = "engine")]
            Self::Demo(verb) => verb.run(setting),
            Self::Open(verb) => verb.run(setting),
            Self::Label(verb) => verb.run(setting),
            Self::New(verb) => verb.run(setting),
            Self::Import(verb) => verb.run(setting),
            #[cfg(feature = "engine")]
            Self::Scout(verb) => verb.run(setting),
            #[cfg(feature = "engine")]
            Self::Judge(verb) => verb.run(setting),
            Self::Mine(verb) => verb.run(setting),
            Self::Next(verb) => verb.run(setting),
            Self::Answer(verb) => verb.run(setting),
            Self::Tune(verb) => verb.run(setting),
            Self::Adapter(verb) => verb.run(setting),
            Self::Status(verb) => verb.run(setting),
            Self::Agreement(verb) => verb.run(setting),
            Self::Adjudicate(verb) => verb.run(setting),
            #[cfg(feature = "engine")]
            Self::Predict(verb) => verb.run(setting),
            #[cfg(feature = "engine")]
            Self::Simulate(verb) => verb.run(setting),
            Self::Report(verb) => verb.run(setting),
            Self::Export(verb) => verb.run(setting),
            Self::Merge(verb) => verb.run(setting),
            Self::Assign(verb) => verb.run(setting),
            Self::Expert(verb) => verb.run(setting),
            Self::Task(verb) => verb.run(setting),
            Self::Backup(verb) => verb.run(setting),
            Self::Restore(verb) => verb.run(setting),
            Self::Doctor(verb) => verb.run(setting),
            Self::TryLock(verb) => verb.run(),
        }
    }
}
