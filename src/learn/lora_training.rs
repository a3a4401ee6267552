//! One training of the encoder's adapter, from a head fitted on the same labels.

use std::cell::RefCell;
use std::sync::Arc;

use ndarray::{Array2, Axis};

use super::cross_validation::{Callbacks, Fold, Trainer};
use super::training::Training;
use crate::domain::fault::{Fault, Result};
use crate::engine::lora::{EncoderAdapter, Head};
use crate::engine::train::Settings;
use crate::engine::train::encoder::{Example, Fit, fit};
use crate::engine::transformer::Weights;
use crate::stats::classifier::head::{balanced, fit_head};
use crate::stats::classifier::logistic::Logistic;

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
    pub settings: Settings,
}

impl EncoderTrainer<'_> {
    fn head(&self, fold: &Fold) -> Result<Logistic> {
        let vectors = self.training.vectors.select(Axis(0), &fold.rows);
        let head = fit_head(vectors.view(), &self.labels(&fold.rows), self.classes, self.settings.seed);
        Ok(head.map_err(|few| Fault::new("train the adapter", few.to_string()))?.model)
    }

    fn labels(&self, rows: &[usize]) -> Vec<usize> {
        rows.iter().map(|&row| self.training.labels[row]).collect()
    }
}

impl Trainer for EncoderTrainer<'_> {
    type Adapter = EncoderAdapter;

    fn train(&self, fold: &Fold, callbacks: &mut dyn Callbacks) -> Result<Option<EncoderAdapter>> {
        let labels = self.labels(&fold.rows);
        let weights = balanced(&labels, self.classes);
        let examples: Vec<Example<'_>> = (fold.rows.iter().zip(&labels).zip(&weights))
            .map(|((&row, &label), &weight)| Example {
                tokens: &self.tokens[row],
                label,
                weight: weight as f32,
            })
            .collect();
        let held_out: Vec<&[usize]> = fold.held_out.iter().map(|&row| &self.tokens[row][..]).collect();
        let head = self.head(fold)?;
        let start = Head { weight: head.weights, bias: head.bias };
        let callbacks = RefCell::new(callbacks);
        fit(
            &Fit { weights: self.weights, examples: &examples, held_out: &held_out, head: &start },
            &self.settings,
            &mut |_| callbacks.borrow_mut().step(),
            &mut |epoch| callbacks.borrow_mut().epoch(epoch.number, epoch.loss, epoch.held_out),
        )
    }

    fn baseline(&self, fold: &Fold) -> Result<Array2<f32>> {
        let unseen = self.training.vectors.select(Axis(0), &fold.held_out);
        Ok(self.head(fold)?.probabilities(unseen.view()))
    }
}
