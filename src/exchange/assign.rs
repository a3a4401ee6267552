//! `assign`: cases for a reviewer elsewhere, in a project file of their own. They are reserved here until that file comes back by `merge`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::ids::{ExpertId, SessionId};
use crate::domain::moment;
use crate::domain::part::Models;
use crate::store::{Access, Store, refuse_kept_name};
use crate::work::whole_file::{free_name, name_whole};

/// How often it is tried again because someone else was given one of the cases while the copy was written.
const TRIES: usize = 5;

/// What is assigned, to whom and how.
#[derive(Clone, Debug)]
pub struct Assignment<'a> {
    /// The reviewer's name.
    pub to: &'a str,
    /// The most cases that are assigned.
    pub limit: usize,
    /// Whether the copy contains vectors and adapters.
    pub models: Models,
    /// How long nobody else is given them.
    pub reserved: Duration,
    /// The file to make.
    pub out: &'a Path,
}

/// What was assigned.
#[derive(Clone, Debug, Serialize)]
pub struct AssignReport {
    pub to: String,
    pub cases: usize,
    /// The file.
    pub out: PathBuf,
    pub bytes: u64,
    /// Until when nobody else is given them beyond their overlap, UTC milliseconds.
    pub reserved_until_ms: i64,
    /// The project into which they are merged back.
    pub project: PathBuf,
}

impl fmt::Display for AssignReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = moment::utc(self.reserved_until_ms);
        write!(
            f,
            "{}: {} {} for {} ({} kB), reserved until {until} UTC beyond their overlap\n  \
             to label them: `hardcase {} --as {}`; to bring them back: `hardcase merge {} {}`",
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

/// Writes the copy and reserves its cases here. `expert` is the person who assigns them.
///
/// # Errors
/// No case is left to assign, or the file exists or cannot be written. Then nothing is reserved.
pub fn assign(project: &Path, expert: &str, what: &Assignment<'_>) -> Result<AssignReport> {
    let attempted = format!("assign cases to {}", what.to);
    let mut store = Store::open(project, Access::Job)?;
    // Without a task nobody could label the copy.
    store.task()?;
    store.check_rows(&attempted)?;
    if what.out.symlink_metadata().is_ok() {
        return Err(Fault::usage(attempted, format!("{} exists already", what.out.display()))
            .hint("Choose another name with -o"));
    }
    refuse_kept_name(what.out, &attempted)?;
    let to = store.enrol_expert(what.to)?;
    let (_, session) = store.begin_session(expert)?;
    let given = give(&mut store, to, session, what, &attempted);
    // The reservations outlast the session that made them.
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
    let failed = |e: std::io::Error| Fault::new(attempted, io_reason(&e)).because(e);
    let partial = free_name(what.out).map_err(failed)?;
    for _ in 0..TRIES {
        let cases = store.cases_to_give(to, what.limit)?;
        if cases.is_empty() {
            let reserved = store.reserved_until(to)?.is_some_and(|until| until > store.now_ms());
            let why = if reserved {
                "all cases that are left for them are reserved for them already"
            } else {
                "no case is left for them"
            };
            return Err(
                Fault::usage(attempted, why).hint("Open a round with new cases: `hardcase mine FILE`")
            );
        }
        // Complete before anything is reserved, and under its final name only after that.
        let _ = std::fs::remove_file(&partial);
        store.write_part(&partial, &cases, to, what.models)?;
        let until =
            store.now_ms().saturating_add(i64::try_from(what.reserved.as_millis()).unwrap_or(i64::MAX));
        let reserved = store.reserve(&cases, to, session, until);
        let named = match reserved {
            Ok(true) => name_whole(&partial, what.out).map_err(failed),
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
    Err(Fault::new(attempted, "other people keep being given the same cases")
        .hint("Assign fewer with --limit, or try again later"))
}
