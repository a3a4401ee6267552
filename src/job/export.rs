//! `export`: labels with their provenance, predictions, or every imported row with what was decided.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::judged::Judged;
use super::output::{output_fault, write_to};
use super::prelabels::{dimensions_of, matrix};
use super::scorer::Scorer;
use crate::domain::answer::decided;
use crate::domain::event::{Action, LabelEvent};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ExpertId, ItemId, SessionId};
use crate::domain::prediction::Probabilities;
use crate::domain::split::Split;
use crate::domain::task::Task;
use crate::format::{Cell, Found, OutputFormat, RowWriter, unpack};
use crate::store::predictors::Predictor;
use crate::store::{Access, Store};

/// What to export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// One line per expert and item, as it stands now.
    Labels,
    /// Every event of the log.
    History,
    /// One line per item.
    Predictions,
    /// Every imported row in order, with what was decided.
    Rows,
}

/// Whose predictions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The active model's.
    Active,
    /// The newest head's.
    Head,
    /// The newest zero-shot prelabels of the scout.
    Scout,
    /// The newest judge's, of the texts that it has read.
    Judge,
    /// An adapter's, by its number.
    Adapter(i64),
}

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// A JSON object on each line.
    Jsonl,
    /// Comma-separated, with a header.
    Csv,
}

/// An export.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// What to export.
    pub what: What,
    /// Whose predictions.
    pub by: By,
    /// How to write it.
    pub format: ExportFormat,
    /// Where to; standard output where none is named.
    pub out: Option<PathBuf>,
    /// Who reads it: an expert who does not lead gets no answers of others to cases that are open.
    pub reader: String,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exported {
    /// Lines, without a header.
    pub lines: usize,
    /// Lines whose text the model has not prelabelled.
    pub without_prelabel: usize,
    /// Items whose answers by others were left out, because their cases are open and the reader does not lead.
    pub closed: usize,
}

/// Exports.
///
/// # Errors
/// A model that the project does not have or that cannot prelabel the pool, a place that cannot be written, or labels that are not as they
/// were written.
pub fn export(project: &Path, options: &ExportOptions) -> Result<Exported> {
    let store = Store::open(project, Access::Read)?;
    store.check_labels(&format!("export from {}", project.display()))?;
    let task = store.task()?.task;
    let seen = Seen::read(&store, &options.reader)?;
    let mut lines = Exported::default();
    write_to(options.out.as_deref(), |out| {
        let mut lines_to = Lines { out, format: options.format, options };
        lines = match options.what {
            What::Labels => labels(&store, &task, (store.current_answers()?, &seen), &mut lines_to),
            What::History => labels(&store, &task, (store.events()?, &seen), &mut lines_to),
            What::Predictions => predictions(&store, &task, &seen, &mut lines_to),
            What::Rows => rows(&store, &task, &seen, &mut lines_to),
        }?;
        Ok(())
    })?;
    Ok(lines)
}

/// Whose answers the reader may see.
struct Seen {
    persons: BTreeMap<ExpertId, ExpertId>,
    reader: Option<ExpertId>,
    closed: HashSet<ItemId>,
}

impl Seen {
    fn read(store: &Store, reader: &str) -> Result<Self> {
        let expert = store.find_expert(reader)?;
        let mut closed = store.closed_to(expert)?;
        let persons = store.persons()?;
        let reader = expert.and_then(|expert| persons.get(&expert).copied());
        // Only what others have said is left out.
        let others: HashSet<ItemId> = store
            .standing_labels()?
            .into_iter()
            .filter(|(_, person, _)| reader != Some(*person))
            .map(|(item, ..)| item)
            .collect();
        closed.retain(|item| others.contains(item));
        Ok(Self { persons, reader, closed })
    }

    fn sees(&self, event: &LabelEvent) -> bool {
        !self.closed.contains(&event.event.item)
            || self.reader.is_some() && self.persons.get(&event.event.expert).copied() == self.reader
    }
}

/// Where lines go.
struct Lines<'a> {
    out: &'a mut dyn Write,
    format: ExportFormat,
    options: &'a ExportOptions,
}

impl<'a> Lines<'a> {
    fn writer(&mut self, columns: Vec<String>) -> Result<RowWriter<&mut (dyn Write + 'a)>> {
        let format = match self.format {
            ExportFormat::Jsonl => OutputFormat::Jsonl,
            ExportFormat::Csv => OutputFormat::Csv,
        };
        RowWriter::new(&mut *self.out, format, columns).map_err(|e| output_fault("the export", &e))
    }
}

fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn number(n: impl ToString) -> Cell {
    Cell::Json(n.to_string())
}

fn text_or_null(text: Option<impl Into<String>>) -> Cell {
    text.map_or(Cell::Null, |t| Cell::Text(t.into()))
}

fn name_of(task: &Task, stable_key: &str) -> String {
    task.index_of_id(stable_key).map_or_else(|| stable_key.to_owned(), |i| task.labels[i].name.clone())
}

fn utc(ms: i64) -> Cell {
    text_or_null(jiff::Timestamp::from_millisecond(ms).ok().map(|t| t.to_string()))
}

