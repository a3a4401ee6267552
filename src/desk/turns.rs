//! The parts of a case's text: the turns of a conversation, or several columns, as the imported row has them.

use super::session::Session;
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::domain::turn::{Turn, asked_about};
use crate::formats::{Detected, turns};

impl Session {
    /// The parts of an item's text, and which of them the task asks about; none where the text is one, or where the row does not say.
    pub(super) fn turns_of(&self, item: ItemId, text: &str) -> Result<(Vec<Turn>, Option<usize>)> {
        let row = self.store.first_row_of(item)?;
        // They only say where the text's parts begin: a row that cannot be read hides no text.
        let turns = row.and_then(|(fields, found)| {
            let detected: Detected = serde_json::from_str(&found).ok()?;
            turns(&fields, &detected, text).ok()
        });
        let turns = turns.unwrap_or_default();
        let asked = self.task().asked_about.as_deref().and_then(|name| asked_about(&turns, name));
        Ok((turns, asked))
    }
}
