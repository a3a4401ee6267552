//! Making and opening a project file.

use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::alone::is_alone;
use super::attempt::{Attempt, is_busy};
use super::clock::{new_uuid, now_ms};
use super::connected::{Connected, identity_of};
use super::convert::Uuid16;
use super::filesystem::{FileSystem, ROLLBACK, file_system, locks_stay_here};
use super::locks::{Locks, try_locks};
use super::place::{Displaced, Place};
use super::plain_path::plain;
use super::private::{check_place, create_private};
use super::turns::Turns;
use super::version::{FILE_VERSION, VERSIONS, schema_hash};
use super::{busy, functions, header, log_mark, migrate, process, rollback_journal, seals, wal};
use crate::domain::fault::{Fault, Result};
use crate::domain::overlap::ACTIVE_DAYS;
use crate::domain::split::SplitShares;
use crate::store::care::kept_names::refuse_kept_name;
use crate::store::care::orphan_log::{PUT_TOGETHER, log_without_file};
use crate::store::care::replacing::{forget_interrupted, is_under_way};
use crate::store::log::kept::Kept;
use crate::store::rounds::searched::Searched;

/// What a project is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only; works on a read-only file too.
    Read,
    /// One expert's session: writes are single labels, so checkpoints are left to jobs and to the last one who leaves.
    Session,
    /// A job: writes much, and makes the checkpoints.
    Job,
}

/// What is fixed when a project is made.
#[derive(Clone, Copy, Debug)]
pub struct NewProject {
    /// The seed of all randomness.
    pub seed: u64,
    pub shares: SplitShares,
}

/// An open project file. One per thread.
pub struct Store {
    pub(in crate::store) conn: Connection,
    pub(in crate::store) path: PathBuf,
    access: Access,
    pub(in crate::store) backup: Option<PathBuf>,
    pub(in crate::store) turns: Turns,
    /// Up to where no case was free when they were all looked at last.
    pub(in crate::store) searched: Option<Searched>,
    /// Where the file was when it was opened.
    pub(in crate::store) place: Place,
    /// What was labelled since it was opened.
    pub(in crate::store) kept: Kept,
    /// Dropped after the connection.
    connected: Connected,
}

impl Store {
    /// Whether a project can be made at `path`, as far as that is known beforehand. Makes nothing.
    ///
    /// # Errors
    /// Those of [`Store::create`].
    pub fn check_place(path: &Path) -> Result<()> {
        let attempted = format!("make the project {}", path.display());
        check_place(path, &attempted)?;
        refuse_kept_name(path, &attempted)?;
        refuse_orphan_log(path, &attempted)
    }

    /// Makes a new project file, private to its owner.
    ///
    /// # Errors
    /// The file exists, or its folder cannot be written.
    pub fn create(path: &Path, new: NewProject) -> Result<Self> {
        let attempted = format!("make the project {}", path.display());
        refuse_kept_name(path, &attempted)?;
        refuse_orphan_log(path, &attempted)?;
        create_private(path, &attempted)?;
        let made = Self::connect(path, Access::Job).and_then(|mut store| {
            store.write("make the project", |tx| {
                tx.execute(
                    "INSERT INTO project (id, uuid, created_ms, created_by, seed, audit_share, eval_share)
                     VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
                    (
                        Uuid16(new_uuid()),
                        now_ms(),
                        process::program(),
                        new.seed.cast_signed(),
                        new.shares.audit,
                        new.shares.eval,
                    ),
                )
            })?;
            Ok(store)
        });
        made.map_err(|fault| {
            // Nothing is in it yet, so nothing is lost by taking it away.
            let _ = std::fs::remove_file(path);
            fault.while_trying(attempted)
        })
    }

