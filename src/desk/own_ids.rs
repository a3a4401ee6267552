//! Items by the ids that their files gave them.

use super::session::Session;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;

impl Session {
    /// The item whose row has this id in its file.
    ///
    /// # Errors
    /// No row has it, or rows of different items.
    pub fn item_of_own_id(&self, id: &str) -> Result<ItemId> {
        let attempted = format!("find the text with the id '{id}'");
        match self.store.items_of_external_id(id)?.as_slice() {
            [item] => Ok(*item),
            [] => Err(Fault::usage(attempted, "no imported row has it")
                .hint("Was the column with your ids named with --id when the texts were imported?")),
            several => {
                let numbers: Vec<String> = several.iter().take(5).map(ToString::to_string).collect();
                Err(Fault::usage(attempted, format!("{} texts have it", several.len()))
                    .hint(format!("Say which with its number: --item {}", numbers.join(", or "))))
            }
        }
    }
}
