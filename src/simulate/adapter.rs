//! What a low-rank adapter would do with a run's labels, beside the head.

use std::ops::ControlFlow;
use std::sync::Arc;

use ndarray::Axis;

use super::play::Table;
use super::scores::Scores;
use crate::domain::fault::{Fault, Result};
use crate::engine::encoder::Encoder;
use crate::engine::lora::Head;
use crate::engine::train::Settings;
use crate::engine::train::encoder::{Example, Fit, fit, probabilities};
use crate::engine::transformer::Weights;
use crate::stats::classifier::head::{balanced, fit_anchored_head};

/// The model as it is trained, with the tokens of every text of the data.
pub struct Trainer {
    weights: Arc<Weights>,
    tokens: Vec<Vec<usize>>,
}

impl Trainer {
    /// Of a loaded encoder.
    ///
    /// # Errors
    /// An encoder that cannot be trained here.
    pub fn new(encoder: &Encoder, texts: &[String]) -> Result<Self> {
        let weights = encoder.trainable()?;
        Ok(Self { weights, tokens: texts.iter().map(|text| encoder.tokens(text)).collect() })
    }

    /// Trains on the rows of the data that a run has chosen and judges the result on its test; none where the labels are too few for a head
    /// or it was told to stop.
    ///
    /// # Errors
    /// A training that fails.
    pub fn scores(
        &self,
        table: &Table<'_>,
        chosen: &[usize],
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Scores>> {
        let classes = table.world.data.classes();
        let labels: Vec<usize> = chosen.iter().map(|&row| table.answers[row]).collect();
        let vectors = table.world.vectors.select(Axis(0), chosen);
        let anchors = table.world.anchors.view();
        let Ok(head) = fit_anchored_head(vectors.view(), &labels, anchors, table.seed) else {
            return Ok(None);
        };
        let weights = balanced(&labels, classes);
        let examples: Vec<Example<'_>> = (chosen.iter().zip(&labels).zip(&weights))
            .map(|((&row, &label), &weight)| Example {
                tokens: &self.tokens[row],
                label,
                weight: weight as f32,
            })
            .collect();
        let start = Head { weight: head.model.weights, bias: head.model.bias };
        let training = Fit { weights: &self.weights, examples: &examples, held_out: &[], head: &start };
        let mut go_on = |_| if stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let tuned = fit(&training, &Settings::usual(table.seed), &mut go_on, &mut |_| ())?;
        let Some(tuned) = tuned else { return Ok(None) };
        let texts: Vec<Vec<usize>> =
            table.division.test.iter().map(|&row| self.tokens[row].clone()).collect();
        let predicted = probabilities(&self.weights, &tuned, &texts)
            .map_err(|e| Fault::new("predict the test with the adapter", e.to_string()))?;
        Ok(Some(table.judge(predicted.view())))
    }
}
