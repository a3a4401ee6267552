//! The loop of every training: epochs of shuffled batches, a step of AdamW for each. What the loss is, is its caller's affair.

use std::ops::ControlFlow;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::adamw::{AdamW, Rows, zeros};
use super::schedule::{clip, share_of_rate};
use crate::domain::fault::{Fault, Result};

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

/// What a model's width is divided into for its learning rate.
const RATE_BY_WIDTH: f64 = 0.2;
/// The most epochs of a language model's adapter; folds that no longer get better stop earlier.
const MOST_EPOCHS: usize = 16;

impl Settings {
    /// What serves a few hundred labels and a language model of `width` dimensions: with Adam the best rate falls as the width grows (Yang et al.
    /// 2022, *Tensor Programs V*, arXiv 2203.03466).
    pub fn of_width(width: usize, seed: u64) -> Self {
        Self { learning_rate: RATE_BY_WIDTH / width.max(64) as f64, epochs: MOST_EPOCHS, ..Self::usual(seed) }
    }
}

/// How far a training is.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub of: usize,
}

/// An epoch that has ended.
#[derive(Clone, Debug)]
pub struct Epoch<H> {
    /// Its number, from 1.
    pub number: usize,
    /// Mean loss of the examples when each was seen, in nats, weighted.
    pub loss: f64,
    /// What the model, as it is now, says of the examples that are held out.
    pub held_out: H,
}

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// After its last step, or an epoch that was told to be the last.
    Completed,
    /// Because a callback asked for it.
    Stopped,
}

type LossAndGrad<'c> = &'c mut dyn FnMut(&Rows, &[usize], &mut Rows) -> Result<f64>;

type OnEpoch<'c> = &'c mut dyn FnMut(&Rows, usize, f64) -> Result<ControlFlow<()>>;

/// What a training asks for on its way, of the parameters as they are then.
pub(super) struct Callbacks<'c> {
    /// Asked for each batch, the numbers of some examples: adds the gradient of their mean loss to the rows, and returns that loss.
    pub loss_and_grad: LossAndGrad<'c>,
    /// Told after each step; the training ends once it breaks.
    pub on_step: &'c mut dyn FnMut(Step) -> ControlFlow<()>,
    /// Told after each epoch: its number from 1, and the mean loss; the training is complete once it breaks.
    pub on_epoch: OnEpoch<'c>,
}

/// Changes the parameters so that the loss of `examples` examples falls.
///
/// # Errors
/// A loss or a gradient that is not finite, or a callback's.
pub(super) fn train_loop(
    parameters: &mut Rows,
    examples: usize,
    settings: &Settings,
    rng: &mut ChaCha8Rng,
    callbacks: Callbacks<'_>,
) -> Result<Ended> {
    let batch_size = settings.batch.max(1);
    let mut order: Vec<usize> = (0..examples).collect();
    let steps = settings.epochs * order.len().div_ceil(batch_size);
    let mut optimiser = AdamW::new(parameters, settings.weight_decay);
    let mut gradient = zeros(parameters);
    let mut done = 0;
    for number in 1..=settings.epochs {
        order.shuffle(rng);
        let mut total = 0.0;
        for batch in order.chunks(batch_size) {
            gradient.iter_mut().flatten().for_each(|g| *g = 0.0);
            let loss = (callbacks.loss_and_grad)(parameters, batch, &mut gradient)?;
            total += loss * batch.len() as f64;
            if !(loss.is_finite() && clip(&mut gradient).is_finite()) {
                return Err(Fault::new("train the adapter", "the loss is no longer a finite number")
                    .hint("The model as it was stays active; a lower learning rate may help"));
            }
            optimiser.step(parameters, &gradient, settings.learning_rate * share_of_rate(done, steps));
            done += 1;
            if (callbacks.on_step)(Step { done, of: steps }).is_break() {
                return Ok(Ended::Stopped);
            }
        }
        if (callbacks.on_epoch)(parameters, number, total / order.len() as f64)?.is_break() {
            break;
        }
    }
    Ok(Ended::Completed)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn trained(
        last: usize,
        loss: f64,
        on_step: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> (Result<Ended>, Rows) {
        let mut parameters = vec![vec![1.0]];
        let settings = Settings { epochs: 3, batch: 2, ..Settings::usual(1) };
        let callbacks = Callbacks {
            loss_and_grad: &mut |_, batch, gradient| {
                assert!(batch.len() <= 2 && gradient[0][0] == 0.0, "a gradient of an earlier batch is left");
                gradient[0][0] += 0.5;
                Ok(loss)
            },
            on_step,
            on_epoch: &mut |_, number, _| {
                Ok(if number == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            },
        };
        let ended = train_loop(&mut parameters, 5, &settings, &mut ChaCha8Rng::seed_from_u64(1), callbacks);
        (ended, parameters)
    }

    #[test]
    fn every_epoch_sees_every_batch_and_a_break_ends_it() {
        let mut steps = Vec::new();
        let (ended, parameters) = trained(3, 1.0, &mut |step| {
            steps.push((step.done, step.of));
            ControlFlow::Continue(())
        });
        assert_eq!(ended.unwrap(), Ended::Completed);
        assert_eq!((steps.len(), steps[8]), (9, (9, 9)));
        assert!(parameters[0][0] < 1.0);
        assert_eq!(trained(3, 1.0, &mut |_| ControlFlow::Break(())).0.unwrap(), Ended::Stopped);
    }

    #[test]
    fn a_training_whose_epoch_is_told_to_be_the_last_is_complete_and_went_the_same_way_until_then() {
        let mut steps = 0;
        let (ended, parameters) = trained(2, 1.0, &mut |step| {
            steps = step.done;
            assert_eq!(step.of, 9, "the rate falls as if it went on");
            ControlFlow::Continue(())
        });
        assert_eq!((ended.unwrap(), steps), (Ended::Completed, 6));
        assert!(parameters[0][0] > trained(3, 1.0, &mut |_| ControlFlow::Continue(())).1[0][0]);
    }

    #[test]
    fn a_loss_that_is_not_finite_ends_the_training_with_a_reason() {
        let said = trained(3, f64::NAN, &mut |_| ControlFlow::Continue(())).0.unwrap_err().to_string();
        assert!(said.contains("finite") && said.contains("learning rate"), "{said}");
    }
}
