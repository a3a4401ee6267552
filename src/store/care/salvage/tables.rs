//! Each table of a damaged file into the new one, in the order in which they refer to each other.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};

use super::accounts::Promised;
use super::cells::{Cell, cells, columns_of, is_text};
use super::references::{AFTER_EVENTS, BEFORE_EVENTS, EVENT_STANDS, EXPERT_EVENT_STANDS};
use super::scan::{Numbered, Unread, read_rows};
use crate::domain::event::LARGEST_LAMPORT;
use crate::domain::fault::{Fault, Result};
use crate::domain::item::ItemKey;
use crate::store::care::check::UncleanCheck;
use crate::store::care::enum_columns;
use crate::store::care::enum_columns::EnumColumn;
use crate::store::db::attempt::Attempt;
use crate::store::db::functions;
use crate::store::db::migrate;
use crate::store::db::open::{Access, Store};
use crate::store::db::plain_path::plain;
use crate::store::db::row_seals::{RowSealed, check_of};
use crate::store::db::seals;
use crate::store::db::seals::Sealed;
use crate::store::db::version::VERSIONS;

const WHAT: &str = "save what is whole";

/// The columns before the key of a table, and a statement that lists their values from what is there already.
type Before = (&'static [&'static str], &'static str);

/// A table: its name, what a person calls its rows, the column that numbers them, and what stands before that column.
struct Table(&'static str, &'static str, &'static str, Option<Before>);

/// What labels rest on and whatever they refer to, then what follows; label events and expert events come after that.
const TABLES: [Table; 23] = [
    Table("project", "settings of the project", "id", None),
    Table("source", "imports", "id", None),
    Table("expert", "experts", "id", None),
    Table("session", "sessions", "id", None),
    Table("task_revision", "task revisions", "id", None),
    Table("model", "models", "id", None),
    Table("adapter", "adapters", "id", None),
    Table("predictor", "predictors", "id", None),
    Table("round", "rounds", "id", None),
    Table("item", "texts", "id", None),
    Table("forgotten", "records of removed texts", "item", None),
    Table("source_row", "imported rows", "row", Some((&["source"], "SELECT id, 0 FROM source"))),
    Table("label_source", "sources of imported labels", "id", None),
    Table(
        "imported_label",
        "imported labels (import the file again)",
        "item",
        Some((&["label_source"], "SELECT id, 0 FROM label_source")),
    ),
    Table("label_case", "cases", "id", None),
    Table("reveal", "reveals", "item", Some((&["expert"], "SELECT id, 0 FROM expert"))),
    Table("draft", "drafts", "item", Some((&["expert"], "SELECT id, 0 FROM expert"))),
    Table("lease", "leases", "label_case", None),
    Table("left_out", "bytes that were left out", "adapter", None),
    Table(
        "embedding",
        "vectors (`hardcase scout FILE` computes them again)",
        "item",
        Some((&["model", "adapter"], "SELECT id, 0 FROM model UNION SELECT model, id FROM adapter")),
    ),
    Table(
        "hidden_state",
        "hidden states (`hardcase judge FILE` reads the texts again)",
        "item",
        Some((&["judge"], "SELECT id, 0 FROM predictor")),
    ),
    Table(
        "prediction",
        "predictions (`hardcase scout FILE` and `tune` compute them again)",
        "item",
        Some((&["predictor"], "SELECT id, 0 FROM predictor")),
    ),
    Table("run", "records of jobs", "id", None),
];
const METRIC: Table = Table("metric", "figures", "id", None);
const EXPERT_EVENTS: Table = Table("expert_event", "changes of roles and names", "id", None);
const EVENTS: Table = Table("label_event", "label events", "id", None);

/// Tables of which a row stays though it is not as it was written, and is named: labels, texts or cases hang on it, it says nothing else than
/// what was, or a person sees it before it is saved.
const STAYS: [&str; 11] = [
    "project",
    "source",
    "label_source",
    "expert",
    "session",
    "model",
    "round",
    "reveal",
    "draft",
    "run",
    "metric",
];

/// What was lost of one kind of row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// What a person calls them.
    pub called: &'static str,
    /// Rows that were read and are not as they were written.
    pub changed: usize,
    /// Rows that are not as they were written and are kept all the same: others hang on them.
    pub kept: usize,
    /// Stretches that could not be read.
    pub stretches: usize,
    /// Rows that are gone, as far as the file itself says how many it had.
    pub gone: usize,
    /// Which they were.
    pub which: Vec<String>,
}

