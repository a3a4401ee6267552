//! The way down: epochs of shuffled batches, a step of AdamW for each. What the loss is, is its caller's affair.

use std::ops::ControlFlow;

use candle_core::backprop::GradStore;
use candle_core::{Result, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::schedule::{clip, share_of_rate};

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
/// A model that is narrower learns in many cheap epochs.
const NARROW: usize = 512;

impl Settings {
    /// What serves a few hundred labels and a language model of `width` dimensions: with Adam the best rate falls as the width grows (Yang et al.
    /// 2022, *Tensor Programs V*, arXiv 2203.03466). A narrow model may see each label eight times, because each time is cheap.
    pub fn of_width(width: usize, seed: u64) -> Self {
        let epochs = if width < NARROW { 8 } else { 2 };
        Self { learning_rate: RATE_BY_WIDTH / width.max(64) as f64, epochs, ..Self::usual(seed) }
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

/// How a descent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Ended {
    /// After its last step.
    Whole,
    /// Because it was told to.
    Stopped,
    /// Because the loss or its gradient was no number any more.
    Diverged,
}

/// The gradient of a batch's mean loss, and that loss.
pub(in crate::engine) type Sloped = (GradStore, f64);

/// What a descent asks for on its way.
pub(in crate::engine) struct Guide<'g> {
    /// Asked for each batch, the numbers of some examples.
    pub gradients: &'g mut dyn FnMut(&[usize]) -> Result<Sloped>,
    /// Told after each step; the descent ends once it breaks.
    pub on_step: &'g mut dyn FnMut(Step) -> ControlFlow<()>,
    /// Told after each epoch: its number from 1, and the mean loss.
    pub on_epoch: &'g mut dyn FnMut(usize, f64) -> Result<()>,
}

/// Changes the parameters so that the loss of `examples` examples falls.
///
/// # Errors
/// Candle's.
pub(in crate::engine) fn descend(
    parameters: &[Var],
    examples: usize,
    settings: &Settings,
    rng: &mut ChaCha8Rng,
    guide: Guide<'_>,
) -> Result<Ended> {
    let batch_size = settings.batch.max(1);
    let mut order: Vec<usize> = (0..examples).collect();
    let steps = settings.epochs * order.len().div_ceil(batch_size);
    let rates = ParamsAdamW { weight_decay: settings.weight_decay, ..ParamsAdamW::default() };
    let mut optimiser = AdamW::new(parameters.to_vec(), rates)?;
    let mut done = 0;
    for number in 1..=settings.epochs {
        order.shuffle(rng);
        let mut total = 0.0;
        for batch in order.chunks(batch_size) {
            let (mut gradients, loss) = (guide.gradients)(batch)?;
            total += loss * batch.len() as f64;
            if !(loss.is_finite() && clip(&mut gradients, parameters)?.is_finite()) {
                return Ok(Ended::Diverged);
            }
            optimiser.set_learning_rate(settings.learning_rate * share_of_rate(done, steps));
            optimiser.step(&gradients)?;
            done += 1;
            if (guide.on_step)(Step { done, of: steps }).is_break() {
                return Ok(Ended::Stopped);
            }
        }
        (guide.on_epoch)(number, total / order.len() as f64)?;
    }
    Ok(Ended::Whole)
}

/// Adds one gradient to another.
///
/// # Errors
/// Candle's.
pub(in crate::engine) fn add(
    whole: Option<GradStore>,
    mut now: GradStore,
    parameters: &[Var],
) -> Result<GradStore> {
    let Some(whole) = whole else { return Ok(now) };
    for parameter in parameters {
        if let (Some(before), Some(gradient)) = (whole.get(parameter), now.remove(parameter)) {
            now.insert(parameter, (before + gradient)?);
        }
    }
    Ok(now)
}

/// What became of a descent that diverged.
pub(in crate::engine) const DIVERGED: &str = "the loss is no number any more";
/// And what to do.
pub(in crate::engine) const DIVERGED_HINT: &str =
    "The model as it was stays active; a lower learning rate may help";
