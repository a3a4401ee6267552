//! Label issues: an expert's answers that the last training found improbable and that the expert has not reviewed yet.
//!
//! Only ever an expert's own answers. An item that the expert has not answered is never among them, so they reveal nothing of the model's view.

use crate::domain::adapter::AdapterKind;
use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, ItemId};
use crate::store::Store;

/// The items, ascending, whose answer by this expert may be a mistake: the last head was trained with that label and found it unlikely, and
/// the expert has given it once. An answer that was given again, the same or another, counts as reviewed.
pub fn label_issues(store: &Store, expert: ExpertId) -> Result<Vec<ItemId>> {
    let head = store.adapters()?.into_iter().rev().find(|adapter| adapter.kind == AdapterKind::Head);
    let fit = head.as_ref().and_then(|head| head.settings.known()?.head());
    let mut items = Vec::new();
    for issue in fit.map_or(&[][..], |fit| &fit.label_issues) {
        if store.answer_given_once(expert, issue.item)?.is_some_and(|answer| answer.has(&issue.label)) {
            items.push(issue.item);
        }
    }
    items.sort_unstable();
    // Of several labels more than one may be doubted.
    items.dedup();
    Ok(items)
}
