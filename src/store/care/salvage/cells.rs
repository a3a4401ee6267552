//! A row as bytes that may be damaged.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_with_a_text_that_is_not_utf_8_is_not_text() {
        assert!(is_text(&[
            Cell::Integer(-7),
            Cell::Null,
            Cell::Text("naïve".into()),
            Cell::Blob(vec![0, 255])
        ]));
        assert!(!is_text(&[Cell::Text(vec![0xC3])]));
    }
}
