//! Whether the rollback journal next to a file is that file's own, read without SQLite.
//!
//! SQLite plays any journal of that name into any file: one that a kill left would undo what was saved in a file that was copied to that place
//! since. A journal holds pages as they were before a write, that of the mark among them, because every write without a log renews it; and
//! the new mark is made from the old one and from a number that is the journal's own. So the mark in the file is the one in the journal, or
//! the one that this very write was about to set. Layout: "The Rollback Journal" of the SQLite file format.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::connected::read_part;
use super::mark::{Mark, Owner, PAGE, PAGE_OF_MARK, mark_of, marks, marks_of_file};
use super::wal::sidecar;
use crate::domain::fault::{Fault, Result};

const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
const HEADER: usize = 28;
/// The number of records in a header that leaves it to the length of the file.
const TO_THE_END: u32 = u32::MAX;
/// A page, its number before it and its checksum after it.
const RECORD: usize = 4 + PAGE + 4;
/// Bytes of the first page that every write changes: the journal mode, the counters of writes and the version of SQLite.
const VOLATILE: [std::ops::Range<usize>; 3] = [18..20, 24..28, 92..100];
/// How often a journal is looked at that changes meanwhile: then somebody writes, and it is theirs.
const TRIES: u32 = 10;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Header {
    records: u32,
    nonce: u32,
    /// Pages of the file before the write.
    pages: u32,
    sector: u32,
    page: u32,
}

impl Header {
    fn of(bytes: &[u8; HEADER]) -> Self {
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Self { records: word(8), nonce: word(12), pages: word(16), sector: word(20), page: word(24) }
    }
}

/// Whose journal lies next to a file. Where others write at the same time, what was found is looked at again.
pub(in crate::store) fn owner(path: &Path) -> Owner {
    let journal = sidecar(path, "-journal");
    for _ in 0..TRIES {
        let Some((file, before)) = opened(&journal) else { return Owner::This };
        let mark = marks_of_file(path).map(|marks| marks.mark);
        let found = look(path, &file, before).unwrap_or(Owner::Unknown);
        let is_same = opened(&journal).is_some_and(|(_, now)| now == before)
            && marks_of_file(path).map(|marks| marks.mark) == mark;
        if found == Owner::This || is_same {
            return found;
        }
    }
    Owner::This
}

/// The number that tells this journal from all others; none where there is no journal. In the middle of a write it is there already, while the
/// first bytes of the header, without which SQLite plays nothing, are set once all of the journal is on disk.
pub(in crate::store) fn nonce(path: &Path) -> Option<u32> {
    let mut journal = File::open(sidecar(path, "-journal")).ok()?;
    bytes_at(&mut journal, 0).map(|bytes| Header::of(&bytes).nonce)
}

/// None where SQLite would play nothing of it.
fn opened(journal: &Path) -> Option<(File, Header)> {
    let mut file = File::open(journal).ok()?;
    let header = header_at(&mut file, 0)?;
    Some((file, header))
}

fn header_at(file: &mut File, at: u64) -> Option<Header> {
    let bytes = bytes_at(file, at)?;
    (bytes[..8] == MAGIC).then(|| Header::of(&bytes))
}

