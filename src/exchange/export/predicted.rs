//! The prelabels of the pool by the model that is asked for.

use super::kind::By;
use super::rows_out::{list_cell, name_of};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::prediction::Probabilities;
use crate::domain::predictor::{Predictor, PredictorKind};
use crate::domain::task::Task;
use crate::domain::task_kind::TaskKind;
use crate::formats::Cell;
use crate::learn::judge::Judged;
use crate::learn::kind::load;
use crate::learn::vectors::{dimensions_of, matrix};
use crate::store::Store;

/// Predictions by item, in the model's own labels.
pub(crate) struct Predicted {
    /// The names of its labels.
    pub names: Vec<String>,
    kind: TaskKind,
    thresholds: Vec<f32>,
    items: Vec<ItemId>,
    probabilities: Vec<f32>,
}

impl Predicted {
    /// # Errors
    /// The project has no such model, or it cannot prelabel the pool.
    pub fn read(store: &Store, task: &Task, by: &By) -> Result<Self> {
        let predictor = find_predictor(store, by, "export predictions")?;
        let names = predictor.labels.iter().map(|l| name_of(task, l)).collect();
        let thresholds = predictor.thresholds().to_vec();
        // A LoRA whose vectors are kept: the active one, alone or beneath a combination.
        let kept = store.scouting_predictor()?.and_then(|scout| scout.lora());
        let active = store.active_predictor()?.is_some_and(|a| a.id == predictor.id);
        let (items, probabilities) = if predictor.judge().is_some() {
            let judged = Judged::read(store, predictor)?;
            let calibrated = judged.calibrated()?.as_standard_layout().iter().copied().collect();
            (judged.items, calibrated)
        } else if predictor.guesses_nothing() {
            (Vec::new(), Vec::new())
        } else if active || predictor.kind() == PredictorKind::States {
            store.predictions(predictor.id)?
        } else if let Some(adapter) = predictor.lora().filter(|lora| Some(*lora) != kept) {
            // Its vectors are gone: only its predictions for the cases are left.
            return Err(Fault::usage(
                format!("export predictions by adapter {adapter}"),
                "it is a LoRA that is not active, and only its predictions for the cases are kept",
            )
            .hint(format!(
                "Run `hardcase adapter FILE use {adapter}` first: it reads the pool with that LoRA"
            )));
        } else {
            // For earlier models the file keeps the cases only; the rest is computed again.
            let vectors = store.vectors(predictor.space(), dimensions_of(store, &predictor)?)?;
            let scored = load(store, &predictor)?.of_items(&vectors.items, matrix(&vectors)?);
            let scored = scored.as_standard_layout().iter().copied().collect();
            (vectors.items, scored)
        };
        Ok(Self { names, kind: task.kind, thresholds, items, probabilities })
    }

    /// The same; none if the active model is asked for and nothing has been scouted yet.
    pub fn if_any(store: &Store, task: &Task, by: &By) -> Result<Option<Self>> {
        let nobody = *by == By::Active && store.active_predictor()?.is_none();
        if nobody { Ok(None) } else { Self::read(store, task, by).map(Some) }
    }

    /// The names of the labels that a prelabel with these probabilities has: one, or any number where a text may have several.
    pub fn decided(&self, p: &Probabilities) -> Vec<String> {
        let said = self.kind.decide_set(&p.0, &self.thresholds);
        said.places().filter_map(|at| self.names.get(at).cloned()).collect()
    }

    /// The same under a column of labels.
    pub fn cell(&self, p: &Probabilities) -> Cell {
        let mut names = self.decided(p);
        match names.pop().filter(|_| self.kind.gives_one()) {
            Some(name) => name.into(),
            None => list_cell(self.decided(p)),
        }
    }

    /// The probability of the prelabel, where it is one label: how likely a set of labels is, those of its labels do not tell.
    pub fn probability(&self, p: &Probabilities) -> Option<f32> {
        p.0.get(self.kind.decide(&p.0)).copied().filter(|_| self.kind.gives_one())
    }

    pub fn of(&self, item: ItemId) -> Option<Probabilities> {
        let width = self.names.len();
        let i = self.items.binary_search(&item).ok()?;
        self.probabilities.get(i * width..(i + 1) * width).map(|row| Probabilities(row.to_vec()))
    }
}

/// The predictor that is asked for. `attempted` is what is done with it: `export predictions`.
pub(crate) fn find_predictor(store: &Store, by: &By, attempted: &str) -> Result<Predictor> {
    let newest = |kind: PredictorKind| -> Result<Option<Predictor>> {
        Ok(store.predictors()?.into_iter().rev().find(|p| p.kind() == kind))
    };
    let (found, name, hint) = match by {
        By::Active => (
            store.active_predictor()?,
            "the active model".to_owned(),
            "Make the first prelabels with `hardcase scout FILE`",
        ),
        By::Head => (
            newest(PredictorKind::Head)?,
            "the head".to_owned(),
            "Train the first one with `hardcase tune FILE`",
        ),
        By::Scout => (
            newest(PredictorKind::ZeroShot)?,
            "the zero-shot scout".to_owned(),
            "Make the first prelabels with `hardcase scout FILE`",
        ),
        By::Judge => (
            store.judges()?.into_iter().next(),
            "the judge".to_owned(),
            "Have a language model judge the texts with `hardcase judge FILE --model GGUF`",
        ),
        By::States => (
            newest(PredictorKind::States)?,
            "a judge's hidden states".to_owned(),
            "Have a language model read texts with `hardcase judge FILE --model GGUF`, and label some of them",
        ),
        By::Adapter(id) => (
            store
                .predictors()?
                .into_iter()
                .rev()
                .find(|p| !p.is_combined() && p.adapter().is_some_and(|a| a.0 == *id)),
            format!("adapter {id}"),
            "List the adapters it has with `hardcase adapter FILE list`",
        ),
    };
    found.ok_or_else(|| Fault::usage(format!("{attempted} by {name}"), "the project has none").hint(hint))
}
