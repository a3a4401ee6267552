//! What jobs said, which may repeat what no file should keep: read, replaced, and wiped from the pages that are free since.

use crate::domain::fault::Result;
use crate::domain::ids::RunId;
use crate::store::db::attempt::Attempt;
use crate::store::db::migrate::LIST_ROOTS;
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
        self.conn
            .execute_batch(&format!("VACUUM; BEGIN; {LIST_ROOTS} COMMIT; PRAGMA wal_checkpoint(TRUNCATE);"))
            .attempting(what)
    }
}
