//! `scout --from`: vectors that were made elsewhere take the place of a scouting. They are kept under the name of their model, and everything that needs
//! no more than vectors (choosing cases, training a head) works on them.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::given_file::{Attempt, GivenFile, RowCounts, told};
use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::counted;
use crate::domain::ids::{ItemId, ModelId};
use crate::domain::read_options::ReadOptions;
use crate::formats::{Detected, Row};
use crate::learn::activate::{Rescore, activate};
use crate::learn::given_vectors::{model, unit, without_guesses};
use crate::learn::prelabels::fitting;
use crate::store::pool::embeddings::Space;
use crate::store::{Access, Store};
use crate::work::runner::{Ended, JobContext, Work, run};

/// What is attempted, as a fault says it.
const TRYING: &str = "take in the vectors";
const ATTEMPT: Attempt = Attempt { trying: TRYING, stage: "reading vectors" };
/// Rows by which the column with the vectors is found.
const LOOKED_AT: usize = 50;
/// Vectors written at a time.
const BATCH: usize = 512;
/// Fewer numbers are no vector of a text.
const SHORTEST: usize = 2;
/// The most numbers of a vector: models have some thousand.
const LONGEST: usize = 65_536;
/// The longest name of a model, in bytes.
const LONGEST_NAME: usize = 100;

/// How vectors are taken in.
#[derive(Clone, Debug)]
pub struct VectorOptions {
    /// How the file is read. Where an id is named, rows name texts by it, else by the text.
    pub read: ReadOptions,
    /// The column with the vectors; the only one that holds lists of numbers of one length where none is named.
    pub column: Option<String>,
    /// The model that made them.
    pub model: String,
}

/// What became of the vectors.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VectorReport {
    /// The name of their model.
    pub model: String,
    /// How the file was read.
    pub found: String,
    /// Numbers of one vector.
    pub dimensions: usize,
    /// Texts that got a vector by this file.
    pub embedded: usize,
    /// Texts of the pool that have a vector of this model now.
    pub scored: usize,
    /// Texts of the pool.
    pub items: usize,
    /// What became of its rows.
    #[serde(flatten)]
    pub counts: RowCounts,
    /// Rows without a vector.
    pub without: u64,
    /// Rows whose vector has another length than the first one.
    pub another_length: u64,
    /// Rows whose vector is no list of numbers, or all zeros.
    pub improper: u64,
    /// Rows about texts that have a vector of this model already; it stays.
    pub known: u64,
    /// Whose prelabels the pool has: `none` until answers have taught a model.
    pub prelabels: String,
    /// Whether this process did it.
    pub ours: bool,
}

impl VectorReport {
    /// What became of rows that are not used, a sentence each without its full stop.
    fn left_out(&self) -> Vec<String> {
        let another = format!("another length than {}", self.dimensions);
        let more = [
            told(self.without, "has no vector", "have no vector"),
            told(
                self.another_length,
                &format!("has a vector of {another}"),
                &format!("have vectors of {another}"),
            ),
            told(
                self.improper,
                "has a vector that is no list of numbers, or all zeros",
                "have vectors that are no lists of numbers, or all zeros",
            ),
            told(
                self.counts.repeated,
                "is about a text for the second time, and the first vector counts",
                "are about a text again, and the first vector counts",
            ),
            told(
                self.known,
                "is about a text that has its vector already, which stays",
                "are about texts that have their vectors already, which stay",
            ),
        ];
        self.counts.left_out().into_iter().chain(more.into_iter().flatten()).collect()
    }
}

impl std::fmt::Display for VectorReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.ours {
            return write!(f, "another process scouted the pool");
        }
        write!(
            f,
            "{} of {} texts have a vector by {} ({} numbers each), {} of them by this file",
            self.scored, self.items, self.model, self.dimensions, self.embedded
        )?;
        for sentence in self.left_out() {
            write!(f, ". {sentence}")?;
        }
        let lack = self.items.saturating_sub(self.scored);
        if lack > 0 {
            write!(
                f,
                ". {} no vector yet and cannot become a case: give {} in another file under the same --model-name",
                counted(lack, "text has", "texts have"),
                if lack == 1 { "it" } else { "them" }
            )?;
        }
        match self.prelabels.as_str() {
            NO_PRELABELS => write!(
                f,
                ". Without vectors of the labels there is no first guess: `hardcase mine FILE` chooses cases that cover the pool until `hardcase tune \
                 FILE` has learned from answers"
            ),
            kind => write!(f, "; prelabels: {kind}"),
        }
    }
}

