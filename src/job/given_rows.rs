//! The rows of a file with predictions: which text of the project each is about, and what it predicts.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::item::ItemKey;
use crate::domain::label_values::{LabelValues, OneLabel};
use crate::domain::read_options::ReadOptions;
use crate::domain::task::Task;
use crate::formats::{Detected, Entry, Reader, Row};
use crate::learn::given_predictions::{of_label, of_probabilities};
use crate::store::Store;
use crate::work::input::open_source;
use crate::work::runner::Work;

/// What is attempted, as a fault says it.
pub(super) const TRYING: &str = "take in the predictions";
/// The column with probabilities where none is named, as `export` and `predict` write it.
const PROBABILITIES: &str = "probabilities";
/// The column with the ids where a file has no texts and none is named.
const ID: &str = "id";
/// Rows between two looks at whether to go on.
const CHUNK: u64 = 1_024;

/// Which columns hold a row's prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// One with a label.
    Label(String),
    /// One with an object of probabilities by label.
    Probabilities(String),
    /// Those that are called as the labels are, else one called `probabilities`.
    Detected,
}

/// How predictions are taken in.
#[derive(Clone, Debug)]
pub struct GivenOptions {
    /// How the file is read. Where an id is named, rows name texts by it, else by the text.
    pub read: ReadOptions,
    pub given: Given,
    /// What labels of the file stand for, each as `VALUE=LABEL`.
    pub map: Vec<String>,
    /// Whose predictions they are; the file's name where none is given.
    pub name: Option<String>,
}

/// What came of the rows: each is in one of these, but for those that repeat a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub rows: u64,
    /// Rows that name no text of the project.
    pub unmatched: u64,
    /// Rows whose id several different texts have.
    pub ambiguous: u64,
    /// Rows about a text that an earlier row was about, too; the last counts.
    pub repeated: u64,
    /// Rows without a prediction.
    pub without: u64,
    /// Rows with a label that is none of the task's.
    pub unknown: u64,
    /// These labels, in words.
    pub unknown_labels: Option<String>,
    /// Rows with several labels.
    pub several: u64,
    /// Rows whose probabilities are none.
    pub improper: u64,
    /// Rows that could not be read.
    pub unreadable: u64,
}

/// A file with predictions, opened.
pub(super) struct GivenRows {
    reader: Reader,
    /// How it is read; its `meta` are the columns with probabilities.
    detected: Detected,
    by_id: bool,
    meaning: Meaning,
    labels: usize,
    size: Option<u64>,
}

/// What a row's columns say.
enum Meaning {
    /// A label.
    Label(LabelValues),
    /// An object with probabilities by label.
    Object(LabelValues),
    /// A number for each label: the columns, in the order of the labels.
    Numbers(Vec<String>),
}

/// What a row predicts.
enum Said {
    Probabilities(Vec<f32>),
    Nothing,
    Unknown,
    Several,
    Improper,
}

impl GivenRows {
    /// # Errors
    /// A file that cannot be read, or columns that are not there or not clear.
    pub fn open(data: &Path, options: &GivenOptions, task: &Task) -> Result<Self> {
        let (reader, by_id, size) = opened(data, options)?;
        let mut detected = reader.detected().clone();
        let meaning = match &options.given {
            Given::Label(column) => Meaning::Label(LabelValues::new(task, column, &options.map)?),
            Given::Probabilities(column) => Meaning::Object(LabelValues::new(task, column, &options.map)?),
            Given::Detected => found(&mut detected, task, options)?,
        };
        Ok(Self { reader, detected, by_id, meaning, labels: task.labels.len(), size })
    }

    /// How the file is read, in one line.
    pub fn found(&self) -> String {
        self.reader.detected().to_string()
    }

