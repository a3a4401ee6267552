//! The judge: a language model that has read some of the texts, or predictions of some that were made elsewhere. What it says is kept as it says it, and
//! becomes probabilities here.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::scorer::{Kind, Load, Scorer};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::predictor::{JudgeMethod, JudgeSettings, Method, Predictor, Stack};
use crate::domain::settings::Stored;
use crate::store::Store;

/// Of a probability the least that its logarithm is taken of.
const LEAST: f32 = 1e-12;
const USE: &str = "use the judge";

pub(crate) struct Judge;

impl Kind for Judge {
    fn describe(&self, predictor: &Predictor) -> String {
        match predictor.adapter() {
            Some(adapter) => format!("the judge with adapter {adapter}"),
            None if predictor.is_imported() => "the set of predictions from a file".into(),
            None => "the judge".into(),
        }
    }

    fn remedy(&self) -> &'static str {
        "`hardcase judge FILE` begins with a new prompt"
    }

    /// It scores texts, not vectors: what it said of them is in the file.
    fn is_available(&self, _store: &Store, _predictor: &Predictor) -> Result<bool> {
        Ok(false)
    }

    fn load(&self, _store: &Store, predictor: &Predictor, _load: &Load<'_>) -> Result<Box<dyn Scorer>> {
        if predictor.is_imported() {
            return Err(Fault::new("score texts by their vectors", "these predictions were made elsewhere")
                .hint("`hardcase judge FILE --from DATA` takes in those of more texts"));
        }
        Err(Fault::new("score texts by their vectors", "a judge reads the texts themselves")
            .hint("`hardcase judge FILE` has it read them"))
    }
}

/// The settings of a stored judge.
///
/// # Errors
/// They were left out, cannot be read, or the predictor is of another kind.
pub(crate) fn settings(predictor: &Predictor) -> Result<&JudgeSettings> {
    match predictor.judge() {
        Some(judge) => judge.settings.require(USE).map_err(|fault| fault.or_hint(Judge.remedy())),
        None => {
            Err(Fault::new(USE, format!("predictor {} is of the kind {}", predictor.id, predictor.kind())))
        }
    }
}

/// A judge with these settings, otherwise as it was.
pub(crate) fn with_settings(predictor: &Predictor, settings: JudgeSettings) -> Predictor {
    let method = match &predictor.method {
        Method::Judge(judge) => {
            Method::Judge(JudgeMethod { settings: Stored::Known(settings), ..judge.clone() })
        }
        other => other.clone(),
    };
    Predictor { method, ..predictor.clone() }
}

/// What a judge, or a head on its hidden states, says of the items that it has read: log-probabilities, items × labels.
pub(crate) struct Judged {
    pub predictor: Predictor,
    pub items: Vec<ItemId>,
    pub logs: Array2<f32>,
}

impl Judged {
    /// What that judge has read.
    pub fn read(store: &Store, predictor: Predictor) -> Result<Self> {
        let (items, values) = store.predictions(predictor.id)?;
        let p = Array2::from_shape_vec((items.len(), predictor.labels.len()), values)
            .map_err(|e| Fault::new("read the judge's scores", e.to_string()))?;
        Ok(Self { predictor, items, logs: logs(p.view()) })
    }

    /// Its calibrated probabilities, items × labels.
    pub fn calibrated(&self) -> Result<Array2<f32>> {
        let calibration = settings(&self.predictor)?.calibration.clone();
        let calibration = calibration.unwrap_or_else(|| self.without_labels(&[]));
        Ok(calibration.probabilities(&[self.logs.view()]))
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
        Stack::of_one(bias.collect())
    }
}

/// Natural logarithms of probabilities.
pub(crate) fn logs(p: ArrayView2<'_, f32>) -> Array2<f32> {
    p.mapv(|p| p.max(LEAST).ln())
}
