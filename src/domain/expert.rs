//! Experts' roles, and changes to them: who is a lead, and which names are one person.

use serde::Serialize;

use super::ids::ExpertId;

/// What an expert may do. The program enforces it; the file itself protects nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Labels, and sees other experts' answers only after a case is closed.
    Expert,
    /// Also sees all answers at any time, closes rounds with open cases, decides disagreements, and manages experts.
    Lead,
}

impl Role {
    /// The name used in the file and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expert => "expert",
            Self::Lead => "lead",
        }
    }
}

/// A lead's change to experts, recorded as an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// This person has this role from now on.
    Role(ExpertId, Role),
    /// These two names are one person.
    Same(ExpertId, ExpertId),
    /// These two names are two people: undoes `Same`.
    Apart(ExpertId, ExpertId),
}

/// The outcome of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is on disk.
    Yes,
    /// It was so before; nothing was written.
    Already,
    /// The person who asked is not a lead.
    NotLead,
    /// It would leave the project without a lead.
    LastLead,
    /// These two were never declared to be one person: each is the same person as a third name.
    TiedByOthers,
}
