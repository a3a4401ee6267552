//! What a training is worth on texts that it has not seen: each text's loss, each epoch's, and the comparison with what there was without it.

use ndarray::Array2;

use crate::domain::adapter::Comparison;
use crate::domain::fault::{Fault, Result};
use crate::domain::figure::Figure;
use crate::domain::prediction::Probabilities;
use crate::domain::progress::Epoch;
use crate::domain::task_kind::TaskKind;
use crate::stats::agreement::kappa::cohen_figure;
use crate::stats::estimate::paired::Paired;

/// Probabilities below this count as this: one text alone must not decide.
const LEAST: f64 = 1e-6;

/// Texts that a training has not seen, as an expert labelled them.
pub(crate) struct HeldOut<'a> {
    /// Each text's label.
    pub gold: &'a [usize],
    /// What each text's loss counts.
    pub weights: &'a [f64],
    /// What is asked for.
    pub kind: TaskKind,
}

impl HeldOut<'_> {
    /// Each text's log-loss in nats times its weight, by probabilities of texts × labels.
    pub fn losses(&self, probabilities: &Array2<f32>) -> Vec<f64> {
        let rows = probabilities.rows().into_iter().zip(self.gold).zip(self.weights);
        rows.map(|((row, &gold), weight)| loss(row[gold], *weight)).collect()
    }

    /// The mean of those; none without a text.
    pub fn loss(&self, probabilities: &Array2<f32>) -> Option<f64> {
        mean(&self.losses(probabilities))
    }

    /// What is told of an epoch that ended with `loss` on what it trains on and with these probabilities here.
    pub fn epoch(
        &self,
        on: &str,
        (epoch, loss): (usize, f64),
        probabilities: &Array2<f32>,
        seed: u64,
    ) -> Epoch {
        let tops = probabilities.rows().into_iter().map(|row| Probabilities(row.to_vec()).top(self.kind));
        let pairs: Vec<(usize, usize)> = tops.zip(self.gold.iter().copied()).collect();
        let (kappa, interval) = match cohen_figure(&pairs, self.kind, seed) {
            Figure::Known { value, lo, hi, .. } => (Some(value), Some((lo, hi))),
            Figure::Undefined { .. } => (None, None),
        };
        Epoch {
            on: on.to_owned(),
            epoch,
            loss,
            held_out_loss: self.loss(probabilities),
            held_out_kappa: kappa,
            held_out_kappa_interval: interval,
            held_out: self.gold.len(),
            kind: self.kind,
        }
    }
}

/// A text's log-loss in nats times its weight.
pub(crate) fn loss(p: f32, weight: f64) -> f64 {
    -f64::from(p).max(LEAST).ln() * weight
}

impl Comparison {
    /// Of the losses of the same texts, by the adapter and by what it is compared with.
    ///
    /// # Errors
    /// Fewer than two texts.
    pub(crate) fn of(adapter: &[f64], other: &[f64]) -> Result<Self> {
        let differences: Vec<f64> =
            adapter.iter().zip(other).map(|(adapter, other)| adapter - other).collect();
        let few = || Fault::new("compare the adapter", "there are too few labels");
        let paired = Paired::of(&differences).ok_or_else(few)?;
        Ok(Self {
            head: mean(other).unwrap_or_default(),
            lora: mean(adapter).unwrap_or_default(),
            difference: paired.mean,
            error: paired.error,
            n: paired.n,
            worse: paired.is_worse(),
        })
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