    /// Opens a project: a cheap check of header, ids, version and schema, then migrations if it is older.
    ///
    /// # Errors
    /// Not there, not a project, newer, damaged, read-only: each in one sentence, and the file is left as it is.
    pub fn open(path: &Path, access: Access) -> Result<Self> {
        let begun = Instant::now();
        loop {
            let before = identity_of(path);
            let opened = Self::open_now(path, access);
            let now = identity_of(path);
            // A restore or a repair came in between: what was opened is the file that is aside now.
            let replaced = match &opened {
                Ok(store) => now != store.connected.file(),
                Err(_) if now.is_none() => is_under_way(path),
                Err(_) => now != before,
            };
            if !replaced || begun.elapsed() > busy::PATIENCE {
                if access != Access::Read && opened.is_ok() {
                    forget_interrupted(&path.canonicalize().unwrap_or_else(|_| path.to_owned()));
                }
                return opened;
            }
            drop(opened);
            wait_a_moment();
        }
    }

    fn open_now(path: &Path, access: Access) -> Result<Self> {
        header::inspect(path)?;
        let attempted = format!("open the project {}", path.display());
        // What lies next to a file lies where links lead to.
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        refuse_second_name(path).map_err(|f| f.while_trying(&attempted))?;
        wal::refuse_damaged(&real, &attempted)?;
        log_mark::refuse_foreign(&real, &attempted)?;
        rollback_journal::refuse_foreign(&real, &attempted)?;
        let mut store = Self::connect(path, access).map_err(|f| f.while_trying(&attempted))?;
        store.check_opened(&attempted)?;
        if access == Access::Job {
            store.list_roots_again()?;
        }
        Ok(store)
    }

    fn connect(path: &Path, access: Access) -> Result<Self> {
        let what = "open the project";
        // Where others are not kept from the file, not even its journal is changed to read it.
        let shared = locks_stay_here(path).filter(|_| !is_alone(path));
        let read_only = is_read_only(path) || access == Access::Read && shared.is_some();
        if read_only && journal_stays(path) {
            return Err(Fault::new(what, "a write is under way or was interrupted, and undoing it takes the right to write to the file and its folder")
                .hint("Open it where you may write to both (or with --alone), or copy it there together with its -journal file"));
        }
        if read_only && access != Access::Read {
            return Err(Fault::new(what, "the file or its folder is read-only")
                .hint("Allow writing to both (chmod u+w) or work on a copy"));
        }
        if access != Access::Read {
            refuse_local_locks(shared)?;
        }
        let connected = Connected::of(path);
        let file = connected.file();
        let mut conn = if read_only {
            Connection::open_with_flags(
                read_only_uri(path),
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
            )
        } else {
            Connection::open_with_flags(
                plain(path),
                OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )
        }
        .attempting(what)?;
        // Until it is known that this file and that log belong together, closing it must not bring one over into the other and delete it.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).attempting(what)?;
        busy::install(&conn).attempting(what)?;
        conn.pragma_update(None, "foreign_keys", true).attempting(what)?;
        // A hostile file must not run code of its own through its schema.
        conn.pragma_update(None, "trusted_schema", false).attempting(what)?;
        conn.set_prepared_statement_cache_capacity(64);
        refuse_foreign_schema(&conn)?;
        if identity_of(path) != file {
            return Err(Fault::new(what, "another file took its place at this moment").hint("Run it again"));
        }
        let mut backup = None;
        if !read_only {
            Self::set_durability(&conn, path, access)?;
            backup = migrate::migrate(&mut conn, path, VERSIONS)?;
        } else if migrate::version(&conn, VERSIONS)? < FILE_VERSION {
            let why = "an earlier hardcase wrote it, and it is read-only, so it cannot be updated";
            return Err(Fault::new(what, why).hint("Open a copy of it in a folder that you may write to"));
        }
        let mut store = Self::reading(conn, path, connected)?;
        (store.access, store.backup) = (access, backup);
        if !read_only {
            store.place = Place::of(path, file);
        }
        Ok(store)
    }

