//! Reads items of the pool as one expert may see them: as rows, or one in full.

use std::path::Path;

use super::messages::{Fetch, Fetched, FullItem, ModelView, Origin, OtherAnswer, Others, Row};
use crate::desk::beside::columns_of;
use crate::desk::query::Searched;
use crate::domain::answer::Answer;
use crate::domain::expert::Role;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ExpertId, ItemId};
use crate::domain::sought::passage;
use crate::domain::task::Task;
use crate::insight::label_issues::label_issues;
use crate::store::pool::browse::Given;
use crate::store::rounds::cases::Case;
use crate::store::{Access, Store};

/// A project, opened to read items as one expert.
pub(super) struct PoolReader {
    pub store: Store,
    pub expert: ExpertId,
    pub task: Task,
}

impl PoolReader {
    pub fn open(project: &Path, expert: &str) -> Result<Self> {
        let store = Store::open(project, Access::Read)?;
        let task = store.task()?.task;
        let expert = store.find_expert(expert)?.ok_or_else(|| {
            Fault::new("read the items", format!("the project knows no expert called {expert}"))
        })?;
        Ok(Self { store, expert, task })
    }

    /// Takes the task as it is now: somebody may have changed it since the last look.
    pub fn refresh(&mut self) -> Result<()> {
        self.task = self.store.task()?.task;
        Ok(())
    }

    /// Fetches the items of a request.
    pub fn fetch(&self, asked: Fetch) -> Result<Fetched> {
        let searched = Searched::of(&asked.query);
        let mut rows = Vec::with_capacity(asked.rows.len());
        for &item in &asked.rows {
            let Some(mut row) = self.row(item)? else { continue };
            if !searched.is_nothing()
                && let Some(found) = self.store.item(item)?
            {
                row.passage = passage(&found.text, searched.places_in(&found.text).first());
            }
            rows.push(row);
        }
        let full = asked.full.map(|item| self.full(item)).transpose()?.flatten();
        Ok(Fetched { asked, rows, full: full.map(Box::new) })
    }

    fn row(&self, item: ItemId) -> Result<Option<Row>> {
        let row = self.store.item_row(self.expert, item)?;
        Ok(row.map(|row| Row {
            item,
            id: row.id,
            case: row.case,
            passage: row.beginning,
            labels: row.answer.as_ref().map(|answer| self.task.names_of(answer)).unwrap_or_default(),
            label: row.answer.map(|answer| self.task.in_words(&answer)),
            skipped: row.skipped,
            flagged: row.flagged,
            noted: row.noted,
            round: row.round,
        }))
    }

    /// What a row had next to its text. What the task shows nobody is not shown here either.
    fn origins(&self, item: ItemId) -> Result<Vec<Origin>> {
        let shows = |name: &String| self.task.columns.as_ref().is_none_or(|shown| shown.contains(name));
        let origins = self.store.origins(item)?.into_iter().map(|origin| Origin {
            source: origin.source,
            row: origin.row,
            meta: columns_of(origin.meta.as_deref()).into_iter().filter(|(name, _)| shows(name)).collect(),
        });
        Ok(origins.collect())
    }

    pub fn full(&self, item: ItemId) -> Result<Option<FullItem>> {
        let (Some(row), Some(shown)) = (self.row(item)?, self.store.item(item)?) else { return Ok(None) };
        let case = self.store.case_of_item(item)?;
        let may_answer = match &case {
            Some(case) => self.store.may_answer(self.expert, case.id)?,
            None => false,
        };
        Ok(Some(FullItem {
            note: self.store.note_of(self.expert, item, None)?,
            origins: self.origins(item)?,
            view: self.view(&row, case.as_ref())?,
            others: self.others(&row)?,
            is_suspect: row.label.is_some()
                && label_issues(&self.store, self.expert)?.binary_search(&item).is_ok(),
            text: shown.text,
            may_answer,
            row,
        }))
    }

    /// A lead, too, is blind to cases that they have not answered themselves.
    fn others(&self, row: &Row) -> Result<Others> {
        let given = self.store.answers_of_others(self.expert, row.item)?;
        let may = given.is_empty()
            || row.label.is_some() && self.store.role(self.expert)? == Role::Lead
            || !self.store.items_of_open_cases(Some(self.expert))?.contains(&row.item)
                && !self.store.found_by_others(Some(self.expert))?.contains(&row.item);
        if !may {
            return Ok(Others::Hidden);
        }
        let answer = |given: Given| OtherAnswer {
            label: given.answer.map(|answer| self.task.in_words(&answer)),
            name: given.name,
            note: given.note,
        };
        Ok(Others::Shown(given.into_iter().map(answer).collect()))
    }

    /// Only of an item with a standing label of this expert, to whom the view was shown before: this room records no reveal.
    fn view(&self, row: &Row, case: Option<&Case>) -> Result<Option<ModelView>> {
        if row.label.is_none() || !self.store.is_revealed(self.expert, row.item)? {
            return Ok(None);
        }
        let prelabel = self.prelabel(row.item)?.map(|(answer, p)| (self.task.in_words(&answer), p));
        Ok(Some(ModelView { prelabel, chosen: case.map(|case| case.reason.in_words()) }))
    }

    /// What the active model says of an item, and the probability of it where that is one label.
    pub fn prelabel(&self, item: ItemId) -> Result<Option<(Answer, Option<f32>)>> {
        let Some(predictor) = self.store.active_predictor()? else { return Ok(None) };
        let Some(values) = self.store.prediction(predictor.id, item)? else { return Ok(None) };
        let kind = self.task.kind;
        let probability = values.get(kind.decide(&values)).copied().filter(|_| kind.gives_one());
        Ok(Some((predictor.answer(kind, &values), probability)))
    }
}
