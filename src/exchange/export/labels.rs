//! `labels`: a row for each person and text, or for each event of the label log, with its provenance.

use std::collections::{HashMap, HashSet};

use super::kind::{ExportKind, ExportOption, Exported, History, Request, Writes};
use super::rows_out::{RowsOut, answer_cell, utc};
use super::visible::Shows;
use crate::domain::event::Action;
use crate::domain::fault::Result;
use crate::domain::ids::SessionId;
use crate::domain::split::Split;
use crate::formats::{Cell, ColumnType};

pub(super) static LABELS: ExportKind = ExportKind {
    name: "labels",
    help: "One line per expert and text, with its provenance",
    takes: &[ExportOption::History, ExportOption::Format],
    shows: Shows::Answers,
    writes: Writes::Rows(labels),
};

/// The reason of an answer to a text that nobody drew: it was found by searching, and is in no figure.
const FOUND: &str = "found";

/// Which text, and whose answer.
const ITEM: [(&str, ColumnType); 4] = [
    ("item", ColumnType::Integer),
    ("id", ColumnType::Text),
    ("text", ColumnType::Text),
    ("expert", ColumnType::Text),
];
/// Only with the history: what was done.
const EVENT: [(&str, ColumnType); 4] = [
    ("action", ColumnType::Text),
    ("event", ColumnType::Text),
    ("target", ColumnType::Text),
    ("lamport", ColumnType::Integer),
];
/// The answer, and how it came about.
const ANSWER: [(&str, ColumnType); 13] = [
    ("label", ColumnType::Text),
    ("confidence", ColumnType::Integer),
    ("note", ColumnType::Text),
    ("split", ColumnType::Text),
    ("round", ColumnType::Integer),
    ("reason", ColumnType::Text),
    ("revealed", ColumnType::Boolean),
    ("seen", ColumnType::Text),
    ("revision", ColumnType::Integer),
    ("duration_ms", ColumnType::Integer),
    ("at", ColumnType::Text),
    ("person", ColumnType::Text),
    ("tied", ColumnType::Boolean),
];

fn labels(request: &Request<'_>, out: RowsOut<'_>) -> Result<Exported> {
    let &Request { store, task, visible, options } = request;
    let history = options.history == History::All;
    let events = if history { store.events()? } else { store.current_answers()? };
    let untied: HashSet<SessionId> = store.untied_sessions()?.into_iter().collect();
    let experts: HashMap<_, _> = store.experts()?.into_iter().collect();
    let revisions: HashMap<_, _> = store.task_revisions()?.into_iter().map(|r| (r.id, r.number)).collect();
    let shown: &[(&str, ColumnType)] = if history { &EVENT } else { &[] };
    let mut known = HashMap::new();
    let mut rows = out.with_columns(&[&ITEM, shown, &ANSWER].concat())?;
    for event in events {
        let e = &event.event;
        if !history && e.action != Action::Set || !visible.includes(&event) {
            continue;
        }
        let item = match known.get(&e.item) {
            Some(item) => item,
            None => {
                let (text, id) = store.item_text_and_id(e.item)?;
                known.entry(e.item).or_insert((text, id, store.split_of(e.item)?))
            }
        };
        let case = e.case.map(|c| store.case(c)).transpose()?.flatten();
        // The split, and why it was chosen: not of what is still to be answered blind, nor of a repeat before its answer.
        let answered = match case.as_ref().and_then(|case| case.as_repeat()) {
            Some(repeat) => store.answer_to_repeat(repeat)?.is_some_and(|a| a.event.action == Action::Set),
            None => true,
        };
        let shown = visible.shows_view_of(e.item);
        let mut cells: Vec<Cell> = vec![
            e.item.0.into(),
            item.1.clone().into(),
            item.0.clone().into(),
            experts.get(&e.expert).cloned().into(),
        ];
        if history {
            cells.extend([
                e.action.as_str().into(),
                event.uuid.to_string().into(),
                e.target.map(|t| t.to_string()).into(),
                event.lamport.into(),
            ]);
        }
        cells.extend([
            e.answer.as_ref().map_or(Cell::Null, |answer| answer_cell(task, answer)),
            e.confidence.map(i64::from).into(),
            e.note.clone().into(),
            item.2.filter(|_| shown).map(Split::as_str).into(),
            case.as_ref().map(|c| c.round_number).into(),
            case.as_ref()
                .filter(|_| shown && answered)
                .map(|c| c.reason.as_str())
                .or(e.is_found().then_some(FOUND))
                .into(),
            event.revealed.into(),
            event.seen_prelabel.as_ref().map_or(Cell::Null, |answer| answer_cell(task, answer)),
            revisions.get(&e.revision).copied().into(),
            e.duration_ms.into(),
            utc(event.at_ms),
            visible.persons.get(&e.expert).and_then(|person| experts.get(person)).cloned().into(),
            (!untied.contains(&event.session)).into(),
        ]);
        rows.write(&cells)?;
    }
    Ok(Exported { lines: rows.finish()?, left_out: visible.left_out(Shows::Answers), ..Exported::default() })
}
