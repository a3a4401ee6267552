//! Lines of an export, and the cells that they are made of.

use std::io::Write;

use super::options::{ExportFormat, ExportOptions};
use crate::domain::fault::Result;
use crate::domain::moment;
use crate::domain::prediction::Probabilities;
use crate::domain::task::Task;
use crate::formats::{Cell, OutputFormat, RowWriter};
use crate::work::output::output_fault;

/// Where lines go.
pub(crate) struct Lines<'a> {
    pub out: &'a mut dyn Write,
    pub format: ExportFormat,
    pub options: &'a ExportOptions,
}

impl<'a> Lines<'a> {
    /// Begins them, with these columns.
    pub fn writer(&mut self, columns: Vec<String>) -> Result<RowWriter<&mut (dyn Write + 'a)>> {
        let format = match self.format {
            ExportFormat::Jsonl => OutputFormat::Jsonl,
            ExportFormat::Csv => OutputFormat::Csv,
        };
        RowWriter::new(&mut *self.out, format, columns).map_err(|e| output_fault("the export", &e))
    }
}

pub(crate) fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

pub(crate) fn number(n: impl ToString) -> Cell {
    Cell::Json(n.to_string())
}

pub(crate) fn text_or_null(text: Option<impl Into<String>>) -> Cell {
    text.map_or(Cell::Null, |t| Cell::Text(t.into()))
}

pub(crate) fn name_of(task: &Task, stable_key: &str) -> String {
    task.index_of_id(stable_key).map_or_else(|| stable_key.to_owned(), |i| task.labels[i].name.clone())
}

pub(crate) fn utc(ms: i64) -> Cell {
    text_or_null(moment::exact(ms))
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
