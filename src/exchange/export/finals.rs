//! Final labels: a line for each item, with its label and how it was reached.
//!
//! Which label counts is the one rule that training goes by, too. A model's opinion stands in columns of its own and is never the label.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::lines::{Lines, columns, name_of, number, rounded, text_or_null, utc};
use super::options::Exported;
use super::predicted::Predicted;
use super::seen::{Seen, all_votes};
use crate::domain::answer::{Reached, Verdict, verdicts};
use crate::domain::fault::Result;
use crate::domain::hex::hex;
use crate::domain::ids::{ExpertId, ItemId};
use crate::domain::split::Split;
use crate::domain::task::Task;
use crate::formats::Cell;
use crate::store::Store;
use crate::store::log::answers::Standing;
use crate::store::rounds::disputes::Decision;
use crate::work::output::output_fault;

const COLUMNS: &[&str] = &[
    "id",
    "item",
    "key",
    "text",
    "split",
    "label",
    "label_key",
    "how",
    "answers",
    "agreeing",
    "labels",
    "experts",
    "skips",
    "overtaken",
    "revisions",
    "decided_by",
    "decided_at",
    "reason",
    "prelabel",
    "prelabel_probability",
];

/// What is known of the items that anybody has said something of.
struct Known<'a> {
    task: &'a Task,
    seen: &'a Seen,
    names: HashMap<ExpertId, String>,
    verdicts: BTreeMap<ItemId, Verdict>,
    answers: HashMap<ItemId, Vec<Standing>>,
    decisions: HashMap<ItemId, Decision>,
}

impl<'a> Known<'a> {
    fn read(store: &Store, task: &'a Task, seen: &'a Seen) -> Result<Self> {
        let mut answers: HashMap<ItemId, Vec<Standing>> = HashMap::new();
        for answer in store.standing_answers()? {
            answers.entry(answer.item).or_default().push(answer);
        }
        let decisions = store.decisions(None)?.into_iter().filter(|decision| !decision.overtaken);
        Ok(Self {
            task,
            seen,
            names: store.experts()?.into_iter().collect(),
            verdicts: verdicts(&all_votes(store)?),
            answers,
            decisions: decisions.map(|decision| (decision.item, decision)).collect(),
        })
    }

    fn person(&self, expert: ExpertId) -> String {
        let person = self.seen.persons.get(&expert).unwrap_or(&expert);
        self.names.get(person).cloned().unwrap_or_default()
    }

    /// The cells from `label` to `reason`.
    fn cells(&self, item: ItemId, has_prelabel: bool) -> Vec<Cell> {
        let open = self.seen.open.contains(&item);
        let may_see = |answer: &&Standing| !open || self.seen.reader == Some(answer.person);
        let answers: Vec<&Standing> = self.answers.get(&item).into_iter().flatten().filter(may_see).collect();
        let counting: Vec<&Standing> =
            answers.iter().copied().filter(|a| a.label.is_some() && !a.overtaken).collect();
        let skips = answers.iter().filter(|a| a.label.is_none()).count();
        let verdict = self.verdicts.get(&item).filter(|_| !open);
        let decision = self.decisions.get(&item).filter(|_| !open);
        // Of a case that is open to the reader only the own label may be known.
        let label = match open {
            true => answers.iter().find_map(|a| a.label.clone()),
            false => verdict.and_then(|verdict| verdict.label.clone()),
        };
        let how = match verdict.map(|verdict| verdict.reached) {
            _ if open => "open",
            Some(reached) => reached.as_str(),
            None if skips > 0 => "skipped",
            None if has_prelabel => "prelabel",
            None => "none",
        };
        let given = |key: &str| counting.iter().filter(|a| a.label.as_deref() == Some(key)).count();
        let by_label: serde_json::Map<String, serde_json::Value> = self
            .in_order(counting.iter().filter_map(|a| a.label.as_deref()).collect())
            .into_iter()
            .map(|key| (name_of(self.task, key), given(key).into()))
            .collect();
        let experts: BTreeSet<String> = counting.iter().map(|a| self.person(a.person)).collect();
        let mut revisions: BTreeSet<i64> = counting.iter().map(|a| a.revision).collect();
        if verdict.is_some_and(|verdict| verdict.reached == Reached::Adjudicated) {
            revisions = decision.iter().map(|decision| decision.revision).collect();
        }
        vec![
            text_or_null(label.as_ref().map(|key| name_of(self.task, key))),
            text_or_null(label.clone()),
            how.into(),
            number(counting.len()),
            label.as_ref().map_or(Cell::Null, |key| number(given(key))),
            Cell::Json(serde_json::Value::Object(by_label).to_string()),
            list(experts),
            number(skips),
            number(answers.iter().filter(|a| a.label.is_some() && a.overtaken).count()),
            list(revisions),
            text_or_null(decision.map(|decision| self.person(decision.by))),
            decision.map_or(Cell::Null, |decision| utc(decision.at_ms)),
            text_or_null(decision.and_then(|decision| decision.reason.clone())),
        ]
    }

    /// Labels in the order of the task, each once; what the task no longer has last.
    fn in_order<'k>(&self, keys: BTreeSet<&'k str>) -> Vec<&'k str> {
        let mut keys: Vec<&str> = keys.into_iter().collect();
        keys.sort_by_key(|key| self.task.index_of_id(key).unwrap_or(usize::MAX));
        keys
    }
}

fn list<T: Into<serde_json::Value>>(of: impl IntoIterator<Item = T>) -> Cell {
    Cell::Json(serde_json::Value::Array(of.into_iter().map(Into::into).collect()).to_string())
}

pub(crate) fn finals(store: &Store, task: &Task, seen: &Seen, lines: &mut Lines<'_>) -> Result<Exported> {
    let predicted = Predicted::if_any(store, task, &lines.options.by)?;
    let known = Known::read(store, task, seen)?;
    let mut written = Exported { closed: seen.closed.len(), ..Exported::default() };
    let mut out = lines.writer(columns(COLUMNS))?;
    store.for_each_item(|item, text, external_id, _| {
        let prelabel = predicted.as_ref().and_then(|all| {
            let p = all.of(item)?;
            Some((all.names[p.top()].clone(), rounded(p.0[p.top()])))
        });
        let (key, split) = store.key_and_split(item)?.unzip();
        let mut cells = vec![
            text_or_null(external_id),
            number(item),
            text_or_null(key.map(|key| hex(&key.0))),
            text.into(),
            text_or_null(split.map(Split::as_str)),
        ];
        cells.extend(known.cells(item, prelabel.is_some()));
        let (name, probability) = prelabel.unzip();
        cells.extend([text_or_null(name), probability.map_or(Cell::Null, number)]);
        written.lines += 1;
        out.write_row(&cells).map_err(|e| output_fault("the export", &e))
    })?;
    out.finish().map_err(|e| output_fault("the export", &e))?;
    Ok(written)
}