fn labels(
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
            text_or_null(e.label.as_ref().map(|l| name_of(task, l))),
            e.confidence.map_or(Cell::Null, number),
            text_or_null(e.note.clone()),
            text_or_null(item.2.map(Split::as_str)),
            case.as_ref().map_or(Cell::Null, |c| number(c.round_number)),
            text_or_null(case.as_ref().map(|c| c.reason.as_str())),
            number(e.revealed),
            text_or_null(e.seen_prelabel.clone()),
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

/// Predictions by item, in the model's own labels.
struct Predicted {
    names: Vec<String>,
    items: Vec<ItemId>,
    probabilities: Vec<f32>,
}

impl Predicted {
    fn read(store: &Store, task: &Task, by: &By) -> Result<Self> {
        let predictor = find_predictor(store, by)?;
        let names = predictor.labels.iter().map(|l| name_of(task, l)).collect();
        let active = store.active_predictor()?.is_some_and(|a| a.id == predictor.id);
        let (items, probabilities) = if predictor.kind == "judge" {
            let judged = Judged::read(store, predictor)?;
            let calibrated = judged.calibrated()?.as_standard_layout().iter().copied().collect();
            (judged.items, calibrated)
        } else if active {
            store.predictions(predictor.id)?
        } else if let Some(adapter) = predictor.adapter.filter(|_| predictor.scout() == "lora") {
            // Its vectors are gone: of the pool only what it said of the cases is left.
            return Err(Fault::usage(
                format!("export predictions by adapter {adapter}"),
                "it is a LoRA that is not active: what it said is kept of the cases only",
            )
            .hint(format!("`hardcase adapter FILE use {adapter}` reads the pool with it")));
        } else {
            // Of earlier models the file keeps the cases only: the rest is computed again.
            let vectors = store.vectors(predictor.space(), dimensions_of(store, &predictor)?)?;
            let scored = Scorer::load(store, &predictor)?.of_items(&vectors.items, matrix(&vectors)?);
            let scored = scored.as_standard_layout().iter().copied().collect();
            (vectors.items, scored)
        };
        Ok(Self { names, items, probabilities })
    }

    fn of(&self, item: ItemId) -> Option<Probabilities> {
        let width = self.names.len();
        let i = self.items.binary_search(&item).ok()?;
        self.probabilities.get(i * width..(i + 1) * width).map(|row| Probabilities(row.to_vec()))
    }
}

fn find_predictor(store: &Store, by: &By) -> Result<Predictor> {
    let newest = |kind: &str| -> Result<Option<Predictor>> {
        Ok(store.predictors()?.into_iter().rev().find(|p| p.kind == kind))
    };
    let (found, name, hint) = match by {
        By::Active => (
            store.active_predictor()?,
            "the active model".to_owned(),
            "`hardcase scout FILE` makes the first prelabels",
        ),
        By::Head => (newest("head")?, "the head".to_owned(), "`hardcase tune FILE` trains the first"),
        By::Scout => (
            newest("zero-shot")?,
            "the zero-shot scout".to_owned(),
            "`hardcase scout FILE` makes the first prelabels",
        ),
        By::Judge => (
            store.judges()?.into_iter().next(),
            "the judge".to_owned(),
            "`hardcase judge FILE --model GGUF` has a language model judge texts",
        ),
        By::Adapter(id) => (
            store
                .predictors()?
                .into_iter()
                .rev()
                .find(|p| p.kind != "combined" && p.adapter.is_some_and(|a| a.0 == *id)),
            format!("adapter {id}"),
            "`hardcase adapter FILE list` shows those it has",
        ),
    };
    found.ok_or_else(|| {
        Fault::usage(format!("export predictions by {name}"), "the project has none").hint(hint)
    })
}

/// The label of each item that the reader may know: of a case that is open to the reader, the own.
fn all_decided(store: &Store, seen: &Seen) -> Result<BTreeMap<ItemId, String>> {
    let mut votes = Vec::new();
    for split in [Split::Train, Split::Eval, Split::Audit] {
        votes.extend(store.votes(split)?);
    }
    votes.retain(|vote| !seen.closed.contains(&vote.item));
    let mut all = decided(&votes);
    for (item, person, label) in store.standing_labels()? {
        if seen.closed.contains(&item) && seen.reader == Some(person) {
            all.insert(item, label);
        }
    }
    Ok(all)
}

fn predictions(store: &Store, task: &Task, seen: &Seen, lines: &mut Lines<'_>) -> Result<Exported> {
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

/// Probabilities as a JSON object, in the order of the labels.
pub(super) fn probabilities_cell(names: &[String], p: &Probabilities) -> Cell {
    let object: serde_json::Map<String, serde_json::Value> =
        names.iter().zip(&p.0).map(|(name, p)| (name.clone(), rounded(*p).into())).collect();
    Cell::Json(serde_json::Value::Object(object).to_string())
}

/// Six decimals: what f32 arithmetic can stand for.
fn rounded(p: f32) -> f64 {
    (f64::from(p) * 1e6).round() / 1e6
}

fn rows(store: &Store, task: &Task, seen: &Seen, lines: &mut Lines<'_>) -> Result<Exported> {
    let nobody = lines.options.by == By::Active && store.active_predictor()?.is_none();
    let predicted = if nobody { None } else { Some(Predicted::read(store, task, &lines.options.by)?) };
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
fn row_columns(store: &Store, sources: &[(crate::domain::ids::SourceId, Found)]) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for (source, found) in sources {
        for name in &found.columns {
            if seen.insert(name.clone()) {
                names.push(name.clone());
            }
        }
        if found.shape == crate::format::Shape::Jsonl {
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
