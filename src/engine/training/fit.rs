//! The loop: epochs of shuffled batches, a step for each.

use std::ops::ControlFlow;
use std::sync::Arc;

use candle_core::Result;
use candle_core::backprop::GradStore;
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use ndarray::Array2;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::graph::{Trained, batches, loss};
use super::schedule::{clip, share_of_rate};
use crate::domain::fault::{Fault, Result as Outcome};
use crate::engine::bert::Weights;
use crate::engine::lora::{AdapterFile, Head, Lora};

/// A labelled text.
#[derive(Clone, Copy, Debug)]
pub struct Example<'t> {
    /// Its tokens, at least one.
    pub tokens: &'t [usize],
    /// Its label.
    pub label: usize,
    /// How much it counts; 1 on average.
    pub weight: f32,
}

/// How to train.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Settings {
    /// Rank of every update.
    pub rank: usize,
    /// An update counts `alpha / rank` times.
    pub alpha: f32,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// How often each text is seen.
    pub epochs: usize,
    /// Texts a step.
    pub batch: usize,
    /// AdamW's decay.
    pub weight_decay: f64,
    /// Of the first values and of the order.
    pub seed: u64,
}

impl Settings {
    /// What serves a few hundred labels; see `benches/lora.rs`.
    pub fn usual(seed: u64) -> Self {
        Self { rank: 16, alpha: 16.0, learning_rate: 5e-4, epochs: 2, batch: 16, weight_decay: 0.01, seed }
    }
}

/// A sign of life.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub of: usize,
}

/// An epoch that has ended.
#[derive(Clone, Debug)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: usize,
    /// Mean loss of the texts when each was seen, in nats, weighted.
    pub loss: f64,
    /// The probabilities of the texts that were held out, as they are now: `texts × labels`.
    pub held_out: Array2<f32>,
}

/// What to train on, and from where.
pub struct Fit<'t> {
    /// The frozen model.
    pub weights: &'t Arc<Weights>,
    /// The labelled texts.
    pub examples: &'t [Example<'t>],
    /// Texts that are only looked at, after each epoch.
    pub held_out: &'t [&'t [usize]],
    /// The head to begin with: that of the frozen model.
    pub head: &'t Head,
}

/// Trains an adapter with its head. `on_step` and `on_epoch` are told how far it is; it ends without a result once `on_step` breaks.
///
/// # Errors
/// A loss or gradient that is no number, or no memory.
pub fn fit(
    fit: &Fit<'_>,
    settings: &Settings,
    on_step: &mut dyn FnMut(Step) -> ControlFlow<()>,
    on_epoch: &mut dyn FnMut(Epoch),
) -> Outcome<Option<AdapterFile>> {
    let attempted = "train the adapter";
    let diverged = || {
        Fault::new(attempted, "the loss is no number any more")
            .hint("The model as it was stays active; a lower learning rate may help")
    };
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let lora = Lora::untrained(fit.weights, settings.rank, settings.alpha, &mut rng);
    let begin = AdapterFile { lora, head: fit.head.clone() };
    let mut order: Vec<usize> = (0..fit.examples.len()).collect();
    let steps = settings.epochs * order.len().div_ceil(settings.batch);
    let mut run = || -> Result<Option<Option<AdapterFile>>> {
        let trained = Trained::begin(&begin)?;
        let parameters = trained.parameters();
        let rates = ParamsAdamW { weight_decay: settings.weight_decay, ..ParamsAdamW::default() };
        let mut optimiser = AdamW::new(parameters.clone(), rates)?;
        let mut done = 0;
        for number in 1..=settings.epochs {
            order.shuffle(&mut rng);
            let mut total = 0.0;
            for batch in order.chunks(settings.batch) {
                let (mut gradients, loss) = gradients(&trained, fit, batch)?;
                total += loss * batch.len() as f64;
                if !(loss.is_finite() && clip(&mut gradients, &parameters)?.is_finite()) {
                    return Ok(None);
                }
                optimiser.set_learning_rate(settings.learning_rate * share_of_rate(done, steps));
                optimiser.step(&gradients)?;
                done += 1;
                if on_step(Step { done, of: steps }).is_break() {
                    return Ok(Some(None));
                }
            }
            let held_out = trained.probabilities(fit.weights, fit.held_out)?;
            on_epoch(Epoch { number, loss: total / order.len() as f64, held_out });
        }
        trained.values().map(|adapter| Some(Some(adapter)))
    };
    run().map_err(|e| Fault::new(attempted, e.to_string()).because(e))?.ok_or_else(diverged)
}

/// The gradient of a batch's mean loss, and that loss. Long texts are computed a few at a time.
fn gradients(trained: &Trained, fit: &Fit<'_>, batch: &[usize]) -> Result<(GradStore, f64)> {
    let parameters = trained.parameters();
    let texts: Vec<&[usize]> = batch.iter().map(|&i| fit.examples[i].tokens).collect();
    let mut targets = Array2::zeros((batch.len(), fit.head.bias.len()));
    for (mut row, &i) in targets.rows_mut().into_iter().zip(batch) {
        row[fit.examples[i].label] = fit.examples[i].weight / batch.len() as f32;
    }
    let (mut whole, mut total, mut at): (Option<GradStore>, f64, usize) = (None, 0.0, 0);
    for part in batches(&texts) {
        let targets = targets.slice(ndarray::s![at..at + part.len(), ..]);
        at += part.len();
        let loss = loss(&trained.log_probabilities(fit.weights, part)?, targets)?;
        total += f64::from(loss.to_scalar::<f32>()?);
        let mut gradients = loss.backward()?;
        if let Some(before) = &whole {
            for parameter in &parameters {
                if let (Some(before), Some(now)) = (before.get(parameter), gradients.remove(parameter)) {
                    gradients.insert(parameter, (before + now)?);
                }
            }
        }
        whole = Some(gradients);
    }
    whole
        .map(|gradients| (gradients, total))
        .ok_or_else(|| candle_core::Error::Msg("a batch is empty".into()))
}
