//! Another copy of the project, opened so that not a byte of it changes.
//!
//! A copy that nobody has open and that is of this file version is read where it lies. Any other is read from a private file of its own:
//! one of an earlier version because it is brought up to date, one with a log because reading through the log writes next to it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Connection, OpenFlags};

use crate::domain::fault::{Fault, Result, io_reason};
use crate::store::care::copying::copy_pages;
use crate::store::db::attempt::Attempt;
use crate::store::db::clock::new_uuid;
use crate::store::db::connected::Connected;
use crate::store::db::open::{Store, read_only_uri};
use crate::store::db::plain_path::plain;
use crate::store::db::private::create_private;
use crate::store::db::version::{FILE_VERSION, VERSIONS};
use crate::store::db::wal;
use crate::store::db::wal::sidecar;
use crate::store::db::{busy, header, log_mark, migrate, rollback_journal};

/// A copy under way into another file.
pub struct StoredCopy {
    /// What it holds.
    pub store: Store,
    /// As the copy was when it was opened.
    before: Option<Stamp>,
}

/// Length and time of a file.
type Stamp = (u64, Option<SystemTime>);

impl StoredCopy {
    /// Opens a copy. What has to be copied first lies for a moment next to `project`, or where temporary files do.
    ///
    /// # Errors
    /// Those of opening a project, and no room for a private file.
    pub fn open(path: &Path, project: &Path) -> Result<Self> {
        let attempted = format!("read the copy {}", path.display());
        let version = inspect(path, &attempted)?;
        let in_use = is_in_use(path);
        if !in_use && version == FILE_VERSION {
            return Self::in_place(path, &attempted);
        }
        let private = Private::next_to(project, &attempted)?;
        if !in_use || !may_be_open(path) || back_up(path, &private.0).is_err() {
            let mut file = File::open(path).map_err(|e| io(e, &attempted))?;
            fill(&mut file, &private.0, &attempted)?;
            fill_logs(path, &private.0, &attempted)?;
        }
        Self::of_private(path, &private, version, &attempted)
    }

    /// The same of a project whose lock this process holds by an open file. What has to be copied lies for a moment at `private`.
    ///
    /// # Errors
    /// The same: then the lock may have been given back.
    pub fn open_held(path: &Path, mut held: &File, private: &Path) -> Result<Self> {
        let attempted = format!("read {}", path.display());
        let version = inspect(path, &attempted)?;
        if !is_in_use(path) && version == FILE_VERSION {
            return Self::in_place(path, &attempted);
        }
        let private = Private(private.to_owned());
        held.seek(SeekFrom::Start(0)).map_err(|e| io(e, &attempted))?;
        fill(&mut held, &private.0, &attempted)?;
        fill_logs(path, &private.0, &attempted)?;
        Self::of_private(path, &private, version, &attempted)
    }

    fn in_place(path: &Path, attempted: &str) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let connected = Connected::of(path);
        let conn = Connection::open_with_flags(read_only_uri(path), flags).attempting(attempted)?;
        let store = settle(conn, path, connected).map_err(|f| f.while_trying(attempted))?;
        Ok(Self { store, before: Some(stamp(path)) })
    }

    /// `private` goes when this returns: its name is taken away, and the file with the last who has it open.
    fn of_private(path: &Path, private: &Private, version: u32, attempted: &str) -> Result<Self> {
        let connected = Connected::of(&private.0);
        let mut conn = Connection::open(plain(&private.0)).attempting(attempted)?;
        conn.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).attempting(attempted)?;
        if version < FILE_VERSION {
            migrate::apply(&mut conn, VERSIONS).map_err(|f| f.while_trying(attempted))?;
        }
        let store = settle(conn, path, connected).map_err(|f| f.while_trying(attempted))?;
        Ok(Self { store, before: None })
    }

    /// Whether nobody wrote to the copy while it was read where it lies.
    ///
    /// # Errors
    /// Somebody did.
    pub fn check_unchanged(&self) -> Result<()> {
        let path = self.store.path();
        match self.before {
            Some(before) if stamp(path) != before || sidecar(path, "-wal").exists() => {
                Err(Fault::new(format!("read the copy {}", path.display()), "somebody opened it meanwhile")
                    .hint("Run the same command again: it goes on with what is missing"))
            }
            _ => Ok(()),
        }
    }
}

/// The number of the copy's version, once it is known that what lies next to it is its own.
fn inspect(path: &Path, attempted: &str) -> Result<u32> {
    let version = header::inspect(path).map_err(|f| f.while_trying(attempted))?;
    wal::refuse_damaged(path, attempted)?;
    log_mark::refuse_foreign(path, attempted)?;
    rollback_journal::refuse_foreign(path, attempted)?;
    Ok(version)
}

/// Whether something lies next to the file without which it is not whole, or others have it open.
fn is_in_use(path: &Path) -> bool {
    header::has_journal(path) || ["-wal", "-shm"].iter().any(|end| sidecar(path, end).exists())
}

fn may_be_open(path: &Path) -> bool {
    header::has_journal(path) || sidecar(path, "-shm").exists()
}

fn settle(conn: Connection, path: &Path, connected: Connected) -> Result<Store> {
    let what = "open the project";
    busy::install(&conn).attempting(what)?;
    conn.pragma_update(None, "trusted_schema", false).attempting(what)?;
    conn.pragma_update(None, "cache_size", -65_536).attempting(what)?;
    let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).attempting(what)?;
    if verdict != "ok" {
        return Err(Fault::new(what, format!("the file is damaged ({verdict})"))
            .hint("Copy it once more from where it was made, its -wal file included"));
    }
    Store::reading(conn, path, connected)
}

fn stamp(path: &Path) -> Stamp {
    std::fs::metadata(path).map_or((0, None), |meta| (meta.len(), meta.modified().ok()))
}

/// Copies a project that others may have open, through SQLite and its locks.
fn back_up(from: &Path, to: &Path) -> rusqlite::Result<()> {
    let conn = Connection::open_with_flags(plain(from), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    busy::install(&conn)?;
    copy_pages(&conn, to)
}

fn fill_logs(from: &Path, to: &Path, attempted: &str) -> Result<()> {
    for end in ["-wal", "-journal"] {
        match File::open(sidecar(from, end)) {
            Ok(mut log) => fill(&mut log, &sidecar(to, end), attempted)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(io(e, attempted)),
        }
    }
    Ok(())
}

fn fill(from: &mut impl Read, to: &Path, attempted: &str) -> Result<()> {
    if to.symlink_metadata().is_err() {
        create_private(to, attempted)?;
    }
    let mut out = File::options().write(true).truncate(true).open(to).map_err(|e| io(e, attempted))?;
    std::io::copy(from, &mut out).map(drop).map_err(|e| io(e, attempted))
}

fn io(e: std::io::Error, attempted: &str) -> Fault {
    Fault::new(attempted, io_reason(&e)).because(e)
}

/// A file for this process alone, gone when it is dropped.
struct Private(PathBuf);

impl Private {
    fn next_to(project: &Path, attempted: &str) -> Result<Self> {
        let name = |path: &Path| {
            let mut name = std::ffi::OsString::from(".");
            name.push(path.file_name().unwrap_or_default());
            name.push(format!(".copy-{}", new_uuid().simple()));
            name
        };
        let here = project.with_file_name(name(project));
        if create_private(&here, attempted).is_ok() {
            return Ok(Self(here));
        }
        let elsewhere = std::env::temp_dir().join(name(project));
        create_private(&elsewhere, attempted)?;
        Ok(Self(elsewhere))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(sidecar(&self.0, end));
        }
    }
}