fn bytes_at(file: &mut File, at: u64) -> Option<[u8; HEADER]> {
    let mut bytes = [0; HEADER];
    file.seek(SeekFrom::Start(at)).ok()?;
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn look(path: &Path, journal: &File, first: Header) -> Option<Owner> {
    let length = std::fs::metadata(path).ok()?.len();
    if first.page as usize != PAGE || !(512..=65_536).contains(&first.sector) {
        return None;
    }
    let mut changes_nothing = length == u64::from(first.pages) * PAGE as u64;
    let (mut counter, mut set) = (None, None);
    for_each_record(journal, first, |number, page| {
        let from = u64::from(number.saturating_sub(1)) * PAGE as u64;
        let now = read_part(path, from, PAGE as u64).unwrap_or_default();
        changes_nothing &= is_same_page(number, page, &now);
        if number == 1 && counter.is_none() {
            counter = Some((counter_in(page), counter_in(&now)));
        }
        if number == PAGE_OF_MARK && set.is_none() {
            set = marks(page).map(|marks| marks.mark);
        }
    });
    if changes_nothing {
        return Some(Owner::This);
    }
    let before = set?;
    let now = marks_of_file(path)?;
    // A write counts one further, and its first page may be in the file already.
    let (then, count) = counter.unzip();
    let counts = then == count || then.map(|then| then.wrapping_add(1)) == count;
    let set = now.mark == before || now.before == before && now.mark == mark_after(before, first.nonce);
    Some(if counts && set { Owner::This } else { Owner::Another })
}

/// The mark that a write sets which found this one and has that journal.
pub(in crate::store) fn mark_after(before: Mark, nonce: u32) -> Mark {
    let hash = blake3::hash(&[&before[..], &nonce.to_be_bytes()].concat());
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    mark_of([a, b, c, d, e, f, g, h])
}

fn counter_in(page: &[u8]) -> u32 {
    page.get(24..28).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// Whether a page is as the journal has it, but for what every write changes.
fn is_same_page(number: u32, then: &[u8], now: &[u8]) -> bool {
    if number != 1 {
        return then == now;
    }
    then.len() == now.len()
        && then
            .iter()
            .zip(now)
            .enumerate()
            .all(|(at, (then, now))| then == now || VOLATILE.iter().any(|volatile| volatile.contains(&at)))
}

/// Runs over the pages that SQLite would play, as it does: up to the first that does not fit its checksum.
fn for_each_record(mut journal: &File, first: Header, mut each: impl FnMut(u32, &[u8])) {
    let mut record = vec![0; RECORD];
    let (mut header, mut at) = (first, 0);
    loop {
        at += u64::from(first.sector);
        if journal.seek(SeekFrom::Start(at)).is_err() {
            return;
        }
        let mut left = header.records;
        while left > 0 {
            if journal.read_exact(&mut record).is_err() {
                return;
            }
            let word =
                |at: usize| u32::from_be_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
            let page = &record[4..4 + PAGE];
            if word(0) == 0 || checksum(header.nonce, page) != word(4 + PAGE) {
                return;
            }
            each(word(0), page);
            at += RECORD as u64;
            left = if left == TO_THE_END { left } else { left - 1 };
        }
        // The next part of it begins at a sector of its own.
        at = at.next_multiple_of(u64::from(first.sector));
        let Ok(mut next) = journal.try_clone() else { return };
        match header_at(&mut next, at) {
            Some(found) => header = found,
            None => return,
        }
    }
}

fn checksum(nonce: u32, page: &[u8]) -> u32 {
    let bytes = (1..).map_while(|n| page.len().checked_sub(200 * n)).take_while(|at| *at > 0);
    bytes.fold(nonce, |sum, at| sum.wrapping_add(u32::from(page[at])))
}

/// What is wrong with the journal next to a file, as a sentence; none where it is the file's own, or there is none.
pub(in crate::store) fn foreign(path: &Path) -> Option<String> {
    let owner = owner(path);
    let journal = sidecar(path, "-journal");
    let name = journal.file_name().unwrap_or_default().to_string_lossy();
    match owner {
        Owner::This => None,
        Owner::Another => Some(format!(
            "the journal next to it ({name}) belongs to another file: this one was put in its place after a write was interrupted"
        )),
        Owner::Unknown => Some(format!(
            "a write was interrupted, and it cannot be told whether the journal next to it ({name}) belongs to this file"
        )),
    }
}

/// Refuses a file next to which another file's journal lies, before anything plays it.
pub(in crate::store) fn refuse_foreign(path: &Path, attempted: &str) -> Result<()> {
    let Some(why) = foreign(path) else { return Ok(()) };
    Err(Fault::new(attempted, why).hint(format!(
        "Nothing was changed. If you have the file that was here before, put it back; else `hardcase doctor {} --repair` keeps the journal under \
         another name and saves what is intact",
        path.display()
    )))
}

#[cfg(test)]
mod tests;
