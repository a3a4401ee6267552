//! The first hundred bytes of a damaged file: what they must be in any project is put back, so that SQLite reads the rest.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use rusqlite::Connection;

use crate::domain::fault::{Fault, Result, io_reason};
use crate::store::db::header::{APPLICATION_ID, MAGIC, refuse_mark};
use crate::store::db::plain_path::plain;
use crate::store::db::version::{Marked, VERSIONS, read_mark, schema_hash};
use crate::store::db::wal::sidecar;

/// Bytes of a page: every project has such pages.
const PAGE: u64 = 4_096;
/// The marks of files that development versions made before marks held a hash.
const FIRST_MARKS: std::ops::RangeInclusive<u32> = 1..=4;

/// Puts the header of a copy of a damaged project right. True where something was wrong with it.
///
/// # Errors
/// It is not a project at all, or one that a newer program or a development version wrote.
pub fn mend_header(copy: &Path, attempted: &str) -> Result<bool> {
    let io = |e: std::io::Error| Fault::new(attempted, io_reason(&e)).because(e);
    let mut file = File::options().read(true).write(true).open(copy).map_err(io)?;
    let pages = file.metadata().map_err(io)?.len() / PAGE;
    let mut head = [0; 100];
    file.read_exact(&mut head).map_err(|_| Fault::new(attempted, "hardly anything of it is left"))?;
    let be32 = |head: &[u8; 100], at: usize| {
        u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
    };
    let before = head;
    if &head[..16] != MAGIC && be32(&head, 68) != APPLICATION_ID {
        return Err(Fault::usage(attempted, "it does not begin like a hardcase project")
            .hint("Name a .hardcase file"));
    }
    let mark = be32(&head, 60);
    let marked = read_mark(mark, VERSIONS);
    if matches!(marked, Marked::Newer(_)) || FIRST_MARKS.contains(&mark) {
        return Err(refuse_mark(marked, attempted));
    }
    let is_ours = matches!(marked, Marked::Known(_));
    if let (false, Some((number, newest))) = (is_ours, (1..).zip(VERSIONS).last()) {
        head[60..64].copy_from_slice(&newest.mark(number).to_be_bytes());
    }
    head[..16].copy_from_slice(MAGIC);
    head[16..18].copy_from_slice(&[16, 0]);
    let log = std::fs::metadata(sidecar(copy, "-wal")).is_ok_and(|m| m.len() > 0);
    let journal = if log || head[18] == 2 && head[19] == 2 { 2 } else { 1 };
    head[18..24].copy_from_slice(&[journal, journal, 0, 64, 32, 32]);
    head[44..48].copy_from_slice(&4u32.to_be_bytes());
    head[52..56].fill(0);
    head[56..60].copy_from_slice(&1u32.to_be_bytes());
    head[64..68].fill(0);
    head[68..72].copy_from_slice(&APPLICATION_ID.to_be_bytes());
    if u64::from(be32(&head, 28)) > pages {
        // None: as many as there are.
        head[28..32].fill(0);
    }
    if head != before {
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.write_all(&head))
            .and_then(|()| file.sync_all())
            .map_err(io)?;
    }
    if !is_ours {
        refuse_other_tables(copy, attempted)?;
    }
    Ok(head != before)
}

/// A file whose mark is not this program's is one of a development version, where all of it but the tables is as it should be.
fn refuse_other_tables(copy: &Path, attempted: &str) -> Result<()> {
    let look = || -> rusqlite::Result<bool> {
        let conn = Connection::open(plain(copy))?;
        let whole: String = conn.query_row("PRAGMA quick_check(1)", (), |r| r.get(0))?;
        let hash = schema_hash(&conn)?;
        Ok(whole == "ok" && VERSIONS.iter().all(|version| version.schema != hash))
    };
    match look() {
        Ok(true) => Err(refuse_mark(Marked::Development, attempted)),
        Ok(false) | Err(_) => Ok(()),
    }
}
