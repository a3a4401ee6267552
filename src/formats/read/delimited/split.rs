//! A sample split into records at one delimiter, and how well that delimiter fits.

use super::super::columns::enough;
use super::header::is_header;
use super::quotes::Quotes;
use super::records::{builder, is_blank};
use crate::domain::read_options::ReadOptions;

/// The sample's records at one delimiter.
pub(in crate::formats) struct Split {
    pub(in crate::formats) delimiter: u8,
    pub(in crate::formats) quotes: bool,
    pub(in crate::formats) records: Vec<Vec<String>>,
    /// The usual number of cells.
    pub(in crate::formats) width: usize,
    /// The share of records with that number.
    pub(in crate::formats) even: f64,
}

impl Split {
    /// Splits the beginning of a file. Unless it is the `whole` file, the last record may be cut off and does not count. If the options do not say
    /// whether quotes enclose cells, that is decided here.
    pub(in crate::formats) fn at(delimiter: u8, text: &[u8], whole: bool, options: &ReadOptions) -> Self {
        let with = |quotes: bool| Self::new(text, whole, delimiter, quotes);
        match options.quotes {
            Some(quotes) => with(quotes),
            None if delimiter != b'\t' => with(true),
            None => {
                // In TSV a quote is a character like others, unless every cell that opens with one also closes with one.
                let bare = with(false);
                let found = Quotes::scan(text, delimiter);
                let enclosing = found.opened > 0 && found.trailing.is_none() && found.open.is_none();
                let swallowing = found.spanning > 0 && bare.even >= 1.0;
                if enclosing && !swallowing { with(true) } else { bare }
            }
        }
    }

    fn new(text: &[u8], whole: bool, delimiter: u8, quotes: bool) -> Self {
        let mut reader = builder(delimiter, quotes).from_reader(text);
        let mut records: Vec<Vec<String>> = reader
            .byte_records()
            .map_while(Result::ok)
            .filter(|record| !is_blank(record))
            .map(|record| record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect())
            .collect();
        if !whole && records.len() > 2 {
            records.pop();
        }
        for cell in records.iter_mut().filter_map(|cells| cells.last_mut()) {
            cell.truncate(cell.trim_end_matches('\r').len());
        }
        let widest = records.iter().map(Vec::len).max().unwrap_or(0);
        let mut counts = vec![0usize; widest + 1];
        for cells in &records {
            counts[cells.len()] += 1;
        }
        let (width, most) = counts.iter().copied().enumerate().max_by_key(|(_, n)| *n).unwrap_or((0, 0));
        let even = most as f64 / records.len().max(1) as f64;
        Self { delimiter, quotes, records, width, even }
    }

    /// It splits nearly every row, and into the same number of cells.
    pub(in crate::formats) fn is_even(&self) -> bool {
        self.width >= 2 && self.even >= 0.95
    }

    /// It fits better than the other delimiter.
    pub(in crate::formats) fn beats(&self, other: &Self) -> bool {
        self.width >= 2 && (other.width < 2 || self.even > other.even)
    }

    /// Whether the first record names the columns.
    pub(in crate::formats) fn has_header(&self, options: &ReadOptions) -> bool {
        match self.records.split_first() {
            Some((first, rows)) => {
                options.header.unwrap_or_else(|| is_header(first, enough(rows, first.len())))
            }
            None => false,
        }
    }
}
