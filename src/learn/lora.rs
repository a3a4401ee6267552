//! The encoder's low-rank adapter, which changes the vectors themselves, and the head on them.
//!
//! Its vectors are not the encoder's own, so it reads every text again, and vectors are kept of the active one only: of earlier ones what they said
//! of the cases is left. `lora_prelabels` reads with it, `lora_training` trains it.

use super::scorer::{Kind, Load, Scorer};
use crate::domain::fault::Result;
use crate::domain::predictor::Predictor;
use crate::store::Store;

pub(crate) struct Lora;

impl Kind for Lora {
    fn describe(&self, predictor: &Predictor) -> String {
        match predictor.adapter() {
            Some(adapter) => format!("the LoRA (adapter {adapter})"),
            None => "the LoRA".into(),
        }
    }

    fn remedy(&self) -> &'static str {
        "`hardcase tune FILE --adapter lora` trains a LoRA on the labels to date"
    }

    fn is_available(&self, store: &Store, predictor: &Predictor) -> Result<bool> {
        match predictor.adapter() {
            Some(adapter) if cfg!(feature = "engine") => Ok(store.adapter_size(adapter)? > 0),
            _ => Ok(false),
        }
    }

    #[cfg(feature = "engine")]
    fn load(&self, store: &Store, predictor: &Predictor, _load: &Load<'_>) -> Result<Box<dyn Scorer>> {
        Ok(Box::new(super::lora_scorer::LoraScorer::load(store, predictor)?))
    }

    #[cfg(not(feature = "engine"))]
    fn load(&self, _store: &Store, _predictor: &Predictor, _load: &Load<'_>) -> Result<Box<dyn Scorer>> {
        Err(crate::domain::fault::Fault::new("use the trained model", "this build of hardcase has no models")
            .hint("Use a full build of hardcase"))
    }
}
