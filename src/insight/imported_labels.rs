//! Labels that existed before the project: how many there are, whose, and how many of them teach. They are told, and counted in nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::viewer::Viewer;
use crate::domain::fault::Result;
use crate::domain::grouped::counted;
use crate::domain::ids::ItemId;
use crate::domain::imported_label::{LabelSource, Teacher, TrainingLabel};
use crate::store::log::imported_labels::Given;
use crate::store::{Access, Store};

/// The labels of one source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImportedLabels {
    /// Whose they are.
    pub source: String,
    /// What one of them counts in training, where an expert's answer counts 1.
    pub weight: f64,
    pub labels: usize,
    /// The texts that have one.
    pub texts: usize,
    /// Of these, texts of the training range.
    pub in_training: usize,
    /// Of these, texts that the model learns with this label; of those that the viewer may see all answers to.
    pub teach: usize,
}

impl fmt::Display for ImportedLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = counted(self.labels, "label", "labels");
        write!(
            f,
            "{labels} of {} from before, weight {}: {} teach; they count in no figure",
            self.source, self.weight, self.teach
        )
    }
}

/// Of each source, with the training labels that the viewer may count.
pub(crate) fn imported_labels(
    store: &Store,
    training: &BTreeMap<ItemId, TrainingLabel>,
) -> Result<Vec<ImportedLabels>> {
    let sources = store.label_sources()?;
    let of = |(source, given): (LabelSource, Given)| {
        let teaches =
            |one: &&TrainingLabel| matches!(&one.by, Teacher::Sources(by) if by.contains(&source.id));
        ImportedLabels {
            teach: training.values().filter(teaches).count(),
            source: source.name,
            weight: source.weight,
            labels: given.labels,
            texts: given.texts,
            in_training: given.training,
        }
    };
    Ok(sources.into_iter().map(of).collect())
}

/// The sources with their labels, for a list of them, as the expert of this name may see it.
///
/// # Errors
/// The project cannot be read.
pub fn label_sources(project: &Path, expert: &str) -> Result<Vec<ImportedLabels>> {
    let store = Store::open(project, Access::Read)?;
    let viewer = Viewer::read(&store, expert)?;
    let mut training = store.training_labels()?;
    training.retain(|item, _| viewer.sees_all_of(*item));
    imported_labels(&store, &training)
}
