//! What is trained on: the experts' training labels, and never an evaluation or audit one.

use std::collections::BTreeMap;

use ndarray::{Array2, Axis};

use super::vectors::{dimensions_of, matrix};
use crate::domain::answer::decided;
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::domain::predictor::Predictor;
use crate::domain::split::Split;
use crate::store::Store;
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

/// What one person may know of what was trained on.
pub(crate) struct Seen {
    /// Training labels of texts whose answers they may see.
    pub training: usize,
    /// Of these, by label name.
    pub by_label: BTreeMap<String, usize>,
    /// Texts on which others have left something that the person may not see yet.
    pub open: usize,
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

    /// What the expert of this name may know of it: a count by label tells what others answered to the one case that is open.
    pub fn seen_by(&self, store: &Store, name: &str, revision: &Revision) -> Result<Seen> {
        let expert = store.find_expert(name)?;
        let person = expert.map(|expert| store.person_of(expert)).transpose()?;
        let hidden = store.blindness(expert)?.own_only;
        let shown = |(item, label): (&ItemId, &usize)| (!hidden.contains(item)).then_some(*label);
        let labels: Vec<usize> = self.items.iter().zip(&self.labels).filter_map(shown).collect();
        Ok(Seen {
            training: labels.len(),
            by_label: by_label(&labels, revision),
            open: store.items_of_others(person)?.intersection(&hidden).count(),
        })
    }

    /// How many there are of each label, by its name.
    #[cfg(feature = "engine")]
    pub fn by_label(&self, revision: &Revision) -> BTreeMap<String, usize> {
        by_label(&self.labels, revision)
    }
}

fn by_label(labels: &[usize], revision: &Revision) -> BTreeMap<String, usize> {
    let mut by_label: BTreeMap<String, usize> =
        revision.task.labels.iter().map(|l| (l.name.clone(), 0)).collect();
    for &label in labels {
        if let Some(n) = by_label.get_mut(&revision.task.labels[label].name) {
            *n += 1;
        }
    }
    by_label
}
