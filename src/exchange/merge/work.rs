//! The work of a merge: open the copy read-only, compare, report, and merge.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use super::compare::{Closed, Comparison, Side, compare, counts_too_far};
use super::leads::keep_leads;
use super::report::MergeReport;
use crate::domain::fault::{Fault, FaultKind, Result, io_reason};
use crate::domain::grouped::counted;
use crate::domain::item::ItemKey;
use crate::domain::log::Log;
use crate::domain::task::Task;
use crate::formats::{Detected, fill_text, read_log};
use crate::store::sync::merge::{ArtifactsLacking, LeftOut, StoredCopy, Texts};
use crate::store::{Access, Store, is_database};
use crate::work::runner::{Ended, JobContext, Work, run};

/// Whether a merge writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It writes.
    Merge,
    /// It reports what it would write.
    DryRun,
}

/// What becomes of changes of roles and names that would change who leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Roles {
    /// They are left out, and that is said.
    Stay,
    /// They are taken: what is merged is the project's own log.
    Follow,
}

/// Merges one copy, or one label log, into the project. `None` if another process did the same work.
///
/// # Errors
/// It is not a copy of this project, is damaged, or contradicts the project: then nothing is written. A merge that is stopped or killed keeps
/// what it finished, and the next one continues.
pub fn merge(context: &JobContext<'_>, other: &Path, mode: Mode) -> Result<Option<MergeReport>> {
    let attempted = format!("merge {} into {}", other.display(), context.project.display());
    if same_file(other, context.project) {
        return Err(Fault::usage(attempted, "they are one file").hint("Name the copy"));
    }
    let source = Source::open(other, context.project)?;
    merge_source(context, (&source, Roles::Stay), other, mode)
}

/// Merges the project's own label log, which was read from `other`, as [`merge`] would merge the file; roles follow it.
///
/// # Errors
/// Those of [`merge`].
pub(crate) fn merge_log(context: &JobContext<'_>, log: Log, other: &Path) -> Result<Option<MergeReport>> {
    check_tasks(&log, other)?;
    merge_source(context, (&Source::Log(Box::new(log)), Roles::Follow), other, Mode::Merge)
}

fn merge_source(
    context: &JobContext<'_>,
    (source, roles): (&Source, Roles),
    other: &Path,
    mode: Mode,
) -> Result<Option<MergeReport>> {
    let attempted = format!("merge {} into {}", other.display(), context.project.display());
    let told = |fault: Fault| fault.while_trying(attempted.clone());
    if mode == Mode::DryRun {
        let store = Store::open(context.project, Access::Read)?;
        let compared = Compared::of(&store, source, roles).map_err(told)?;
        return Ok(Some(compared.report(other, &store, mode, LeftOut::default())?));
    }
    // It also holds the import job, so that no import runs at the same time and clears texts that are half loaded.
    let arguments = other.to_string_lossy();
    let ended = run(context, "merge", &arguments, |work| {
        let inner = run(context, "import", &format!("merge {arguments}"), |inner| {
            take_in(inner, work, (source, roles), other)
        })?;
        match inner {
            Ended::Ours(report) => Ok(report),
            Ended::Others => {
                Err(Fault::new("merge", "another process merged the same copy at the same time")
                    .hint("Run it again"))
            }
        }
    });
    match ended.map_err(told)? {
        Ended::Ours(report) => Ok(Some(report)),
        Ended::Others => Ok(None),
    }
}

fn take_in(
    work: &mut Work<'_>,
    outer: &mut Work<'_>,
    (source, roles): (&Source, Roles),
    other: &Path,
) -> Result<MergeReport> {
    work.store.clear_abandoned_sources()?;
    let mut compared = Compared::of(work.store, source, roles)?;
    let stopped = |work: &Work<'_>| {
        if work.stopped() {
            return Err(Fault::new("merge", "it was stopped")
                .hint("What was merged stays; run it again for the rest"));
        }
        Ok(())
    };
    if let (Some(copy), Some((texts, _))) = (source.copy(), &mut compared.pool) {
        let total = texts.lacking.rows as u64;
        work.report("texts", 0, Some(total), "rows")?;
        work.store.take_texts(copy, texts, &fill, |_| Ok(()))?;
        outer.report("texts", total, Some(total), "rows")?;
        stopped(work)?;
    }
    let total = source.log().events.len() as u64;
    work.report("labels", 0, Some(total), "events")?;
    let left_out = work.store.take_log(compared.log.as_ref().unwrap_or(source.log()), |_| Ok(()))?;
    work.report("labels", total, Some(total), "events")?;
    outer.report("labels", total, Some(total), "events")?;
    stopped(work)?;
    if let (Some(copy), Some((texts, artifacts))) = (source.copy(), &compared.pool) {
        work.store.take_artifacts(copy, texts, artifacts)?;
        work.store.forget_quotes(copy, texts)?;
    }
    source.check_unchanged()?;
    work.store.wipe_forgotten()?;
    compared.report(other, work.store, Mode::Merge, left_out)
}

