//! `final`: a row for each text, with its label and how it was reached.
//!
//! Which label counts is decided by the same rule that training uses. A model's prediction has columns of its own and is never the label.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::kind::{ExportKind, ExportOption, Exported, Request, Writes};
use super::predicted::Predicted;
use super::rows_out::{RowsOut, answer_cell, list_cell, name_of, rounded, utc};
use super::visible::{Shows, Visible, all_votes};
use crate::domain::answer::{Answer, Reached, Verdict, verdicts};
use crate::domain::fault::Result;
use crate::domain::hex::hex;
use crate::domain::ids::{ExpertId, ItemId};
use crate::domain::split::Split;
use crate::domain::task::Task;
use crate::formats::{Cell, ColumnType};
use crate::store::Store;
use crate::store::log::answers::Standing;
use crate::store::rounds::disputes::Decision;

pub(super) static FINAL: ExportKind = ExportKind {
    name: "final",
    help: "One line per text: its label, and how it was reached",
    takes: &[ExportOption::By, ExportOption::Format],
    shows: Shows::ModelAndAnswers,
    writes: Writes::Rows(final_labels),
};

const COLUMNS: [(&str, ColumnType); 20] = [
    ("id", ColumnType::Text),
    ("item", ColumnType::Integer),
    ("key", ColumnType::Text),
    ("text", ColumnType::Text),
    ("split", ColumnType::Text),
    ("label", ColumnType::Text),
    ("label_key", ColumnType::Text),
    ("how", ColumnType::Text),
    ("answers", ColumnType::Integer),
    ("agreeing", ColumnType::Integer),
    ("labels", ColumnType::Json),
    ("experts", ColumnType::Json),
    ("skips", ColumnType::Integer),
    ("overtaken", ColumnType::Integer),
    ("revisions", ColumnType::Json),
    ("decided_by", ColumnType::Text),
    ("decided_at", ColumnType::Text),
    ("reason", ColumnType::Text),
    ("prelabel", ColumnType::Text),
    ("prelabel_probability", ColumnType::Float),
];

/// What is known about the texts that anybody has answered.
struct Known<'a> {
    task: &'a Task,
    visible: &'a Visible,
    names: HashMap<ExpertId, String>,
    verdicts: BTreeMap<ItemId, Verdict>,
    answers: HashMap<ItemId, Vec<Standing>>,
    decisions: HashMap<ItemId, Decision>,
}

impl<'a> Known<'a> {
    fn read(store: &Store, task: &'a Task, visible: &'a Visible) -> Result<Self> {
        let mut answers: HashMap<ItemId, Vec<Standing>> = HashMap::new();
        for answer in store.standing_answers()? {
            answers.entry(answer.item).or_default().push(answer);
        }
        let decisions = store.decisions(None)?.into_iter().filter(|decision| !decision.overtaken);
        Ok(Self {
            task,
            visible,
            names: store.experts()?.into_iter().collect(),
            verdicts: verdicts(&all_votes(store)?, task.kind),
            answers,
            decisions: decisions.map(|decision| (decision.item, decision)).collect(),
        })
    }

    fn person(&self, expert: ExpertId) -> String {
        let person = self.visible.persons.get(&expert).unwrap_or(&expert);
        self.names.get(person).cloned().unwrap_or_default()
    }

