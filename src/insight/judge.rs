//! Where the judge stands: the language model that has scored some of the texts.

use serde::Serialize;

use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::stats::classifier::stack::{Stack, Worth};
use crate::store::Store;

/// Where the newest judge stands.
#[derive(Clone, Debug, Serialize)]
pub struct JudgeStatus {
    pub model: String,
    /// Texts that it has scored.
    pub read: usize,
    /// Whether it improves on the scout. `None` if there are too few labels to tell.
    pub worth: Option<Worth>,
}

impl JudgeStatus {
    /// `None` if no judge has scored anything.
    pub fn read(store: &Store) -> Result<Option<Self>> {
        for predictor in store.judges()? {
            let read = store.prediction_count(predictor.id)?;
            if read > 0 {
                let model = store.model(predictor.model)?.map(|model| model.name).unwrap_or_default();
                let settings = predictor.judge().and_then(|judge| judge.settings.known());
                return Ok(Some(Self { model, read, worth: settings.and_then(|settings| settings.worth) }));
            }
        }
        Ok(None)
    }
}

impl std::fmt::Display for JudgeStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "The judge {} has scored {} texts. ", self.model, self.read)?;
        match self.worth {
            Some(worth) if worth.helps => {
                write!(
                    f,
                    "It helps: log-loss is {:.3} with it and {:.3} without it, on {} held-out labels.",
                    worth.both, worth.scout, worth.n
                )
            }
            Some(worth) => write!(
                f,
                "It does not help: log-loss is {:.3} with it and {:.3} without it, on {} held-out labels.",
                worth.both, worth.scout, worth.n
            ),
            None => {
                write!(f, "Too few of them have a training label to tell whether it helps.")
            }
        }
    }
}

/// The newest judge's calibrated probabilities for an item that it has scored, with the stable keys of the labels.
pub(crate) fn opinion(store: &Store, item: ItemId) -> Result<Option<Vec<(String, f32)>>> {
    for predictor in store.judges()? {
        if let Some(said) = store.prediction(predictor.id, item)? {
            let settings = predictor.judge().and_then(|judge| judge.settings.known());
            let p = match settings.and_then(|settings| settings.calibration.as_ref()) {
                Some(stack) => calibrated(stack, &said),
                None => said,
            };
            return Ok(Some(predictor.labels.into_iter().zip(p).collect()));
        }
    }
    Ok(None)
}

fn calibrated(stack: &Stack, said: &[f32]) -> Vec<f32> {
    let log = |(_, label): (usize, usize)| said[label].max(f32::MIN_POSITIVE).ln();
    let logs = ndarray::Array2::from_shape_fn((1, said.len()), log);
    stack.probabilities(&[logs.view()]).into_raw_vec_and_offset().0
}