    /// The probabilities of each text that it predicts, and what became of its rows.
    ///
    /// # Errors
    /// A file that cannot be read to its end, or a request to stop.
    pub fn read(mut self, work: &mut Work<'_>) -> Result<(BTreeMap<ItemId, Vec<f32>>, Tally)> {
        let (mut all, mut tally) = (BTreeMap::new(), Tally::default());
        while let Some(entry) = self.reader.next_entry().map_err(|f| f.while_trying(TRYING))? {
            tally.rows += 1;
            if tally.rows.is_multiple_of(CHUNK) {
                let read = self.reader.bytes_read();
                let read = self.size.map_or(read, |size| read.min(size));
                work.report("reading predictions", read, self.size, "bytes")?;
                if work.stopped() {
                    return Err(Fault::new(TRYING, "it was stopped").hint("Nothing was kept; run it again"));
                }
            }
            let row = match entry {
                Entry::Row(row) => row,
                Entry::Bad(_) => {
                    tally.unreadable += 1;
                    continue;
                }
            };
            let item = match self.items(work.store, &row)?.as_slice() {
                [] => {
                    tally.unmatched += 1;
                    continue;
                }
                [item] => *item,
                _ => {
                    tally.ambiguous += 1;
                    continue;
                }
            };
            match self.said(&row) {
                Said::Probabilities(p) => tally.repeated += u64::from(all.insert(item, p).is_some()),
                Said::Nothing => tally.without += 1,
                Said::Unknown => tally.unknown += 1,
                Said::Several => tally.several += 1,
                Said::Improper => tally.improper += 1,
            }
        }
        if let Meaning::Label(values) | Meaning::Object(values) = &self.meaning {
            tally.unknown_labels = values.unknown();
        }
        Ok((all, tally))
    }

    /// The texts that a row names: by its id where ids are asked for, else by its text.
    fn items(&self, store: &Store, row: &Row) -> Result<Vec<ItemId>> {
        match (self.by_id, &row.external_id) {
            (true, Some(id)) => store.items_of_external_id(id),
            (true, None) => Ok(Vec::new()),
            (false, _) => Ok(store.item_of_key(&ItemKey::of(&row.text))?.into_iter().collect()),
        }
    }

    fn said(&mut self, row: &Row) -> Said {
        let labels = self.labels;
        let cells: Map<String, Value> = match &self.meaning {
            Meaning::Label(_) => Map::new(),
            _ => {
                row.meta(&self.detected).and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default()
            }
        };
        match &mut self.meaning {
            Meaning::Label(values) => {
                let mut one = None;
                for cell in &row.labels {
                    match values.one_label(cell) {
                        OneLabel::Label(at) if one.is_none_or(|one| one == at) => one = Some(at),
                        OneLabel::LeftOut => {}
                        OneLabel::Unknown => return Said::Unknown,
                        OneLabel::Label(_) | OneLabel::Several => return Said::Several,
                    }
                }
                one.map_or(Said::Nothing, |label| Said::Probabilities(of_label(label, labels)))
            }
            Meaning::Object(values) => {
                cells.values().next().map_or(Said::Nothing, |cell| object(cell, values, labels))
            }
            Meaning::Numbers(columns) => {
                let given: Vec<&Value> =
                    columns.iter().map(|name| cells.get(name).unwrap_or(&Value::Null)).collect();
                if given.iter().all(|cell| is_empty(cell)) {
                    return Said::Nothing;
                }
                let numbers: Option<Vec<f64>> = given.into_iter().map(number).collect();
                probabilities(numbers)
            }
        }
    }
}