const NO_PRELABELS: &str = "none";

/// Takes in the vectors of `data` (`-` is standard input).
///
/// # Errors
/// A file that cannot be read, a column that is not clear, or no row with a vector of a text of the project.
pub fn take_vectors(context: &JobContext<'_>, data: &Path, options: &VectorOptions) -> Result<VectorReport> {
    let name = checked_name(&options.model)?;
    if Store::open(context.project, Access::Read)?.item_count()? == 0 {
        return Err(Fault::usage(TRYING, "the project has no texts yet")
            .hint("Add some with `hardcase import FILE DATA`"));
    }
    let read = ReadOptions { meta: options.column.iter().cloned().collect(), ..options.read.clone() };
    let mut file = GivenFile::open(data, &read, ATTEMPT)?;
    let mut detected = file.detected().clone();
    if options.column.is_none() {
        detected.meta = vec![column_of(&mut file, &detected)?];
    }
    let found = file.detected().to_string();
    context.watcher.note(&format!("{}: {found}", data.display()));
    let arguments = match data.to_str() {
        // What comes through a pipe may be anything, so that another process's is never the same.
        Some("-") | None => format!("from a pipe to {}", std::process::id()),
        Some(path) => format!("from {path} by {name}"),
    };
    let ended = run(context, "scout", &arguments, |work| {
        let revision = work.store.task()?;
        let mut taking = Taking {
            model: None,
            known: HashSet::new(),
            seen: HashSet::new(),
            items: Vec::new(),
            values: Vec::new(),
            report: VectorReport { model: name.clone(), found, ours: true, ..VectorReport::default() },
        };
        while let Some((item, row)) = file.next(work, &mut taking.report.counts)? {
            taking.take(work, item, cell(&row, &detected))?;
        }
        taking.write(work)?;
        let Taking { model, mut report, .. } = taking;
        let Some(model) = model.filter(|_| report.embedded > 0 || report.known > 0) else {
            return Err(none_used(&report));
        };
        let predictor = match fitting(work, model, &revision)? {
            Some(active) => active,
            None => {
                let mut new = without_guesses(model, &revision);
                new.id = work.store.add_predictor(&new)?;
                new
            }
        };
        let seed = context.seed.unwrap_or(work.store.project()?.seed);
        let active = activate(work, &predictor, Rescore::Pool, &revision, seed)?.active.unwrap_or(predictor);
        report.scored = work.store.vector_count(Space::base(model))?;
        report.items = work.store.item_count()?;
        report.prelabels = match active.guesses_nothing() {
            true => NO_PRELABELS.to_owned(),
            false => active.kind().to_string(),
        };
        Ok(report)
    })?;
    Ok(match ended {
        Ended::Ours(report) => report,
        Ended::Others => VectorReport::default(),
    })
}

/// Vectors on their way into the project.
struct Taking {
    /// Entered with the first vector: its length is the model's.
    model: Option<ModelId>,
    /// Texts that had a vector before this file.
    known: HashSet<ItemId>,
    /// Texts that this file has given one.
    seen: HashSet<ItemId>,
    /// What is to be written next.
    items: Vec<ItemId>,
    values: Vec<f32>,
    report: VectorReport,
}

impl Taking {
    fn take(&mut self, work: &mut Work<'_>, item: ItemId, cell: Cell) -> Result<()> {
        let report = &mut self.report;
        let vector = match cell {
            Cell::Empty => {
                report.without += 1;
                return Ok(());
            }
            Cell::Other => None,
            Cell::Numbers(vector) => Some(vector).filter(|v| v.len() >= SHORTEST),
        };
        let Some(vector) = vector.and_then(unit) else {
            report.improper += 1;
            return Ok(());
        };
        if self.model.is_none() {
            if vector.len() > LONGEST {
                let why = format!("a vector has {} numbers, and {LONGEST} are the most", vector.len());
                return Err(Fault::usage(TRYING, why)
                    .hint("Name the column with the vectors of the texts (--vectors COL)"));
            }
            report.dimensions = vector.len();
            let id = model(work.store, &report.model, vector.len(), TRYING)?;
            self.known = work.store.items_with_vector(Space::base(id))?.into_iter().collect();
            self.model = Some(id);
        }
        if vector.len() != report.dimensions {
            report.another_length += 1;
        } else if self.known.contains(&item) {
            report.known += 1;
        } else if !self.seen.insert(item) {
            report.counts.repeated += 1;
        } else {
            self.items.push(item);
            self.values.extend(vector);
        }
        if self.items.len() == BATCH { self.write(work) } else { Ok(()) }
    }

