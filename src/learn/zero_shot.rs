//! Zero-shot prelabels: how near a text is to each label's description and examples. They need no answer; the audit's may move the shares that they expect.
//!
//! New shares make a new predictor: a stored one never changes. Never reads an answer outside the audit.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use super::scorer::{Kind, Load, Scorer};
use super::vectors::{dimensions_of, matrix};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ItemId, PredictorId};
use crate::domain::predictor::{AuditFold, Method, Predictor, SharesFrom, ZeroShot, ZeroShotSettings};
use crate::domain::settings::Stored;
#[cfg(feature = "engine")]
use crate::domain::task::Task;
use crate::mining::cosines_from;
#[cfg(feature = "engine")]
use crate::mining::mean;
use crate::stats::estimate::audit_rounds::audit_answers;
use crate::stats::estimate::shares::{BeforeAudit, follow_audit};
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::work::runner::Work;

const USE: &str = "use the zero-shot prelabels";

pub(crate) struct ZeroShotKind;

impl Kind for ZeroShotKind {
    fn describe(&self, _predictor: &Predictor) -> String {
        "the zero-shot model".into()
    }

    fn remedy(&self) -> &'static str {
        "`hardcase scout FILE` makes the first prelabels again"
    }

    fn is_available(&self, _store: &Store, predictor: &Predictor) -> Result<bool> {
        Ok(!matches!(predictor.method, Method::ZeroShot(Stored::LeftOut)))
    }

    fn load(&self, _store: &Store, predictor: &Predictor, _load: &Load<'_>) -> Result<Box<dyn Scorer>> {
        Ok(Box::new(ZeroShotScorer::new(settings(predictor)?)?))
    }
}

/// The settings of a stored zero-shot predictor.
///
/// # Errors
/// They were left out, cannot be read, or the predictor is of another kind.
pub(crate) fn settings(predictor: &Predictor) -> Result<&ZeroShotSettings> {
    match &predictor.method {
        Method::ZeroShot(settings) => settings.require(USE),
        _ => Err(Fault::new(USE, format!("predictor {} is of the kind {}", predictor.id, predictor.kind()))),
    }
}

/// Each label's anchor, labels × dimensions.
///
/// # Errors
/// Anchors of different lengths.
pub(crate) fn anchors(settings: &ZeroShotSettings) -> Result<Array2<f32>> {
    let dimensions = settings.anchors.first().map_or(0, Vec::len);
    Array2::from_shape_vec((settings.anchors.len(), dimensions), settings.anchors.concat())
        .map_err(|e| Fault::new(USE, format!("its label anchors cannot be read: {e}")))
}

/// Settings from each label's anchor vector, calibrated on the `vectors` of the pool (n × dimensions) and what the task gives of shares.
///
/// # Errors
/// Anchors of different lengths.
#[cfg(feature = "engine")]
pub(crate) fn fit(
    anchors: Vec<Vec<f32>>,
    vectors: ArrayView2<'_, f32>,
    task: &Task,
) -> Result<ZeroShotSettings> {
    let dimensions = vectors.ncols();
    let by_label = Array2::from_shape_vec((anchors.len(), dimensions), anchors.concat())
        .map_err(|e| Fault::new("embed the label descriptions", e.to_string()))?;
    let mean = mean(vectors).to_vec();
    let (scores, shares) = (scores(&mean, vectors, by_label.view()), task.shares());
    let calibration = match task.kind.is_several() {
        true => ZeroShot::fit_each(scores.view(), &shares),
        false => ZeroShot::fit(scores.view(), &shares),
    };
    Ok(ZeroShotSettings { anchors, mean, calibration, shares_from: SharesFrom::before_audit(&shares) })
}

/// Scores of vectors (n × dimensions) by anchors (labels × dimensions), n × labels.
fn scores(mean: &[f32], vectors: ArrayView2<'_, f32>, anchors: ArrayView2<'_, f32>) -> Array2<f32> {
    if anchors.ncols() == 0 {
        return Array2::zeros((vectors.nrows(), anchors.nrows()));
    }
    if mean.is_empty() {
        return vectors.dot(&anchors.t());
    }
    cosines_from(ArrayView1::from(mean), vectors, anchors)
}

struct ZeroShotScorer {
    anchors: Array2<f32>,
    mean: Vec<f32>,
    calibration: ZeroShot,
    /// Audit items whose answers moved the shares, each with the calibration that has not seen its answer.
    held_out: Vec<AuditFold>,
}