/// What is merged.
enum Source {
    Copy(Box<StoredCopy>, Box<Log>),
    Log(Box<Log>),
}

impl Source {
    fn open(other: &Path, project: &Path) -> Result<Self> {
        if is_database(other)? {
            let copy = StoredCopy::open(other, project)?;
            copy.store.check_all_rows("merge")?;
            let log = copy.store.log()?;
            check_tasks(&log, other)?;
            return Ok(Self::Copy(Box::new(copy), Box::new(log)));
        }
        let name = other.display().to_string();
        let file = File::open(other).map_err(|e| Fault::usage(format!("open {name}"), io_reason(&e)))?;
        let log = read_log(file, &name)?;
        check_tasks(&log, other)?;
        Ok(Self::Log(Box::new(log)))
    }

    fn log(&self) -> &Log {
        match self {
            Self::Copy(_, log) | Self::Log(log) => log,
        }
    }

    fn copy(&self) -> Option<&Store> {
        match self {
            Self::Copy(copy, _) => Some(&copy.store),
            Self::Log(..) => None,
        }
    }

    fn check_unchanged(&self) -> Result<()> {
        match self {
            Self::Copy(copy, _) => copy.check_unchanged(),
            Self::Log(..) => Ok(()),
        }
    }
}

/// A task that cannot be read would leave the whole project without one.
fn check_tasks(log: &Log, other: &Path) -> Result<()> {
    for revision in &log.revisions {
        Task::from_toml(&revision.toml, &format!("in {}", other.display()))?;
    }
    Ok(())
}

/// A file and a copy of it, compared.
struct Compared {
    logs: Comparison,
    /// The log that is taken in, if it is not all of the source's.
    log: Option<Log>,
    /// Texts and artifacts; none where only a log came.
    pool: Option<(Texts, ArtifactsLacking)>,
    active: Option<String>,
}

impl Compared {
    fn of(store: &Store, source: &Source, roles: Roles) -> Result<Self> {
        let (mut ours, theirs) = (store.log()?, source.log());
        if ours.project != theirs.project {
            return Err(Fault::usage("merge", "it is a copy of another project")
                .hint("Only copies of one project can be merged; to bring texts in, use `hardcase import`"));
        }
        if counts_too_far(&ours, theirs) {
            return Err(Fault::new("merge", "the copy counts its events beyond what any project reaches")
                .kind(FaultKind::Check)
                .hint("It was changed by hand or is damaged: run `hardcase doctor` on it, or use a backup"));
        }
        let first = store.experts()?.into_iter().next().map(|(_, name)| name);
        let kept = match roles {
            Roles::Stay => keep_leads(&ours, theirs, first.as_deref()),
            Roles::Follow => None,
        };
        let (mut log, says) = kept.unzip();
        let removed: HashSet<ItemKey> =
            ours.forgotten.iter().chain(&theirs.forgotten).map(|line| line.item).collect();
        if !removed.is_empty() {
            ours.forget(&removed);
            log.get_or_insert_with(|| theirs.clone()).forget(&removed);
        }
        let theirs = log.as_ref().unwrap_or(theirs);
        let mut logs = compare(&ours, theirs, store.now_ms());
        logs.remarks.extend(says);
        if let Some(first) = logs.contradictions.first() {
            let more = logs.contradictions.len() - 1;
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            return Err(Fault::new("merge", format!("the two files contradict each other about {first}{rest}"))
                .kind(FaultKind::Check)
                .hint(
                    "One of them was changed by hand or is damaged: run `hardcase doctor` on both, or use a backup",
                ));
        }
        let pool = match source.copy() {
            Some(copy) => {
                let texts = store.compare_texts(copy)?;
                let artifacts = store.compare_artifacts(copy, &texts)?;
                Some((texts, artifacts))
            }
            None => None,
        };
        let active = match source.copy().map(Store::active_predictor).transpose()?.flatten() {
            Some(theirs) => {
                Some(active_model(store, &theirs, pool.as_ref().is_some_and(|(_, y)| y.adopts()))?)
            }
            None => None,
        };
        Ok(Self { logs, log, pool, active })
    }

