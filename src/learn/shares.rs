//! Zero-shot prelabels whose expected shares follow the audit answers.
//!
//! For zero-shot predictors only: a trained head keeps its balanced weights, whatever the shares are. Never reads an answer outside the
//! audit, and never changes a stored predictor: new shares make a new one.

use super::prelabels::{dimensions_of, matrix};
use super::scorer::ZeroShotSettings;
use crate::domain::fault::Result;
use crate::domain::ids::PredictorId;
use crate::stats::estimate::audit_rounds::audit_answers;
use crate::stats::estimate::shares::{BeforeAudit, SharesFrom, follow_audit};
use crate::store::log::tasks::Revision;
use crate::store::pool::predictors::Predictor;
use crate::work::runner::Work;

/// A predictor whose shares follow the audit, not active yet.
pub(crate) struct Followed {
    pub predictor: Predictor,
    /// Audit items that the shares rest on.
    pub n: usize,
    /// One per label.
    pub shares: Vec<f64>,
}

/// `current` with its shares moved by the audit answers to date; none where it is no zero-shot predictor of this revision, where the
/// answers are too few, or where it follows just these already.
pub(crate) fn following_audit(
    work: &mut Work<'_>,
    current: &Predictor,
    revision: &Revision,
    seed: u64,
) -> Result<Option<Followed>> {
    let fits = |p: &Predictor| p.kind == "zero-shot" && p.model == current.model && p.revision == revision.id;
    if !fits(current) {
        return Ok(None);
    }
    let settings = ZeroShotSettings::of(current)?;
    let answers = audit_answers(&work.store.first_blind_answers()?, &revision.task);
    if !settings.shares_from.should_follow(&answers, revision.task.labels.len()) {
        return Ok(None);
    }
    for predictor in work.store.predictors()?.into_iter().rev().filter(fits) {
        let earlier = ZeroShotSettings::of(&predictor)?;
        if earlier.shares_from.follows(&answers) {
            // Made by a job that ended before it was active.
            return Ok(Some(Followed::new(predictor, &earlier)));
        }
    }
    work.report("estimating the shares", 0, None, "texts")?;
    let vectors = work.store.vectors(current.space(), dimensions_of(work.store, current)?)?;
    let scores = settings.scores(matrix(&vectors)?)?;
    let prior = match &settings.shares_from {
        SharesFrom::Audit(earlier) => &earlier.prior,
        SharesFrom::Task | SharesFrom::Pool => &settings.calibration.shares,
    };
    let start = BeforeAudit {
        scores: scores.view(),
        prior,
        given: &revision.task.shares(),
        drawn: &work.store.audit_draws()?,
    };
    let (calibration, audit) = follow_audit(&start, &answers, seed);
    let settings =
        ZeroShotSettings { calibration, shares_from: SharesFrom::Audit(audit), anchors: settings.anchors };
    let mut predictor =
        Predictor { id: PredictorId(0), settings: settings.to_json()?, created_ms: 0, ..current.clone() };
    predictor.id = work.store.add_predictor(&predictor)?;
    Ok(Some(Followed::new(predictor, &settings)))
}

impl Followed {
    fn new(predictor: Predictor, settings: &ZeroShotSettings) -> Self {
        Self { predictor, n: settings.shares_from.audit_items(), shares: settings.calibration.shares.clone() }
    }
}
