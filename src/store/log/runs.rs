//! Jobs: one of a kind at a time for a file, each with its progress and outcome.

use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction};

use crate::domain::fault::Result;
use crate::domain::ids::RunId;
use crate::domain::progress::Progress;
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::db::process;
use crate::store::db::process::Life;

/// How old the last sign of life of a job on another host may be.
const SILENCE_MS: i64 = 60_000;
/// In such a time a job gives several.
const SIGNS_OF_LIFE: Duration = Duration::from_secs(4);

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it was asked to do.
    Done,
    /// It could not.
    Failed,
    /// It was told to stop; what it finished is kept.
    Stopped,
    /// Its process ended without a word; what it finished is kept.
    Lost,
}

impl Outcome {
    /// Its name in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Lost => "lost",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Done, Self::Failed, Self::Stopped, Self::Lost].into_iter().find(|o| o.as_str() == name)
    }
}

/// What came of an attempt to begin a job.
#[derive(Debug)]
pub enum Begun {
    /// It is this process's job now.
    Ours(RunId),
    /// Another process is at it.
    Others(RunId),
}

/// A job as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// `import`, `scout`, …
    pub kind: String,
    /// What it was asked for, where that may differ.
    pub arguments: String,
    /// When it began, UTC milliseconds.
    pub started_ms: i64,
    /// Its last report.
    pub progress: Option<Progress>,
    /// How it ended; none while it runs. One whose process is gone is lost, whether or not that has been marked yet.
    pub outcome: Option<Outcome>,
    /// What it said at its end.
    pub message: Option<String>,
}

impl Store {
    /// Begins a job of a kind, unless one runs. A run whose process is gone is marked as lost first.
    pub fn begin_run(&mut self, kind: &str, arguments: &str) -> Result<Begun> {
        self.mark_lost_runs()?;
        self.write("begin the job", |tx| {
            let running = tx
                .query_row("SELECT id FROM run WHERE kind = ?1 AND ended_ms IS NULL", [kind], |r| r.get(0))
                .optional()?;
            if let Some(id) = running {
                return Ok(Begun::Others(id));
            }
            let now = now_ms();
            tx.execute(
                "INSERT INTO run (uuid, kind, arguments, host, process, program, started_ms, heartbeat_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                (
                    Uuid16(new_uuid()),
                    kind,
                    arguments,
                    process::host(),
                    process::identity(),
                    process::program(),
                    now,
                ),
            )?;
            Ok(Begun::Ours(RunId(tx.last_insert_rowid())))
        })
    }

    /// A sign of life, with what is being done.
    pub fn report_run(&mut self, run: RunId, progress: &Progress) -> Result<()> {
        let text = serde_json::to_string(progress).unwrap_or_default();
        self.write("note the progress", |tx| {
            tx.prepare_cached(
                "UPDATE run SET heartbeat_ms = ?2, progress = ?3 WHERE id = ?1 AND ended_ms IS NULL",
            )?
            .execute((run, now_ms(), text))
            .map(drop)
        })
    }

    /// Ends a job.
    pub fn end_run(&mut self, run: RunId, outcome: Outcome, message: &str) -> Result<()> {
        self.write("note the job's end", |tx| end(tx, run, outcome, message).map(drop))
    }

    /// A job as it stands.
    pub fn run(&self, id: RunId) -> Result<Option<Run>> {
        self.one(&format!("{RUN} WHERE id = ?1"), [id], "read the jobs", run)
    }

    /// The last `limit` jobs, newest first.
    pub fn runs(&self, limit: usize) -> Result<Vec<Run>> {
        self.all_rows_of(&format!("{RUN} ORDER BY id DESC LIMIT ?1"), [limit as i64], "read the jobs", run)
    }

    /// Jobs on machines whose clock is ahead, and that give no sign of life in a time in which any job does.
    #[expect(clippy::disallowed_methods, reason = "only time shows whether a clock that is ahead goes on")]
    fn silent_in_the_future(&self) -> Result<Vec<RunId>> {
        let ahead = || {
            self.all_rows_of(
                "SELECT id, heartbeat_ms, process FROM run WHERE ended_ms IS NULL AND heartbeat_ms > ?1",
                [now_ms() + SILENCE_MS],
                "read the jobs",
                |r| Ok((r.get::<_, RunId>(0)?, r.get::<_, i64>(1)?, r.get::<_, String>(2)?)),
            )
        };
        let before = ahead()?;
        if before.iter().all(|(_, _, process)| process::life(process) == Life::Alive) {
            return Ok(Vec::new());
        }
        std::thread::sleep(SIGNS_OF_LIFE);
        let after = ahead()?;
        Ok(before.into_iter().filter(|run| after.contains(run)).map(|(id, ..)| id).collect())
    }

    /// Marks jobs whose process is gone. Returns how many there were.
    pub fn mark_lost_runs(&mut self) -> Result<usize> {
        let open = self.all_rows(
            "SELECT id, host, process, heartbeat_ms FROM run WHERE ended_ms IS NULL",
            "read the jobs",
            |r| Ok((r.get::<_, RunId>(0)?, is_gone(r, 1)?)),
        )?;
        let mut lost: Vec<RunId> = open.into_iter().filter(|(_, gone)| *gone).map(|(id, _)| id).collect();
        lost.extend(self.silent_in_the_future()?);
        if lost.is_empty() {
            return Ok(0);
        }
        // One that has ended in order since it was looked at stays as it ended.
        self.write("note a job's end", |tx| {
            lost.iter().map(|id| end(tx, *id, Outcome::Lost, WORDLESS)).sum::<rusqlite::Result<usize>>()
        })
    }
}

