//! Waiting for another writer: short, jittered steps, so that eight labellers do not queue behind SQLite's own 100 ms ones.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// How long a writer waits for others before it gives up.
const PATIENCE: Duration = Duration::from_secs(10);

thread_local! {
    static WAITING_SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Installs the handler: steps of 1 to 5 ms, 10 s in all.
pub(super) fn install(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_handler(Some(wait))
}

#[expect(
    clippy::disallowed_methods,
    reason = "SQLite asks its busy handler to wait; there is no event to wait for"
)]
fn wait(attempt: i32) -> bool {
    let now = Instant::now();
    if attempt == 0 {
        WAITING_SINCE.set(Some(now));
    }
    let since = WAITING_SINCE.get().unwrap_or(now);
    if now.duration_since(since) >= PATIENCE {
        return false;
    }
    // The low bits of the clock differ between waiting processes, which is all the jitter has to do.
    let nanos =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    std::thread::sleep(Duration::from_micros(1_000 + u64::from(nanos / 64) % 4_000));
    true
}
