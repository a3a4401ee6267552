//! What is trained on: the experts' training labels and those that sources gave before, and never an evaluation or audit one.

use std::collections::BTreeMap;

use ndarray::{Array2, Axis};

use super::vectors::{dimensions_of, matrix};
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::domain::predictor::Predictor;
use crate::stats::classifier::head::Lessons;
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
    /// What each counts: 1 for an expert's, else what its source weighs.
    pub weights: Vec<f64>,
    /// Whether each is an expert's: only these measure anything.
    pub by_experts: Vec<bool>,
    /// What tells one set of labelled items from another.
    pub hash: [u8; 32],
}

/// What one person may know of what was trained on.
pub(crate) struct Seen {
    /// Training labels of texts whose answers they may see.
    pub training: usize,
    /// Of these, by label name.
    pub by_label: BTreeMap<String, usize>,
    /// Of these, labels that sources gave before.
    pub imported: usize,
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
        let vectors = work.store.vectors_of_training(Space::base(current.model), dimensions)?;
        let given = work.store.training_labels()?;
        let (mut rows, mut items, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        let (mut weights, mut by_experts) = (Vec::new(), Vec::new());
        let mut hash = blake3::Hasher::new();
        for (row, item) in vectors.items.iter().enumerate() {
            let label =
                given.get(item).and_then(|one| Some((one, revision.task.index_of_id(one.answer.single()?)?)));
            if let Some((one, index)) = label {
                rows.push(row);
                items.push(*item);
                labels.push(index);
                weights.push(one.weight);
                by_experts.push(one.is_by_experts());
                one.hash_into(*item, &mut hash);
            }
        }
        let vectors = matrix(&vectors)?.select(Axis(0), &rows);
        Ok(Self { items, vectors, labels, weights, by_experts, hash: *hash.finalize().as_bytes() })
    }

    /// As a head learns from them.
    pub fn lessons(&self) -> Lessons<'_> {
        Lessons { x: self.vectors.view(), y: &self.labels, importance: &self.weights }
    }

    /// The items that experts have labelled, with their labels: whatever is measured is measured on these.
    pub fn of_experts(&self) -> (Vec<ItemId>, Vec<usize>) {
        let all = self.items.iter().zip(&self.labels).zip(&self.by_experts);
        all.filter(|(_, by_experts)| **by_experts).map(|((item, label), _)| (*item, *label)).unzip()
    }

    /// Without those that sources gave: what a judge is shown is an expert's.
    #[cfg(feature = "engine")]
    pub fn by_experts_alone(self) -> Self {
        let rows: Vec<usize> = (0..self.items.len()).filter(|row| self.by_experts[*row]).collect();
        let (items, labels) = self.of_experts();
        let vectors = self.vectors.select(Axis(0), &rows);
        Self {
            items,
            vectors,
            labels,
            weights: vec![1.0; rows.len()],
            by_experts: vec![true; rows.len()],
            ..self
        }
    }

    /// Whether some were given by sources.
    pub fn has_imported(&self) -> bool {
        self.by_experts.iter().any(|by_experts| !by_experts)
    }

    /// What the expert of this name may know of it: a count by label tells what others answered to the one case that is open.
    pub fn seen_by(&self, store: &Store, name: &str, revision: &Revision) -> Result<Seen> {
        let expert = store.find_expert(name)?;
        let person = expert.map(|expert| store.person_of(expert)).transpose()?;
        let hidden = store.blindness(expert)?.own_only;
        let shown = |(item, label): (&ItemId, &usize)| (!hidden.contains(item)).then_some(*label);
        let labels: Vec<usize> = self.items.iter().zip(&self.labels).filter_map(shown).collect();
        let imported = self.items.iter().zip(&self.by_experts);
        let imported = imported.filter(|(item, by_experts)| !**by_experts && !hidden.contains(item)).count();
        Ok(Seen {
            training: labels.len(),
            by_label: by_label(&labels, revision),
            imported,
            open: store.items_of_others(person)?.intersection(&hidden).count(),
        })
    }

    /// How many of the experts' there are of each label, by its name.
    #[cfg(feature = "engine")]
    pub fn by_label(&self, revision: &Revision) -> BTreeMap<String, usize> {
        by_label(&self.of_experts().1, revision)
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