const RUN: &str =
    "SELECT kind, arguments, started_ms, progress, outcome, message, host, process, heartbeat_ms FROM run";

/// What is said of a job that is lost.
const WORDLESS: &str = "its process ended without a word";

fn run(r: &rusqlite::Row<'_>) -> rusqlite::Result<Run> {
    let mut run = Run {
        kind: r.get(0)?,
        arguments: r.get(1)?,
        started_ms: r.get(2)?,
        progress: r.get::<_, Option<String>>(3)?.and_then(|p| serde_json::from_str(&p).ok()),
        outcome: r.get::<_, Option<String>>(4)?.and_then(|o| Outcome::from_name(&o)),
        message: r.get(5)?,
    };
    if run.outcome.is_none() && is_gone(r, 6)? {
        (run.outcome, run.message) = (Some(Outcome::Lost), Some(WORDLESS.into()));
    }
    Ok(run)
}

/// Whether the process of a job is gone: its host, identity and last sign of life stand in a row from column `at` on.
pub(in crate::store) fn is_gone(r: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<bool> {
    let (host, identity, beat): (String, String, i64) = (r.get(at)?, r.get(at + 1)?, r.get(at + 2)?);
    Ok(match process::life(&identity) {
        Life::Alive if host == process::host() => false,
        Life::Gone if host == process::host() => true,
        _ => now_ms() - beat > SILENCE_MS,
    })
}

fn end(tx: &Transaction<'_>, run: RunId, outcome: Outcome, message: &str) -> rusqlite::Result<usize> {
    tx.execute(
        "UPDATE run SET ended_ms = ?2, outcome = ?3, message = ?4 WHERE id = ?1 AND ended_ms IS NULL",
        (run, now_ms(), outcome.as_str(), message),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::split::SplitShares;
    use crate::store::NewProject;

    #[test]
    fn a_job_whose_clock_is_ahead_is_lost_once_it_gives_no_sign_of_life() {
        let dir = tempfile::tempdir().unwrap();
        let new = NewProject { seed: 1, shares: SplitShares::default() };
        let mut store = Store::create(&dir.path().join("p"), new).unwrap();
        let Begun::Ours(run) = store.begin_run("mine", "").unwrap() else { panic!("it is the first") };
        let elsewhere = |store: &mut Store, ahead: i64| {
            store
                .write("", |tx| {
                    tx.execute(
                        "UPDATE run SET host = 'elsewhere', process = '1:1:0-0', heartbeat_ms = ?1",
                        [now_ms() + ahead],
                    )
                })
                .unwrap();
        };
        elsewhere(&mut store, 0);
        assert!(matches!(store.begin_run("mine", "").unwrap(), Begun::Others(other) if other == run));
        elsewhere(&mut store, 10 * 24 * 3_600_000);
        assert!(matches!(store.begin_run("mine", "").unwrap(), Begun::Ours(_)));
        assert_eq!(store.run(run).unwrap().unwrap().outcome, Some(Outcome::Lost));
    }

    #[test]
    fn a_job_of_another_container_under_this_name_is_not_taken_for_dead() {
        let dir = tempfile::tempdir().unwrap();
        let new = NewProject { seed: 1, shares: SplitShares::default() };
        let mut store = Store::create(&dir.path().join("p"), new).unwrap();
        store.begin_run("mine", "").unwrap();
        let mut as_process = |identity: &str| {
            store.write("", |tx| tx.execute("UPDATE run SET process = ?1", [identity])).unwrap();
            matches!(store.begin_run("mine", "").unwrap(), Begun::Others(_))
        };
        assert!(as_process("1:1:000000000000-1"));
        assert!(!as_process("1:1"), "one of this host that is gone");
    }
}
