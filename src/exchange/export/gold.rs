//! What a model says of the texts that nobody has labelled, beside their gold labels: for simulations. No verb shows it to a person who labels.

use std::collections::HashMap;
use std::path::Path;

use super::kind::By;
use super::predicted::Predicted;
use super::visible::all_votes;
use crate::domain::answer::decided;
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::store::{Access, Store};

/// The gold label of each text that has one, by its name.
///
/// # Errors
/// The project cannot be read.
pub fn gold_labels(project: &Path) -> Result<HashMap<ItemId, String>> {
    let store = Store::open(project, Access::Read)?;
    let mut gold = HashMap::new();
    store.for_each_item(|item, _, _, label| {
        gold.extend(label.map(|label| (item, label.to_owned())));
        Ok(())
    })?;
    Ok(gold)
}

/// The label by a model and the gold label, as their numbers in the task, of each text that nobody has labelled and that the model has read.
///
/// # Errors
/// The project has no such model, or it cannot prelabel the pool.
pub fn predicted_with_gold(project: &Path, by: &By) -> Result<Vec<(usize, usize)>> {
    let store = Store::open(project, Access::Read)?;
    let task = store.task()?.task;
    let predicted = Predicted::read(&store, &task, by)?;
    let decided = decided(&all_votes(&store)?, task.kind);
    let number = |name: &str| task.labels.iter().position(|label| label.name == name);
    let mut pairs = Vec::new();
    store.for_each_item(|item, _, _, gold| {
        let said = predicted.of(item).filter(|_| !decided.contains_key(&item));
        let said = said.and_then(|p| number(predicted.decided(&p).first()?));
        pairs.extend(said.zip(gold.and_then(number)));
        Ok(())
    })?;
    Ok(pairs)
}
