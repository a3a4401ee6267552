//! `assign`: cases for a reviewer elsewhere, as a project file of their own, reserved here until it comes back by `merge`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::ids::{ExpertId, SessionId};
use crate::domain::moment;
use crate::domain::part::Models;
use crate::store::{Access, Store};

/// How often somebody may come to one of the cases while the copy is written.
const TRIES: usize = 5;

/// What is given away.
#[derive(Clone, Debug)]
pub struct Assignment<'a> {
    /// The reviewer's name.
    pub to: &'a str,
    /// The most cases.
    pub limit: usize,
    /// Whether vectors and adapters go with them.
    pub models: Models,
    /// How long nobody else gets them.
    pub reserved: Duration,
    /// The file to make.
    pub out: &'a Path,
}

/// What was given away.
#[derive(Clone, Debug, Serialize)]
pub struct AssignReport {
    /// To whom.
    pub to: String,
    /// How many cases.
    pub cases: usize,
    /// Where they are.
    pub out: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Until when nobody else gets them beyond their overlap, UTC milliseconds.
    pub reserved_until_ms: i64,
    /// The project that they come back to.
    pub project: PathBuf,
}

impl fmt::Display for AssignReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = moment::utc(self.reserved_until_ms);
        write!(
            f,
            "{}: {} {} for {} ({} kB); nobody else gets them beyond their overlap until {until} UTC\n  \
             there: `hardcase {} --as {}`; back here: `hardcase merge {} {}`",
            self.out.display(),
            self.cases,
            if self.cases == 1 { "case" } else { "cases" },
            self.to,
            self.bytes.div_ceil(1_000),
            self.out.display(),
            quoted(&self.to),
            self.project.display(),
            self.out.display(),
        )
    }
}

fn quoted(name: &str) -> String {
    if name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)) {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

/// Writes the copy, and reserves its cases here. `expert` is whoever gives them away.
///
/// # Errors
/// No case is left to give, or the file exists or cannot be written: then nothing is reserved.
pub fn assign(project: &Path, expert: &str, what: &Assignment<'_>) -> Result<AssignReport> {
    let attempted = format!("assign cases to {}", what.to);
    let mut store = Store::open(project, Access::Job)?;
    // A copy without a task could not be labelled.
    store.task()?;
    if what.out.symlink_metadata().is_ok() {
        return Err(Fault::usage(attempted, format!("{} exists already", what.out.display()))
            .hint("Choose another name with -o"));
    }
    let to = store.enrol_expert(what.to)?;
    let (_, session) = store.begin_session(expert)?;
    let given = give(&mut store, to, session, what, &attempted);
    // The reservations outlive the session that made them.
    let ended = store.end_session(session, true);
    let (cases, until) = given?;
    ended?;
    let bytes = std::fs::metadata(what.out).map_or(0, |m| m.len());
    Ok(AssignReport {
        to: what.to.trim().to_owned(),
        cases,
        out: what.out.to_owned(),
        bytes,
        reserved_until_ms: until,
        project: project.to_owned(),
    })
}

fn give(
    store: &mut Store,
    to: ExpertId,
    session: SessionId,
    what: &Assignment<'_>,
    attempted: &str,
) -> Result<(usize, i64)> {
    let mut name = what.out.as_os_str().to_owned();
    name.push(".partial");
    let partial = PathBuf::from(name);
    for _ in 0..TRIES {
        let cases = store.cases_to_give(to, what.limit)?;
        if cases.is_empty() {
            let reserved = store.reserved_until(to)?.is_some_and(|until| until > store.now_ms());
            let why = if reserved {
                "every case that is left for them is reserved for them already"
            } else {
                "no case is left for them"
            };
            return Err(Fault::usage(attempted, why).hint("`hardcase mine` opens a round with new cases"));
        }
        // Whole before anything is reserved; under its own name only once it is.
        let _ = std::fs::remove_file(&partial);
        store.write_part(&partial, &cases, to, what.models)?;
        let until =
            store.now_ms().saturating_add(i64::try_from(what.reserved.as_millis()).unwrap_or(i64::MAX));
        let reserved = store.reserve(&cases, to, session, until);
        let named = match reserved {
            Ok(true) => std::fs::rename(&partial, what.out)
                .map_err(|e| Fault::new(attempted, io_reason(&e)).because(e)),
            Ok(false) => continue,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = named {
            let _ = std::fs::remove_file(&partial);
            return Err(fault);
        }
        return Ok((cases.len(), until));
    }
    let _ = std::fs::remove_file(&partial);
    Err(Fault::new(attempted, "others come to the same cases all the time")
        .hint("Give away fewer with --limit, or try again later"))
}
