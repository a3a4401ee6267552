//! What is trained on: the experts' training labels, and never an evaluation or audit one.

use std::collections::BTreeMap;

use ndarray::{Array2, Axis};

use super::vectors::{dimensions_of, matrix};
use crate::domain::answer::decided;
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::domain::predictor::Predictor;
use crate::domain::split::Split;
use crate::store::log::tasks::Revision;
use crate::store::pool::embeddings::Space;
use crate::work::runner::Work;

/// The training labels: each item's vector by the model as it is, and the index of its label in the task.
pub(crate) struct Training {
    /// The items, ascending.
    pub items: Vec<ItemId>,
    /// Items × dimensions.
    pub vectors: Array2<f32>,
    pub labels: Vec<usize>,
    /// What tells one set of labelled items from another.
    pub hash: [u8; 32],
}

impl Training {
    /// Reads them, for the model of the current predictor.
    ///
    /// # Errors
    /// Labels on texts that have no vector.
    pub fn read(work: &Work<'_>, current: &Predictor, revision: &Revision) -> Result<Self> {
        let dimensions = dimensions_of(work.store, current)?;
        let vectors = work.store.vectors_of_cases(Space::base(current.model), dimensions)?;
        let decided = decided(&work.store.votes(Split::Train)?);
        let (mut rows, mut items, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        let mut hash = blake3::Hasher::new();
        for (row, item) in vectors.items.iter().enumerate() {
            let label = decided.get(item).and_then(|id| Some((id, revision.task.index_of_id(id)?)));
            if let Some((id, index)) = label {
                rows.push(row);
                items.push(*item);
                labels.push(index);
                hash.update(&item.0.to_le_bytes());
                hash.update(id.as_bytes());
            }
        }
        let vectors = matrix(&vectors)?.select(Axis(0), &rows);
        Ok(Self { items, vectors, labels, hash: *hash.finalize().as_bytes() })
    }

    /// How many there are of each label, by its name.
    pub fn by_label(&self, revision: &Revision) -> BTreeMap<String, usize> {
        let mut by_label: BTreeMap<String, usize> =
            revision.task.labels.iter().map(|l| (l.name.clone(), 0)).collect();
        for &label in &self.labels {
            if let Some(n) = by_label.get_mut(&revision.task.labels[label].name) {
                *n += 1;
            }
        }
        by_label
    }
}
