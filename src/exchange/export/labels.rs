//! Labels: a line for each person and item, or for each event of the log, with its provenance.

use std::collections::{HashMap, HashSet};

use super::lines::{Lines, columns, name_of, number, text_or_null, utc};
use super::options::{Exported, What};
use super::seen::Seen;
use crate::domain::answer::Answer;
use crate::domain::event::{Action, LabelEvent};
use crate::domain::fault::Result;
use crate::domain::ids::SessionId;
use crate::domain::split::Split;
use crate::domain::task::Task;
use crate::formats::Cell;
use crate::store::Store;
use crate::work::output::output_fault;

pub(crate) fn labels(
    store: &Store,
    task: &Task,
    (events, seen): (Vec<LabelEvent>, &Seen),
    lines: &mut Lines<'_>,
) -> Result<Exported> {
    let untied: HashSet<SessionId> = store.untied_sessions()?.into_iter().collect();
    let experts: HashMap<_, _> = store.experts()?.into_iter().collect();
    let revisions: HashMap<_, _> = store.task_revisions()?.into_iter().map(|r| (r.id, r.number)).collect();
    let history = lines.options.what == What::History;
    let mut names = vec!["item", "id", "text", "expert"];
    if history {
        names.extend(["action", "event", "target", "lamport"]);
    }
    names.extend([
        "label",
        "confidence",
        "note",
        "split",
        "round",
        "reason",
        "revealed",
        "seen",
        "revision",
        "duration_ms",
        "at",
        "person",
        "tied",
    ]);
    let (mut known, mut written) = (HashMap::new(), 0);
    let mut out = lines.writer(columns(&names))?;
    for event in events {
        let e = &event.event;
        if !history && e.action != Action::Set || !seen.sees(&event) {
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
        let mut cells = vec![
            number(e.item),
            text_or_null(item.1.clone()),
            Cell::Text(item.0.clone()),
            text_or_null(experts.get(&e.expert).cloned()),
        ];
        if history {
            cells.extend([
                e.action.as_str().into(),
                event.uuid.to_string().into(),
                text_or_null(e.target.map(|t| t.to_string())),
                number(event.lamport),
            ]);
        }
        cells.extend([
            text_or_null(e.label().map(|key| name_of(task, key))),
            e.confidence.map_or(Cell::Null, number),
            text_or_null(e.note.clone()),
            text_or_null(item.2.map(Split::as_str)),
            case.as_ref().map_or(Cell::Null, |c| number(c.round_number)),
            text_or_null(case.as_ref().map(|c| c.reason.as_str())),
            number(event.revealed),
            text_or_null(event.seen_prelabel.as_ref().and_then(Answer::single).map(|key| name_of(task, key))),
            revisions.get(&e.revision).map_or(Cell::Null, number),
            e.duration_ms.map_or(Cell::Null, number),
            utc(event.at_ms),
            text_or_null(seen.persons.get(&e.expert).and_then(|person| experts.get(person)).cloned()),
            number(!untied.contains(&event.session)),
        ]);
        out.write_row(&cells).map_err(|e| output_fault("the export", &e))?;
        written += 1;
    }
    out.finish().map_err(|e| output_fault("the export", &e))?;
    Ok(Exported { lines: written, closed: seen.closed.len(), ..Exported::default() })
}