/// What was saved, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvage {
    /// Label events that the new file has.
    pub events: usize,
    /// Label events that were there and are gone.
    pub events_lost: usize,
    /// Whether there may have been more: the end of their table could not be read.
    pub perhaps_more: bool,
    /// Which they were, as far as the numbers of their sessions tell.
    pub missing: Vec<String>,
    /// Label events that are kept without their case, because that is gone.
    pub without_case: usize,
    /// Rows that are kept though their seal could not be read.
    pub unsealed: usize,
    /// By kind.
    pub lost: Vec<Lost>,
    /// What had to go because what it hung on is gone.
    pub losses: Vec<String>,
    /// What else a person should know.
    pub notes: Vec<String>,
}

/// Reads a damaged file, which is a copy and may have a log next to it, and writes what is whole of it into the empty file `into`.
///
/// # Errors
/// Nothing that could be labelled is left: its tables, the project's settings or its task cannot be read.
pub fn salvage(damaged: &Path, into: &Path) -> Result<Salvage> {
    let old =
        Connection::open_with_flags(plain(damaged), OpenFlags::SQLITE_OPEN_READ_WRITE).attempting(WHAT)?;
    old.pragma_update(None, "trusted_schema", false).attempting(WHAT)?;
    old.pragma_update(None, "cell_size_check", true).attempting(WHAT)?;
    // A view in the place of a table may never end.
    old.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false).attempting(WHAT)?;
    functions::install(&old).attempting(WHAT)?;
    let mut new = Connection::open(plain(into)).attempting(WHAT)?;
    new.pragma_update(None, "page_size", 4_096).attempting(WHAT)?;
    migrate::apply(&mut new, VERSIONS)?;
    new.pragma_update(None, "foreign_keys", false).attempting(WHAT)?;
    new.pragma_update(None, "synchronous", "OFF").attempting(WHAT)?;
    new.execute_batch("BEGIN IMMEDIATE").attempting(WHAT)?;
    let mut work =
        Work { old, new, seals: HashMap::new(), seals_unread: Unread::default(), out: Salvage::default() };
    work.read_seals()?;
    TABLES.iter().chain([&METRIC]).try_for_each(|table| work.take(table))?;
    let promised = Promised::read(&work.new)?;
    work.settle(BEFORE_EVENTS)?;
    work.check_essentials()?;
    work.take(&EXPERT_EVENTS)?;
    work.take(&EVENTS)?;
    work.settle(AFTER_EVENTS)?;
    for (called, gone, which) in promised.not_kept(&work.new)? {
        work.lost(called).gone = gone;
        work.lost(called).which = which;
    }
    seals::ALL
        .into_iter()
        .try_for_each(|sealed| seals::seal_new(&work.new, "main", sealed))
        .attempting(WHAT)?;
    work.new.execute_batch("COMMIT").attempting(WHAT)?;
    let Work { new, mut out, .. } = work;
    new.close().map_err(|(_, e)| e).attempting(WHAT)?;
    finish(into, &mut out)?;
    Ok(out)
}

