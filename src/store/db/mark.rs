//! The mark by which a file is told from every other state of it, and from others: how it lies in the file, read without SQLite.

use std::path::Path;

use super::connected::{read_part, read_part_anew};

/// Bytes of a page of any project, and the number of the page that holds the mark: its table is the first that the schema makes.
pub(super) const PAGE: usize = 4_096;
pub(super) const PAGE_OF_MARK: u32 = 2;

/// Half of it is random, the other half a hash of that: a damaged one is no mark.
pub(in crate::store) type Mark = [u8; 16];

/// A mark and the one before.
#[derive(Clone, Copy)]
pub(in crate::store) struct Marks {
    pub mark: Mark,
    pub before: Mark,
}

/// Whose a log or a journal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Owner {
    /// The file's, or there is none.
    This,
    /// Another file's.
    Another,
    /// It does not say, or one of the two is damaged.
    Unknown,
}

pub(super) fn mark_of(half: [u8; 8]) -> Mark {
    let mut mark = [0; 16];
    mark[..8].copy_from_slice(&half);
    mark[8..].copy_from_slice(&blake3::hash(&half).as_bytes()[..8]);
    mark
}

fn checked(bytes: &[u8]) -> Option<Mark> {
    let half = bytes.get(..8)?.try_into().ok()?;
    (mark_of(half) == bytes).then(|| mark_of(half))
}

/// The mark in the file itself, without what its log says.
pub(in crate::store) fn mark_of_file(path: &Path) -> Option<[u8; 16]> {
    let page = read_part(path, PAGE as u64, PAGE as u64).ok()?;
    mark_in(&page)
}

/// The same as it is now, even where others changed the file behind this system's back.
pub(in crate::store) fn mark_of_file_anew(path: &Path) -> Option<Mark> {
    let page = read_part_anew(path, PAGE as u64, PAGE as u64).ok()?;
    mark_in(&page)
}

fn mark_in(page: &[u8]) -> Option<Mark> {
    let [mark, _] = halves(page)?;
    checked(mark)
}

/// The same with the mark before.
pub(in crate::store) fn marks_of_file(path: &Path) -> Option<Marks> {
    marks(&read_part(path, PAGE as u64, PAGE as u64).ok()?)
}

/// The two columns of the only row on the page of the table. Layout: "B-tree Pages" and "Record Format" of the SQLite file format.
fn halves(page: &[u8]) -> Option<[&[u8]; 2]> {
    /// A table's leaf with one cell.
    const LEAF: [u8; 5] = [13, 0, 0, 0, 1];
    /// 36 bytes in row 1: a header of four bytes, the number of the row, two blobs of 16 bytes.
    const CELL: [u8; 6] = [36, 1, 4, 0, 44, 44];
    if page.len() != PAGE || page[..5] != LEAF {
        return None;
    }
    let at = usize::from(u16::from_be_bytes([page[8], page[9]]));
    let cell = page.get(at..at + 38)?;
    if cell[..6] != CELL {
        return None;
    }
    Some([&cell[6..22], &cell[22..38]])
}

pub(super) fn marks(page: &[u8]) -> Option<Marks> {
    let [mark, before] = halves(page)?;
    Some(Marks { mark: checked(mark)?, before: checked(before)? })
}
