//! Ids as types, so that an item's number is never passed where a case's is meant.
//!
//! Integer ids are local to one project file. What can meet in a merge carries a UUID beside it.

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
    /// One revision of the task.
    RevisionId,
    /// A person who labels.
    ExpertId,
    /// One session of one expert in one process.
    SessionId,
    /// A model file.
    ModelId,
    /// What a tuning yielded.
    AdapterId,
    /// A way of making predictions: model, adapter, prompt and task revision together.
    PredictorId,
    /// One turn of the loop.
    RoundId,
    /// An item put before experts.
    CaseId,
    /// One job with its outcome.
    RunId,
}