    /// An open file that is only read, once its tables are what they should be. `connected` was taken before it was opened.
    pub(in crate::store) fn reading(conn: Connection, path: &Path, connected: Connected) -> Result<Self> {
        let what = "open the project";
        functions::install(&conn).attempting(what)?;
        let hash = schema_hash(&conn).attempting(what)?;
        if VERSIONS.last().is_none_or(|newest| newest.schema != hash) {
            return Err(Fault::new(what, "its tables are not those of a hardcase project of this version")
                .hint(seals::WAY_OUT));
        }
        conn.pragma_update(None, "cell_size_check", true).attempting(what)?;
        Ok(Self {
            conn,
            path: path.to_owned(),
            access: Access::Read,
            backup: None,
            turns: Turns::default(),
            searched: None,
            place: Place::default(),
            kept: Kept::default(),
            connected,
        })
    }

    fn set_durability(conn: &Connection, path: &Path, access: Access) -> Result<()> {
        let what = "open the project";
        let fresh: u32 = conn.query_row("PRAGMA page_count", [], |r| r.get(0)).attempting(what)?;
        if fresh == 0 {
            // Of each page that a label touches, all is written: small pages.
            conn.pragma_update(None, "page_size", 4_096).attempting(what)?;
        }
        Self::choose_journal(conn, path, access)?;
        conn.pragma_update(None, "synchronous", "FULL").attempting(what)?;
        // A job checkpoints every 16 MiB, a session never (the last one to leave does).
        let pages = if access == Access::Job { 4_000 } else { 0 };
        conn.query_row(&format!("PRAGMA wal_autocheckpoint = {pages}"), [], |_| Ok(())).attempting(what)?;
        conn.pragma_update(None, "cache_size", -65_536).attempting(what)
    }

    /// The journal that is safe on the file system. One that was made for a network stays as long as people come from other machines: the file
    /// may lie on this machine's disk and be theirs through the network. Before anything is written under it, the locks are tried.
    fn choose_journal(conn: &Connection, path: &Path, access: Access) -> Result<()> {
        let what = "open the project";
        let mode: String = conn.query_row("PRAGMA journal_mode", [], |r| r.get(0)).attempting(what)?;
        let lies_on = file_system(path);
        let mut wanted = lies_on.journal_mode();
        if wanted != ROLLBACK && mode.eq_ignore_ascii_case(ROLLBACK) && come_from_elsewhere(conn) {
            wanted = ROLLBACK;
        }
        if !mode.eq_ignore_ascii_case(wanted) {
            match conn.query_row(&format!("PRAGMA journal_mode = {wanted}"), [], |_| Ok(())) {
                Err(error) if is_busy(&error) && wanted == ROLLBACK => {
                    let why =
                        format!("it is open elsewhere with a write-ahead log, which {lies_on} cannot carry");
                    return Err(Fault::new(what, why)
                        .hint("Close it on the machine whose disk it lies on, and open it here again")
                        .because(error));
                }
                changed => changed.attempting(what)?,
            }
        }
        if wanted == ROLLBACK && access != Access::Read && try_locks(path) == Locks::GivenTwice {
            let why = "file locks do not work on its drive, so that two people could write at once";
            return Err(Fault::new(what, why)
                .hint("Work on a copy on a disk of this computer, and bring it back with `hardcase merge`"));
        }
        Ok(())
    }

    /// The time as the file keeps it: UTC milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        now_ms()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The backup that a migration made when this file was opened.
    pub fn migration_backup(&self) -> Option<&Path> {
        self.backup.as_deref()
    }

    /// The file system the project lies on.
    pub fn file_system(&self) -> FileSystem {
        file_system(&self.path)
    }

    /// How the file is written: `wal`, or `delete` for a rollback journal.
    pub fn journal_mode(&self) -> Result<String> {
        self.conn.query_row("PRAGMA journal_mode", [], |r| r.get(0)).attempting("read the project's settings")
    }

