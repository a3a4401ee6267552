//! What became of a job that the file knows of, in words.

use crate::store::log::runs::{Outcome, Run};

/// A job that the file knows of, and what became of it, in one line.
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
