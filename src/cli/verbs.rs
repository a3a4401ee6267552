//! From the command line to the verb, and from its outcome to the exit code.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

use super::arguments::Global;
use super::setting::Setting;
use super::stop_signals::exit_code;
use super::{
    adapter, adjudicate, agreement, answer, assign, backup, check, completions, doctor, expert, export,
    forget, import, judge, label, man, merge, mine, new, next, open, report, restore, scout, source, status,
    task, tune,
};
#[cfg(feature = "engine")]
use super::{demo, guard, models, predict, simulate};
use crate::domain::fault::Result;
use crate::domain::sanitize::sanitize;

/// What most people type comes first.
const USAGE: &str = "hardcase [OPTIONS] <FILE>\n       hardcase [OPTIONS] <COMMAND>";

const FILE_HELP: &str =
    "`hardcase FILE` opens a project. Given a file of texts, it offers to start a new project with them.";

/// Label the texts that a local model finds hard, and train it on your answers.
#[derive(Parser)]
#[command(version, long_version = super::version::long(), about, max_term_width = 100, after_help = FILE_HELP)]
#[command(override_usage = USAGE)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Create the demo project and open it in the workstation
    #[cfg(feature = "engine")]
    Demo(demo::Demo),
    /// Open a project, or start one from a file of texts
    #[command(name = open::VERB, hide = true)]
    Open(open::Open),
    /// Open a project in the workstation, at your next case
    Label(label::Label),
    /// Create a project
    New(new::New),
    #[command(about = format!("Add texts ({})", crate::job::import::input_formats()))]
    Import(import::Import),
    #[cfg_attr(feature = "engine", doc = "Embed and prelabel all new texts with the local encoder")]
    #[cfg_attr(not(feature = "engine"), doc = "Take in vectors (embeddings) that were made elsewhere")]
    Scout(scout::Scout),
    #[cfg_attr(
        feature = "engine",
        doc = "Have a language model score the texts nearest the decision boundary"
    )]
    #[cfg_attr(not(feature = "engine"), doc = "Take in predictions that were made elsewhere, as a judge's")]
    Judge(judge::Judge),
    /// List the models that other programs have on this machine, and what they can do here
    #[cfg(feature = "engine")]
    Models(models::Models),
    /// Choose the hard cases of the next round
    Mine(mine::Mine),
    /// Show your next case
    Next(next::Next),
    /// Record your answer to an item
    Answer(answer::Answer),
    /// Train on the answers and update the prelabels
    Tune(tune::Tune),
    /// List, reactivate, export or prune trained adapters
    Adapter(adapter::Adapter),
    /// Show where the project stands and what to do next
    Status(status::Status),
    /// Check rules for the model and its labels, as a gate before they are used
    Check(check::Check),
    /// Show how well the experts agree, with each other and with the model
    Agreement(agreement::Agreement),
    /// Decide cases on which experts disagree
    Adjudicate(adjudicate::Adjudicate),
    /// Score new texts with the active model
    #[cfg(feature = "engine")]
    Predict(predict::Predict),
    /// Compare strategies by simulating the loop on texts with known labels
    #[cfg(feature = "engine")]
    Simulate(simulate::Simulate),
    /// Write a report for an auditor: task, people, agreement, decisions, models
    Report(report::Report),
    /// Export labels, predictions, final labels, imported rows or the label log
    Export(export::Export),
    /// Merge copies of a project, or a label log, into a project
    Merge(merge::Merge),
    /// Write a copy with cases for a reviewer elsewhere, to be merged back later
    Assign(assign::Assign),
    /// List the experts, set their roles, say which names are one person
    Expert(expert::Expert),
    /// List whose labels were imported, set what they count in training
    Source(source::Source),
    /// Show the task, or set a new revision of it
    Task(task::Task),
    /// Remove texts and all that was said of them from a project, for good
    Forget(forget::Forget),
    /// Back up a project, or list its backups
    Backup(backup::Backup),
    /// Restore a project from a backup, keeping labels given since
    Restore(restore::Restore),
    /// Check this machine and a project, or repair a damaged project
    Doctor(doctor::Doctor),
    /// Print what your shell needs to complete verbs and options
    Completions(completions::Completions),
    /// Print or install the manual pages
    Man(man::Man),
    /// Try to take a lock that another process holds; used by `doctor`
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
    let ended = arguments.verb.run(&setting);
    let code = match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            if setting.wants_json() {
                super::output::complain_json(&fault.to_string(), fault.why(), fault.exit_code());
            } else {
                super::output::complain(&fault.to_string());
            }
            if setting.verbose {
                let mut source = std::error::Error::source(&fault);
                while let Some(cause) = source {
                    super::output::complain(&format!("  because: {cause}"));
                    source = cause.source();
                }
            }
            ExitCode::from(fault.exit_code())
        }
    };
    // What was asked to stop has not done all that it was to do, even if it ended well: nothing may go on from there.
    setting.watch.stopped_by().map_or(code, |signal| ExitCode::from(exit_code(signal)))
}

/// Help and version are not errors; clap prints them where they belong. An error quotes what was typed, which can be a file name that somebody
/// else chose, so control characters in it are made visible.
fn print_usage(error: &clap::Error) {
    let plain = |argument: std::ffi::OsString| {
        let said = argument.to_string_lossy();
        sanitize(&said) == said
    };
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let all = error.render().to_string();
        let first = all.lines().next().unwrap_or_default().trim_start_matches("error: ");
        super::output::complain_json(all.trim_start_matches("error: ").trim_end(), first, 2);
    } else if !error.use_stderr() || std::env::args_os().all(plain) {
        let _ = error.print();
    } else {
        super::output::complain(error.render().to_string().trim_start_matches("error: "));
    }
}

/// Parses the command line. A file name in the place of a verb means `open`.
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
    /// What the verb does with llama.cpp, if anything. Such verbs run in a child process, and an error message completes "cannot finish …".
    #[cfg(feature = "engine")]
    fn model_work(&self) -> Option<&'static str> {
        match self {
            Self::Scout(verb) if verb.needs_model() => Some("scouting"),
            Self::Judge(verb) if verb.needs_model() => Some("judging"),
            Self::Models(verb) if verb.needs_model() => Some("measuring the model"),
            Self::Predict(_) => Some("scoring"),
            Self::Check(verb) if verb.needs_model() => Some("the check"),
            Self::Simulate(_) => Some("the simulation"),
            Self::Mine(verb) if verb.needs_model() => Some("scoring the pool with the LoRA"),
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
            Self::Scout(verb) => verb.run(setting),
            Self::Judge(verb) => verb.run(setting),
            #[cfg(feature = "engine")]
            Self::Models(verb) => verb.run(setting),
            Self::Mine(verb) => verb.run(setting),
            Self::Next(verb) => verb.run(setting),
            Self::Answer(verb) => verb.run(setting),
            Self::Tune(verb) => verb.run(setting),
            Self::Adapter(verb) => verb.run(setting),
            Self::Status(verb) => verb.run(setting),
            Self::Check(verb) => verb.run(setting),
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
            Self::Source(verb) => verb.run(setting),
            Self::Task(verb) => verb.run(setting),
            Self::Forget(verb) => verb.run(setting),
            Self::Backup(verb) => verb.run(setting),
            Self::Restore(verb) => verb.run(setting),
            Self::Doctor(verb) => verb.run(setting),
            Self::Completions(verb) => verb.run(Arguments::command()),
            Self::Man(verb) => verb.run(Arguments::command()),
            Self::TryLock(verb) => verb.run(),
        }
    }
}
