//! The cascade: the scout's opinion of every text, the judge's of some, and what both come to.
//!
//! Whatever is fitted here is fitted on training labels, each by a scout that has not seen it, without the judge's own examples. Where the judge
//! does not make labels that no fit has seen more probable, the scout decides alone, as it does of every text that the judge has not read.

use std::collections::HashMap;

use ndarray::{Array2, Axis};
use serde::Deserialize;

use super::judge_scores::{CombinedSettings, JudgeSettings, Judged, logs};
use super::prelabels::complete;
use super::scorer::Scorer;
use super::training::Training;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ItemId, PredictorId};
use crate::stats::classifier::head::out_of_fold;
use crate::stats::classifier::stack::{Fitted, Opinions, Stack, Worth, is_enough, worth};
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::store::pool::predictors::Predictor;
use crate::work::runner::Work;

/// Calibrates the newest judge, and makes the combination of it with `scout` the active predictor where it helps; else `scout`, if a combination was
/// active. Returns what the judge is worth; none where no judge has read anything, or there are too few labels to say.
pub(crate) fn combine(
    work: &mut Work<'_>,
    scout: &Predictor,
    revision: &Revision,
    seed: u64,
) -> Result<Option<Worth>> {
    let Some(judged) = Judged::newest(work.store, &scout.labels)? else { return Ok(None) };
    work.report("weighing scout and judge", 0, None, "labels")?;
    let mut settings = JudgeSettings::of(&judged.predictor)?;
    let labels = scout.labels.len();
    let evidence = Evidence::collect(work, scout, &judged, &settings, revision, seed)?;
    let start = judged.without_labels(&revision.task.shares());
    let fitted = start.fitted(&evidence.opinions(), Fitted::Judge);
    // What was mined was chosen by the scout's doubt, not by the judge's: to it a label's texts are there what they are in the pool.
    settings.calibration = Some(match is_enough(evidence.opinions().gold, labels) {
        true => fitted.at_shares_of(judged.logs.view(), judged.logs.view()),
        false => fitted,
    });
    let seen = evidence.scout.as_ref().map(|_| evidence.opinions());
    settings.worth = seen.as_ref().and_then(|opinions| worth(opinions, labels, seed));
    work.store.set_predictor_settings(judged.predictor.id, &settings.to_json()?)?;
    let helps = settings.worth.is_some_and(|worth| worth.helps);
    let Some(opinions) = seen.filter(|_| helps) else {
        // While a combination decided, the scout's own prelabels were dropped.
        take_over(work, scout)?;
        return Ok(settings.worth);
    };
    let start = Stack::scout_alone(labels);
    let combined = CombinedSettings {
        judge: judged.predictor.id,
        both: start.fitted(&opinions, Fitted::Both),
        alone: start.fitted(&opinions, Fitted::Scout),
    };
    let mut predictor = Predictor {
        id: PredictorId(0),
        kind: "combined".into(),
        adapter_kind: Some(scout.kind.clone()),
        settings: serde_json::to_string(&combined)
            .map_err(|e| Fault::new("keep the combination", e.to_string()))?,
        ..scout.clone()
    };
    predictor.id = work.store.add_predictor(&predictor)?;
    take_over(work, &predictor)?;
    Ok(settings.worth)
}

/// Makes a predictor the active one, once it has prelabelled everything.
fn take_over(work: &mut Work<'_>, predictor: &Predictor) -> Result<()> {
    let scorer = Scorer::load(work.store, predictor)?;
    complete(work, predictor.id, predictor, &scorer)?;
    if !work.stopped() {
        work.store.activate(predictor.id)?;
    }
    Ok(())
}

/// Training labels that the judge has read and was not given as examples.
struct Evidence {
    /// The scout's out-of-fold log-probabilities; none where it has too few labels for folds.
    scout: Option<Array2<f32>>,
    judge: Array2<f32>,
    gold: Vec<usize>,
}

impl Evidence {
    fn collect(
        work: &Work<'_>,
        scout: &Predictor,
        judged: &Judged,
        settings: &JudgeSettings,
        revision: &Revision,
        seed: u64,
    ) -> Result<Self> {
        let training = Training::read(work, scout, revision)?;
        let unseen = unseen(work.store, scout, &training, seed)?;
        let (mut rows, mut judge_rows) = (Vec::new(), Vec::new());
        for (row, item) in training.items.iter().enumerate() {
            let known = unseen.as_ref().is_none_or(|unseen| unseen.contains_key(item));
            if let Ok(at) = judged.items.binary_search(item)
                && known
                && !settings.examples.contains(item)
            {
                rows.push(row);
                judge_rows.push(at);
            }
        }
        let labels = scout.labels.len();
        let scout = unseen.map(|unseen| {
            let p = rows.iter().flat_map(|&row| unseen[&training.items[row]].iter().copied()).collect();
            Array2::from_shape_vec((rows.len(), labels), p).map(|p| logs(p.view()))
        });
        Ok(Self {
            scout: scout.transpose().map_err(|e| Fault::new("weigh scout and judge", e.to_string()))?,
            judge: judged.logs.select(Axis(0), &judge_rows),
            gold: rows.iter().map(|&row| training.labels[row]).collect(),
        })
    }

    fn opinions(&self) -> Opinions<'_> {
        let scout = self.scout.as_ref().unwrap_or(&self.judge);
        Opinions { scout: scout.view(), judge: self.judge.view(), gold: &self.gold }
    }
}

/// What the scout says of each training label when it has not seen it; none where there are too few labels.
fn unseen(
    store: &Store,
    scout: &Predictor,
    training: &Training,
    seed: u64,
) -> Result<Option<HashMap<ItemId, Vec<f32>>>> {
    let adapter = store.adapters()?.into_iter().find(|a| Some(a.id) == scout.adapter);
    let Some(adapter) = adapter else { return Ok(None) };
    if let Ok(HeldOut { held_out }) = serde_json::from_str(&adapter.settings) {
        return Ok(Some(held_out.into_iter().collect()));
    }
    let Ok(head) = serde_json::from_str::<HeadFit>(&adapter.settings) else { return Ok(None) };
    let p = out_of_fold(training.vectors.view(), &training.labels, scout.labels.len(), head.c, seed);
    Ok(p.map(|p| training.items.iter().copied().zip(p.rows().into_iter().map(|row| row.to_vec())).collect()))
}

/// What a LoRA's settings keep of its cross_validation.
#[derive(Deserialize)]
struct HeldOut {
    held_out: Vec<(ItemId, Vec<f32>)>,
}

/// What a head's settings keep of how it was fitted.
#[derive(Deserialize)]
struct HeadFit {
    c: f64,
}
