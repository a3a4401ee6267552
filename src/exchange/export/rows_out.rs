//! Where the rows of an export go, and the cells that several kinds of export share.

use std::io;

use crate::domain::answer::Answer;
use crate::domain::fault::{Fault, Result};
use crate::domain::moment;
use crate::domain::prediction::Probabilities;
use crate::domain::task::Task;
use crate::formats::{Cell, ColumnType, Output, OutputFormat, RowWriter, columns};
use crate::work::output::output_fault;

/// An output that still lacks its columns.
pub(crate) struct RowsOut<'a> {
    pub out: Output<'a>,
    pub format: &'static OutputFormat,
    /// What is written, for messages: `the export`.
    pub what: &'static str,
    /// The smallest level of the task's scale ([`least_level`]).
    pub least_level: Option<i64>,
    /// Whether a text may have several labels: columns of labels then hold lists of them.
    pub lists: bool,
}

/// The smallest level of a scale whose levels are all whole numbers.
pub(crate) fn least_level(task: &Task) -> Option<i64> {
    let numbers: Option<Vec<i64>> = task.labels.iter().map(|level| level.name.parse().ok()).collect();
    numbers.filter(|_| task.kind.is_scale())?.into_iter().min()
}

/// Columns of an export that hold labels of the task.
const OF_LABELS: [&str; 6] = ["label", "label_key", "hardcase_label", "prelabel", "seen", "gold"];

impl<'a> RowsOut<'a> {
    pub fn with_columns(self, of: &[(&str, ColumnType)]) -> Result<Rows<'a>> {
        let what = self.what;
        let mut columns = columns(of);
        for column in columns.iter_mut().filter(|column| OF_LABELS.contains(&column.name.as_str())) {
            column.least_level = self.least_level;
            if self.lists {
                column.kind = ColumnType::Json;
                column.lists = true;
            }
        }
        let writer = RowWriter::new(self.out, self.format, columns).map_err(|e| output_fault(what, &e))?;
        Ok(Rows { writer, what, written: 0 })
    }
}

/// Rows on their way out.
pub(crate) struct Rows<'a> {
    writer: RowWriter<'a>,
    what: &'static str,
    written: usize,
}

impl Rows<'_> {
    pub fn write(&mut self, cells: &[Cell]) -> Result<()> {
        self.written += 1;
        self.writer.write_row(cells).map_err(|e| self.fault(&e))
    }

    /// Hands on the rows that are complete so far.
    #[cfg(feature = "engine")]
    pub fn flush(&mut self) -> Result<()> {
        self.writer.flush().map_err(|e| self.fault(&e))
    }

    /// Writes the end. Returns the number of rows.
    pub fn finish(self) -> Result<usize> {
        let Self { writer, what, written } = self;
        writer.finish().map(|()| written).map_err(|e| output_fault(what, &e))
    }

    fn fault(&self, error: &io::Error) -> Fault {
        output_fault(self.what, error)
    }
}

/// The name of a label, or its id where the task no longer has it.
pub(crate) fn name_of(task: &Task, id: &str) -> String {
    task.index_of_id(id).map_or_else(|| id.to_owned(), |i| task.labels[i].name.clone())
}

/// An answer under a column of labels: the label's name, or a list of names where a text may have several.
pub(crate) fn answer_cell(task: &Task, answer: &Answer) -> Cell {
    match answer.single() {
        Some(label) if task.kind.gives_one() => name_of(task, label).into(),
        _ => list_cell(task.names_of(answer)),
    }
}

/// A known label of a file under a column of labels.
pub(crate) fn gold_cell(task: &Task, gold: Option<&str>) -> Cell {
    match gold {
        Some(gold) if task.kind.is_several() => {
            task.answer_of_gold(gold).map_or_else(|| list_cell([gold]), |answer| answer_cell(task, &answer))
        }
        gold => gold.into(),
    }
}

/// Names as a JSON list.
pub(crate) fn list_cell<T: Into<serde_json::Value>>(of: impl IntoIterator<Item = T>) -> Cell {
    Cell::Json(serde_json::Value::Array(of.into_iter().map(Into::into).collect()).to_string())
}

pub(crate) fn utc(ms: i64) -> Cell {
    moment::exact(ms).into()
}

/// Probabilities as a JSON object, in the order of the labels.
pub(crate) fn probabilities_cell(names: &[String], p: &Probabilities) -> Cell {
    let object: serde_json::Map<String, serde_json::Value> =
        names.iter().zip(&p.0).map(|(name, p)| (name.clone(), rounded(*p).into())).collect();
    Cell::Json(serde_json::Value::Object(object).to_string())
}

/// Six decimals: what f32 arithmetic can stand for.
pub(crate) fn rounded(p: f32) -> f64 {
    (f64::from(p) * 1e6).round() / 1e6
}