/// The file, whether its rows name texts by their ids, and its size.
fn opened(data: &Path, options: &GivenOptions) -> Result<(Reader, bool, Option<u64>)> {
    let (label, probabilities) = match &options.given {
        Given::Label(column) => (Some(column.clone()), None),
        Given::Probabilities(column) => (None, Some(column.clone())),
        Given::Detected => (None, None),
    };
    let read =
        ReadOptions { labels: label, meta: probabilities.into_iter().collect(), ..options.read.clone() };
    let by = |id: &str| {
        let text = if read.text.is_empty() { vec![id.to_owned()] } else { read.text.clone() };
        ReadOptions { id: Some(id.to_owned()), text, ..read.clone() }
    };
    if let Some(id) = &read.id {
        return open(data, &by(id)).map(|(reader, size)| (reader, true, size));
    }
    match open(data, &read) {
        Ok((reader, size)) => Ok((reader, false, size)),
        // A file of ids and labels has no text to be found. What came through a pipe cannot be read again.
        Err(fault) if read.text.is_empty() && data != Path::new("-") => {
            open(data, &by(ID)).map(|(reader, size)| (reader, true, size)).map_err(|_| fault)
        }
        Err(fault) => Err(fault),
    }
}

fn open(data: &Path, read: &ReadOptions) -> Result<(Reader, Option<u64>)> {
    let source = open_source(data, read, TRYING)?;
    let (size, read) = (source.size, source.read_options(read));
    let reader = Reader::open(source.into_input(), &data.to_string_lossy(), &read);
    Ok((reader.map_err(|f| f.while_trying(TRYING))?, size))
}

/// What the columns mean where nobody has said so: those that are called as the labels are, else the one that this program's own exports have.
fn found(detected: &mut Detected, task: &Task, options: &GivenOptions) -> Result<Meaning> {
    let place = |wanted: &str| {
        let exactly = detected.columns.iter().position(|name| name == wanted);
        exactly
            .or_else(|| detected.columns.iter().position(|name| name.to_lowercase() == wanted.to_lowercase()))
    };
    let columns: Vec<Option<usize>> =
        task.labels.iter().map(|label| place(&label.name).or_else(|| place(&label.id))).collect();
    let all: Option<Vec<usize>> = columns.iter().copied().collect();
    if let Some(all) = all {
        let names = all.iter().map(|at| detected.columns[*at].clone()).collect();
        detected.meta = all;
        return Ok(Meaning::Numbers(names));
    }
    if let Some(at) = place(PROBABILITIES) {
        detected.meta = vec![at];
        return Ok(Meaning::Object(LabelValues::new(task, PROBABILITIES, &options.map)?));
    }
    let missing =
        columns.iter().zip(&task.labels).find(|(column, _)| column.is_none()).map(|(_, label)| &label.name);
    let why = match missing.filter(|_| columns.iter().any(Option::is_some)) {
        Some(label) => format!("it has a column for some of the labels, and none for '{label}'"),
        None => "no column was named that says what is predicted".to_owned(),
    };
    Err(Fault::usage(TRYING, why).hint(
        "Name the column with the labels (--label COL) or with objects of probabilities (--probabilities COL), or call a column after each label",
    ))
}

/// What an object of probabilities says, which is one or is written as one. A label that it does not name has none.
fn object(cell: &Value, values: &mut LabelValues, labels: usize) -> Said {
    let read = match cell {
        Value::String(json) => serde_json::from_str(json).ok(),
        other => Some(other.clone()),
    };
    let given = match read {
        _ if is_empty(cell) => return Said::Nothing,
        Some(Value::Null) => return Said::Nothing,
        Some(Value::Object(given)) => given,
        _ => return Said::Improper,
    };
    let mut all = vec![0.0; labels];
    for (label, p) in &given {
        match (values.one_label(label), number(p)) {
            (OneLabel::Label(at), Some(p)) => all[at] += p,
            (OneLabel::LeftOut, _) => {}
            (OneLabel::Unknown, _) => return Said::Unknown,
            _ => return Said::Improper,
        }
    }
    if given.is_empty() { Said::Nothing } else { probabilities(Some(all)) }
}

fn probabilities(given: Option<Vec<f64>>) -> Said {
    given.and_then(|given| of_probabilities(&given)).map_or(Said::Improper, Said::Probabilities)
}

fn is_empty(cell: &Value) -> bool {
    match cell {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn number(cell: &Value) -> Option<f64> {
    match cell {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
