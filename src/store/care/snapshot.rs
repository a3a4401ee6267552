//! A project as it stands at one moment: copied whole, and told from another moment.

use std::fs::File;
use std::path::Path;

use rusqlite::Connection;

use super::copying::copy_pages;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::store::db::attempt::Attempt;
use crate::store::db::open::Store;
use crate::store::db::plain_path::plain;
use crate::store::db::seals::WAY_OUT;

impl Store {
    /// Writes a copy of the file as it stands at one moment into the empty file `to`: one file that needs no log, on disk when
    /// this returns.
    ///
    /// # Errors
    /// No room, or the copy that was made is not whole: the caller removes what was made.
    pub fn copy_into(&self, to: &Path) -> Result<()> {
        let what = "copy the project";
        copy_pages(&self.conn, to).attempting(what)?;
        let copy = Connection::open(plain(to)).attempting(what)?;
        let mode: String =
            copy.query_row("PRAGMA journal_mode = DELETE", (), |r| r.get(0)).attempting(what)?;
        let verdict: String = copy.query_row("PRAGMA quick_check(1)", (), |r| r.get(0)).attempting(what)?;
        copy.close().map_err(|(_, e)| e).attempting(what)?;
        if !mode.eq_ignore_ascii_case("delete") || verdict != "ok" {
            return Err(Fault::new(what, format!("the file is damaged ({verdict})")).hint(WAY_OUT));
        }
        File::open(to)
            .and_then(|file| file.sync_all())
            .map_err(|e| Fault::new(what, io_reason(&e)).because(e))
    }

    /// A mark of what people and jobs did: the same at two moments between which nobody labelled, set, imported or finished anything, so that a
    /// second backup would hold nothing new.
    pub fn mark(&self) -> Result<String> {
        let mark: Option<String> = self.one(
            "SELECT json_array(
               (SELECT hex(uuid) || coalesce(active_predictor, '') FROM project),
               (SELECT max(id) FROM label_event), (SELECT max(id) FROM expert_event), (SELECT max(id) FROM expert),
               (SELECT max(id) FROM task_revision), (SELECT count(*) FROM reveal), (SELECT group_concat(id || state) FROM source),
               (SELECT max(id) || '-' || sum(closed_ms IS NULL) FROM round), (SELECT max(id) FROM label_case),
               (SELECT max(id) || '-' || sum(length(bytes)) FROM adapter), (SELECT max(id) FROM predictor),
               (SELECT max(id) FROM run WHERE outcome = 'done'))",
            (),
            "see what changed",
            |r| r.get(0),
        )?;
        Ok(mark.unwrap_or_default())
    }

    /// When the last label was given, UTC milliseconds.
    pub fn last_label_ms(&self) -> Result<Option<i64>> {
        let last = self.one("SELECT max(at_ms) FROM label_event", (), "read the labels", |r| r.get(0))?;
        Ok(last.flatten())
    }

    /// How many label events were given after a time, by the clocks of those who gave them.
    pub fn events_since(&self, at_ms: i64) -> Result<usize> {
        self.count("SELECT count(*) FROM label_event WHERE at_ms > ?1", [at_ms], "read the labels")
    }

    /// Bytes of the file, were it written whole.
    pub fn size(&self) -> Result<u64> {
        let pages: i64 = self
            .one(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
                (),
                "read the size",
                |r| r.get(0),
            )?
            .unwrap_or(0);
        Ok(pages.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::backup::{Backup, StepResult};

    use super::*;
    use crate::domain::split::SplitShares;
    use crate::store::{Access, NewProject};

    #[test]
    fn a_copy_under_way_holds_no_writer_up_and_is_of_one_moment() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.hardcase");
        drop(Store::create(&path, NewProject { seed: 1, shares: SplitShares::default() }).unwrap());
        let store = Store::open(&path, Access::Job).unwrap();
        let mut writer = Store::open(&path, Access::Session).unwrap();
        writer.conn.execute_batch("PRAGMA busy_timeout = 0").unwrap();
        let expert = |n: usize| format!("e{n}");
        writer.begin_session(&expert(0)).unwrap();
        // As `copy_pages` does it, with a writer between each two steps.
        store.conn.execute_batch("BEGIN").unwrap();
        store.conn.query_row("SELECT count(*) FROM expert", (), |_| Ok(())).unwrap();
        let mut copy = Connection::open(dir.path().join("c")).unwrap();
        let backup = Backup::new(&store.conn, &mut copy).unwrap();
        let mut steps = 0;
        while backup.step(5).unwrap() != StepResult::Done {
            steps += 1;
            writer.begin_session(&expert(steps)).unwrap();
        }
        drop(backup);
        store.conn.execute_batch("COMMIT").unwrap();
        assert!(steps > 3);
        let count = |conn: &Connection| {
            conn.query_row("SELECT count(*) FROM expert", (), |r| r.get::<_, u32>(0)).unwrap() as usize
        };
        assert_eq!((count(&copy), count(&store.conn)), (1, steps + 1));

        let made = dir.path().join("made");
        store.copy_into(&made).unwrap();
        let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(!names.iter().any(|n| n.to_string_lossy().starts_with("made-")), "{names:?}");
        assert_eq!(count(&Connection::open(&made).unwrap()), steps + 1);
        assert!(store.size().unwrap() > 100_000);
    }
}
