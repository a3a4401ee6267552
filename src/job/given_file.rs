//! A file that says something of texts that are there: which row is about which text, by its id or by the text itself.

use std::collections::VecDeque;
use std::path::Path;

use serde::Serialize;

use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::counted;
use crate::domain::ids::ItemId;
use crate::domain::item::ItemKey;
use crate::domain::read_options::ReadOptions;
use crate::formats::{Detected, Entry, Reader, Row};
use crate::store::Store;
use crate::work::input::open_source;
use crate::work::runner::Work;

/// The column with the ids where a file has no texts and none is named.
const ID: &str = "id";
/// Rows between two looks at whether to go on.
const CHUNK: u64 = 1_024;

/// Which rows were about a text, and which were not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowCounts {
    pub rows: u64,
    /// Rows that name no text of the project.
    pub unmatched: u64,
    /// Rows whose id several different texts have.
    pub ambiguous: u64,
    /// Rows about a text that an earlier row was about, too.
    pub repeated: u64,
    /// Rows that could not be read.
    pub unreadable: u64,
}

impl RowCounts {
    /// What became of rows that name no one text, a sentence each without its full stop.
    pub(super) fn left_out(&self) -> Vec<String> {
        [
            told(self.unmatched, "names no text of this project", "name no text of this project"),
            told(self.ambiguous, "has an id that several texts have", "have an id that several texts have"),
            told(self.unreadable, "cannot be read", "cannot be read"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A sentence about so many rows without its full stop; none about none.
pub(super) fn told(n: u64, one: &str, more: &str) -> Option<String> {
    (n > 0).then(|| format!("{} {}", in_words(n), if n == 1 { one } else { more }))
}

/// So many rows in words.
pub(super) fn in_words(n: u64) -> String {
    counted(usize::try_from(n).unwrap_or(usize::MAX), "row", "rows")
}

/// What is attempted with the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// As a fault says it.
    pub trying: &'static str,
    /// As progress says it.
    pub stage: &'static str,
}

/// A file of rows about texts, opened.
pub(super) struct GivenFile {
    reader: Reader,
    by_id: bool,
    size: Option<u64>,
    attempt: Attempt,
    /// Rows that were looked at and not yet given.
    ahead: VecDeque<Entry>,
}

impl GivenFile {
    /// Opens `data` (`-` is standard input). Where an id is named, rows name texts by it, else by the text; a file without texts is read by its ids.
    ///
    /// # Errors
    /// A file that cannot be read, or columns that are not there.
    pub fn open(data: &Path, read: &ReadOptions, attempt: Attempt) -> Result<Self> {
        let open = |read: &ReadOptions, by_id: bool| -> Result<Self> {
            let source = open_source(data, read, attempt.trying)?;
            let (size, read) = (source.size, source.read_options(read));
            let reader = Reader::open(source.into_input(), &data.to_string_lossy(), &read);
            let reader = reader.map_err(|f| f.while_trying(attempt.trying))?;
            Ok(Self { reader, by_id, size, attempt, ahead: VecDeque::new() })
        };
        let by = |id: &str| {
            let text = if read.text.is_empty() { vec![id.to_owned()] } else { read.text.clone() };
            ReadOptions { id: Some(id.to_owned()), text, ..read.clone() }
        };
        if let Some(id) = &read.id {
            return open(&by(id), true);
        }
        match open(read, false) {
            // A file of ids has no text to be found. What came through a pipe cannot be read again.
            Err(fault) if read.text.is_empty() && data != Path::new("-") => {
                open(&by(ID), true).map_err(|_| fault)
            }
            opened => opened,
        }
    }

    /// How the file is read.
    pub fn detected(&self) -> &Detected {
        self.reader.detected()
    }

    /// The first rows of those that are still to be given.
    ///
    /// # Errors
    /// A file that cannot be read any further.
    pub fn peek(&mut self, most: usize) -> Result<impl Iterator<Item = &Row>> {
        while self.ahead.len() < most {
            match self.reader.next_entry().map_err(|f| f.while_trying(self.attempt.trying))? {
                Some(entry) => self.ahead.push_back(entry),
                None => break,
            }
        }
        Ok(self.ahead.iter().filter_map(|entry| match entry {
            Entry::Row(row) => Some(row),
            Entry::Bad(_) => None,
        }))
    }

    /// The next row that is about one text, and which; none at the end. All others are counted.
    ///
    /// # Errors
    /// A file that cannot be read to its end, or a request to stop.
    pub fn next(&mut self, work: &mut Work<'_>, counts: &mut RowCounts) -> Result<Option<(ItemId, Row)>> {
        let trying = self.attempt.trying;
        loop {
            let entry = match self.ahead.pop_front() {
                Some(entry) => Some(entry),
                None => self.reader.next_entry().map_err(|f| f.while_trying(trying))?,
            };
            let Some(entry) = entry else { return Ok(None) };
            counts.rows += 1;
            if counts.rows.is_multiple_of(CHUNK) {
                let read = self.reader.bytes_read();
                let read = self.size.map_or(read, |size| read.min(size));
                work.report(self.attempt.stage, read, self.size, "bytes")?;
                if work.stopped() {
                    return Err(Fault::new(trying, "it was stopped").hint("Run it again"));
                }
            }
            let Entry::Row(row) = entry else {
                counts.unreadable += 1;
                continue;
            };
            match self.items(work.store, &row)?.as_slice() {
                [] => counts.unmatched += 1,
                [item] => return Ok(Some((*item, row))),
                _ => counts.ambiguous += 1,
            }
        }
    }

    /// The texts that a row names: by its id where ids are asked for, else by its text.
    fn items(&self, store: &Store, row: &Row) -> Result<Vec<ItemId>> {
        match (self.by_id, &row.external_id) {
            (true, Some(id)) => store.items_of_external_id(id),
            (true, None) => Ok(Vec::new()),
            (false, _) => Ok(store.item_of_key(&ItemKey::of(&row.text))?.into_iter().collect()),
        }
    }
}
