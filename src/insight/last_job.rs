//! A recorded job and its outcome, in words.

use crate::store::log::runs::{Outcome, Run};

/// A recorded job and its outcome, in one line.
pub fn in_words(run: &Run) -> String {
    let called = match (&*run.kind, run.arguments.split_once(' ')) {
        ("lora", Some(("use", adapter))) => format!("adapter use {adapter}"),
        ("lora", Some(("judge", scope))) => format!("{scope} of the judge"),
        (kind, _) => kind.to_owned(),
    };
    let says = run.message.as_deref().unwrap_or_default();
    match run.outcome {
        None => format!("{called} is running"),
        Some(Outcome::Failed) if !says.is_empty() => format!("{called}: failed ({says})"),
        Some(outcome) => format!("{called}: {}", outcome.as_str()),
    }
}
