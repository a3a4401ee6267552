//! What jobs said, which may repeat what no file should keep: read, replaced, and wiped from the pages that are free since.

use crate::domain::fault::Result;
use crate::domain::ids::RunId;
use crate::store::db::attempt::Attempt;
use crate::store::db::migrate::{LIST_ROOTS, ROOTS_MOVE};
use crate::store::db::open::Store;

/// What the record of a job says in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobWords {
    pub run: RunId,
    pub arguments: String,
    pub progress: Option<String>,
    pub message: Option<String>,
}

impl Store {
    pub fn job_words(&self) -> Result<Vec<JobWords>> {
        self.all_rows("SELECT id, arguments, progress, message FROM run ORDER BY id", "read the jobs", |r| {
            Ok(JobWords { run: r.get(0)?, arguments: r.get(1)?, progress: r.get(2)?, message: r.get(3)? })
        })
    }

    /// Replaces what jobs said. Nothing of what stood there is left in the file or in its write-ahead log: the file is written anew, which takes
    /// as much room on the disk as it has.
    pub fn replace_job_words(&mut self, words: &[JobWords]) -> Result<()> {
        let what = "take the key out of the file";
        self.write_in_slices(what, words, |tx, slice| {
            let mut update = tx
                .prepare_cached("UPDATE run SET arguments = ?2, progress = ?3, message = ?4 WHERE id = ?1")?;
            slice.try_for_each(|job| {
                update.execute((job.run, &job.arguments, &job.progress, &job.message)).map(drop)
            })
        })?;
        self.write_anew(what)
    }

    /// Writes the file anew: what was deleted is in no free page of it, and in no write-ahead log, when this returns. A kill in between leaves a
    /// whole file.
    pub(super) fn write_anew(&mut self, what: &str) -> Result<()> {
        self.write(what, |tx| tx.execute_batch(ROOTS_MOVE))?;
        self.conn.execute_batch("VACUUM").attempting(what)?;
        self.write(what, |tx| tx.execute_batch(LIST_ROOTS))?;
        self.conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").attempting(what)
    }

    /// Lists where tables begin, where a kill came before the file that was written anew had its list.
    pub(in crate::store) fn list_roots_again(&mut self) -> Result<()> {
        let what = "open the project";
        let moved = "SELECT EXISTS (SELECT 1 FROM root_page WHERE name = '')";
        if self.one(moved, (), what, |row| row.get(0))? == Some(true) {
            self.write(what, |tx| tx.execute_batch(LIST_ROOTS))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::split::SplitShares;
    use crate::store::{Access, NewProject};

    #[test]
    fn a_kill_at_any_moment_of_writing_the_file_anew_leaves_one_that_opens() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        let mut store = Store::create(&path, NewProject { seed: 1, shares: SplitShares::default() }).unwrap();
        let made =
            |store: &Store| store.count("SELECT count(*) FROM root_page WHERE page > 1", (), "read").unwrap();
        let tables = made(&store);
        store
            .conn
            .execute_batch("CREATE TABLE gap (x); INSERT INTO gap VALUES (zeroblob(100000)); DROP TABLE gap")
            .unwrap();
        for (moved, script) in [(true, ROOTS_MOVE), (true, "VACUUM"), (false, LIST_ROOTS)] {
            store.conn.execute_batch(script).unwrap();
            drop(store);
            let read = Store::open(&path, Access::Read).unwrap();
            assert_eq!(
                (made(&read) < tables, read.integrity_check().unwrap()),
                (moved, Vec::new()),
                "{script}"
            );
            drop(read);
            store = Store::open(&path, Access::Session).unwrap();
        }
        store.conn.execute_batch(ROOTS_MOVE).unwrap();
        drop(store);
        assert_eq!(made(&Store::open(&path, Access::Job).unwrap()), tables, "the next job lists them");
        store = Store::open(&path, Access::Job).unwrap();
        store.replace_job_words(&[]).unwrap();
        assert_eq!((made(&store), store.integrity_check().unwrap()), (tables, Vec::new()));
    }
}
