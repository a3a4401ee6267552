//! Training an encoder: the loss of a batch, and what is told of each epoch.

use std::ops::ControlFlow;
use std::sync::Arc;

use candle_core::Result;
use candle_core::backprop::GradStore;
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::descent::{DIVERGED, DIVERGED_HINT, Ended, Guide, Settings, Step, add, descend};
use super::graph::{Trained, batches, loss};
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
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let lora = Lora::untrained(fit.weights, settings.rank, settings.alpha, &mut rng);
    let begin = AdapterFile { lora, head: fit.head.clone() };
    let mut run = || -> Result<(Ended, AdapterFile)> {
        let trained = Trained::begin(&begin)?;
        let guide = Guide {
            gradients: &mut |batch| gradients(&trained, fit, batch),
            on_step,
            on_epoch: &mut |number, loss| {
                let held_out = trained.probabilities(fit.weights, fit.held_out)?;
                on_epoch(Epoch { number, loss, held_out });
                Ok(())
            },
        };
        let ended = descend(&trained.parameters(), fit.examples.len(), settings, &mut rng, guide)?;
        Ok((ended, trained.values()?))
    };
    let (ended, adapter) = run().map_err(|e| Fault::new(attempted, e.to_string()).because(e))?;
    match ended {
        Ended::Whole => Ok(Some(adapter)),
        Ended::Stopped => Ok(None),
        Ended::Diverged => Err(Fault::new(attempted, DIVERGED).hint(DIVERGED_HINT)),
    }
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
        whole = Some(add(whole, loss.backward()?, &parameters)?);
    }
    whole
        .map(|gradients| (gradients, total))
        .ok_or_else(|| candle_core::Error::Msg("a batch is empty".into()))
}