    fn report(self, from: &Path, store: &Store, mode: Mode, left_out: LeftOut) -> Result<MergeReport> {
        let Self { logs, pool, active, .. } = self;
        let mut report = MergeReport {
            from: from.to_owned(),
            dry_run: mode == Mode::DryRun,
            brought: logs.brought,
            renumbered: logs.renumbered,
            conflicts: logs.conflicts,
            remarks: logs.remarks,
            left_out: left_out.cases + left_out.events + left_out.labels,
            ..MergeReport::default()
        };
        if let Some((texts, artifacts)) = &pool {
            (report.texts, report.rows, report.imports) =
                (texts.lacking.texts, texts.lacking.rows, texts.lacking.imports);
            (report.vectors, report.predictions, report.runs) =
                (artifacts.vectors(), artifacts.predictions(), artifacts.runs());
        }
        // In a log with one person's labels every round is open, and no case of it was withheld from anybody.
        let from_log = pool.is_none();
        for Closed { round, at, waited } in
            logs.closed.into_iter().filter(|c| !(from_log && c.at == Side::Here && c.waited == 0))
        {
            let waited = counted(waited, "case", "cases");
            report.remarks.push(match at {
                Side::Here => format!(
                    "round {round} was still open in the copy and stays closed here: the copy's answers count, and {waited} without an answer \
                     stay withdrawn"
                ),
                Side::There => format!(
                    "round {round} was closed in the copy, so it is closed here: all its answers count, and {waited} without an answer \
                     are withdrawn"
                ),
            });
        }
        let open = store.rounds()?.iter().filter(|r| r.closed_ms.is_none()).count();
        if mode == Mode::Merge && open > 1 {
            report.remarks.push(format!("{open} rounds are open: cases of older rounds come first, and `hardcase mine` closes them all"));
        }
        if left_out.events > 0 || left_out.cases > 0 {
            report.remarks.push(format!(
                "left out: {} and {}, because this file does not have their texts: import the texts, and merge again",
                counted(left_out.events, "label event", "label events"),
                counted(left_out.cases, "case", "cases")
            ));
        }
        if left_out.labels > 0 {
            report.remarks.push(format!(
                "left out: {}, because this file does not have their texts: import the texts, and merge again",
                counted(left_out.labels, "imported label", "imported labels")
            ));
        }
        report.remarks.extend(active);
        report.remarks.extend(names_alike(store)?);
        Ok(report)
    }
}

/// Names of two people that a reader takes for one, each pair in a sentence.
fn names_alike(store: &Store) -> Result<Vec<String>> {
    let pairs = store.names_alike()?.into_iter();
    Ok(pairs
        .map(|(one, other)| {
            format!(
                "the names {one} and {other} look alike and count as two people; if they are one, say `hardcase expert FILE same {one} {other}`"
            )
        })
        .collect())
}

/// What happens to the active model, in a sentence.
fn active_model(store: &Store, theirs: &crate::domain::predictor::Predictor, adopts: bool) -> Result<String> {
    if adopts {
        return Ok(format!("this file had no active model, so the copy's ({}) is active", theirs.kind()));
    }
    Ok(match store.active_predictor()? {
        Some(ours) => format!(
            "this file's active model stays ({}); `hardcase adapter FILE list` shows all, and `hardcase tune FILE` learns from every label",
            ours.kind()
        ),
        None => "no model is active".into(),
    })
}

/// Writes the text into a packed row that left it out.
fn fill(found: &str, fields: &str, text: &str) -> Result<String> {
    let detected: Detected =
        serde_json::from_str(found).map_err(|e| Fault::new("read how a file was imported", e.to_string()))?;
    fill_text(fields, &detected, text)
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
