//! What every kind of predictor can do, as far as it can: say what it is, be loaded, score texts, and score those that it has not learned from.
//!
//! One file a kind implements this (`zero_shot`, `head`, `lora`, `judge`, `states`, `combined`) and holds its fit, since each is fitted on something else. `kind`
//! lists them.

use std::collections::HashMap;

use ndarray::{Array2, ArrayView2};

use super::training::Training;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{AdapterId, ItemId};
use crate::domain::predictor::Predictor;
use crate::store::Store;

/// Loads the scorer of another predictor, of which a combination is made.
pub(crate) type Load<'l> = dyn Fn(&Store, &Predictor) -> Result<Box<dyn Scorer>> + 'l;

/// A kind of predictor.
pub(crate) trait Kind: Sync {
    /// What a person calls such a predictor, as the subject of a sentence.
    fn describe(&self, predictor: &Predictor) -> String;

    /// What to do where one cannot be read: a whole sentence without its full stop.
    fn remedy(&self) -> &'static str;

    /// Whether this program can score with it and the file has all that this takes. A part of a project, or an adapter whose bytes were dropped, is not
    /// damage.
    fn is_available(&self, store: &Store, predictor: &Predictor) -> Result<bool>;

    /// What scores texts by their vectors.
    ///
    /// # Errors
    /// What is stored is not there, or cannot be read.
    fn load(&self, store: &Store, predictor: &Predictor, load: &Load<'_>) -> Result<Box<dyn Scorer>>;
}

/// Maps unit vectors to probabilities.
pub(crate) trait Scorer {
    /// Probabilities of texts that are not the project's, from `vectors` (n × dimensions), n × labels.
    fn probabilities(&self, vectors: ArrayView2<'_, f32>) -> Array2<f32>;

    /// Probabilities of the project's `items`, ascending, whose `vectors` are n × dimensions: n × labels. Cross-fitted: no item's own audit answer has a
    /// part in its row.
    fn of_items(&self, _items: &[ItemId], vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        self.probabilities(vectors)
    }

    /// Probabilities of each training label by a fit that has not seen it; none where it learns from no labels, or from too few for folds.
    fn out_of_fold(&self, _training: &Training, _seed: u64) -> Option<HashMap<ItemId, Vec<f32>>> {
        None
    }
}

/// An adapter's bytes.
///
/// # Errors
/// They were dropped, or never came into this file.
pub(crate) fn bytes_of(store: &Store, adapter: AdapterId) -> Result<Vec<u8>> {
    store.adapter_bytes(adapter)?.filter(|bytes| !bytes.is_empty()).ok_or_else(|| {
        Fault::usage(format!("use adapter {adapter}"), "its bytes are not in the file")
            .hint("`hardcase adapter FILE list` shows which adapters have theirs")
    })
}