    /// What was fixed when the project was made.
    pub fn project(&self) -> Result<NewProject> {
        self.conn
            .query_row("SELECT seed, audit_share, eval_share FROM project", [], |r| {
                Ok(NewProject {
                    seed: r.get::<_, i64>(0)?.cast_unsigned(),
                    shares: SplitShares { audit: r.get(1)?, eval: r.get(2)? },
                })
            })
            .attempting("read the project's settings")
    }

    pub(in crate::store) fn must_be_writable(&self, what: &str) -> Result<()> {
        if self.access == Access::Read {
            return Err(Fault::new(what, "the project was opened for reading only"));
        }
        Ok(())
    }
}

impl Drop for Store {
    /// The last one who leaves brings the log over into the file and removes it. Where the file is no longer the one that was opened, that log may
    /// be another's by now, and the file may be: both stay as they are. Where the log alone is gone, the file still lacks what was in it.
    fn drop(&mut self) {
        if self.place.displaced().is_none_or(|displaced| displaced == Displaced::LogGone) {
            let _ = self.conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
        }
    }
}

/// A new file would take a log of its name for its own, or delete it.
fn refuse_orphan_log(path: &Path, attempted: &str) -> Result<()> {
    match log_without_file(path) {
        Some(log) => Err(Fault::new(attempted, format!("a project of that name was here, and {log}"))
            .hint(format!("Choose another name. {PUT_TOGETHER}"))),
        None => Ok(()),
    }
}

/// Refuses a file that has a second name: each name has a log of its own, and SQLite takes neither for the other's. What is in one of them would be
/// missing for those who only read, too.
#[cfg(unix)]
fn refuse_second_name(path: &Path) -> Result<()> {
    let links = std::fs::metadata(path).map_or(1, |meta| std::os::unix::fs::MetadataExt::nlink(&meta));
    if links < 2 {
        return Ok(());
    }
    let name = path.display();
    Err(Fault::new(
        "open the project",
        "the file has a second name (a hard link), under which others may have labels that are not seen here",
    )
    .hint(format!("Make it a file of its own: `cp {name} {name}.new && mv {name}.new {name}`")))
}

/// The same, of a project that is not opened.
pub(in crate::store) fn refuse_unseen_locks(path: &Path) -> Result<()> {
    refuse_local_locks(locks_stay_here(path).filter(|_| !is_alone(path)))
}

/// Whether the journal next to a file was left by a kill: those who write have it for a moment.
fn journal_stays(path: &Path) -> bool {
    let begun = Instant::now();
    while header::has_journal(path) {
        if begun.elapsed() > busy::PATIENCE / 5 {
            return true;
        }
        wait_a_moment();
    }
    false
}

#[expect(clippy::disallowed_methods, reason = "another process is at it: there is no event to wait for")]
fn wait_a_moment() {
    std::thread::sleep(std::time::Duration::from_millis(5));
}

/// Refuses to write where others would not hear of it, unless a person says that there are none.
fn refuse_local_locks(shared: Option<String>) -> Result<()> {
    let Some(why) = shared else { return Ok(()) };
    let why = format!(
        "others who open it at the same time are not kept from it ({why}), and labels of two people would be lost"
    );
    Err(Fault::new("open the project", why).hint(
        "Give the others copies and bring them together with `hardcase merge`, or copy it to a disk of this computer. If nobody else opens it, say so \
         once with --alone: that is remembered for this file",
    ))
}

#[cfg(not(unix))]
fn refuse_second_name(_path: &Path) -> Result<()> {
    Ok(())
}

/// Refuses a file whose tables and views are not those of the version that it is marked with, before anything in it is asked: a view may take the place
/// of a table, and never end.
fn refuse_foreign_schema(conn: &Connection) -> Result<()> {
    let what = "open the project";
    let hash = schema_hash(conn).attempting(what)?;
    let wanted = match migrate::version(conn, VERSIONS)? {
        // A file that is being made.
        0 => return Ok(()),
        number => VERSIONS.get(number as usize - 1).map(|version| version.schema),
    };
    if wanted == Some(hash) {
        return Ok(());
    }
    Err(Fault::new(what, "its tables are not those of a hardcase project of this version")
        .hint(seals::WAY_OUT))
}

