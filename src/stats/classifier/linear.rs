//! A trained linear head of either form, by its bytes: a softmax over labels, or an ordinal regression over the levels of a scale.

use ndarray::{Array2, ArrayView2};

use super::logistic::{Examples, Logistic, Problem};
use super::ordinal::{self, Ordinal};
use crate::domain::fault::Result;
use crate::domain::task_kind::TaskKind;

/// How a head makes probabilities of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A softmax: each label has weights of its own.
    Softmax,
    /// Cumulative logits: all levels share their weights.
    Ordinal,
}

impl Form {
    /// The forms to try for a kind of task whose answers are one label, that of the fewest numbers first: it stands where folds cannot tell.
    pub fn of(kind: TaskKind) -> &'static [Self] {
        match kind {
            TaskKind::One | TaskKind::Several => &[Self::Softmax],
            TaskKind::Scale => &[Self::Ordinal, Self::Softmax],
        }
    }
}

/// An ordinal regression is searched for so much closer than a softmax; it has but one column of weights, so that costs no more.
const CLOSER: f64 = 0.03;

/// A trained head.
#[derive(Clone, Debug, PartialEq)]
pub enum Linear {
    Softmax(Logistic),
    Ordinal(Ordinal),
}

impl Linear {
    pub fn form(&self) -> Form {
        match self {
            Self::Softmax(_) => Form::Softmax,
            Self::Ordinal(_) => Form::Ordinal,
        }
    }

    /// The softmax, where it is one.
    pub fn softmax(&self) -> Option<&Logistic> {
        match self {
            Self::Softmax(model) => Some(model),
            Self::Ordinal(_) => None,
        }
    }

    /// Probabilities of `x` (items × dimensions), items × labels; each row sums to one. Uses every core.
    pub fn probabilities(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        match self {
            Self::Softmax(model) => model.probabilities(x),
            Self::Ordinal(model) => model.probabilities(x),
        }
    }

    /// Mean weighted log-loss in nats.
    pub fn log_loss(&self, examples: &Examples<'_>) -> f64 {
        match self {
            Self::Softmax(model) => model.log_loss(examples),
            Self::Ordinal(model) => model.log_loss(examples),
        }
    }

    /// The model as bytes, which begin with the form.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Softmax(model) => model.to_bytes(),
            Self::Ordinal(model) => model.to_bytes(),
        }
    }

    /// The model that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// The bytes are not a head, of a later version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.starts_with(ordinal::MAGIC) {
            return Ordinal::from_bytes(bytes).map(Self::Ordinal);
        }
        Logistic::from_bytes(bytes).map(Self::Softmax)
    }
}

impl Problem {
    /// A fit of this form with the `c` of features whose mean square distance from their mean is 1, from `start` where that has the same form.
    pub fn fit_form(&self, form: Form, c: f64, start: Option<&Linear>, tolerance: f64) -> Linear {
        match form {
            Form::Softmax => {
                let start = start.and_then(Linear::softmax);
                Linear::Softmax(self.fit_scaled(c, start, tolerance))
            }
            Form::Ordinal => {
                let start = start.and_then(|start| match start {
                    Linear::Ordinal(model) => Some(model),
                    Linear::Softmax(_) => None,
                });
                // Weights and thresholds can grow together with hardly a slope, so a rough fit would depend on where it started.
                Linear::Ordinal(self.fit_ordinal_scaled(c, start, tolerance * CLOSER))
            }
        }
    }
}
