//! The rows of a file with predictions: which text of the project each is about, and what it predicts.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::given_file::{Attempt, GivenFile, RowCounts, told};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::label_values::{LabelValues, OneLabel};
use crate::domain::read_options::ReadOptions;
use crate::domain::task::Task;
use crate::formats::{Detected, Row};
use crate::learn::given_predictions::{of_label, of_probabilities};
use crate::work::runner::Work;

/// What is attempted, as a fault says it.
pub(super) const TRYING: &str = "take in the predictions";
const ATTEMPT: Attempt = Attempt { trying: TRYING, stage: "reading predictions" };
/// The column with probabilities where none is named, as `export` and `predict` write it.
const PROBABILITIES: &str = "probabilities";

/// Which columns hold a row's prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// One with a label.
    Label(String),
    /// One with an object of probabilities by label.
    Probabilities(String),
    /// One with a probability for each label: the label and the column.
    Each(Vec<(String, String)>),
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

/// What came of the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    #[serde(flatten)]
    pub counts: RowCounts,
    /// Rows without a prediction.
    pub without: u64,
    /// Rows with a label that is none of the task's.
    pub unknown: u64,
    /// These labels, in words.
    pub unknown_labels: Option<String>,
    /// Rows with several labels.
    pub several: u64,
    /// Rows whose probabilities are negative, are no numbers, or do not add up to 1.
    pub improper: u64,
}

impl Tally {
    /// What became of rows that are not used, a sentence each without its full stop.
    pub(super) fn left_out(&self) -> Vec<String> {
        let of_labels = |unknown: String| match &self.unknown_labels {
            Some(labels) => format!("{unknown}: {labels}"),
            None => unknown,
        };
        let unknown = told(
            self.unknown,
            "has a label that the task does not have",
            "have a label that the task does not have",
        );
        let more = [
            told(self.without, "predicts nothing", "predict nothing"),
            unknown.map(of_labels),
            told(self.several, "has several labels", "have several labels"),
            told(
                self.improper,
                "has probabilities that are negative, are no numbers, or do not add up to 1",
                "have probabilities that are negative, are no numbers, or do not add up to 1",
            ),
            told(
                self.counts.repeated,
                "predicts a text for the second time, and the last prediction counts",
                "predict a text again, and the last prediction counts",
            ),
        ];
        self.counts.left_out().into_iter().chain(more.into_iter().flatten()).collect()
    }
}

/// A file with predictions, opened.
pub(super) struct GivenRows {
    file: GivenFile,
    /// How it is read; its `meta` are the columns with probabilities.
    detected: Detected,
    meaning: Meaning,
    labels: usize,
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
        let (label, probabilities) = match &options.given {
            Given::Label(column) => (Some(column.clone()), Vec::new()),
            Given::Probabilities(column) => (None, vec![column.clone()]),
            Given::Each(columns) => (None, by_label(task, columns)?),
            Given::Detected => (None, Vec::new()),
        };
        let read = ReadOptions { labels: label, meta: probabilities, ..options.read.clone() };
        let file = GivenFile::open(data, &read, ATTEMPT)?;
        let mut detected = file.detected().clone();
        let meaning = match &options.given {
            Given::Label(column) => Meaning::Label(LabelValues::new(task, column, &options.map)?),
            Given::Probabilities(column) => Meaning::Object(LabelValues::new(task, column, &options.map)?),
            Given::Each(_) => {
                Meaning::Numbers(detected.meta.iter().map(|at| detected.columns[*at].clone()).collect())
            }
            Given::Detected => found(&mut detected, task, options)?,
        };
        Ok(Self { file, detected, meaning, labels: task.labels.len() })
    }

    /// How the file is read, in one line.
    pub fn found(&self) -> String {
        self.file.detected().to_string()
    }

    /// The probabilities of each text that it predicts, and what became of its rows.
    ///
    /// # Errors
    /// A file that cannot be read to its end, or a request to stop.
    pub fn read(mut self, work: &mut Work<'_>) -> Result<(BTreeMap<ItemId, Vec<f32>>, Tally)> {
        let (mut all, mut tally) = (BTreeMap::new(), Tally::default());
        while let Some((item, row)) = self.file.next(work, &mut tally.counts)? {
            match self.said(&row) {
                Said::Probabilities(p) => tally.counts.repeated += u64::from(all.insert(item, p).is_some()),
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

/// The columns of the probabilities, in the order of the task's labels.
///
/// # Errors
/// A label that the task does not have, has twice or that has no column, or one column for two labels.
fn by_label(task: &Task, given: &[(String, String)]) -> Result<Vec<String>> {
    let mut columns: Vec<Option<String>> = vec![None; task.labels.len()];
    let refused = |why: String| {
        Fault::usage(TRYING, why)
            .hint("Name one column for each label, such as --prediction spam=p_spam --prediction ham=p_ham")
    };
    for (label, column) in given {
        let known = task.find_label(label).map_err(|f| f.while_trying(TRYING))?;
        let at = task.labels.iter().position(|l| l.id == known.id).unwrap_or_default();
        if columns.iter().flatten().any(|other| other == column) {
            return Err(refused(format!("column '{column}' was named for two labels")));
        }
        if columns[at].replace(column.clone()).is_some() {
            return Err(refused(format!("two columns were named for the label '{}'", known.name)));
        }
    }
    if let Some(at) = columns.iter().position(Option::is_none) {
        return Err(refused(format!("no column was named for the label '{}'", task.labels[at].name)));
    }
    Ok(columns.into_iter().flatten().collect())
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
