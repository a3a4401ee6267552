//! One training of the encoder's adapter, from a head fitted on the same labels; beside the labels, it may learn what a slower model says of other texts.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2, Axis};

use super::cross_validation::{Callbacks, Fold, Trainer};
use super::training::Training;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::task_kind::TaskKind;
use crate::engine::lora::{EncoderAdapter, Head};
use crate::engine::train::Settings;
use crate::engine::train::encoder::{Example, Fit, Wanted, fit};
use crate::engine::transformer::Weights;
use crate::stats::classifier::head::{Lessons, balanced_by};
use crate::stats::classifier::linear::Linear;

/// The encoder with its labelled texts.
pub(crate) struct EncoderTrainer<'a> {
    /// The frozen model.
    pub weights: &'a Arc<Weights>,
    /// Vectors by the model as it is, and labels.
    pub training: &'a Training,
    /// The tokens of each training text.
    pub tokens: &'a [Vec<usize>],
    /// Labels of the task.
    pub classes: usize,
    /// What is asked for.
    pub kind: TaskKind,
    pub settings: Settings,
    /// What else it learns from; none where it learns from the labels alone.
    pub taught: Option<Taught<'a>>,
}

/// Texts without a label, and what a slower model says of them.
pub(crate) struct Taught<'a> {
    /// The tokens of each.
    pub tokens: &'a [Vec<usize>],
    /// Texts × labels.
    pub probabilities: ArrayView2<'a, f32>,
    /// Of each training text, what the scout says that is to be replaced, fitted without its label.
    pub scout: &'a HashMap<ItemId, Vec<f32>>,
}

/// What a label by an expert counts, where a text that a model has labelled counts 1.
const EXPERT_WEIGHT: f64 = 3.0;

impl EncoderTrainer<'_> {
    fn head(&self, fold: &Fold, kind: TaskKind) -> Result<Linear> {
        let vectors = self.training.vectors.select(Axis(0), &fold.rows);
        let (labels, importance) = (self.labels(&fold.rows), self.importance(&fold.rows));
        let lessons = Lessons { x: vectors.view(), y: &labels, importance: &importance };
        let head = lessons.fit_head(self.classes, kind, self.settings.seed);
        Ok(head.map_err(|few| Fault::new("train the adapter", few.to_string()))?.model)
    }

    fn importance(&self, rows: &[usize]) -> Vec<f64> {
        rows.iter().map(|&row| self.training.weights[row]).collect()
    }

    fn labels(&self, rows: &[usize]) -> Vec<usize> {
        rows.iter().filter_map(|&row| self.training.answers[row].single()).collect()
    }
}

impl Trainer for EncoderTrainer<'_> {
    type Adapter = EncoderAdapter;

    fn train(&self, fold: &Fold, callbacks: &mut dyn Callbacks) -> Result<Option<EncoderAdapter>> {
        let labels = self.labels(&fold.rows);
        let weights = balanced_by(&labels, self.classes, &self.importance(&fold.rows));
        let expert = if self.taught.is_some() { EXPERT_WEIGHT } else { 1.0 };
        let mut examples: Vec<Example<'_>> = (fold.rows.iter().zip(&labels).zip(&weights))
            .map(|((&row, &label), &weight)| Example {
                tokens: &self.tokens[row],
                wanted: Wanted::Label(label),
                weight: (expert * weight) as f32,
            })
            .collect();
        if let Some(taught) = &self.taught {
            for (tokens, said) in taught.tokens.iter().zip(taught.probabilities.rows()) {
                let Some(said) = said.to_slice() else { continue };
                examples.push(Example { tokens, wanted: Wanted::Probabilities(said), weight: 1.0 });
            }
        }
        let held_out: Vec<&[usize]> = fold.held_out.iter().map(|&row| &self.tokens[row][..]).collect();
        // What is trained on is a softmax of any kind of labels; only what it is compared with is the scout's own form.
        let Linear::Softmax(head) = self.head(fold, TaskKind::One)? else {
            return Err(Fault::new("train the adapter", "its first head has another form"));
        };
        let start = Head { weight: head.weights, bias: head.bias };
        let callbacks = RefCell::new(callbacks);
        fit(
            &Fit { weights: self.weights, examples: &examples, held_out: &held_out, head: &start },
            &self.settings,
            &mut |_| callbacks.borrow_mut().step(),
            &mut |epoch| callbacks.borrow_mut().epoch(epoch.number, epoch.loss, epoch.held_out),
        )
    }

    fn examples(&self, fold: &Fold) -> usize {
        fold.rows.len() + self.taught.as_ref().map_or(0, |taught| taught.tokens.len())
    }

    fn baseline(&self, fold: &Fold) -> Result<Array2<f32>> {
        if let Some(taught) = &self.taught {
            let said = fold.held_out.iter().map(|&row| taught.scout.get(&self.training.items[row]));
            if let Some(said) = said.collect::<Option<Vec<_>>>() {
                let shape = (said.len(), self.classes);
                let values = said.into_iter().flatten().copied().collect();
                return Array2::from_shape_vec(shape, values)
                    .map_err(|e| Fault::new("compare the adapter with the scout", e.to_string()));
            }
        }
        let unseen = self.training.vectors.select(Axis(0), &fold.held_out);
        Ok(self.head(fold, self.kind)?.probabilities(unseen.view()))
    }
}
