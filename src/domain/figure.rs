//! A number as it may be shown: with its interval and its n, or with the reason why it is not defined.

use serde::Serialize;

/// A measured figure. A number without its n and interval is not representable.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Figure {
    /// A value with a 95 % interval over `n` cases.
    Known {
        /// The point estimate.
        value: f64,
        /// Lower end of the 95 % interval.
        lo: f64,
        /// Upper end of the 95 % interval.
        hi: f64,
        /// Number of cases it rests on.
        n: usize,
    },
    /// There is no such number, and why.
    Undefined {
        /// One clause that says what is missing.
        undefined: String,
    },
}

impl Figure {
    /// The figure that is not defined because of `why`.
    pub fn undefined(why: impl Into<String>) -> Self {
        Self::Undefined { undefined: why.into() }
    }

    /// The point estimate, where there is one.
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::Known { value, .. } => Some(*value),
            Self::Undefined { .. } => None,
        }
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known { value, lo, hi, n } => write!(f, "{value:.2} ({lo:.2} to {hi:.2}, n = {n})"),
            Self::Undefined { undefined } => write!(f, "not defined: {undefined}"),
        }
    }
}
