//! Label issues: an expert's answers that the last training found improbable and that the expert has not reviewed yet.
//!
//! Only ever an expert's own answers. An item that the expert has not answered is never among them, so they reveal nothing of the model's view.

use serde::Deserialize;

use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId};
use crate::store::Store;

/// The part of a head's settings that is read here.
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

/// The items, ascending, whose answer by this expert may be wrong: it is the label that the last head was trained with and found improbable, and
/// the expert has given it once. An answer given a second time, the same or another, counts as reviewed.
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
