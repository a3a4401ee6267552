//! A predictor over vectors: what it takes to compute any stored predictor's probabilities again.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::domain::fault::{Fault, Result};
use crate::stats::calibration::ZeroShot;
use crate::stats::logistic::Logistic;
use crate::store::Store;
use crate::store::predictors::Predictor;

/// What a zero-shot predictor keeps in its settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ZeroShotSettings {
    /// Each label's mean anchor vector, labels × dimensions: a text's score is its product with it.
    pub anchors: Vec<Vec<f32>>,
    /// From scores to probabilities.
    pub calibration: ZeroShot,
}

/// Maps unit vectors to probabilities.
pub(super) enum Scorer {
    ZeroShot { anchors: Array2<f32>, calibration: ZeroShot },
    Head(Logistic),
}

impl Scorer {
    /// The scorer of a stored predictor.
    pub fn load(store: &Store, predictor: &Predictor) -> Result<Self> {
        let unusable = |why: &str| Fault::new("use the stored model", why).hint("Run tune again");
        match (predictor.kind.as_str(), predictor.adapter) {
            ("zero-shot", _) => {
                let settings: ZeroShotSettings =
                    serde_json::from_str(&predictor.settings).map_err(|e| unusable(&e.to_string()))?;
                Self::zero_shot(&settings)
            }
            ("head", Some(adapter)) => {
                let bytes =
                    store.adapter_bytes(adapter)?.ok_or_else(|| unusable("its adapter is missing"))?;
                Logistic::from_bytes(&bytes).map(Self::Head)
            }
            (kind, _) => {
                Err(unusable(&format!("this program cannot compute predictions of the kind '{kind}'")))
            }
        }
    }

    /// The scorer of zero-shot settings.
    pub fn zero_shot(settings: &ZeroShotSettings) -> Result<Self> {
        let dimensions = settings.anchors.first().map_or(0, Vec::len);
        let flat: Vec<f32> = settings.anchors.iter().flatten().copied().collect();
        let anchors = Array2::from_shape_vec((settings.anchors.len(), dimensions), flat)
            .map_err(|e| Fault::new("read the label anchors", e.to_string()))?;
        Ok(Self::ZeroShot { anchors, calibration: settings.calibration.clone() })
    }

    /// Probabilities of `vectors` (n × dimensions), n × labels.
    pub fn probabilities(&self, vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        match self {
            Self::ZeroShot { anchors, calibration } => {
                calibration.probabilities(vectors.dot(&anchors.t()).view())
            }
            Self::Head(head) => head.probabilities(vectors),
        }
    }
}
