//! Whether the file is whole: looked at after an unclean end, and on request.

use std::path::PathBuf;
use std::thread::JoinHandle;

use rusqlite::{Connection, InterruptHandle, OpenFlags};

use crate::domain::fault::Result;
use crate::domain::ids::SessionId;
use crate::store::db::attempt::{Attempt, is_busy};
use crate::store::db::clock::now_ms;
use crate::store::db::open::Store;
use crate::store::db::plain_path::plain;
use crate::store::db::process::Life;
use crate::store::db::row_seals::Checked;
use crate::store::db::{busy, process};
use crate::store::rounds::leases::free_lost;

impl Store {
    /// Looks at the whole file. Empty where nothing is wrong, else what SQLite found.
    pub fn quick_check(&self) -> Result<Vec<String>> {
        let mut statement = self.conn.prepare("PRAGMA quick_check").attempting("check the project file")?;
        let found: Vec<String> = statement
            .query_map([], |r| r.get(0))
            .and_then(Iterator::collect)
            .attempting("check the project file")?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// The slower check of every index entry against its row, of every reference, of every item against its text and the list of keys, and of
    /// every row that labels rest on against its seal.
    pub fn integrity_check(&self) -> Result<Vec<String>> {
        let what = "check the project file";
        let mut found = Vec::new();
        for (pragma, label) in [("integrity_check", ""), ("foreign_key_check", "a broken reference in ")] {
            let mut statement = self.conn.prepare(&format!("PRAGMA {pragma}")).attempting(what)?;
            let lines: Vec<String> = statement
                .query_map([], |r| r.get::<_, String>(0))
                .and_then(Iterator::collect)
                .attempting(what)?;
            found.extend(lines.into_iter().filter(|l| l != "ok").map(|l| format!("{label}{l}")));
        }
        // The keys of an import are listed before it is ready, and after their items.
        for (sql, wrong) in [
            (
                "SELECT count(*) FROM item i WHERE source IN (SELECT id FROM source WHERE state = 'ready')
                 AND NOT EXISTS (SELECT 1 FROM item_key k WHERE k.key = i.key AND k.item = i.id)",
                "texts are not listed under their keys",
            ),
            (
                "SELECT count(*) FROM item_key k
                 WHERE NOT EXISTS (SELECT 1 FROM item i WHERE i.id = k.item AND i.key = k.key)",
                "keys are listed without their texts",
            ),
        ] {
            let count = self.count(sql, (), what)?;
            found.extend((count > 0).then(|| format!("{count} {wrong}")));
        }
        found.extend(self.label_damage()?);
        found.extend(self.row_damage(&[Checked::WhenOpened, Checked::BeforeExport, Checked::WhereUsed])?);
        found.extend(self.changed_texts()?);
        Ok(found)
    }

    /// Notices sessions and jobs of this host that ended without a word, marks them as lost, and starts a check of the file in
    /// the background. None where everybody left in order.
    pub fn notice_unclean_end(&mut self) -> Result<Option<UncleanCheck>> {
        let what = "look for unclean ends";
        let host = process::host();
        let gone: Vec<SessionId> = {
            let mut statement = self
                .conn
                .prepare_cached(
                    "SELECT id, process, EXISTS (SELECT 1 FROM lease l WHERE l.session = s.id AND l.expires_ms > ?2)
                     FROM session s WHERE ended_ms IS NULL AND host = ?1",
                )
                .attempting(what)?;
            let rows = statement
                .query_map((&host, now_ms()), |r| {
                    Ok((r.get::<_, SessionId>(0)?, r.get::<_, String>(1)?, r.get::<_, bool>(2)?))
                })
                .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
                .attempting(what)?;
            // One elsewhere that has a case on its screen may well live; after the machine was started again its cases are free soon.
            let is_gone = |process: &str, holds: bool| match process::life(process) {
                Life::Alive => false,
                Life::Gone => true,
                Life::Elsewhere => !holds,
            };
            rows.into_iter().filter(|(_, p, holds)| is_gone(p, *holds)).map(|(id, ..)| id).collect()
        };
        let lost_runs = self.mark_lost_runs()?;
        if gone.is_empty() && lost_runs == 0 {
            return Ok(None);
        }
        let lost = self.write(what, |tx| {
            let mut lost = 0;
            for id in &gone {
                free_lost(tx, *id)?;
                lost += tx.execute(
                    "UPDATE session SET ended_ms = ?2, ended_how = 'lost' WHERE id = ?1 AND ended_ms IS NULL",
                    (id, now_ms()),
                )?;
            }
            Ok(lost)
        })?;
        if lost + lost_runs == 0 {
            return Ok(None);
        }
        UncleanCheck::start(self.path().to_owned()).map(Some)
    }
}

/// A check in the background, on its own thread and connection.
pub struct UncleanCheck {
    thread: JoinHandle<rusqlite::Result<Vec<String>>>,
    interrupt: InterruptHandle,
}

impl UncleanCheck {
    fn start(path: PathBuf) -> Result<Self> {
        let what = "check the project file";
        let conn =
            Connection::open_with_flags(plain(&path), OpenFlags::SQLITE_OPEN_READ_ONLY).attempting(what)?;
        busy::install(&conn).attempting(what)?;
        let interrupt = conn.get_interrupt_handle();
        let thread = std::thread::spawn(move || {
            let mut statement = conn.prepare("PRAGMA quick_check")?;
            let lines = statement.query_map([], |r| r.get::<_, String>(0))?;
            lines.filter(|l| l.as_ref().map_or(true, |l| l != "ok")).collect()
        });
        Ok(Self { thread, interrupt })
    }

    /// Waits for the verdict: empty where nothing is wrong.
    pub fn wait(self) -> Vec<String> {
        match self.thread.join() {
            Ok(Ok(found)) => found,
            // That the file was locked is not damage.
            Ok(Err(e)) if is_busy(&e) => Vec::new(),
            Ok(Err(e)) => vec![e.to_string()],
            Err(_) => vec!["the check itself ended early".into()],
        }
    }

    /// The verdict where there is one already; otherwise the check is given up.
    pub fn verdict_so_far(self) -> Option<Vec<String>> {
        if self.thread.is_finished() {
            return Some(self.wait());
        }
        self.interrupt.interrupt();
        let _ = self.thread.join();
        None
    }
}
