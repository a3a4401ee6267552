//! What every job has in common: one of a kind at a time, a record of its outcome, and a heartbeat.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::domain::fault::{Fault, Result};
use crate::domain::ids::RunId;
use crate::domain::progress::{Epoch, Progress, Watcher};
use crate::store::log::runs::{Begun, Outcome};
use crate::store::{Access, Store};

/// How often a running job signs the file.
const HEARTBEAT: Duration = Duration::from_millis(1_000);
/// How often one that only watches another looks at the file.
const LOOK: Duration = Duration::from_millis(200);

/// What every job is given, whatever its own parameters are.
#[derive(Clone, Copy)]
pub struct JobContext<'a> {
    /// The project file.
    pub project: &'a Path,
    /// Who shows what it says.
    pub watcher: &'a dyn Watcher,
    /// The person, for what a session is recorded for.
    pub expert: &'a str,
    /// A seed instead of the project's own.
    pub seed: Option<u64>,
}

/// A job under way.
pub(crate) struct Work<'a> {
    /// The project.
    pub store: &'a mut Store,
    watcher: &'a dyn Watcher,
    kind: &'static str,
    run: RunId,
    stage: String,
    noted: HashSet<String>,
    /// Epochs of a training that have ended so far.
    pub epochs: Vec<Epoch>,
    /// Tokens read per second, where a language model reads.
    pub tokens_per_second: Option<f64>,
    begun: Instant,
    done_at_begin: u64,
    last_beat: Instant,
}

/// What came of a job: its own report, or that another process did it meanwhile.
pub(crate) enum Ended<T> {
    Ours(T),
    /// Another process ran the same job; this one watched it to its end.
    Others,
}

impl Work<'_> {
    /// Reports a stage with its counts; signs the file now and then.
    pub fn report(&mut self, stage: &str, done: u64, total: Option<u64>, unit: &str) -> Result<()> {
        if self.stage != stage {
            stage.clone_into(&mut self.stage);
            self.begun = Instant::now();
            self.done_at_begin = done;
        }
        let seconds = self.begun.elapsed().as_secs_f64();
        let since = done.saturating_sub(self.done_at_begin) as f64;
        let rate = (seconds > 0.2 && since > 0.0).then(|| since / seconds);
        let progress = Progress {
            job: self.kind.to_owned(),
            stage: stage.to_owned(),
            done,
            total,
            unit: unit.to_owned(),
            rate,
            eta_s: rate.zip(total).map(|(rate, total)| total.saturating_sub(done) as f64 / rate),
            tokens_per_second: self.tokens_per_second,
            epochs: self.epochs.clone(),
        };
        self.watcher.report(&progress);
        if self.last_beat.elapsed() >= HEARTBEAT {
            self.last_beat = Instant::now();
            self.store.report_run(self.run, &progress)?;
        }
        Ok(())
    }

    /// Says one line to the person.
    pub fn note(&self, line: &str) {
        self.watcher.note(line);
    }

    /// Says one line to the person, once in this job however often it comes up.
    pub fn note_once(&mut self, line: &str) {
        if self.noted.insert(line.to_owned()) {
            self.note(line);
        }
    }

    /// The job's kind, as the record of jobs names it.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// True once the job should end after its current batch.
    pub fn stopped(&self) -> bool {
        self.watcher.stopped()
    }
}

/// Opens the project and runs `work` as its only job of that kind, with its outcome recorded.
pub(crate) fn run<T>(
    context: &JobContext<'_>,
    kind: &'static str,
    arguments: &str,
    work: impl FnOnce(&mut Work<'_>) -> Result<T>,
) -> Result<Ended<T>>
where
    T: std::fmt::Display,
{
    let mut store = Store::open(context.project, Access::Job)?;
    if let Some(backup) = store.migration_backup() {
        context.watcher.note(&format!(
            "the file was brought to a newer version; a copy of the old one is {}",
            backup.display()
        ));
    }
    let check = store.notice_unclean_end()?;
    if check.is_some() {
        context
            .watcher
            .note("the last process did not end normally: the file is checked while this job runs");
    }
    let run = loop {
        let others = match store.begin_run(kind, arguments)? {
            Begun::Ours(run) => break run,
            Begun::Others(run) => run,
        };
        let same = store.run(others)?.is_some_and(|run| run.arguments == arguments);
        let then = if same { "" } else { ", and then does what it was asked for" };
        context
            .watcher
            .note(&format!("another process is at it already ({kind}): this one shows its progress{then}"));
        if attach(&store, others, kind, context.watcher)? == Attached::Done && same {
            return Ok(Ended::Others);
        }
    };
    let now = Instant::now();
    let mut under_way = Work {
        store: &mut store,
        watcher: context.watcher,
        kind,
        run,
        stage: String::new(),
        noted: HashSet::new(),
        epochs: Vec::new(),
        tokens_per_second: None,
        begun: now,
        done_at_begin: 0,
        last_beat: now,
    };
    let result = work(&mut under_way);
    let stopped = context.watcher.stopped();
    let (outcome, message) = match &result {
        Ok(report) if stopped => (Outcome::Stopped, report.to_string()),
        Ok(report) => (Outcome::Done, report.to_string()),
        Err(fault) if stopped => (Outcome::Stopped, fault.to_string()),
        Err(fault) => (Outcome::Failed, fault.to_string()),
    };
    let ended = store.end_run(run, outcome, &message);
    if let Some(found) = check.map(crate::store::UncleanCheck::wait)
        && !found.is_empty()
    {
        return Err(Fault::new("trust the project file", format!("it is damaged: {}", found.join("; ")))
            .hint("Work on a copy from before, and run `hardcase doctor` on this one"));
    }
    let value = result?;
    ended?;
    Ok(Ended::Ours(value))
}

/// How a job of another process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attached {
    /// It did what it was asked for.
    Done,
    /// It was stopped, or its process is gone: what it was to do is left to do.
    LeftUndone,
}

/// Shows another process's job until it ends.
#[expect(
    clippy::disallowed_methods,
    reason = "the other process speaks through the file alone; nothing wakes a reader"
)]
fn attach(store: &Store, run: RunId, kind: &str, watcher: &dyn Watcher) -> Result<Attached> {
    loop {
        let Some(row) = store.run(run)? else { return Ok(Attached::LeftUndone) };
        if let Some(progress) = &row.progress {
            watcher.report(progress);
        }
        let says = row.message.filter(|message| !message.is_empty());
        match row.outcome {
            None if watcher.stopped() => {
                return Err(Fault::new(format!("watch {kind} in another process"), "it was stopped")
                    .hint("The other process goes on"));
            }
            None => std::thread::sleep(LOOK),
            Some(Outcome::Done) => {
                if let Some(says) = says {
                    watcher.note(&says);
                }
                return Ok(Attached::Done);
            }
            Some(Outcome::Stopped | Outcome::Lost) => return Ok(Attached::LeftUndone),
            Some(Outcome::Failed) => {
                let why = says.unwrap_or_else(|| "it does not say why".into());
                return Err(
                    Fault::new(format!("{kind} in another process"), why).hint("Run the same command again")
                );
            }
        }
    }
}
