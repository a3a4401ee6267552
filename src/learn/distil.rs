//! What a scout can be taught by a slower model: texts of the pool with the probabilities that the active combination gives them.
//!
//! The teacher has learned from all training labels, so a fold's adapter hears of the labels that it holds out, by way of what is said of texts like
//! theirs: its held-out figures are a little too good. Adapters are used only where they win by more than a standard error.

use std::collections::{HashMap, HashSet};

use ndarray::Array2;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::kind::load;
use super::prelabels::active;
use super::training::Training;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::predictor::{Method, Predictor};
use crate::domain::split::Split;
use crate::work::runner::Work;

const ATTEMPTED: &str = "distil the model";
/// Texts that are taught: what an encoder's LoRA reads a few times in minutes on two cores.
const MOST: usize = 2_000;

/// Texts, what is said of them, and what is to be beaten.
pub(crate) struct Lesson {
    /// Ascending; none is a case, and none is for evaluation or the audit.
    pub items: Vec<ItemId>,
    /// Texts × labels.
    pub probabilities: Array2<f32>,
    /// Of the training labels, what the scout says that has not seen them.
    pub scout: HashMap<ItemId, Vec<f32>>,
    /// What tells one lesson from another.
    pub hash: [u8; 32],
}

impl Lesson {
    /// What the active combination can teach; none where the scout decides alone, or has too few labels for folds.
    ///
    /// # Errors
    /// The project cannot be read.
    pub fn read(work: &Work<'_>, scout: &Predictor, training: &Training, seed: u64) -> Result<Option<Self>> {
        let teacher = active(work.store, ATTEMPTED)?;
        let Method::Combined { settings, .. } = &teacher.method else { return Ok(None) };
        let Some(readers) = settings.known().map(|settings| &settings.readers[..]) else { return Ok(None) };
        let Some(said) = load(work.store, scout)?.out_of_fold(training, seed) else { return Ok(None) };
        let mut read = HashSet::new();
        for reader in readers {
            read.extend(work.store.predictions(*reader)?.0);
        }
        let cases: HashSet<ItemId> = work.store.items_of_cases()?.into_iter().collect();
        let (items, values) = work.store.predictions(teacher.id)?;
        let train: HashSet<ItemId> = (work.store.splits()?.into_iter())
            .filter_map(|(item, split)| (split == Split::Train).then_some(item))
            .collect();
        let taught = |item: &ItemId| {
            read.contains(item)
                && train.contains(item)
                && !cases.contains(item)
                && training.items.binary_search(item).is_err()
        };
        let mut rows: Vec<usize> = (0..items.len()).filter(|&row| taught(&items[row])).collect();
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        rows.truncate(MOST);
        rows.sort_unstable();
        let labels = teacher.labels.len();
        let mut hash = blake3::Hasher::new();
        let mut probabilities = Vec::with_capacity(rows.len() * labels);
        for &row in &rows {
            let p = &values[row * labels..(row + 1) * labels];
            hash.update(&items[row].0.to_le_bytes());
            for value in p {
                hash.update(&value.to_le_bytes());
            }
            probabilities.extend_from_slice(p);
        }
        let probabilities = Array2::from_shape_vec((rows.len(), labels), probabilities)
            .map_err(|e| Fault::new(ATTEMPTED, e.to_string()))?;
        let items = rows.into_iter().map(|row| items[row]).collect();
        Ok(Some(Self { items, probabilities, scout: said, hash: *hash.finalize().as_bytes() }))
    }
}
