//! Experts' roles, and what is said of experts: who leads, and which names are one person.

use serde::Serialize;

use super::ids::ExpertId;

/// What an expert may do. The program keeps to it; the file keeps nothing from whoever opens it otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Labels, and sees only the own answers until a case is closed.
    Expert,
    /// Sees all answers, closes rounds that others owe answers to, and says who leads and which names are one person.
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

/// What a lead says of experts; an event of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// This person has this role from now on.
    Role(ExpertId, Role),
    /// These two names are one person.
    Same(ExpertId, ExpertId),
    /// They are not: takes back what was said of these two.
    Apart(ExpertId, ExpertId),
}

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is on disk.
    Yes,
    /// It was so before; nothing was written.
    Already,
    /// The speaker does not lead.
    NotLead,
    /// It would leave the project without a lead.
    LastLead,
    /// Nobody said of these two that they are one person: other names tie them.
    TiedByOthers,
}
