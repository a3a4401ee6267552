//! A predictor over vectors: what it takes to compute any stored predictor's probabilities again.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::judge_scores::{CombinedSettings, Judged, logs};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{AdapterId, ItemId};
use crate::stats::classifier::calibration::ZeroShot;
use crate::stats::classifier::logistic::Logistic;
use crate::stats::estimate::shares::{HeldOut, SharesFrom};
use crate::store::Store;
use crate::store::pool::predictors::Predictor;

/// What a zero-shot predictor keeps in its settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ZeroShotSettings {
    /// Each label's mean anchor vector, labels × dimensions: a text's score is its product with it.
    pub anchors: Vec<Vec<f32>>,
    /// From scores to probabilities.
    pub calibration: ZeroShot,
    /// Where the calibration's shares come from.
    #[serde(default)]
    pub shares_from: SharesFrom,
}

impl ZeroShotSettings {
    /// The settings of a stored zero-shot predictor.
    pub fn of(predictor: &Predictor) -> Result<Self> {
        serde_json::from_str(&predictor.settings).map_err(|e| unusable(&e.to_string()))
    }

    /// What is stored.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self)
            .map_err(|e| Fault::new("keep the zero-shot prelabels' settings", e.to_string()))
    }

    /// The scores of `vectors` (n × dimensions), n × labels.
    pub fn scores(&self, vectors: ArrayView2<'_, f32>) -> Result<Array2<f32>> {
        Ok(vectors.dot(&self.anchors()?.t()))
    }

    /// Each label's anchor, labels × dimensions.
    pub fn anchors(&self) -> Result<Array2<f32>> {
        let dimensions = self.anchors.first().map_or(0, Vec::len);
        Array2::from_shape_vec((self.anchors.len(), dimensions), self.anchors.concat())
            .map_err(|e| Fault::new("read the label anchors", e.to_string()))
    }
}

fn unusable(why: &str) -> Fault {
    Fault::new("use the stored model", why).hint("Run tune again")
}

/// An adapter's bytes.
pub(crate) fn bytes_of(store: &Store, adapter: AdapterId) -> Result<Vec<u8>> {
    store.adapter_bytes(adapter)?.filter(|bytes| !bytes.is_empty()).ok_or_else(|| {
        Fault::usage(format!("use adapter {adapter}"), "its bytes were dropped")
            .hint("`hardcase adapter FILE list` shows what is left")
    })
}

/// Maps unit vectors to probabilities.
pub(crate) enum Scorer {
    ZeroShot {
        anchors: Array2<f32>,
        calibration: ZeroShot,
        /// Audit items whose answers moved the shares, each with the calibration that has not seen its answer.
        held_out: Vec<HeldOut>,
    },
    Head(Logistic),
    /// A scout beside a judge, which has read some items.
    Combined {
        scout: Box<Scorer>,
        settings: CombinedSettings,
        /// What the judge says of the items that it has read.
        judged: Box<Judged>,
    },
}

impl Scorer {
    /// The scorer of a stored predictor.
    pub fn load(store: &Store, predictor: &Predictor) -> Result<Self> {
        match (predictor.kind.as_str(), predictor.adapter) {
            ("zero-shot", _) => Self::zero_shot(ZeroShotSettings::of(predictor)?),
            ("head", Some(adapter)) => {
                let bytes = bytes_of(store, adapter)?;
                Logistic::from_bytes(&bytes).map(Self::Head)
            }
            #[cfg(feature = "engine")]
            ("lora", Some(adapter)) => {
                let bytes = bytes_of(store, adapter)?;
                let file = crate::engine::lora::EncoderAdapter::decode(&bytes);
                let head = file.map_err(|e| unusable(&e.to_string()).because(e))?.head;
                Ok(Self::Head(Logistic { weights: head.weight, bias: head.bias }))
            }
            ("combined", _) => {
                let settings = CombinedSettings::of(predictor)?;
                let judge = store.predictors()?.into_iter().find(|p| p.id == settings.judge);
                let judge = judge.ok_or_else(|| unusable("its judge is not in the file"))?;
                let judged = Box::new(Judged::read(store, judge)?);
                let scout = Predictor { kind: predictor.scout().to_owned(), ..predictor.clone() };
                Ok(Self::Combined { scout: Box::new(Self::load(store, &scout)?), settings, judged })
            }
            (kind, _) => {
                Err(unusable(&format!("this program cannot compute predictions of the kind '{kind}'")))
            }
        }
    }

    /// The scorer of zero-shot settings.
    pub fn zero_shot(settings: ZeroShotSettings) -> Result<Self> {
        let anchors = settings.anchors()?;
        let held_out = match settings.shares_from {
            SharesFrom::Audit(audit) => audit.held_out,
            SharesFrom::Task | SharesFrom::Pool => Vec::new(),
        };
        Ok(Self::ZeroShot { anchors, calibration: settings.calibration, held_out })
    }

    /// Probabilities of the project's `items`, ascending, whose `vectors` are n × dimensions: n × labels. Cross-fitted: no item's own
    /// audit answer has a part in its row.
    pub fn of_items(&self, items: &[ItemId], vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut all = self.probabilities(vectors);
        if let Self::Combined { scout, settings, judged } = self {
            let read = |(row, item): (usize, &ItemId)| Some((row, judged.items.binary_search(item).ok()?));
            let (rows, at): (Vec<_>, Vec<_>) = items.iter().enumerate().filter_map(read).unzip();
            let scout = logs(scout.probabilities(vectors.select(Axis(0), &rows).view()).view());
            let both = settings.both.probabilities(scout.view(), judged.logs.select(Axis(0), &at).view());
            for (row, p) in rows.into_iter().zip(both.rows()) {
                all.row_mut(row).assign(&p);
            }
        }
        if let Self::ZeroShot { anchors, held_out, .. } = self {
            for fold in held_out {
                for row in fold.answers.iter().filter_map(|(item, _)| items.binary_search(item).ok()) {
                    let scores = vectors.select(Axis(0), &[row]).dot(&anchors.t());
                    all.row_mut(row).assign(&fold.calibration.probabilities(scores.view()).row(0));
                }
            }
        }
        all
    }

    /// Probabilities of texts that are not the project's, from `vectors` (n × dimensions), n × labels.
    pub fn probabilities(&self, vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        match self {
            Self::ZeroShot { anchors, calibration, .. } => {
                calibration.probabilities(vectors.dot(&anchors.t()).view())
            }
            Self::Head(head) => head.probabilities(vectors),
            Self::Combined { scout, settings, .. } => {
                let logs = logs(scout.probabilities(vectors).view());
                settings.alone.probabilities(logs.view(), logs.view())
            }
        }
    }
}
