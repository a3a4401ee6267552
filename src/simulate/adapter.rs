//! Trains a LoRA on a run's labels, to compare it with the head.

use std::ops::ControlFlow;
use std::sync::Arc;

use ndarray::Axis;

use super::play::Setup;
use super::scores::Scores;
use crate::domain::fault::{Fault, Result};
use crate::domain::task_kind::TaskKind;
use crate::engine::encoder::Encoder;
use crate::engine::lora::Head;
use crate::engine::train::Settings;
use crate::engine::train::encoder::{Example, Fit, Wanted, fit, probabilities};
use crate::engine::transformer::Weights;
use crate::stats::classifier::head::{balanced, fit_anchored_head};
use crate::stats::classifier::linear::Linear;

/// The trainable encoder, with the tokens of every text.
pub struct Trainer {
    weights: Arc<Weights>,
    tokens: Vec<Vec<usize>>,
}

impl Trainer {
    /// # Errors
    /// An encoder that cannot be trained here.
    pub fn new(encoder: &Encoder, texts: &[String]) -> Result<Self> {
        let weights = encoder.trainable()?;
        Ok(Self { weights, tokens: texts.iter().map(|text| encoder.tokens(text)).collect() })
    }

    /// Trains on the rows that a run has chosen, and scores the result on its test set. `None` if the labels are too few for a head, or if it was
    /// asked to stop.
    ///
    /// # Errors
    /// A training that fails.
    pub fn scores(
        &self,
        setup: &Setup<'_>,
        chosen: &[usize],
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Scores>> {
        let classes = setup.world.data.classes();
        let labels: Vec<usize> = chosen.iter().filter_map(|&row| setup.answers[row].single()).collect();
        let vectors = setup.world.vectors.select(Axis(0), chosen);
        let anchors = setup.world.anchors.view();
        let Ok(head) = fit_anchored_head(vectors.view(), &labels, anchors, TaskKind::One, setup.seed) else {
            return Ok(None);
        };
        let weights = balanced(&labels, classes);
        let examples: Vec<Example<'_>> = (chosen.iter().zip(&labels).zip(&weights))
            .map(|((&row, &label), &weight)| Example {
                tokens: &self.tokens[row],
                wanted: Wanted::Label(label),
                weight: weight as f32,
            })
            .collect();
        // What is trained on is a softmax, of a scale too.
        let Linear::Softmax(head) = head.model else { return Ok(None) };
        let start = Head { weight: head.weights, bias: head.bias };
        let training = Fit { weights: &self.weights, examples: &examples, held_out: &[], head: &start };
        let mut go_on = |_| if stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let tuned =
            fit(&training, &Settings::usual(setup.seed), &mut go_on, &mut |_| ControlFlow::Continue(()))?;
        let Some(tuned) = tuned else { return Ok(None) };
        let texts: Vec<Vec<usize>> =
            setup.division.test.iter().map(|&row| self.tokens[row].clone()).collect();
        let predicted = probabilities(&self.weights, &tuned, &texts)
            .map_err(|e| Fault::new("score the test set with the LoRA", e.to_string()))?;
        Ok(Some(setup.score(predicted.view())))
    }
}
