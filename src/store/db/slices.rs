//! Where writes begin and commit: a label in one transaction (`Store::write`), a long write in many short ones, so that a label never waits
//! for a job.

use std::iter::Peekable;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::attempt::Attempt;
use super::log_mark;
use super::mark::{Mark, mark_of_file_anew};
use super::open::Store;
use super::place::Displaced;
use crate::domain::fault::Result;

/// Work done inside one transaction before it is committed; with the commit's own sync the lock is held for at most 20 ms.
const SLICE: Duration = Duration::from_millis(12);

impl Store {
    /// Runs one short write transaction, begun as `IMMEDIATE`.
    pub(in crate::store) fn write<T>(
        &mut self,
        what: &str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.must_be_writable(what)?;
        let log = self.place.log_now();
        let tx = Transaction::new(&mut self.conn, TransactionBehavior::Immediate).attempting(what)?;
        // First of all: whatever a kill leaves of this write, the journal says whose it is.
        let marks = self.place.needs_mark().then(|| log_mark::renew(&tx, self.place.real()));
        let marks = marks.transpose().attempting(what)?;
        let overwritten = marks.is_some_and(|found| {
            self.place.is_not_as(found) || self.place.changed_mark().is_some() && !self.kept.is_in(&tx)
        });
        // What was to be saved is known after this, and is kept in memory.
        let out = work(&tx);
        if overwritten {
            return Err(Displaced::Overwritten.fault(what, &self.path));
        }
        let out = out.attempting(what)?;
        // Before and after: what is committed while the file is taken away is not where anybody will look for it.
        if let Some(displaced) = self.place.displaced() {
            return Err(displaced.fault(what, &self.path));
        }
        tx.commit().attempting(what)?;
        if let Some(marks) = marks {
            self.place.renewed(marks);
        } else if self.place.log_now() != log {
            // This commit began the log anew. It is made: a mark that cannot be renewed now must not call it unsaved, and the next write tries again.
            let _ = self.renew_mark(what);
        }
        self.check_still_there(what)?;
        Ok(out)
    }

    fn renew_mark(&mut self, what: &str) -> Result<()> {
        let tx = Transaction::new(&mut self.conn, TransactionBehavior::Immediate).attempting(what)?;
        let marks = log_mark::renew(&tx, self.place.real()).attempting(what)?;
        tx.commit().attempting(what)?;
        self.place.renewed(marks);
        Ok(())
    }

    /// Whether the project is still the file that was opened.
    ///
    /// # Errors
    /// It was moved, deleted, replaced or overwritten, or its log was: nothing more may be called saved.
    pub fn check_still_there(&mut self, what: &str) -> Result<()> {
        if let Some(displaced) = self.place.displaced() {
            return Err(displaced.fault(what, &self.path));
        }
        if let Some(mark) = self.place.changed_mark() {
            // Where SQLite sees another mark than the file has, it goes by pages that it read before the file was overwritten.
            let is_stale = self.mark_and_seen().is_ok_and(|(in_file, seen)| in_file != Some(seen));
            if is_stale || !self.kept.is_in(&self.conn) {
                return Err(Displaced::Overwritten.fault(what, &self.path));
            }
            self.place.knows(mark);
        }
        Ok(())
    }

    /// The mark in the file, and as SQLite sees it. While the row is in hand SQLite holds its lock, so that nobody writes between the two.
    fn mark_and_seen(&self) -> rusqlite::Result<(Option<Mark>, Mark)> {
        let mut query = self.conn.prepare_cached("SELECT mark FROM log_mark")?;
        query.query_row((), |row| Ok((mark_of_file_anew(self.place.real()), row.get(0)?)))
    }

    /// Writes every element of `rows` in transactions of a few milliseconds each, in order. `write` is called once for each of them, so
    /// that it prepares its statements once, and takes what its slice yields to the end. Returns how many were written.
    ///
    /// An error leaves what earlier slices committed.
    pub(in crate::store) fn write_in_slices<I: IntoIterator>(
        &mut self,
        what: &str,
        rows: I,
        mut write: impl FnMut(&Transaction<'_>, &mut Slice<'_, I::IntoIter>) -> rusqlite::Result<()>,
    ) -> Result<usize> {
        let mut rows = rows.into_iter().peekable();
        let mut written = 0;
        while rows.peek().is_some() {
            written += self.write_slice(what, |tx| {
                let mut slice = Slice { rows: &mut rows, begun: Instant::now(), taken: 0 };
                write(tx, &mut slice)?;
                Ok(slice.taken)
            })?;
        }
        Ok(written)
    }

    #[expect(clippy::disallowed_methods, reason = "the pause is the point: it hands the lock over")]
    /// Runs one of many short write transactions, not before others have had their turn since the last.
    pub(in crate::store) fn write_slice<T>(
        &mut self,
        what: &str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let conn = &self.conn;
        if let Some(pause) = self.turns.pause(Instant::now(), || is_labelled_now(conn)) {
            std::thread::sleep(pause);
        }
        let out = self.write(what, work)?;
        self.turns.wrote(Instant::now());
        Ok(out)
    }
}

/// Whether anybody has a session open, as far as can be told.
fn is_labelled_now(conn: &Connection) -> bool {
    let open = "SELECT EXISTS (SELECT 1 FROM session WHERE ended_ms IS NULL)";
    let found = conn.prepare_cached(open).and_then(|mut open| open.query_row((), |row| row.get(0)));
    found.unwrap_or(true)
}

/// The elements of one transaction: they end when its time is up.
pub(in crate::store) struct Slice<'r, I: Iterator> {
    rows: &'r mut Peekable<I>,
    begun: Instant,
    taken: usize,
}

impl<I: Iterator> Iterator for Slice<'_, I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        // The clock is read every few rows: a row costs microseconds.
        if self.taken > 0 && self.taken.is_multiple_of(16) && self.begun.elapsed() >= SLICE {
            return None;
        }
        let row = self.rows.next()?;
        self.taken += 1;
        Some(row)
    }
}
