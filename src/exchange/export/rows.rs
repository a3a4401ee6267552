//! Rows: every imported row in order with all its columns, and what was decided.

use std::collections::{HashMap, HashSet};

use super::lines::{Lines, columns, name_of, number, rounded, text_or_null};
use super::options::Exported;
use super::predicted::Predicted;
use super::seen::{Seen, all_decided};
use crate::domain::event::Action;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ItemId, SourceId};
use crate::domain::task::Task;
use crate::formats::{Cell, Found, Shape, unpack};
use crate::store::Store;
use crate::work::output::output_fault;

pub(crate) fn rows(store: &Store, task: &Task, seen: &Seen, lines: &mut Lines<'_>) -> Result<Exported> {
    let predicted = Predicted::if_any(store, task, &lines.options.by)?;
    let decided = all_decided(store, seen)?;
    let who = deciders(store, seen)?;
    let sources = store
        .sources()?
        .into_iter()
        .map(|s| {
            let found: Found = serde_json::from_str(&s.found)
                .map_err(|e| Fault::new("read how a file was imported", e.to_string()))?;
            Ok((s.id, found))
        })
        .collect::<Result<Vec<_>>>()?;
    let names = row_columns(store, &sources)?;
    let position: HashMap<&str, usize> = names.iter().enumerate().map(|(i, n)| (n.as_str(), i)).collect();
    let added = names.len() - 3;
    let mut written = Exported { closed: seen.closed.len(), ..Exported::default() };
    let mut out = lines.writer(names.clone())?;
    for (source, found) in &sources {
        store.for_each_row(*source, |item, packed| {
            let (text, _) = store.item_text_and_id(item)?;
            let mut cells = vec![Cell::Absent; names.len()];
            // A part of a project has no columns but those that are shown.
            let columns = if packed.is_empty() { Vec::new() } else { unpack(packed, found, &text)? };
            for (name, cell) in columns {
                if let Some(&at) = position.get(name.as_str()) {
                    cells[at] = cell;
                }
            }
            let p = predicted.as_ref().and_then(|all| all.of(item).map(|p| (all, p)));
            let (label, decider) = match decided.get(&item) {
                Some(label) => (Some(name_of(task, label)), who.get(&item).cloned()),
                None => (
                    p.as_ref().map(|(all, p)| all.names[p.top()].clone()),
                    p.as_ref().map(|_| "model".into()),
                ),
            };
            let probability = p.as_ref().and_then(|(all, p)| {
                let at = all.names.iter().position(|n| Some(n) == label.as_ref())?;
                Some(number(rounded(p.0[at])))
            });
            cells[added] = text_or_null(label);
            cells[added + 1] = probability.unwrap_or(Cell::Null);
            cells[added + 2] = text_or_null(decider);
            written.lines += 1;
            written.without_prelabel += usize::from(predicted.is_some() && p.is_none());
            out.write_row(&cells).map_err(|e| output_fault("the export", &e))
        })?;
    }
    out.finish().map_err(|e| output_fault("the export", &e))?;
    Ok(written)
}

/// The columns of all imports in the order of their appearance, then ours.
fn row_columns(store: &Store, sources: &[(SourceId, Found)]) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for (source, found) in sources {
        for name in &found.columns {
            if seen.insert(name.clone()) {
                names.push(name.clone());
            }
        }
        if found.shape == Shape::Jsonl {
            // An object may have keys that the first rows had not.
            store.for_each_row(*source, |_, packed| {
                for (name, _) in unpack(packed, found, "")? {
                    if seen.insert(name.clone()) {
                        names.push(name);
                    }
                }
                Ok(())
            })?;
        }
    }
    names.extend(columns(&["hardcase_label", "hardcase_probability", "hardcase_decided_by"]));
    Ok(names)
}

/// Who gave the standing labels of each item.
fn deciders(store: &Store, seen: &Seen) -> Result<HashMap<ItemId, String>> {
    let experts: HashMap<_, _> = store.experts()?.into_iter().collect();
    let mut who: HashMap<ItemId, String> = HashMap::new();
    for answer in
        store.current_answers()?.into_iter().filter(|a| a.event.action == Action::Set && seen.sees(a))
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