    fn write(&mut self, work: &mut Work<'_>) -> Result<()> {
        let Some(model) = self.model.filter(|_| !self.items.is_empty()) else { return Ok(()) };
        work.store.put_vectors(Space::base(model), &self.items, &self.values, self.report.dimensions)?;
        self.report.embedded += self.items.len();
        self.items.clear();
        self.values.clear();
        Ok(())
    }
}

/// What a row has in the column with the vectors.
enum Cell {
    Empty,
    Numbers(Vec<f32>),
    Other,
}

fn cell(row: &Row, detected: &Detected) -> Cell {
    let Some(json) = row.meta(detected) else { return Cell::Empty };
    // What nearly every row has, without a value for each number.
    if let Ok(cells) = serde_json::from_str::<HashMap<String, Vec<f32>>>(&json) {
        return cells.into_values().next().map_or(Cell::Empty, Cell::Numbers);
    }
    let cells: Map<String, Value> = serde_json::from_str(&json).unwrap_or_default();
    cells.values().next().map_or(Cell::Empty, meaning)
}

/// A list of numbers, or a text that is written as one: `[0.1, 0.2]`, or `[0.1 0.2]` as pandas writes it into CSV.
fn meaning(value: &Value) -> Cell {
    let numbers: Option<Vec<f32>> = match value {
        Value::Null => return Cell::Empty,
        Value::String(text) if text.trim().is_empty() => return Cell::Empty,
        Value::Array(list) => list.iter().map(|x| x.as_f64().map(|x| x as f32)).collect(),
        Value::String(text) => {
            let inside = text.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            inside.and_then(|inside| {
                let parts =
                    inside.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
                parts.map(|part| part.parse().ok()).collect()
            })
        }
        _ => None,
    };
    numbers.map_or(Cell::Other, Cell::Numbers)
}

/// The only column whose cells are lists of numbers of one length in the first rows.
fn column_of(file: &mut GivenFile, detected: &Detected) -> Result<usize> {
    // How many numbers the cells of each column have; none where nothing was seen, and an error where they are something else.
    let mut lengths: Vec<std::result::Result<Option<usize>, ()>> = vec![Ok(None); detected.columns.len()];
    let all = Detected { meta: (0..detected.columns.len()).collect(), ..detected.clone() };
    for row in file.peek(LOOKED_AT)? {
        let json = row.meta(&all).unwrap_or_default();
        let cells: Map<String, Value> = serde_json::from_str(&json).unwrap_or_default();
        for (length, name) in lengths.iter_mut().zip(&all.columns) {
            let Ok(before) = *length else { continue };
            match cells.get(name).map_or(Cell::Empty, meaning) {
                Cell::Empty => {}
                Cell::Numbers(v) if v.len() >= SHORTEST && before.is_none_or(|n| n == v.len()) => {
                    *length = Ok(Some(v.len()));
                }
                Cell::Numbers(_) | Cell::Other => *length = Err(()),
            }
        }
    }
    let vectors: Vec<usize> = (0..lengths.len()).filter(|at| matches!(lengths[*at], Ok(Some(_)))).collect();
    match vectors.as_slice() {
        [one] => Ok(*one),
        [] => Err(Fault::usage(TRYING, "no column holds lists of numbers of one length")
            .hint("Name the column with the vectors: --vectors COL")),
        several => {
            let names: Vec<String> =
                several.iter().take(4).map(|at| format!("'{}'", all.columns[*at])).collect();
            Err(Fault::usage(TRYING, format!("several columns hold lists of numbers: {}", names.join(", ")))
                .hint("Name the one with the vectors: --vectors COL"))
        }
    }
}

fn none_used(report: &VectorReport) -> Fault {
    let why = match report.left_out().join("; ") {
        none if none.is_empty() => "the file has no row".to_owned(),
        why => format!("no row has a vector of a text of this project: {why}"),
    };
    let hint = match report.counts.unmatched + report.counts.ambiguous > 0 {
        true => {
            "Name the column with the texts (--text COL), or the one with the ids that the texts were imported with (--id COL)"
        }
        false => "Check which column is read (--vectors COL)",
    };
    Fault::usage(TRYING, why).hint(hint)
}

fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Fault::usage(TRYING, "the name of their model is not a name")
            .hint("Use up to 100 characters on one line, such as `--model-name bge-m3`"));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests;
