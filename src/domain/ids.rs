//! A newtype for each kind of id, so that an item's id cannot be passed for a case's.
//!
//! Integer ids are local to one project file. Rows that can be merged also have a UUID.

use serde::{Deserialize, Serialize};

macro_rules! local_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

local_id! {
    /// One text of the pool.
    ItemId,
    /// One import.
    SourceId,
    /// Who gave labels that were imported.
    LabelSourceId,
    /// One revision of the task.
    RevisionId,
    /// A person who labels.
    ExpertId,
    /// One session of one expert in one process.
    SessionId,
    /// A model file.
    ModelId,
    /// A trained head or LoRA.
    AdapterId,
    /// A source of predictions: model, adapter, prompt and task revision together.
    PredictorId,
    RoundId,
    /// An item that experts are asked to label.
    CaseId,
    /// One job with its outcome.
    RunId,
}
