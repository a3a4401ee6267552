//! What is shown next to a text: columns of its row, those that the task names or else those that the import named. A column of known labels never
//! is, nor one that is a part of the text.

use serde_json::{Map, Value};

use super::session::Session;
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::formats::{Cell, Detected, unpack};
use crate::store::Store;

/// What an import kept as shown, by column; nothing where it kept nothing.
pub(super) fn columns_of(meta: Option<&str>) -> Map<String, Value> {
    meta.and_then(|meta| serde_json::from_str(meta).ok()).unwrap_or_default()
}

/// Whether a column of a file may be shown at all.
fn may_be_shown(detected: &Detected, at: usize) -> bool {
    detected.gold != Some(at) && !detected.text.contains(&at)
}

/// The columns of the imported files that can be shown next to a text, and whether an import named them.
pub(super) fn columns_to_show(store: &Store) -> Result<Vec<(String, bool)>> {
    let mut columns: Vec<(String, bool)> = Vec::new();
    let mut hidden = Vec::new();
    for source in store.sources()? {
        let Ok(detected) = serde_json::from_str::<Detected>(&source.found) else { continue };
        for (at, name) in detected.columns.iter().enumerate() {
            if !may_be_shown(&detected, at) {
                hidden.push(name.clone());
                continue;
            }
            let named = detected.meta.contains(&at);
            match columns.iter_mut().find(|(known, _)| known == name) {
                Some((_, by_import)) => *by_import |= named,
                None => columns.push((name.clone(), named)),
            }
        }
    }
    // One that holds the text or known labels in one file is not offered because of another.
    columns.retain(|(name, _)| !hidden.contains(name));
    Ok(columns)
}

impl Session {
    /// The columns shown next to a text; `imported` are those that the import named.
    pub(super) fn columns_beside(
        &self,
        item: ItemId,
        text: &str,
        imported: Option<&str>,
    ) -> Result<Map<String, Value>> {
        let Some(wanted) = &self.task().columns else { return Ok(columns_of(imported)) };
        if wanted.is_empty() {
            return Ok(Map::new());
        }
        let row = self.store.first_row_of(item)?;
        // A row that cannot be read hides no text.
        let cells = row.and_then(|(fields, found)| {
            let detected: Detected = serde_json::from_str(&found).ok()?;
            Some((unpack(&fields, &detected, text).ok()?, detected))
        });
        let Some((cells, detected)) = cells else { return Ok(columns_of(imported)) };
        let mut shown = Map::new();
        for name in wanted {
            let at = detected.columns.iter().position(|column| column == name);
            if at.is_some_and(|at| !may_be_shown(&detected, at)) {
                continue;
            }
            let cell = cells.iter().rev().find(|(column, _)| column == name).map(|(_, cell)| cell);
            if let Some(cell) = cell.filter(|cell| !matches!(cell, Cell::Absent | Cell::Null)) {
                let value = serde_json::from_str(&cell.json()).unwrap_or_else(|_| cell.plain().into());
                shown.insert(name.clone(), value);
            }
        }
        Ok(shown)
    }
}
