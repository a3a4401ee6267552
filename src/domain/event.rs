//! Label events: the append-only log that every label, undo and correction is read from.

use serde::Serialize;
use uuid::Uuid;

use super::answer::Answer;
use super::ids::{CaseId, ExpertId, ItemId, RevisionId, SessionId};

/// Every Lamport number is below this: no log gets there.
pub const LARGEST_LAMPORT: i64 = 1 << 53;

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Answers for the item.
    Set,
    /// Takes back the target event.
    Retract,
    /// Puts the target event back after a retraction.
    Restore,
    /// Leaves the case unanswered.
    Skip,
    /// Marks the item for a second look.
    Flag,
    Unflag,
    Note,
    /// Decides between experts.
    Adjudicate,
}

impl Action {
    const ALL: [Self; 8] = [
        Self::Set,
        Self::Retract,
        Self::Restore,
        Self::Skip,
        Self::Flag,
        Self::Unflag,
        Self::Note,
        Self::Adjudicate,
    ];

    /// The name used in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Retract => "retract",
            Self::Restore => "restore",
            Self::Skip => "skip",
            Self::Flag => "flag",
            Self::Unflag => "unflag",
            Self::Note => "note",
            Self::Adjudicate => "adjudicate",
        }
    }
}

impl std::str::FromStr for Action {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|a| a.as_str() == s).ok_or_else(|| format!("'{s}' is not an action"))
    }
}

/// An event as an expert makes it. The store adds what it records of the moment, in the transaction that writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    pub expert: ExpertId,
    pub item: ItemId,
    /// The case in which it was given, where there was one.
    pub case: Option<CaseId>,
    pub action: Action,
    /// The event that a retract, restore or adjudicate speaks of.
    pub target: Option<Uuid>,
    /// What is answered, for `set` and `adjudicate`.
    pub answer: Option<Answer>,
    /// The expert's own confidence, 1 to 3, where given.
    pub confidence: Option<u8>,
    pub note: Option<String>,
    /// The task revision that was on the screen.
    pub revision: RevisionId,
    /// Milliseconds between the case appearing and the answer. Where none are given, the store counts them from the lease; a decision has none.
    pub duration_ms: Option<i64>,
}

impl NewEvent {
    /// The label that is given, where it is one.
    pub fn label(&self) -> Option<&str> {
        self.answer.as_ref().and_then(Answer::single)
    }

    /// Whether it labels a text that was found and not drawn for a round.
    pub fn is_found(&self) -> bool {
        self.action == Action::Set && self.case.is_none()
    }
}

/// An event as it stands in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelEvent {
    /// Version 7: unique over all copies of the project.
    pub uuid: Uuid,
    /// The largest in the file plus one. Order is by (Lamport number, UUID), never by time.
    pub lamport: i64,
    pub session: SessionId,
    /// Its number in that session, from 1, without gaps.
    pub seq: i64,
    /// UTC milliseconds since 1970.
    pub at_ms: i64,
    pub event: NewEvent,
    /// True once anything of the model's view of this item had been revealed to this expert: the answer is not blind.
    pub revealed: bool,
    /// The prelabel that the expert could see before deciding; none when the case was blind.
    pub seen_prelabel: Option<Answer>,
}

impl LabelEvent {
    /// What events are ordered by.
    pub fn order(&self) -> (i64, Uuid) {
        (self.lamport, self.uuid)
    }
}
