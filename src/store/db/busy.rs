//! Waiting for another writer: short, jittered steps, so that eight labellers do not queue behind SQLite's own 100 ms ones. A writer that has
//! waited longer asks more often: nothing decides who is next, and so nobody is passed over for long.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// How long a writer waits for others before it gives up.
pub(in crate::store) const PATIENCE: Duration = Duration::from_secs(10);

thread_local! {
    static WAITING_SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Installs the handler: steps of 1 to 5 ms that grow shorter, 10 s in all.
pub(in crate::store) fn install(conn: &Connection) -> rusqlite::Result<()> {
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
    let waited = now.duration_since(since);
    if waited >= PATIENCE {
        return false;
    }
    // The low bits of the clock differ between waiting processes, which is all the jitter has to do.
    let nanos =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    std::thread::sleep(step(waited, nanos));
    true
}

/// Until the next question, after so long a wait: 1 to 5 ms at first, a tenth of that after 36 ms.
fn step(waited: Duration, jitter: u32) -> Duration {
    let span = (4_000 / (1 + waited.as_millis() as u64 / 4)).max(200);
    Duration::from_micros(span / 4 + u64::from(jitter / 64) % span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_has_waited_longer_asks_more_often() {
        let longest =
            |ms| (0..2_000_000).step_by(977).map(|j| step(Duration::from_millis(ms), j)).max().unwrap();
        assert!((4_900..5_000).contains(&longest(0).as_micros()));
        assert!((490..500).contains(&longest(36).as_micros()));
        assert!(longest(9_000) >= Duration::from_micros(200));
    }
}