/// Leaves the new file as any project that nobody has open, once it is whole.
fn finish(into: &Path, out: &mut Salvage) -> Result<()> {
    let mut store = Store::open(into, Access::Job)?;
    let abandoned = store.clear_abandoned_sources()?;
    if abandoned > 0 {
        out.notes.push(format!("{abandoned} imports that were cut short were cleared"));
    }
    drop(store.notice_unclean_end()?.map(UncleanCheck::wait));
    out.missing = store.missing_labels()?;
    match store.integrity_check()?.first() {
        None => Ok(()),
        Some(first) => Err(Fault::new(WHAT, format!("what is left does not fit together ({first})"))),
    }
}

struct Work {
    old: Connection,
    new: Connection,
    /// The old file's seals, by table and row.
    seals: HashMap<(&'static str, i64), Vec<u8>>,
    seals_unread: Unread,
    out: Salvage,
}

/// What becomes of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Stays,
    Goes,
}

impl Work {
    fn read_seals(&mut self) -> Result<()> {
        for sealed in seals::ALL {
            let of_one = format!("(SELECT row, hash FROM seal WHERE of = '{}')", sealed.table);
            let from = Numbered { table: &of_one, columns: "hash", key: "row", before: &[] };
            let seals = &mut self.seals;
            let unread = read_rows(&self.old, from, &mut |r| {
                if let (Ok(row), Ok(hash)) = (r.get::<_, i64>(0), r.get::<_, Vec<u8>>(1)) {
                    seals.insert((sealed.table, row), hash);
                }
                Ok(())
            })?;
            self.seals_unread.stretches += unread.stretches;
            self.seals_unread.end |= unread.end;
        }
        Ok(())
    }

    fn take(&mut self, table: &Table) -> Result<()> {
        let Table(name, called, key, before) = *table;
        let columns = columns_of(&self.new, name).attempting(WHAT)?;
        let row_seals: Vec<&RowSealed> = RowSealed::of(name).collect();
        let list: Vec<&str> =
            columns.iter().map(String::as_str).chain(row_seals.iter().map(|sealed| sealed.seal)).collect();
        let list = list.join(", ");
        let groups: Vec<Vec<(&str, i64)>> = match before {
            None => vec![Vec::new()],
            Some((names, sql)) => {
                let mut statement = self.new.prepare(sql).attempting(WHAT)?;
                let values: Vec<[i64; 2]> = statement
                    .query_map((), |r| Ok([r.get(0)?, r.get(1)?]))
                    .and_then(Iterator::collect)
                    .attempting(WHAT)?;
                values.into_iter().map(|values| names.iter().copied().zip(values).collect()).collect()
            }
        };
        let mut taken = Taken::new(self, name, &columns)?;
        let mut unread = Unread::default();
        for group in groups {
            let from = Numbered { table: name, columns: &list, key, before: &group };
            let part = read_rows(&self.old, from, &mut |row| {
                let cells = cells(row, 1, columns.len()).attempting(WHAT)?;
                let as_written = (1 + columns.len()..).zip(&row_seals).all(|(at, sealed)| {
                    let sealed = sealed.columns.split(", ").map(|column| cells[taken.place(column)].as_ref());
                    row.get::<_, i64>(at).is_ok_and(|seal| seal == check_of(sealed))
                });
                taken.row(cells, as_written)
            })?;
            unread.stretches += part.stretches;
            unread.end |= part.end;
        }
        let Taken { kept, changed, kept_changed, unsealed, without_case, ids, .. } = taken;
        self.out.unsealed += unsealed;
        if changed + kept_changed > 0 || unread.stretches > 0 {
            let lost = self.lost(called);
            (lost.changed, lost.kept, lost.stretches) = (changed, kept_changed, unread.stretches);
        }
        if name == EVENTS.0 {
            self.out.events = kept;
            self.out.without_case = without_case;
            self.out.perhaps_more = unread.end;
            self.out.events_lost = self.events_known(&ids).saturating_sub(kept);
        }
        Ok(())
    }

