//! How `"` is used in a piece of delimited text, without splitting it: does it enclose cells, or is it a character like others?
//!
//! Follows RFC 4180 and, beyond it, the csv crate: a quote counts only at the beginning of a cell, and a doubled one inside is a quote. A cell
//! that goes on after its closing quote is a text that begins with a quotation: all of it belongs to the cell as it is.

use std::borrow::Cow;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::formats) struct Quotes {
    /// Cells that open with a quote.
    pub(in crate::formats) opened: usize,
    /// Where the first of them opens whose cell goes on after the closing quote. White space does not count.
    pub(in crate::formats) trailing: Option<usize>,
    /// How many of them span several lines.
    pub(in crate::formats) spanning: usize,
    /// Where a quote opens that is never closed.
    pub(in crate::formats) open: Option<usize>,
}

impl Quotes {
    pub(in crate::formats) fn scan(text: &[u8], delimiter: u8) -> Self {
        let mut found = Self::default();
        let mut at = 0;
        while at < text.len() {
            if text[at] == b'"' {
                found.opened += 1;
                let Some(close) = closing(text, at) else {
                    found.open = Some(at);
                    return found;
                };
                found.spanning += usize::from(text[at..close].contains(&b'\n'));
                let rest = &text[close + 1..];
                let next = rest.iter().find(|b| **b == delimiter || !matches!(**b, b' ' | b'\r'));
                if next.is_some_and(|b| *b != delimiter && *b != b'\n') {
                    found.trailing = found.trailing.or(Some(at));
                }
                at = close + 1;
            }
            let cell = text[at..].iter().position(|b| *b == delimiter || *b == b'\n');
            at += cell.map_or(text.len(), |end| end + 1);
        }
        found
    }
}

/// The cells of a record as a person reads them: quotes enclose a cell that ends with them, and are part of one that goes on after them.
pub(in crate::formats) fn cells(record: &[u8], delimiter: u8) -> Vec<Cow<'_, [u8]>> {
    let mut cells = Vec::new();
    let mut at = 0;
    loop {
        let enclosed =
            (record.get(at) == Some(&b'"')).then(|| closing(record, at)).flatten().filter(|close| {
                let rest = &record[close + 1..];
                rest.iter().find(|b| !matches!(**b, b' ' | b'\r')).is_none_or(|b| *b == delimiter)
            });
        let from = enclosed.map_or(at, |close| close + 1);
        let end = record[from..].iter().position(|b| *b == delimiter).map(|n| from + n);
        let until = end.unwrap_or(record.len());
        cells.push(match enclosed {
            Some(close) => {
                let mut cell = Vec::with_capacity(until - at);
                let mut inside = record[at + 1..close].iter().peekable();
                while let Some(b) = inside.next() {
                    cell.push(*b);
                    if *b == b'"' {
                        inside.next_if(|next| **next == b'"');
                    }
                }
                cell.extend(&record[close + 1..until]);
                Cow::from(cell)
            }
            None => Cow::from(&record[at..until]),
        });
        match end {
            Some(end) => at = end + 1,
            None => return cells,
        }
    }
}

/// The quote that closes the one at `open`.
fn closing(text: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        at += text.get(at..)?.iter().position(|b| *b == b'"')?;
        if text.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_that_enclose_are_told_from_quotes_in_the_text() {
        let found = Quotes::scan(b"a,\"b,\"\"c\"\"\nd\",e\n\"f\" g,h\n\"i", b',');
        assert_eq!(found, Quotes { opened: 3, trailing: Some(16), spanning: 1, open: Some(24) });
        assert_eq!(Quotes::scan(b"say \"hi\"\tx\"\n", b'\t'), Quotes::default());
    }

    proptest! {
        #[test]
        fn cells_that_are_written_are_read_as_the_csv_crate_reads_them(
            cells_in in proptest::collection::vec("[a\", ,]{0,6}", 1..5),
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&cells_in).unwrap();
            let written = writer.into_inner().unwrap();
            let line = written.strip_suffix(b"\n").unwrap();
            let back: Vec<_> = cells(line, b',').into_iter().map(|c| String::from_utf8(c.into_owned()).unwrap()).collect();
            prop_assert_eq!(back, cells_in);
        }

        #[test]
        fn an_open_quote_is_one_that_would_swallow_the_next_line(text in "[a\",\n]{0,24}") {
            // The csv crate as the second opinion: a row that follows is seen apart from the text, or
            // swallowed by it.
            let with_next = format!("{text}\nnext");
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .terminator(csv::Terminator::Any(b'\n'))
                .from_reader(with_next.as_bytes());
            let last = reader.records().last().unwrap().unwrap();
            let swallowed = last != vec!["next"];
            prop_assert_eq!(Quotes::scan(text.as_bytes(), b',').open.is_some(), swallowed);
        }
    }
}
