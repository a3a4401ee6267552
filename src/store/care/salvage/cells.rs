//! A row as bytes that may be damaged, and the search for the one bit that makes it whole again.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row};

/// Bits of a row in which the damaged one is looked for: a larger row would take seconds.
const MOST_BITS: usize = 8 * 4_096;

/// A value; a text may be no text any more.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl Cell {
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Integer(n) => ValueRef::Integer(*n),
            Self::Real(x) => ValueRef::Real(*x),
            Self::Text(bytes) => ValueRef::Text(bytes),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    fn bits(&self) -> usize {
        match self {
            Self::Null | Self::Real(_) => 0,
            Self::Integer(_) => 64,
            Self::Text(bytes) | Self::Blob(bytes) => bytes.len() * 8,
        }
    }

    fn flip(&mut self, bit: usize) {
        match self {
            Self::Null | Self::Real(_) => {}
            Self::Integer(n) => *n ^= 1 << bit,
            Self::Text(bytes) | Self::Blob(bytes) => bytes[bit / 8] ^= 1 << (bit % 8),
        }
    }
}

impl From<ValueRef<'_>> for Cell {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(n) => Self::Integer(n),
            ValueRef::Real(x) => Self::Real(x),
            ValueRef::Text(bytes) => Self::Text(bytes.to_vec()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.as_ref()))
    }
}

/// The names of a table's columns.
pub(super) fn columns_of(conn: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare("SELECT name FROM pragma_table_info(?1)")?;
    statement.query_map([table], |r| r.get(0))?.collect()
}

/// The values of a row from column `from` on.
pub(super) fn cells(row: &Row<'_>, from: usize, count: usize) -> rusqlite::Result<Vec<Cell>> {
    (from..from + count).map(|i| row.get_ref(i).map(Cell::from)).collect()
}

/// Whether every text of a row is text.
pub(super) fn is_text(row: &[Cell]) -> bool {
    row.iter().all(|cell| !matches!(cell, Cell::Text(_)) || cell.text().is_some())
}

/// Looks for the one bit of a row whose turning makes it hold; the row is as it was where there is none.
pub(super) fn mend(row: &mut [Cell], holds: &dyn Fn(&[Cell]) -> bool) -> bool {
    if row.iter().map(Cell::bits).sum::<usize>() > MOST_BITS {
        return false;
    }
    for i in 0..row.len() {
        for bit in 0..row[i].bits() {
            row[i].flip(bit);
            if holds(row) {
                return true;
            }
            row[i].flip(bit);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_is_found_and_two_are_not() {
        let whole = vec![Cell::Integer(-7), Cell::Null, Cell::Text("naïve".into()), Cell::Blob(vec![0, 255])];
        let holds = |row: &[Cell]| row == whole;
        for cell in [0, 2, 3] {
            for bit in [0, 9, 15] {
                let mut row = whole.clone();
                row[cell].flip(bit);
                assert!(mend(&mut row, &holds));
                row[cell].flip(bit);
                row[2].flip(3);
                let before = row.clone();
                assert!(!mend(&mut row, &holds));
                assert_eq!(row, before);
            }
        }
        assert!(is_text(&whole) && !is_text(&[Cell::Text(vec![0xC3])]));
    }
}