/// Whether somebody sat at the project on another machine of late.
fn come_from_elsewhere(conn: &Connection) -> bool {
    let since = now_ms() - ACTIVE_DAYS * 24 * 60 * 60 * 1_000;
    let sql = "SELECT EXISTS (SELECT 1 FROM session WHERE host <> ?1 AND started_ms > ?2)";
    // A file without sessions is new, or no project, as will be found.
    conn.query_row(sql, (process::host(), since), |r| r.get(0)).unwrap_or(false)
}

/// Read-only by its permissions, or lying in a folder where its log cannot be made.
fn is_read_only(path: &Path) -> bool {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let marked = |p: &Path| std::fs::metadata(p).is_ok_and(|m| m.permissions().readonly());
    let refused = |p: &Path| rustix::fs::access(p, rustix::fs::Access::WRITE_OK).is_err();
    marked(path) || refused(path) || refused(folder)
}

/// A file that nobody writes can be read without a log; one with a log must be read through it.
pub(in crate::store) fn read_only_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in plain(path).as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte))
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri.push_str(if header::has_log(path) { "?mode=ro" } else { "?mode=ro&immutable=1" });
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::migrate::{migrate, version};
    use crate::store::db::version::Version;

    /// This program's versions and a made-up one after them.
    fn with_one_more(script: &'static str) -> Vec<Version> {
        let conn = Connection::open_in_memory().unwrap();
        functions::install(&conn).unwrap();
        VERSIONS.iter().for_each(|version| conn.execute_batch(version.script).unwrap());
        let _ = conn.execute_batch(script);
        [VERSIONS, &[Version { script, schema: schema_hash(&conn).unwrap() }]].concat()
    }

    /// A project with one expert.
    fn project(path: &Path) {
        let mut store = Store::create(path, NewProject { seed: 7, shares: SplitShares::default() }).unwrap();
        store.begin_session("ada").unwrap();
    }

    #[test]
    fn a_later_version_is_reached_after_a_backup_that_the_earlier_program_opens() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.hardcase");
        project(&path);
        let versions = with_one_more(
            "ALTER TABLE expert ADD COLUMN team TEXT; UPDATE expert SET team = 'of ' || name; CREATE INDEX team ON expert (team);",
        );
        let mut conn = Connection::open(&path).unwrap();
        let backup = migrate(&mut conn, &path, &versions).unwrap().expect("a backup");
        let team: String = conn.query_row("SELECT team FROM expert", [], |r| r.get(0)).unwrap();
        assert_eq!((team.as_str(), version(&conn, &versions).unwrap()), ("of ada", 2));
        assert_eq!(schema_hash(&conn).unwrap(), versions[1].schema);
        assert_eq!(migrate(&mut conn, &path, &versions).unwrap(), None, "a second run has nothing to do");
        drop(conn);

        let old = Store::open(&backup, Access::Read).unwrap();
        assert_eq!(old.experts().unwrap().len(), 1);
        assert_eq!(old.integrity_check().unwrap(), Vec::<String>::new());
        let refused = Store::open(&path, Access::Read).err().map(|f| f.to_string()).unwrap_or_default();
        assert!(refused.contains("a newer hardcase (file version 2"), "{refused}");
    }

    #[test]
    fn a_migration_that_fails_leaves_the_file_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.hardcase");
        project(&path);
        let versions = with_one_more("CREATE TABLE b (x); CREATE TABLE expert (x);");
        let mut conn = Connection::open(&path).unwrap();
        assert!(migrate(&mut conn, &path, &versions).is_err());
        drop(conn);
        let store = Store::open(&path, Access::Read).unwrap();
        assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new());
    }
}
