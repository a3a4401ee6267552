//! `doctor`, the part that looks at a project: its file system, its file, its backups, its jobs and its model.

use std::path::Path;

use super::backup::utc;
pub use super::diagnostic::{Finding, State};
use super::key::key_in;
use super::permissions;
use super::repair::way_back;
use crate::domain::fault::Result;
use crate::domain::grouped::{counted, grouped};
use crate::domain::hex::hex;
use crate::store::care::backups::{Backups, Holds, free_bytes};
use crate::store::log::runs::Outcome;
use crate::store::{
    Access, FileSystem, Locks, Store, commits, file_system, foreign_log, locks_stay_here, try_locks,
};

/// The verb under which this program tries to get a lock that its parent holds.
pub const TRY_LOCK: &str = crate::store::TRY_LOCK;

/// The other process's part of trying the locks.
///
/// # Errors
/// A failed check where this process got the lock although its parent holds it.
pub fn ask_for_lock(scratch: &Path) -> Result<()> {
    crate::store::ask_for_lock(scratch)
}

/// Looks at a project file. A file that cannot be opened is a finding too.
pub fn examine(project: &Path) -> Result<Vec<Finding>> {
    let mut findings = vec![lies_on(project), locks(project)];
    findings.extend(log(project));
    let store = match Store::open(project, Access::Read) {
        Ok(store) => store,
        Err(fault) => {
            findings.push(Finding::new("file", State::Wrong, fault.to_string()));
            findings.push(Finding::new("backups", State::Fine, way_back(project)));
            return Ok(findings);
        }
    };
    let damage = match store.integrity_check() {
        Ok(damage) => damage,
        Err(fault) => vec![fault.why().to_owned()],
    };
    if !damage.is_empty() {
        let shown: Vec<&str> = damage.iter().take(3).map(String::as_str).collect();
        let says = format!(
            "the file is damaged: {}. `hardcase doctor {} --repair` saves what is intact",
            shown.join("; "),
            project.display()
        );
        findings.push(Finding::new("file", State::Wrong, says));
        findings.push(Finding::new("backups", State::Fine, way_back(project)));
        return Ok(findings);
    }
    let (texts, labels) = (store.item_count()?, store.label_count()?);
    let whole =
        format!("intact: {}, {}", counted(texts, "text", "texts"), counted(labels, "label", "labels"));
    findings.push(Finding::new("file", State::Fine, whole));
    findings.extend(backups(&store, project)?);
    findings.extend(room(&store, project)?);
    findings.extend(permissions::permissions(&store, project)?);
    findings.extend(key_in(&store, project)?);
    for run in store.runs(1)? {
        findings.push(match run.outcome {
            None => Finding::new("jobs", State::Fine, format!("{} is running", run.kind)),
            Some(Outcome::Done) => {
                Finding::new("jobs", State::Fine, format!("the last one ({}) finished", run.kind))
            }
            Some(outcome) => Finding::new(
                "jobs",
                State::Warning,
                format!(
                    "the last one ({}) {}; run it again",
                    run.kind,
                    match outcome {
                        Outcome::Stopped => "was stopped",
                        Outcome::Lost => "was interrupted",
                        Outcome::Failed | Outcome::Done => "failed",
                    }
                ),
            ),
        });
    }
    for (one, other) in store.names_alike()? {
        let says = format!(
            "the names {one} and {other} look alike and count as two people; if they are one, say `hardcase expert {} same {one} {other}`",
            project.display()
        );
        findings.push(Finding::new("experts", State::Warning, says));
    }
    findings.extend(models(&store)?);
    Ok(findings)
}

fn lies_on(project: &Path) -> Finding {
    let what = "file system";
    match (file_system(project), locks_stay_here(project)) {
        (FileSystem::Local, None) => Finding::new(what, State::Fine, "a local disk"),
        (name, Some(why)) => Finding::new(
            what,
            State::Warning,
            format!(
                "{name}: others do not see that the project is in use here ({why}). It is opened for writing only after somebody has said with --alone that nobody else opens it. Or give others copies and bring them together with `hardcase merge`"
            ),
        ),
        (FileSystem::Network(name), None) => Finding::new(
            what,
            State::Warning,
            format!(
                "{name}: the project is on a network drive. If its file locks fail while two computers write, labels are lost. Use a local disk, \
                 or give others copies and bring them together with `hardcase merge`"
            ),
        ),
    }
}

fn locks(project: &Path) -> Finding {
    let what = "locks";
    match try_locks(project) {
        Locks::Kept => Finding::new(what, State::Fine, "file locks work: two people cannot write at once"),
        Locks::GivenTwice => Finding::new(
            what,
            State::Wrong,
            "file locks do not work on this drive, so two people could write at once and lose labels. Work on a copy on a disk of this computer, and bring it back with `hardcase merge`",
        ),
        Locks::Untried => {
            Finding::new(what, State::Warning, "not tested: nothing can be written to the project's folder")
        }
    }
}