    /// What is lost of a kind of row.
    fn lost(&mut self, called: &'static str) -> &mut Lost {
        let at = self.out.lost.iter().position(|lost| lost.called == called).unwrap_or(self.out.lost.len());
        if at == self.out.lost.len() {
            self.out.lost.push(Lost { called, ..Lost::default() });
        }
        &mut self.out.lost[at]
    }

    /// How many label events there were: they are numbered without a gap.
    fn events_known(&self, read: &BTreeSet<i64>) -> usize {
        let sealed = self.seals.keys().filter(|(table, _)| *table == EVENTS.0).map(|(_, row)| *row);
        // A number that is damaged itself may be any: only those near the others count.
        let all: BTreeSet<i64> = read.iter().copied().chain(sealed).filter(|id| *id > 0).collect();
        let mut last = 0;
        for id in &all {
            if id - last > 100_000 {
                break;
            }
            last = *id;
        }
        usize::try_from(last).unwrap_or(0).max(all.len())
    }

    fn settle(&mut self, steps: &[(&'static str, &'static str)]) -> Result<()> {
        for (sql, says) in steps {
            let n = self.new.execute(sql, ()).attempting(WHAT)?;
            if n > 0 && !says.is_empty() {
                self.out.losses.push(format!("{n} {says}"));
            }
        }
        Ok(())
    }

    fn check_essentials(&self) -> Result<()> {
        for (table, called) in
            [("project", "the project's settings"), ("task_revision", "its task"), ("expert", "its experts")]
        {
            let n: i64 = self
                .new
                .query_row(&format!("SELECT count(*) FROM {table}"), (), |r| r.get(0))
                .attempting(WHAT)?;
            let had = table == "project"
                || self.seals.keys().any(|(of, _)| *of == table)
                || self.seals_unread.stretches > 0;
            if n == 0 && had {
                return Err(Fault::new(WHAT, format!("{called} cannot be read any more")));
            }
        }
        Ok(())
    }
}

