//! `predictions`: a row for each text, with its prelabel and its label.

use super::kind::{ExportKind, ExportOption, Exported, Request, Writes};
use super::predicted::Predicted;
use super::rows_out::{RowsOut, answer_cell, gold_cell, probabilities_cell};
use super::visible::{Shows, all_decided};
use crate::domain::fault::Result;
use crate::formats::{Cell, ColumnType};

pub(super) static PREDICTIONS: ExportKind = ExportKind {
    name: "predictions",
    help: "One line per text, with what a model says about it",
    takes: &[ExportOption::By, ExportOption::Format],
    shows: Shows::ModelAndAnswers,
    writes: Writes::Rows(predictions),
};

const COLUMNS: [(&str, ColumnType); 7] = [
    ("id", ColumnType::Text),
    ("item", ColumnType::Integer),
    ("text", ColumnType::Text),
    ("prelabel", ColumnType::Text),
    ("probabilities", ColumnType::Json),
    ("label", ColumnType::Text),
    ("gold", ColumnType::Text),
];

fn predictions(request: &Request<'_>, out: RowsOut<'_>) -> Result<Exported> {
    let &Request { store, task, visible, options } = request;
    let predicted = Predicted::read(store, task, &options.by)?;
    let decided = all_decided(store, visible)?;
    let mut without_prelabel = 0;
    let mut rows = out.with_columns(&COLUMNS)?;
    store.for_each_item(|item, text, external_id, gold| {
        let shown = visible.shows_view_of(item);
        let p = predicted.of(item).filter(|_| shown);
        without_prelabel += usize::from(shown && p.is_none());
        rows.write(&[
            external_id.into(),
            item.0.into(),
            text.into(),
            p.as_ref().map_or(Cell::Null, |p| predicted.cell(p)),
            p.as_ref().map(|p| probabilities_cell(&predicted.names, p)).into(),
            decided.get(&item).map_or(Cell::Null, |answer| answer_cell(task, answer)),
            gold_cell(task, gold),
        ])
    })?;
    Ok(Exported {
        lines: rows.finish()?,
        without_prelabel,
        left_out: visible.left_out(Shows::ModelAndAnswers),
    })
}