/// The models of the project, and what a part of a project was not given: by name, size and hash.
fn models(store: &Store) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let predictor = store.active_predictor()?;
    let active = predictor.as_ref().map(|p| store.model(p.model)).transpose()?.flatten();
    let is_part = store.is_part_without_models()?;
    for model in store.models()? {
        if !model.path.is_empty() && !Path::new(&model.path).exists() {
            let says = format!(
                "the model {} is not at {} ({} bytes, sha256 {}). New texts need it: `hardcase scout FILE --model PATH`",
                model.name,
                model.path,
                grouped(model.bytes),
                hex(&model.sha256)
            );
            findings.push(Finding::new("model", State::Warning, says));
        } else if active.as_ref() == Some(&model) && is_part {
            let says = format!(
                "this copy was made without the model {} ({} bytes, sha256 {}): you can label, but not prepare new texts",
                model.name,
                grouped(model.bytes),
                hex(&model.sha256)
            );
            findings.push(Finding::new("model", State::Warning, says));
        } else if active.as_ref() == Some(&model) {
            let says = format!("{} ({}, {} values)", model.name, model.architecture, model.dimensions);
            findings.push(Finding::new("model", State::Fine, says));
        }
    }
    if let (true, Some(predictor), Some(model)) = (is_part, &predictor, &active) {
        let texts = store.texts_without_vector(predictor.space())?;
        let says = format!(
            "the vectors of {texts} texts ({} values each, by {}) and the settings of the prelabels ({}) were left out of this copy. You do not \
             need them to label",
            model.dimensions,
            model.name,
            predictor.kind()
        );
        findings.push(Finding::new("vectors", State::Warning, says));
    }
    let seen = store.hidden_state_sizes()?;
    let (texts, bytes) = seen.iter().fold((0, 0), |(texts, bytes), (_, n, size)| (texts + n, bytes + size));
    if texts > 0 {
        let says = format!(
            "what judges make of {} inside takes {} bytes; `hardcase adapter FILE prune` drops that of earlier ones",
            counted(texts, "text", "texts"),
            grouped(bytes)
        );
        findings.push(Finding::new("hidden states", State::Fine, says));
    }
    for missing in store.left_out_bytes()? {
        let says = format!(
            "{} {} was left out of this copy: {} bytes, sha256 {}. You do not need it to label",
            missing.kind,
            missing.adapter,
            missing.bytes,
            hex(&missing.sha256)
        );
        findings.push(Finding::new("adapter", State::Warning, says));
    }
    Ok(findings)
}

/// The write-ahead log next to the file, where something in it cannot be read.
fn log(project: &Path) -> Option<Finding> {
    if let Some(foreign) = foreign_log(project) {
        let says = format!(
            "{foreign}. `hardcase doctor {} --repair` keeps it under another name",
            project.display()
        );
        return Some(Finding::new("log", State::Wrong, says));
    }
    let torn = commits(project);
    let says = match torn.cut_off {
        0 => return None,
        1 => "the last change in the file's log (-wal) is incomplete: it was interrupted, or is damaged"
            .to_owned(),
        n => format!(
            "the file's log (-wal) is damaged: {n} changes in it cannot be read. `hardcase doctor {} --repair` saves what is intact",
            project.display()
        ),
    };
    Some(Finding::new("log", if torn.are_damaged() { State::Wrong } else { State::Warning }, says))
}

/// How old the newest backup is, by labels.
fn backups(store: &Store, project: &Path) -> Result<Option<Finding>> {
    let newest = Backups::of(project).list().into_iter().find(|b| b.holds != Holds::EarlierVersion);
    Ok(Some(match newest {
        None if store.last_label_ms()?.is_none() => return Ok(None),
        None => Finding::new(
            "backups",
            State::Warning,
            format!("there is none yet: `hardcase backup {}` makes one", project.display()),
        ),
        Some(newest) if newest.is_from_the_future(store.now_ms()) => Finding::new(
            "backups",
            State::Warning,
            format!(
                "the only ones are dated in the future ({}): a clock was wrong. `hardcase backup {}` makes one with the right date",
                utc(newest.at_ms),
                project.display()
            ),
        ),
        Some(newest) => {
            let since = store.events_since(newest.at_ms)?;
            let state = if since > 0 { State::Warning } else { State::Fine };
            let events = match since {
                0 => "nothing was labelled since".to_owned(),
                1 => "1 change of a label was made since".to_owned(),
                n => format!("{n} changes of labels were made since"),
            };
            let says = format!("the newest was made on {}; {events}", utc(newest.at_ms));
            Finding::new("backups", state, says)
        }
    }))
}

/// Whether the disk has room for a backup.
fn room(store: &Store, project: &Path) -> Result<Option<Finding>> {
    let Some(free) = free_bytes(project) else { return Ok(None) };
    let size = store.size()?;
    let (state, then) = match free < size.saturating_mul(2) {
        true => (State::Warning, ": too little for a backup, which must leave as much free as it takes"),
        false => (State::Fine, ""),
    };
    let says = format!("{} bytes free; the project takes {}{then}", grouped(free), grouped(size));
    Ok(Some(Finding::new("disk", state, says)))
}
