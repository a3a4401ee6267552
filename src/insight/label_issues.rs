//! Answers that look like label_issues: what the last tuning found among the training labels, as far as nobody has looked again.
//!
//! Of an expert's own answers only. An item that an expert has not answered is never among them, so nothing of the model's view gets out.

use serde::Deserialize;

use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId};
use crate::store::Store;

/// What is read of a head's settings.
#[derive(Default, Deserialize)]
struct Settings {
    #[serde(default)]
    suspects: Vec<Suspect>,
}

#[derive(Deserialize)]
struct Suspect {
    item: ItemId,
    label: String,
}

/// The items, ascending, whose answer by this expert looks like a slip: it is the label that the last head was trained with and found
/// unlikely, and the expert has given it once. An answer given again, the same or another, is no slip any more.
pub fn label_issues(store: &Store, expert: ExpertId) -> Result<Vec<ItemId>> {
    let head = store.adapters()?.into_iter().rev().find(|adapter| adapter.kind == "head");
    let settings: Settings =
        head.and_then(|head| serde_json::from_str(&head.settings).ok()).unwrap_or_default();
    let mut items = Vec::new();
    for suspect in settings.suspects {
        if store.label_given_once(expert, suspect.item)?.is_some_and(|label| label == suspect.label) {
            items.push(suspect.item);
        }
    }
    items.sort_unstable();
    Ok(items)
}
