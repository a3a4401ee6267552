//! Whether the write-ahead log next to a file is that file's own, read without SQLite.
//!
//! SQLite reads any log of that name into any file: one that was left by a kill, or belongs to people who still have the file open that was
//! here before, would be mixed into a file that was copied or moved to its place. So a file holds a mark. The first commit of each log renews it and
//! keeps the mark before: the mark in the file itself is either the one that the log found, or one that the log has set, once a checkpoint has
//! brought that over.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use rusqlite::Transaction;

use super::clock::new_uuid;
use super::mark::{Mark, Marks, Owner, PAGE, PAGE_OF_MARK, mark_of, mark_of_file, marks};
use super::rollback_journal;
use super::wal::{commits_in, sidecar};
use crate::domain::fault::{Fault, Result};

const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// What tells a log from the one that was written over it: the salts in its header.
pub(in crate::store) type Salts = [u8; 8];

/// The salts of an open log; none where it has no header yet.
pub(in crate::store) fn salts(log: &File) -> Option<Salts> {
    let mut header = [0; LOG_HEADER];
    read_at(log, &mut header, 0)?;
    header[16..24].try_into().ok()
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> Option<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at).ok()
}

#[cfg(not(unix))]
fn read_at(mut file: &File, buffer: &mut [u8], at: u64) -> Option<()> {
    file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(buffer)).ok()
}

/// Puts a new mark into the file, in a transaction that is about to be committed. Where that has a rollback journal, the mark says which. Returns it
/// and the one that SQLite found. `path` is the file's own, with no link in its place.
pub(in crate::store) fn renew(tx: &Transaction<'_>, path: &Path) -> rusqlite::Result<Marks> {
    // The first change, where nothing else was changed: now there is a journal.
    tx.prepare_cached("UPDATE log_mark SET before = mark")?.execute(())?;
    let before: Mark = tx.prepare_cached("SELECT before FROM log_mark")?.query_row((), |row| row.get(0))?;
    let mark = rollback_journal::nonce(path)
        .map_or_else(random, |nonce| rollback_journal::mark_after(before, nonce));
    tx.prepare_cached("UPDATE log_mark SET mark = ?1")?.execute([mark])?;
    Ok(Marks { mark, before })
}

fn random() -> Mark {
    // The last eight bytes are the random ones.
    let [.., a, b, c, d, e, f, g, h] = *new_uuid().as_bytes();
    mark_of([a, b, c, d, e, f, g, h])
}

/// Whose log lies next to a file. Where others write at the same time, what was found is looked at again.
pub(in crate::store) fn owner(path: &Path) -> Owner {
    owner_of(&sidecar(path, "-wal"), path)
}

/// Whether the log of that name is that of the file at `path`.
pub(in crate::store) fn owner_of(log: &Path, path: &Path) -> Owner {
    let found = owner_by(path, || File::open(log).ok());
    // The frame that would say so may be the one that is damaged.
    if found == Owner::Another && commits_in(log).cut_off > 0 { Owner::Unknown } else { found }
}

/// Whether a log that is open, whatever its name by now, is that of the file at `path`.
pub(in crate::store) fn owner_of_open(log: &File, path: &Path) -> Owner {
    owner_by(path, || log.try_clone().ok())
}

fn owner_by(path: &Path, log: impl Fn() -> Option<File>) -> Owner {
    for _ in 0..5 {
        let Some(mark) = mark_of_file(path) else { return Owner::Unknown };
        let Some((before, found)) = log().and_then(|log| Some((salts(&log)?, look(&log, mark)?))) else {
            return Owner::This;
        };
        if found != Owner::Another {
            return found;
        }
        if log().is_some_and(|log| salts(&log) == Some(before)) && mark_of_file(path) == Some(mark) {
            return Owner::Another;
        }
    }
    Owner::Unknown
}

/// Whether a log begins at the mark, or has set it. None where the log cannot be read.
fn look(mut log: &File, mark: Mark) -> Option<Owner> {
    let salts = salts(log)?;
    let mut found = Owner::Unknown;
    let mut frame = [0; FRAME_HEADER];
    let mut page = vec![0; PAGE];
    let mut at = LOG_HEADER as u64;
    while read_at(log, &mut frame, at).is_some() && frame[8..16] == salts {
        if frame[..4] == PAGE_OF_MARK.to_be_bytes() {
            log.seek(SeekFrom::Start(at + FRAME_HEADER as u64)).ok()?;
            if log.read_exact(&mut page).is_err() {
                break;
            }
            if let Some(Marks { mark: set, before }) = marks(&page) {
                if set == mark || before == mark {
                    return Some(Owner::This);
                }
                found = Owner::Another;
            }
        }
        at += (FRAME_HEADER + PAGE) as u64;
    }
    Some(found)
}

/// Refuses a file next to which another file's log lies, before anything reads the two as one.
pub(in crate::store) fn refuse_foreign(path: &Path, attempted: &str) -> Result<()> {
    if owner(path) != Owner::Another {
        return Ok(());
    }
    let log = sidecar(path, "-wal");
    let why = format!(
        "the log next to it ({}) belongs to another file: this one was put in its place while labels were being saved",
        log.file_name().unwrap_or_default().to_string_lossy()
    );
    Err(Fault::new(attempted, why).hint(format!(
        "Nothing was changed. If you have the file that was here before, put it back; else `hardcase doctor {} --repair` keeps the log under another \
         name and opens this file as it is",
        path.display()
    )))
}

#[cfg(test)]
mod tests;
