//! `rows`: every imported row in its order with all its columns, and what was decided.

use std::collections::HashMap;

use super::kind::{ExportKind, ExportOption, Exported, Request, Writes};
use super::predicted::Predicted;
use super::rows_out::{RowsOut, answer_cell, rounded};
use super::visible::{Shows, Visible, all_decided};
use crate::domain::event::Action;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ItemId, SourceId};
use crate::formats::{Cell, ColumnType, Detected, Layout, unpack};
use crate::store::Store;

pub(super) static ROWS: ExportKind = ExportKind {
    name: "rows",
    help: "Every imported row in its order with all its columns, and what was decided",
    takes: &[ExportOption::By, ExportOption::Format],
    shows: Shows::ModelAndAnswers,
    writes: Writes::Rows(rows),
};

/// As many imported columns have one of their own. A file of objects can have another key in each of its rows, and a table of as many columns as rows
/// would be a thousand times as large as what was imported.
const MOST_COLUMNS: usize = 1_000;
/// The column with what else a row has, as an object.
const MORE: &str = "hardcase_more";

/// What is added after the imported columns.
const DECIDED: [(&str, ColumnType); 3] = [
    ("hardcase_label", ColumnType::Text),
    ("hardcase_probability", ColumnType::Float),
    ("hardcase_decided_by", ColumnType::Text),
];

/// Whether an imported column is what an earlier export added: this one has its own.
fn is_of_an_export(name: &str) -> bool {
    DECIDED.iter().any(|(own, _)| *own == name)
}

fn rows(request: &Request<'_>, out: RowsOut<'_>) -> Result<Exported> {
    let &Request { store, task, visible, options } = request;
    let predicted = Predicted::if_any(store, task, &options.by)?;
    let decided = all_decided(store, visible)?;
    let who = deciders(store, visible)?;
    let sources = store
        .sources()?
        .into_iter()
        .map(|s| {
            let detected: Detected = serde_json::from_str(&s.found)
                .map_err(|e| Fault::new("read how a file was imported", e.to_string()))?;
            Ok((s.id, detected))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut imported = imported_columns(store, &sources)?;
    if imported.len() > MOST_COLUMNS {
        imported.truncate(MOST_COLUMNS);
        imported.push((MORE.to_owned(), ColumnType::Json));
    }
    let position: HashMap<&str, usize> =
        imported.iter().enumerate().map(|(i, (name, _))| (name.as_str(), i)).collect();
    let mut columns: Vec<(&str, ColumnType)> =
        imported.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    columns.extend(DECIDED);
    let mut without_prelabel = 0;
    let mut rows = out.with_columns(&columns)?;
    for (source, detected) in &sources {
        store.for_each_row(*source, |item, packed| {
            let (text, _) = store.item_text_and_id(item)?;
            let mut cells = vec![Cell::Absent; imported.len()];
            // A part of a project has only the columns that are shown to experts.
            let columns = if packed.is_empty() { Vec::new() } else { unpack(packed, detected, &text)? };
            let mut more = Vec::new();
            for (name, cell) in columns.into_iter().filter(|(name, _)| !is_of_an_export(name)) {
                match position.get(name.as_str()) {
                    Some(&at) => cells[at] = cell,
                    None => more.push((name, cell)),
                }
            }
            if let (false, Some(&at)) = (more.is_empty(), position.get(MORE)) {
                cells[at] = object_of(&more);
            }
            let shown = visible.shows_view_of(item);
            let p = predicted.as_ref().filter(|_| shown).and_then(|all| all.of(item).map(|p| (all, p)));
            let (label, decider) = match decided.get(&item) {
                Some(answer) => (answer_cell(task, answer), who.get(&item).cloned()),
                None => (
                    p.as_ref().map_or(Cell::Null, |(all, p)| all.cell(p)),
                    p.as_ref().map(|_| "model".into()),
                ),
            };
            let probability = p.as_ref().and_then(|(all, p)| {
                let at =
                    all.names.iter().position(|name| matches!(&label, Cell::Text(own) if own == name))?;
                Some(rounded(p.0[at]))
            });
            cells.extend([label, probability.into(), decider.into()]);
            without_prelabel += usize::from(predicted.is_some() && shown && p.is_none());
            rows.write(&cells)
        })?;
    }
    Ok(Exported {
        lines: rows.finish()?,
        without_prelabel,
        left_out: visible.left_out(Shows::ModelAndAnswers),
    })
}

/// Columns of a row as one JSON object.
fn object_of(columns: &[(String, Cell)]) -> Cell {
    let entries = columns
        .iter()
        .map(|(name, cell)| format!("{}:{}", serde_json::Value::from(name.as_str()), cell.json()));
    Cell::Json(format!("{{{}}}", entries.collect::<Vec<_>>().join(",")))
}

/// The columns of all imports in the order in which they first appear. One that is text in every import is text.
fn imported_columns(store: &Store, sources: &[(SourceId, Detected)]) -> Result<Vec<(String, ColumnType)>> {
    let mut columns: Vec<(String, ColumnType)> = Vec::new();
    let mut position: HashMap<String, usize> = HashMap::new();
    for (source, detected) in sources {
        let kind = match detected.layout {
            Layout::Cells | Layout::Text => ColumnType::Text,
            Layout::Keys => ColumnType::Json,
        };
        let mut enter = |name: String| match position.get(&name) {
            _ if is_of_an_export(&name) => {}
            Some(&at) if kind == ColumnType::Json => columns[at].1 = kind,
            Some(_) => {}
            None => {
                position.insert(name.clone(), columns.len());
                columns.push((name, kind));
            }
        };
        detected.own_columns().cloned().for_each(&mut enter);
        if detected.layout == Layout::Keys {
            // An object may have keys that the first rows did not have.
            store.for_each_row(*source, |_, packed| {
                unpack(packed, detected, "")?.into_iter().for_each(|(name, _)| enter(name));
                Ok(())
            })?;
        }
    }
    Ok(columns)
}

/// Who gave the standing labels of each text.
fn deciders(store: &Store, visible: &Visible) -> Result<HashMap<ItemId, String>> {
    let experts: HashMap<_, _> = store.experts()?.into_iter().collect();
    let mut who: HashMap<ItemId, String> = HashMap::new();
    for answer in
        store.current_answers()?.into_iter().filter(|a| a.event.action == Action::Set && visible.includes(a))
    {
        let name = experts.get(&answer.event.expert).cloned().unwrap_or_default();
        who.entry(answer.event.item)
            .and_modify(|names| {
                names.push_str(", ");
                names.push_str(&name);
            })
            .or_insert(name);
    }
    Ok(who)
}