    /// The cells from `label` to `reason`.
    fn cells(&self, item: ItemId, has_prelabel: bool) -> Vec<Cell> {
        let open = self.visible.open.contains(&item);
        let may_see = |answer: &&Standing| !open || self.visible.reader == Some(answer.person);
        let answers: Vec<&Standing> = self.answers.get(&item).into_iter().flatten().filter(may_see).collect();
        let counting: Vec<&Standing> =
            answers.iter().copied().filter(|a| a.answer.is_some() && !a.overtaken).collect();
        let skips = answers.iter().filter(|a| a.answer.is_none()).count();
        let verdict = self.verdicts.get(&item).filter(|_| !open);
        let decision = self.decisions.get(&item).filter(|_| !open);
        // While a case is open to the reader, only the label that they gave themselves may be known.
        let label = match open {
            true => answers.iter().find_map(|a| a.answer.clone()),
            false => verdict.and_then(|verdict| verdict.answer.clone()),
        };
        let how = match verdict.map(|verdict| verdict.reached) {
            _ if open => "open",
            Some(reached) => reached.as_str(),
            None if skips > 0 => "skipped",
            None if has_prelabel => "prelabel",
            None => "none",
        };
        let said = |a: &Standing, key: &str| a.answer.as_ref().is_some_and(|answer| answer.has(key));
        let given = |key: &str| counting.iter().filter(|a| said(a, key)).count();
        let by_label: serde_json::Map<String, serde_json::Value> = self
            .in_order(
                counting
                    .iter()
                    .filter_map(|a| a.answer.as_ref())
                    .flat_map(Answer::labels)
                    .map(String::as_str)
                    .collect(),
            )
            .into_iter()
            .map(|key| (name_of(self.task, key), given(key).into()))
            .collect();
        let experts: BTreeSet<String> = counting.iter().map(|a| self.person(a.person)).collect();
        let mut revisions: BTreeSet<i64> = counting.iter().map(|a| a.revision).collect();
        if verdict.is_some_and(|verdict| verdict.reached == Reached::Adjudicated) {
            revisions = decision.iter().map(|decision| decision.revision).collect();
        }
        vec![
            label.as_ref().map(|answer| answer_cell(self.task, answer)).unwrap_or(Cell::Null),
            label.as_ref().map(|answer| self.keys(answer)).unwrap_or(Cell::Null),
            how.into(),
            counting.len().into(),
            label
                .as_ref()
                .map(|given| counting.iter().filter(|a| a.answer.as_ref() == Some(given)).count())
                .into(),
            Cell::Json(serde_json::Value::Object(by_label).to_string()),
            list_cell(experts),
            skips.into(),
            answers.iter().filter(|a| a.answer.is_some() && a.overtaken).count().into(),
            list_cell(revisions),
            decision.map(|decision| self.person(decision.by)).into(),
            decision.map(|decision| utc(decision.at_ms)).into(),
            decision.and_then(|decision| decision.reason.clone()).into(),
        ]
    }

    /// The stable keys of an answer.
    fn keys(&self, answer: &Answer) -> Cell {
        match answer.single() {
            Some(key) if self.task.kind.gives_one() => key.into(),
            _ => list_cell(self.in_order(answer.labels().iter().map(String::as_str).collect())),
        }
    }

    /// Labels in the order of the task, each once; those that the task no longer has come last.
    fn in_order<'k>(&self, keys: BTreeSet<&'k str>) -> Vec<&'k str> {
        let mut keys: Vec<&str> = keys.into_iter().collect();
        keys.sort_by_key(|key| self.task.index_of_id(key).unwrap_or(usize::MAX));
        keys
    }
}

fn final_labels(request: &Request<'_>, out: RowsOut<'_>) -> Result<Exported> {
    let &Request { store, task, visible, options } = request;
    let predicted = Predicted::if_any(store, task, &options.by)?;
    let known = Known::read(store, task, visible)?;
    let mut rows = out.with_columns(&COLUMNS)?;
    store.for_each_item(|item, text, external_id, _| {
        let shown = visible.shows_view_of(item);
        let prelabel = predicted.as_ref().filter(|_| shown).and_then(|all| {
            let p = all.of(item)?;
            Some((all.cell(&p), all.probability(&p).map(rounded)))
        });
        let (key, split) = store.key_and_split(item)?.unzip();
        let mut cells: Vec<Cell> = vec![
            external_id.into(),
            item.0.into(),
            // Beside its text, a key would tell which answers of the log belong to it.
            key.filter(|_| shown).map(|key| hex(&key.0)).into(),
            text.into(),
            split.filter(|_| shown).map(Split::as_str).into(),
        ];
        cells.extend(known.cells(item, prelabel.is_some()));
        let (prelabel, probability) = prelabel.unwrap_or((Cell::Null, None));
        cells.extend([prelabel, probability.into()]);
        rows.write(&cells)
    })?;
    Ok(Exported {
        lines: rows.finish()?,
        left_out: visible.left_out(Shows::ModelAndAnswers),
        ..Exported::default()
    })
}
