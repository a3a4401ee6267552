//! What is trained on: the experts' training labels and those that sources gave before, and never an evaluation or audit one.

use std::collections::BTreeMap;

use ndarray::{Array2, Axis};

use super::vectors::{dimensions_of, matrix};
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::domain::label_set::LabelSet;
use crate::domain::predictor::Predictor;
use crate::domain::task_kind::TaskKind;
use crate::stats::classifier::answered::Answered;
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::store::pool::embeddings::Space;
use crate::work::runner::Work;

/// The training labels: each item's vector by the model as it is, and the places of its labels in the task.
pub(crate) struct Training {
    /// The items, ascending.
    pub items: Vec<ItemId>,
    /// Items × dimensions.
    pub vectors: Array2<f32>,
    /// The answer to each: exactly one label where that is asked for.
    pub answers: Vec<LabelSet>,
    /// What is asked for.
    pub kind: TaskKind,
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
        let kind = revision.task.kind;
        let (mut rows, mut items, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        let (mut weights, mut by_experts) = (Vec::new(), Vec::new());
        let mut hash = blake3::Hasher::new();
        for (row, item) in vectors.items.iter().enumerate() {
            let known = given.get(item).and_then(|one| Some((one, revision.task.set_of(&one.answer)?)));
            if let Some((one, answer)) = known.filter(|(_, set)| kind.is_several() || set.single().is_some())
            {
                rows.push(row);
                items.push(*item);
                answers.push(answer);
                weights.push(one.weight);
                by_experts.push(one.is_by_experts());
                one.hash_into(*item, &mut hash);
            }
        }
        let vectors = matrix(&vectors)?.select(Axis(0), &rows);
        Ok(Self { items, vectors, answers, kind, weights, by_experts, hash: *hash.finalize().as_bytes() })
    }

    /// As a head learns from them.
    pub fn answered(&self) -> Answered<'_> {
        Answered {
            x: self.vectors.view(),
            answers: &self.answers,
            importance: &self.weights,
            kind: self.kind,
        }
    }

    /// The one label of each item. Only for what learns one label of each text, which is never given a task that asks for several.
    pub fn labels(&self) -> Vec<usize> {
        self.answers.iter().filter_map(LabelSet::single).collect()
    }

    /// The items that experts have labelled, with their labels, as of [`labels`](Self::labels): whatever is measured is measured on these.
    pub fn of_experts(&self) -> (Vec<ItemId>, Vec<usize>) {
        let all = self.items.iter().zip(&self.answers).zip(&self.by_experts);
        let by_experts = all.filter(|(_, by_experts)| **by_experts);
        by_experts.filter_map(|((item, answer), _)| Some((*item, answer.single()?))).unzip()
    }

    /// How many items experts have labelled.
    pub fn count_by_experts(&self) -> usize {
        self.by_experts.iter().filter(|by_experts| **by_experts).count()
    }

    /// Without those that sources gave: what a judge is shown is an expert's.
    #[cfg(feature = "engine")]
    pub fn by_experts_alone(self) -> Self {
        let rows: Vec<usize> = (0..self.items.len()).filter(|row| self.by_experts[*row]).collect();
        let vectors = self.vectors.select(Axis(0), &rows);
        Self {
            items: rows.iter().map(|&row| self.items[row]).collect(),
            vectors,
            answers: rows.iter().map(|&row| self.answers[row].clone()).collect(),
            weights: vec![1.0; rows.len()],
            by_experts: vec![true; rows.len()],
            ..self
        }
    }

    /// The same, of which what sources gave counts less by this factor; at 0 it is left out.
    pub fn with_others_at(&self, factor: f64) -> Self {
        let (rows, some) = self.answered().with_others_at(&self.by_experts, factor);
        let (vectors, answers, weights) = some.into_parts();
        Self {
            items: rows.iter().map(|&row| self.items[row]).collect(),
            vectors,
            answers,
            weights,
            by_experts: rows.iter().map(|&row| self.by_experts[row]).collect(),
            ..*self
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
        let shown = |(item, answer): (&ItemId, &LabelSet)| (!hidden.contains(item)).then(|| answer.clone());
        let answers: Vec<LabelSet> = self.items.iter().zip(&self.answers).filter_map(shown).collect();
        let imported = self.items.iter().zip(&self.by_experts);
        let imported = imported.filter(|(item, by_experts)| !**by_experts && !hidden.contains(item)).count();
        Ok(Seen {
            training: answers.len(),
            by_label: by_label(answers.iter(), revision),
            imported,
            open: store.items_of_others(person)?.intersection(&hidden).count(),
        })
    }

    /// How many of the experts' there are of each label, by its name.
    #[cfg(feature = "engine")]
    pub fn by_label(&self, revision: &Revision) -> BTreeMap<String, usize> {
        let by_experts = self.answers.iter().zip(&self.by_experts);
        by_label(by_experts.filter(|(_, by_experts)| **by_experts).map(|(answer, _)| answer), revision)
    }
}

fn by_label<'a>(answers: impl Iterator<Item = &'a LabelSet>, revision: &Revision) -> BTreeMap<String, usize> {
    let mut by_label: BTreeMap<String, usize> =
        revision.task.labels.iter().map(|l| (l.name.clone(), 0)).collect();
    for label in answers.flat_map(LabelSet::places) {
        if let Some(n) = by_label.get_mut(&revision.task.labels[label].name) {
            *n += 1;
        }
    }
    by_label
}
