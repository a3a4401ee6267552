//! Copies of a whole file, page by page, by SQLite's backup: of a project that others write to meanwhile.
//!
//! Never holds a writer up: with a write-ahead log the copy reads one moment of the file, and writers go on meanwhile; with a rollback
//! journal it reads a few pages at a time and lets writers in between.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::store::db::plain_path::plain;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode};

/// Pages of one step: 1 MiB.
const PAGES: i32 = 256;
/// How long others get the file between two steps, where a step keeps them waiting.
const BREATH: Duration = Duration::from_millis(3);
/// How long a copy starts over because others write. Then it is made in one step, which keeps them waiting once.
const PATIENCE: Duration = Duration::from_secs(20);

/// Copies every page of an open file into the file `to`, which is made where it is not there.
#[expect(clippy::disallowed_methods, reason = "the pause is the point: it hands the lock over")]
pub(in crate::store) fn copy_pages(from: &Connection, to: &Path) -> rusqlite::Result<()> {
    let mut copy = Connection::open(plain(to))?;
    // What is made is thrown away unless it is whole: nothing has to be undone.
    copy.query_row("PRAGMA journal_mode = OFF", (), |_| Ok(()))?;
    copy.pragma_update(None, "synchronous", "OFF")?;
    let mode: String = from.query_row("PRAGMA journal_mode", (), |r| r.get(0))?;
    let snapshot = mode.eq_ignore_ascii_case("wal");
    if snapshot {
        // One moment of the file; otherwise each write of another process would start the copy over.
        from.execute_batch("BEGIN")?;
    }
    let copied = (|| {
        from.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(()))?;
        let backup = Backup::new(from, &mut copy)?;
        let begun = Instant::now();
        loop {
            let pages = if !snapshot && begun.elapsed() > PATIENCE { -1 } else { PAGES };
            match backup.step(pages)? {
                StepResult::Done => return Ok(()),
                StepResult::More if snapshot => {}
                StepResult::Busy | StepResult::Locked if begun.elapsed() > 2 * PATIENCE => {
                    let busy = rusqlite::ffi::Error { code: ErrorCode::DatabaseBusy, extended_code: 5 };
                    return Err(rusqlite::Error::SqliteFailure(busy, None));
                }
                _ => std::thread::sleep(BREATH),
            }
        }
    })();
    if snapshot {
        let ended = from.execute_batch("COMMIT");
        copied.and(ended)?;
    } else {
        copied?;
    }
    copy.close().map_err(|(_, e)| e)
}
