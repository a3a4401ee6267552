//! Every row of a damaged table that can be read: up to the damage, then from the first row behind it that answers, backwards to it and on.

use rusqlite::{Connection, ErrorCode, Row, params_from_iter};

use crate::domain::fault::Result;
use crate::store::db::attempt::Attempt;

/// A table and how its rows are numbered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbered<'a> {
    /// Its name.
    pub table: &'a str,
    /// The columns to read, after the key.
    pub columns: &'a str,
    /// The column that counts: an integer.
    pub key: &'a str,
    /// What stands before it in the primary key.
    pub before: &'a [(&'a str, i64)],
}

/// What could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unread {
    /// Stretches of rows.
    pub stretches: usize,
    /// Whether the last of them reaches to the end: how many rows it had is not known.
    pub end: bool,
}

/// How often the numbers of a pass may turn back: pages that changed places do so once each, and a page that leads to itself does without end.
const MOST_TURNS: usize = 64;

/// How a pass over rows ended.
enum Pass {
    /// At the last row.
    Whole,
    /// At a row that cannot be read, after others of which this is the highest number.
    Broken(i64),
}

/// Gives every row that can be read to `each`: in order but behind damage, and none twice where the table's order is whole.
///
/// # Errors
/// Those of `each`. What cannot be read is not an error.
pub(super) fn read_rows(
    conn: &Connection,
    from: Numbered<'_>,
    each: &mut dyn FnMut(&Row<'_>) -> Result<()>,
) -> Result<Unread> {
    let mut unread = Unread::default();
    let mut last = i64::MIN / 2;
    while let Pass::Broken(at) = pass(conn, from, (last, i64::MAX), "ASC", each)? {
        unread.stretches += 1;
        last = last.max(at);
        let mut step = 1;
        let next = loop {
            match first_after(conn, from, last.max(-1).saturating_add(step)) {
                Ok(found) => break found,
                Err(_) if step > 1 << 40 => {
                    unread.end = true;
                    break None;
                }
                Err(_) => step *= 2,
            }
        };
        let Some(next) = next else { break };
        pass(conn, from, (last, next), "DESC", each)?;
        last = next - 1;
    }
    Ok(unread)
}

fn query(from: Numbered<'_>, columns: &str, rest: &str) -> String {
    let Numbered { table, key, before, .. } = from;
    let before: String = before.iter().map(|(column, value)| format!("{column} = {value} AND ")).collect();
    format!("SELECT {columns} FROM {table} WHERE {before}{key} > ?1 {rest}")
}

fn first_after(conn: &Connection, from: Numbered<'_>, after: i64) -> rusqlite::Result<Option<i64>> {
    let sql = query(from, from.key, &format!("ORDER BY {} LIMIT 1", from.key));
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([after])?;
    rows.next()?.map(|r| r.get(0)).transpose()
}

/// The rows whose key lies between two numbers, neither included.
fn pass(
    conn: &Connection,
    from: Numbered<'_>,
    (after, until): (i64, i64),
    order: &str,
    each: &mut dyn FnMut(&Row<'_>) -> Result<()>,
) -> Result<Pass> {
    let key = from.key;
    let columns = format!("{key}, {}", from.columns);
    let sql = query(from, &columns, &format!("AND {key} < ?2 ORDER BY {key} {order}"));
    let what = "read the damaged file";
    let (mut at, mut highest, mut turns) = (after, after, 0);
    let broken = |e: rusqlite::Error, at: i64| match e.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::OutOfMemory) => Err(e).attempting(what),
        _ => Ok(Pass::Broken(at)),
    };
    let mut statement = match conn.prepare_cached(&sql) {
        Ok(statement) => statement,
        Err(e) => return broken(e, highest),
    };
    let mut rows = match statement.query(params_from_iter([after, until])) {
        Ok(rows) => rows,
        Err(e) => return broken(e, highest),
    };
    loop {
        match rows.next() {
            Ok(None) => return Ok(Pass::Whole),
            Ok(Some(row)) => {
                if let Ok(key) = row.get::<_, i64>(0) {
                    turns += usize::from(if order == "ASC" { key < at } else { key > at && at != after });
                    (at, highest) = (key, highest.max(key));
                }
                if turns > MOST_TURNS {
                    return Ok(Pass::Broken(highest));
                }
                each(row)?;
            }
            Err(e) => return broken(e, highest),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};

    use super::*;

    #[test]
    fn a_damaged_page_costs_its_own_rows_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch(
            "CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
             INSERT INTO a SELECT i, printf('%0200d', i) FROM n;",
        )
        .unwrap();
        drop(conn);
        let whole = std::fs::read(&path).unwrap();
        let pages = whole.len() / 4_096;
        let read = |conn: &Connection| {
            let mut found = std::collections::BTreeSet::new();
            let from = Numbered { table: "a", columns: "x", key: "id", before: &[] };
            let unread = read_rows(conn, from, &mut |row| {
                found.insert(row.get::<_, i64>(0).unwrap());
                Ok(())
            });
            (found, unread.unwrap())
        };
        assert_eq!(read(&Connection::open(&path).unwrap()).0.len(), 5_000);
        // Some leaf in the middle, two neighbours, and the last.
        for damaged in [&[pages / 2][..], &[pages / 2, pages / 2 + 1], &[pages - 1]] {
            std::fs::write(&path, &whole).unwrap();
            let mut file = std::fs::File::options().write(true).open(&path).unwrap();
            for page in damaged {
                file.seek(SeekFrom::Start(*page as u64 * 4_096)).unwrap();
                file.write_all(&[0; 4_096]).unwrap();
            }
            let (found, unread) = read(&Connection::open(&path).unwrap());
            let lost = 5_000 - found.len();
            assert!((1..=20 * damaged.len()).contains(&lost), "{lost} rows for {damaged:?}");
            assert_eq!(unread.end, damaged == [pages - 1], "{damaged:?}");
            assert!(unread.stretches > 0);
        }
    }
}
