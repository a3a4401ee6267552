//! What `doctor` found: one thing that was looked at, how it is, and what to do.

use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// How it is.
    pub state: State,
    /// What was found, and what to do where it is not fine.
    pub says: String,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Fine,
    /// It works, with a drawback.
    Warning,
    /// It does not work.
    Wrong,
}

impl Finding {
    pub fn new(what: &str, state: State, says: impl Into<String>) -> Self {
        Self { what: what.into(), state, says: says.into() }
    }
}
