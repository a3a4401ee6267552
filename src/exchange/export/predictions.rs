//! Predictions: a line for each item, with its prelabel and its label.

use super::lines::{Lines, columns, name_of, number, probabilities_cell, text_or_null};
use super::options::Exported;
use super::predicted::Predicted;
use super::seen::{Seen, all_decided};
use crate::domain::fault::Result;
use crate::domain::task::Task;
use crate::formats::Cell;
use crate::store::Store;
use crate::work::output::output_fault;

pub(crate) fn predictions(
    store: &Store,
    task: &Task,
    seen: &Seen,
    lines: &mut Lines<'_>,
) -> Result<Exported> {
    let predicted = Predicted::read(store, task, &lines.options.by)?;
    let decided = all_decided(store, seen)?;
    let mut written = Exported { closed: seen.closed.len(), ..Exported::default() };
    let mut out =
        lines.writer(columns(&["id", "item", "text", "prelabel", "probabilities", "label", "gold"]))?;
    store.for_each_item(|item, text, external_id, gold| {
        let p = predicted.of(item);
        let cells = [
            text_or_null(external_id),
            number(item),
            text.into(),
            text_or_null(p.as_ref().map(|p| predicted.names[p.top()].clone())),
            p.as_ref().map_or(Cell::Null, |p| probabilities_cell(&predicted.names, p)),
            text_or_null(decided.get(&item).map(|l| name_of(task, l))),
            text_or_null(gold),
        ];
        written.lines += 1;
        written.without_prelabel += usize::from(p.is_none());
        out.write_row(&cells).map_err(|e| output_fault("the export", &e))
    })?;
    out.finish().map_err(|e| output_fault("the export", &e))?;
    Ok(written)
}