/// The rows of one table on their way.
struct Taken<'w> {
    work: (&'w Connection, &'w HashMap<(&'static str, i64), Vec<u8>>),
    table: &'static str,
    sealed: Option<(Sealed, Vec<usize>)>,
    columns: Vec<String>,
    insert: String,
    kept: usize,
    changed: usize,
    kept_changed: usize,
    unsealed: usize,
    without_case: usize,
    ids: BTreeSet<i64>,
}

impl<'w> Taken<'w> {
    fn new(work: &'w Work, table: &'static str, columns: &[String]) -> Result<Self> {
        let sealed = seals::ALL.into_iter().find(|sealed| sealed.table == table);
        let sealed = sealed.map(|sealed| (sealed, sealed.places(columns)));
        let holes = vec!["?"; columns.len()].join(", ");
        Ok(Self {
            work: (&work.new, &work.seals),
            table,
            sealed,
            columns: columns.to_vec(),
            insert: format!("INSERT OR IGNORE INTO {table} ({}) VALUES ({holes})", columns.join(", ")),
            kept: 0,
            changed: 0,
            kept_changed: 0,
            unsealed: 0,
            without_case: 0,
            ids: BTreeSet::new(),
        })
    }

    fn place(&self, column: &str) -> usize {
        self.columns.iter().position(|c| c == column).unwrap_or(0)
    }

    /// `as_written` is whether it is by the seals that it holds itself.
    fn row(&mut self, mut row: Vec<Cell>, as_written: bool) -> Result<()> {
        if self.table == EVENTS.0
            && let Cell::Integer(id) = row[0]
        {
            self.ids.insert(id);
        }
        let mut verdict = self.whole(&row);
        if !as_written && !STAYS.contains(&self.table) {
            verdict = Verdict::Goes;
        }
        if verdict == Verdict::Goes || !is_text(&row) || self.stands(&mut row)? == Verdict::Goes {
            self.changed += 1;
            return Ok(());
        }
        let mut statement = self.work.0.prepare_cached(&self.insert).attempting(WHAT)?;
        match statement.execute(params_from_iter(&row)) {
            Ok(0) => {}
            Ok(_) => {
                self.kept += 1;
                self.kept_changed += usize::from(!as_written);
            }
            // Not what the column takes, or met for the second time in a table whose pages are mixed up.
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                let twice = e.to_string().contains("append-only");
                self.changed += usize::from(!twice);
            }
            Err(e) => return Err(e).attempting(WHAT),
        }
        Ok(())
    }

    /// Whether a row is as it was written, by its seal, its key or the form of its value.
    fn whole(&mut self, row: &[Cell]) -> Verdict {
        let lamport =
            matches!(self.table, "label_event" | "expert_event").then(|| &row[self.place("lamport")]);
        let whole = if lamport.is_some_and(|n| !matches!(n, Cell::Integer(1..LARGEST_LAMPORT))) {
            // Nothing could be labelled behind it.
            false
        } else if self.table == "item" {
            let (key, text) = (&row[self.place("key")], row[self.place("text")].text());
            // One that was removed has its key alone.
            matches!((key, text), (Cell::Blob(key), Some(text)) if text.is_empty() || ItemKey::of(text).0[..] == key[..])
        } else if let Some(EnumColumn { column, is_valid, .. }) =
            enum_columns::ALL.into_iter().find(|column| column.table == self.table)
        {
            let value = &row[self.place(column)];
            *value == Cell::Null || value.text().is_some_and(is_valid)
        } else if let Some((sealed, places)) = &self.sealed {
            let Cell::Integer(id) = row[0] else { return Verdict::Goes };
            let Some(seal) = self.work.1.get(&(sealed.table, id)) else {
                self.unsealed += 1;
                return Verdict::Stays;
            };
            seals::seal_of(places.iter().map(|i| row[*i].as_ref()))[..] == seal[..]
        } else {
            true
        };
        if whole { Verdict::Stays } else { Verdict::Goes }
    }

    /// Whether what a row of the logs refers to is there; a label stands without its case.
    fn stands(&mut self, row: &mut [Cell]) -> Result<Verdict> {
        let (sql, columns): (_, &[&str]) = match self.table {
            "label_event" => (EVENT_STANDS, &["item", "expert", "session", "revision", "label_case"]),
            "expert_event" => (EXPERT_EVENT_STANDS, &["session", "expert", "other"]),
            _ => return Ok(Verdict::Stays),
        };
        let places: Vec<usize> = columns.iter().map(|c| self.place(c)).collect();
        let mut statement = self.work.0.prepare_cached(sql).attempting(WHAT)?;
        let (stands, in_case): (bool, bool) = statement
            .query_row(params_from_iter(places.iter().map(|i| &row[*i])), |r| {
                Ok((r.get(0)?, if columns.len() > 3 { r.get(1)? } else { true }))
            })
            .attempting(WHAT)?;
        if stands && !in_case {
            row[self.place("label_case")] = Cell::Null;
            self.without_case += 1;
        }
        Ok(if stands { Verdict::Stays } else { Verdict::Goes })
    }
}

impl Store {
    /// Labels that are missing between others of their session, in words.
    fn missing_labels(&self) -> Result<Vec<String>> {
        self.all_rows(
            "SELECT e.name, s.host, g.last + 1, g.seq - 1
             FROM (SELECT session, seq, lag(seq, 1, 0) OVER (PARTITION BY session ORDER BY seq) AS last FROM label_event) g
             JOIN session s ON s.id = g.session JOIN expert e ON e.id = s.expert WHERE g.seq > g.last + 1 ORDER BY g.session, g.seq",
            "read the labels",
            |r| {
                let (name, host): (String, String) = (r.get(0)?, r.get(1)?);
                let (first, last): (i64, i64) = (r.get(2)?, r.get(3)?);
                Ok(match first == last {
                    true => format!("label {first} of {name} on {host}"),
                    false => format!("labels {first} to {last} of {name} on {host}"),
                })
            },
        )
    }
}
