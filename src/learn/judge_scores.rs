//! A judge's scores as the project keeps them: what it was told, what it says, and how that becomes probabilities.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ItemId, PredictorId};
use crate::stats::classifier::stack::{Stack, Worth};
use crate::store::Store;
use crate::store::pool::predictors::Predictor;

/// Of a probability the least that its logarithm is taken of.
const LEAST: f32 = 1e-12;

/// What a judge's predictor keeps in its settings. Its predictions are what the model says, uncalibrated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JudgeSettings {
    /// What it was told, examples included, as the engine wrote it.
    pub instruction: serde_json::Value,
    /// The items that it was given as examples.
    pub examples: Vec<ItemId>,
    /// Whether the model's own chat template is around it.
    pub template: bool,
    /// How a text that is too long was cut.
    pub cut: String,
    /// From what the model says to probabilities.
    pub calibration: Option<Stack>,
    /// What it is worth beside the scout; none where there are too few labels to say.
    pub worth: Option<Worth>,
}

impl JudgeSettings {
    /// Those of a stored judge.
    pub fn of(predictor: &Predictor) -> Result<Self> {
        serde_json::from_str(&predictor.settings)
            .map_err(|e| Fault::new("use the judge's scores", e.to_string()).hint("Run judge again"))
    }

    /// What is stored.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Fault::new("keep what the judge was told", e.to_string()))
    }
}

/// What a combination keeps in its settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CombinedSettings {
    /// The judge.
    pub judge: PredictorId,
    /// Of texts that both have read.
    pub both: Stack,
    /// Of texts that the scout alone has read.
    pub alone: Stack,
}

impl CombinedSettings {
    /// Those of a stored combination.
    pub fn of(predictor: &Predictor) -> Result<Self> {
        serde_json::from_str(&predictor.settings)
            .map_err(|e| Fault::new("use the stored model", e.to_string()).hint("Run tune again"))
    }
}

/// What a judge says of the items that it has read: log-probabilities, items × labels.
pub(crate) struct Judged {
    pub predictor: Predictor,
    pub items: Vec<ItemId>,
    pub logs: Array2<f32>,
}

impl Judged {
    /// The last judge of these labels that has read anything.
    pub fn newest(store: &Store, labels: &[String]) -> Result<Option<Self>> {
        for predictor in store.judges()?.into_iter().filter(|judge| judge.labels == labels) {
            let judged = Self::read(store, predictor)?;
            if !judged.items.is_empty() {
                return Ok(Some(judged));
            }
        }
        Ok(None)
    }

    /// What that judge has read.
    pub fn read(store: &Store, predictor: Predictor) -> Result<Self> {
        let (items, values) = store.predictions(predictor.id)?;
        let p = Array2::from_shape_vec((items.len(), predictor.labels.len()), values)
            .map_err(|e| Fault::new("read the judge's scores", e.to_string()))?;
        Ok(Self { predictor, items, logs: logs(p.view()) })
    }

    /// Its calibrated probabilities, items × labels.
    pub fn calibrated(&self) -> Result<Array2<f32>> {
        let settings = JudgeSettings::of(&self.predictor)?;
        let calibration = settings.calibration.unwrap_or_else(|| self.without_labels(&[]));
        Ok(calibration.probabilities(self.logs.view(), self.logs.view()))
    }

    /// Batch calibration: a label that it favours whatever the text loses what it is favoured by (Zhou et al. 2023, arXiv 2309.17249); expected
    /// `shares` are put in its place where all are known.
    pub fn without_labels(&self, shares: &[Option<f64>]) -> Stack {
        let mean = self.logs.mapv(f32::exp).mean_axis(Axis(0)).unwrap_or_else(|| Array1::ones(1));
        let bias = mean.iter().enumerate().map(|(label, mean)| {
            let all_known = shares.iter().all(Option::is_some);
            let share = shares.get(label).copied().flatten().filter(|_| all_known);
            share.map_or(0.0, |share| share.max(1e-6).ln()) - f64::from(mean.max(LEAST)).ln()
        });
        Stack::judge_alone(bias.collect())
    }
}

/// Natural logarithms of probabilities.
pub(crate) fn logs(p: ArrayView2<'_, f32>) -> Array2<f32> {
    p.mapv(|p| p.max(LEAST).ln())
}
