//! What a damaged file itself says it held, against what could be kept: a page that went missing without an error is missed all the same.

use rusqlite::Connection;

use crate::domain::fault::Result;
use crate::domain::grouped::grouped;
use crate::store::db::attempt::Attempt;

const WHAT: &str = "count what is whole";

/// Stretches of rows of one import that are named; more are counted.
const MOST_NAMED: usize = 12;

/// Tables whose rows are numbered from 1 and never deleted, with what tells how many there were besides their own numbers.
const NUMBERED: [(&str, &str, &str); 7] = [
    ("label_case", "cases", "SELECT max(label_case) FROM label_event"),
    ("round", "rounds", "SELECT max(round) FROM label_case"),
    ("predictor", "predictors", "SELECT active_predictor FROM project"),
    ("adapter", "adapters", "SELECT max(adapter) FROM predictor"),
    ("model", "models", "SELECT max(model) FROM predictor"),
    ("task_revision", "task revisions", "SELECT max(revision) FROM label_event"),
    ("expert", "experts", "SELECT max(expert) FROM label_event"),
];

/// What an import said of itself.
struct Import {
    id: i64,
    name: String,
    rows: i64,
    items: i64,
    /// Rows that were left out when it was read.
    skipped: i64,
}

/// What the file said it held.
pub(super) struct Promised {
    imports: Vec<Import>,
    /// The largest number of each of these tables that anything named.
    largest: Vec<i64>,
}

/// What is gone: what a person calls the rows, how many, and which.
type NotKept = Vec<(&'static str, usize, Vec<String>)>;

impl Promised {
    /// Reads it from the new file before rows that refer to nothing are taken out of it, and before the label events are in it.
    pub fn read(new: &Connection) -> Result<Self> {
        let mut statement = new
            .prepare("SELECT id, name, rows, items, empty + rejected FROM source WHERE state = 'ready' ORDER BY id")
            .attempting(WHAT)?;
        let imports = statement
            .query_map((), |r| {
                Ok(Import {
                    id: r.get(0)?,
                    name: r.get(1)?,
                    rows: r.get(2)?,
                    items: r.get(3)?,
                    skipped: r.get(4)?,
                })
            })
            .and_then(Iterator::collect)
            .attempting(WHAT)?;
        let largest = NUMBERED.map(|(table, _, named)| number(new, &largest_of(table, named)));
        Ok(Self { imports, largest: largest.into_iter().collect::<Result<_>>()? })
    }

    /// What of it the new file has not.
    pub fn not_kept(&self, new: &Connection) -> Result<NotKept> {
        let mut gone: NotKept = Vec::new();
        let (mut rows, mut texts) = ((0, Vec::new()), (0, Vec::new()));
        for import in &self.imports {
            let have = number(new, &format!("SELECT count(*) FROM source_row WHERE source = {}", import.id))?;
            if have < import.rows {
                rows.0 += usize::try_from(import.rows - have).unwrap_or(0);
                rows.1.push(format!("{} of {}: {}", import.rows - have, import.name, gaps(new, import)?));
            }
            let have = number(new, &format!("SELECT count(*) FROM item WHERE source = {}", import.id))?;
            if have < import.items {
                texts.0 += usize::try_from(import.items - have).unwrap_or(0);
                texts.1.push(format!("{} of {}", import.items - have, import.name));
            }
        }
        gone.extend((rows.0 > 0).then_some(("imported rows", rows.0, rows.1)));
        gone.extend((texts.0 > 0).then_some(("texts", texts.0, texts.1)));
        for ((table, called, named), largest) in NUMBERED.into_iter().zip(&self.largest) {
            let largest = number(new, &largest_of(table, named))?.max(*largest);
            let have = number(new, &format!("SELECT count(*) FROM {table}"))?;
            // A number that is damaged itself may be any.
            if have < largest && largest - have < 100_000 {
                gone.push((called, usize::try_from(largest - have).unwrap_or(0), Vec::new()));
            }
        }
        Ok(gone)
    }
}

fn largest_of(table: &str, named: &str) -> String {
    format!("SELECT max(coalesce((SELECT max(id) FROM {table}), 0), coalesce(({named}), 0))")
}

fn number(conn: &Connection, sql: &str) -> Result<i64> {
    conn.query_row(sql, (), |r| r.get(0)).attempting(WHAT)
}

/// Which numbers of an import have no row, in words. Rows without a text, and those that could not be read, had none before.
fn gaps(new: &Connection, import: &Import) -> Result<String> {
    let mut statement =
        new.prepare("SELECT row FROM source_row WHERE source = ?1 ORDER BY row").attempting(WHAT)?;
    let mut rows = statement.query([import.id]).attempting(WHAT)?;
    let (mut named, mut more, mut next) = (Vec::new(), 0, 1);
    let mut name = |from: i64, to: i64| {
        if from <= to && named.len() == MOST_NAMED {
            more += 1;
        } else if from <= to {
            let number = |n: i64| grouped(n.unsigned_abs());
            named.push(if from == to {
                format!("row {}", number(from))
            } else {
                format!("rows {} to {}", number(from), number(to))
            });
        }
    };
    while let Some(row) = rows.next().attempting(WHAT)? {
        let row: i64 = row.get(0).attempting(WHAT)?;
        if row > next {
            name(next, row - 1);
        }
        next = row + 1;
    }
    name(next, import.rows + import.skipped);
    let rest = if more > 0 { format!(" and {more} other stretches") } else { String::new() };
    let before = match import.skipped {
        0 => String::new(),
        n => format!(" ({n} of these were left out when it was imported)"),
    };
    Ok(format!("{}{rest}{before}", named.join(", ")))
}
