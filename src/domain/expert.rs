//! Experts' roles.

use serde::Serialize;

/// What an expert may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Labels, and sees only the own answers until a case is closed.
    Expert,
    /// Sees all answers.
    Lead,
}
