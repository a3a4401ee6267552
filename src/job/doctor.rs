//! `doctor`, the part that looks at a project: its file system, its file, its jobs and its model.

use std::path::Path;

use serde::Serialize;

use crate::domain::fault::Result;
use crate::domain::log::Hex;
use crate::store::runs::Outcome;
use crate::store::{Access, FileSystem, Locks, Store, file_system, locks_stay_here, try_locks};

/// The verb under which this program tries to get a lock that its parent holds.
pub const TRY_LOCK: &str = crate::store::TRY_LOCK;

/// The other process's part of trying the locks.
///
/// # Errors
/// A check that was not met where the lock was given, although its parent holds it.
pub fn ask_for_lock(scratch: &Path) -> Result<()> {
    crate::store::ask_for_lock(scratch)
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// How it is.
    pub state: State,
    /// What was found, and what to do where it is not fine.
    pub says: String,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Fine,
    /// It works, with a drawback.
    Warning,
    /// It does not work.
    Wrong,
}

impl Finding {
    /// A finding.
    pub fn new(what: &str, state: State, says: impl Into<String>) -> Self {
        Self { what: what.into(), state, says: says.into() }
    }
}

/// Looks at a project file. A file that cannot be opened is a finding too.
pub fn examine(project: &Path) -> Result<Vec<Finding>> {
    let mut findings = vec![lies_on(project), locks(project)];
    let store = match Store::open(project, Access::Read) {
        Ok(store) => store,
        Err(fault) => {
            findings.push(Finding::new("file", State::Wrong, fault.to_string()));
            return Ok(findings);
        }
    };
    let damage = store.integrity_check()?;
    findings.push(if damage.is_empty() {
        Finding::new(
            "file",
            State::Fine,
            format!("whole: {} texts, {} labels", store.item_count()?, store.label_count()?),
        )
    } else {
        let shown: Vec<&str> = damage.iter().take(3).map(String::as_str).collect();
        Finding::new(
            "file",
            State::Wrong,
            format!("damaged: {}; work on a copy from before", shown.join("; ")),
        )
    });
    findings.push(permissions(project));
    for run in store.runs(1)? {
        findings.push(match run.outcome {
            None => Finding::new("jobs", State::Fine, format!("{} is running", run.kind)),
            Some(Outcome::Done) => {
                Finding::new("jobs", State::Fine, format!("the last one ({}) was finished", run.kind))
            }
            Some(outcome) => Finding::new(
                "jobs",
                State::Warning,
                format!(
                    "the last one ({}) was {}; run it again",
                    run.kind,
                    format!("{outcome:?}").to_lowercase()
                ),
            ),
        });
    }
    findings.extend(models(&store)?);
    Ok(findings)
}

fn lies_on(project: &Path) -> Finding {
    let what = "file system";
    match (file_system(project), locks_stay_here(project)) {
        (FileSystem::Local, None) => Finding::new(what, State::Fine, "local: write-ahead log"),
        (name, Some(why)) => Finding::new(
            what,
            State::Warning,
            format!(
                "{name}: other machines do not hear of its locks ({why}); open it on one machine at a time, or give copies and `merge`"
            ),
        ),
        (FileSystem::Network(name), None) => Finding::new(
            what,
            State::Warning,
            format!("{name}: rollback journal; safe only as far as its locks are, a local disk is better"),
        ),
    }
}

fn locks(project: &Path) -> Finding {
    let what = "locks";
    match try_locks(project) {
        Locks::Kept => Finding::new(what, State::Fine, "what one process holds, another does not get"),
        Locks::GivenTwice => Finding::new(
            what,
            State::Wrong,
            "one was given to two processes, so two people could write at once: work on a copy on a disk of this machine, and `merge`",
        ),
        Locks::Untried => {
            Finding::new(what, State::Warning, "not tried: nothing can be written beside the project")
        }
    }
}

/// The models of the project, and what a part of a project was not given: by name, size and hash.
fn models(store: &Store) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let active = store.active_predictor()?.map(|p| p.model);
    let active = active.map(|id| store.model(id)).transpose()?.flatten();
    for model in store.models()? {
        if !model.path.is_empty() && !Path::new(&model.path).exists() {
            let says = format!(
                "{} is not at {}: {} bytes, sha256 {}; new texts need it (scout --model)",
                model.name,
                model.path,
                model.bytes,
                Hex(model.sha256)
            );
            findings.push(Finding::new("model", State::Warning, says));
        } else if active.as_ref() == Some(&model) {
            let says = format!("{} ({}, {} values)", model.name, model.architecture, model.dimensions);
            findings.push(Finding::new("model", State::Fine, says));
        }
    }
    for missing in store.left_out_bytes()? {
        let says = format!(
            "{} {} was left out of this copy: {} bytes, sha256 {}; labelling does not need it",
            missing.kind,
            missing.adapter,
            missing.bytes,
            Hex(missing.sha256)
        );
        findings.push(Finding::new("adapter", State::Warning, says));
    }
    Ok(findings)
}

#[cfg(unix)]
fn permissions(project: &Path) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::metadata(project) {
        Ok(meta) if meta.permissions().mode() & 0o004 != 0 => Finding::new(
            "permissions",
            State::Warning,
            "everybody on this machine can read the file (chmod o-r)",
        ),
        Ok(meta) if meta.permissions().readonly() => {
            Finding::new("permissions", State::Warning, "the file is read-only: it can be read, not labelled")
        }
        _ => Finding::new("permissions", State::Fine, "private"),
    }
}

#[cfg(not(unix))]
fn permissions(_project: &Path) -> Finding {
    Finding::new("permissions", State::Fine, "not looked at on this system")
}