impl ZeroShotScorer {
    fn new(settings: &ZeroShotSettings) -> Result<Self> {
        let held_out = match &settings.shares_from {
            SharesFrom::Audit(audit) => audit.held_out.clone(),
            SharesFrom::Task | SharesFrom::Pool => Vec::new(),
        };
        let (anchors, mean) = (anchors(settings)?, settings.mean.clone());
        if !mean.is_empty() && mean.len() != anchors.ncols() {
            return Err(Fault::new(USE, "its mean vector is of another length than its anchors"));
        }
        Ok(Self { anchors, mean, calibration: settings.calibration.clone(), held_out })
    }
}

impl Scorer for ZeroShotScorer {
    fn probabilities(&self, vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        self.calibration.probabilities(scores(&self.mean, vectors, self.anchors.view()).view())
    }

    fn of_items(&self, items: &[ItemId], vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut all = self.probabilities(vectors);
        for fold in &self.held_out {
            for row in fold.answers.iter().filter_map(|(item, _)| items.binary_search(item).ok()) {
                let vector = vectors.select(Axis(0), &[row]);
                let scores = scores(&self.mean, vector.view(), self.anchors.view());
                all.row_mut(row).assign(&fold.calibration.probabilities(scores.view()).row(0));
            }
        }
        all
    }
}

/// A predictor whose shares follow the audit, not active yet.
pub(crate) struct Followed {
    pub predictor: Predictor,
    /// Audit items that the shares rest on.
    pub n: usize,
    /// One per label.
    pub shares: Vec<f64>,
}

/// `current` with its shares moved by the audit answers to date; none where it is not a zero-shot predictor of this revision, where the
/// answers are too few, or where it follows just these already.
pub(crate) fn following_audit(
    work: &mut Work<'_>,
    current: &Predictor,
    revision: &Revision,
    seed: u64,
) -> Result<Option<Followed>> {
    let fits = |p: &Predictor| p.model == current.model && p.revision == revision.id;
    // Shares of labels by themselves stay what they were: what the audit finds of them is shown, and the first head takes their place.
    if revision.task.kind.is_several()
        || !fits(current)
        || !matches!(current.method, Method::ZeroShot(_))
        || current.guesses_nothing()
    {
        return Ok(None);
    }
    let current_settings = settings(current)?;
    let answers = audit_answers(&work.store.first_blind_answers()?, &revision.task);
    if !current_settings.shares_from.should_follow(&answers, revision.task.labels.len()) {
        return Ok(None);
    }
    for predictor in work.store.predictors()?.into_iter().rev().filter(fits) {
        // Made by a job that ended before it was active.
        if predictor.zero_shot().is_some_and(|earlier| earlier.shares_from.follows(&answers)) {
            return Ok(Followed::new(predictor));
        }
    }
    work.report("estimating the shares", 0, None, "texts")?;
    let vectors = work.store.vectors(current.space(), dimensions_of(work.store, current)?)?;
    let scores = scores(&current_settings.mean, matrix(&vectors)?, anchors(current_settings)?.view());
    let prior = match &current_settings.shares_from {
        SharesFrom::Audit(earlier) => &earlier.prior,
        SharesFrom::Task | SharesFrom::Pool => &current_settings.calibration.shares,
    };
    let start = BeforeAudit {
        scores: scores.view(),
        prior,
        given: &revision.task.shares(),
        drawn: &work.store.audit_draws()?,
    };
    let (calibration, audit) = follow_audit(&start, &answers, seed);
    let moved = ZeroShotSettings {
        calibration,
        shares_from: SharesFrom::Audit(audit),
        anchors: current_settings.anchors.clone(),
        mean: current_settings.mean.clone(),
    };
    let method = Method::ZeroShot(Stored::Known(moved));
    let mut predictor = Predictor { id: PredictorId(0), method, created_ms: 0, ..current.clone() };
    predictor.id = work.store.add_predictor(&predictor)?;
    Ok(Followed::new(predictor))
}

impl Followed {
    fn new(predictor: Predictor) -> Option<Self> {
        let settings = predictor.zero_shot()?;
        let (n, shares) = (settings.shares_from.audit_items(), settings.calibration.shares.clone());
        Some(Self { predictor, n, shares })
    }
}
