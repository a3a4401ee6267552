//! A number as it may be shown: with its interval and its n, or with the reason why it is not known.

use serde::Serialize;

/// A measured figure. A number without its n and interval is not representable.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Figure {
    /// A value with a 95 % interval over `n` cases.
    Known {
        value: f64,
        lo: f64,
        hi: f64,
        /// Number of cases it rests on.
        n: usize,
    },
    /// There is no such number yet.
    Undefined {
        /// One clause that says what is missing, such as "3 of the 5 cases needed".
        undefined: String,
    },
}

impl Figure {
    pub fn undefined(why: impl Into<String>) -> Self {
        Self::Undefined { undefined: why.into() }
    }

    /// The point estimate, if there is one.
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
            Self::Undefined { undefined } => write!(f, "not known yet ({undefined})"),
        }
    }
}
