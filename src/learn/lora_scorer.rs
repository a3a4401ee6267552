//! The head on a LoRA's vectors, and what its cross-validation said of the labels that it was trained on.

use std::collections::HashMap;

use ndarray::{Array2, ArrayView2};

use super::scorer::{Scorer, bytes_of};
use super::training::Training;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::predictor::Predictor;
use crate::engine::lora::EncoderAdapter;
use crate::stats::classifier::logistic::Logistic;
use crate::store::Store;

const USE: &str = "use the trained model";

pub(crate) struct LoraScorer {
    pub head: Logistic,
    /// The probabilities of each training label by the fold's adapter that had not seen it.
    held_out: Option<HashMap<ItemId, Vec<f32>>>,
}

impl LoraScorer {
    /// Reads it.
    ///
    /// # Errors
    /// The predictor is of another kind, or its bytes are not there or not a LoRA.
    pub fn load(store: &Store, predictor: &Predictor) -> Result<Self> {
        let other = || Fault::new(USE, format!("the model is of the kind {}", predictor.kind()));
        let adapter = predictor.lora().ok_or_else(other)?;
        let bytes = bytes_of(store, adapter)?;
        let file = EncoderAdapter::decode(&bytes).map_err(|e| Fault::new(USE, e.to_string()).because(e))?;
        let row = store.adapters()?.into_iter().find(|row| row.id == adapter);
        let held_out = row
            .and_then(|row| Some(row.settings.known()?.encoder_lora()?.held_out.iter().cloned().collect()));
        Ok(Self { head: Logistic { weights: file.head.weight, bias: file.head.bias }, held_out })
    }
}

impl Scorer for LoraScorer {
    fn probabilities(&self, vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        self.head.probabilities(vectors)
    }

    /// Those of its cross-validation, which would take a training to compute again.
    fn out_of_fold(&self, _training: &Training, _seed: u64) -> Option<HashMap<ItemId, Vec<f32>>> {
        self.held_out.clone()
    }
}
