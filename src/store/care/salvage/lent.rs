//! What nothing can be read without, lent by a backup where the damaged file has it no more.

use std::collections::HashMap;

use rusqlite::{Connection, params_from_iter};

use super::cells::{Cell, cells, columns_of};
use crate::domain::fault::Result;
use crate::store::db::attempt::Attempt;
use crate::store::db::seals;

const WHAT: &str = "save what is whole";

/// The settings, and whose words and under which task the labels are; with what a person calls their rows.
const LENT: [(&str, &str); 4] = [
    ("project", "settings of the project"),
    ("expert", "experts"),
    ("session", "sessions"),
    ("task_revision", "task revisions"),
];

/// Rows that were lent, by what a person calls them.
pub(super) type Lent = Vec<(&'static str, usize)>;

/// Puts into `new` the rows that it lacks and `backup` has, of the same project: a backup is an earlier moment of the file, so what never
/// changes has the same number in both. A row that the damaged file has another seal for stays out.
pub(super) fn lend(
    new: &Connection,
    backup: &Connection,
    seals: &HashMap<(&'static str, i64), Vec<u8>>,
) -> Result<Lent> {
    let uuid =
        |conn: &Connection| conn.query_row("SELECT uuid FROM project", (), |r| r.get::<_, Vec<u8>>(0)).ok();
    if uuid(new).is_some_and(|own| Some(own) != uuid(backup)) {
        return Ok(Vec::new());
    }
    let mut lent = Vec::new();
    for (table, called) in LENT {
        let columns = columns_of(new, table).attempting(WHAT)?;
        let list = columns.join(", ");
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        let mut statement =
            backup.prepare(&format!("SELECT {list} FROM {table} ORDER BY id")).attempting(WHAT)?;
        let mut found = statement.query(()).attempting(WHAT)?;
        while let Some(row) = found.next().attempting(WHAT)? {
            rows.push(cells(row, 0, columns.len()).attempting(WHAT)?);
        }
        // Asked for beforehand: the logs refuse a row that is there already.
        let mut there = new.prepare(&format!("SELECT 1 FROM {table} WHERE id = ?1")).attempting(WHAT)?;
        let mut lacking = Vec::new();
        for row in rows.into_iter().filter(|row| is_the_same(table, &columns, row, seals)) {
            if !there.exists([&row[0]]).attempting(WHAT)? {
                lacking.push(row);
            }
        }
        let holes = vec!["?"; columns.len()].join(", ");
        let insert = format!("INSERT OR IGNORE INTO {table} ({list}) VALUES ({holes})");
        let mut statement = new.prepare(&insert).attempting(WHAT)?;
        let mut n = 0;
        for row in lacking {
            n += statement.execute(params_from_iter(&row)).attempting(WHAT)?;
        }
        if n > 0 {
            lent.push((called, n));
        }
    }
    Ok(lent)
}

/// Whether the damaged file knows of no other row of that number.
fn is_the_same(
    table: &str,
    columns: &[String],
    row: &[Cell],
    seals: &HashMap<(&'static str, i64), Vec<u8>>,
) -> bool {
    let Some(sealed) = seals::ALL.into_iter().find(|sealed| sealed.table == table) else { return true };
    let &Cell::Integer(id) = &row[0] else { return false };
    let Some(seal) = seals.get(&(sealed.table, id)) else { return true };
    seals::seal_of(sealed.places(columns).into_iter().map(|at| row[at].as_ref()))[..] == seal[..]
}
