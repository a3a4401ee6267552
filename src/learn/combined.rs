//! The combination: the scout's opinion of every text, the judge's of some, and what both come to.
//!
//! Whatever is fitted here is fitted on training labels, each by a scout that has not seen it, without the judge's own examples. Where the judge
//! does not make labels that no fit has seen more probable, the scout decides alone, as it does of every text that the judge has not read.

use std::collections::HashMap;

use ndarray::{Array2, ArrayView2, Axis};

use super::judge::{self, Judged, logs};
use super::scorer::{Kind, Load, Scorer};
use super::training::Training;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ItemId, PredictorId};
use crate::domain::predictor::{CombinedSettings, JudgeSettings, Method, Predictor, Scout};
use crate::domain::settings::Stored;
use crate::stats::classifier::stack::{Fitted, Opinions, Stack, Worth, is_enough, worth};
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::work::runner::Work;

const USE: &str = "use the combination of scout and judge";

pub(crate) struct Combined;

impl Kind for Combined {
    fn describe(&self, predictor: &Predictor) -> String {
        match predictor.adapter() {
            Some(adapter) => format!("the combination of adapter {adapter} and a judge"),
            None => "the combination of the zero-shot model and a judge".into(),
        }
    }

    fn remedy(&self) -> &'static str {
        "`hardcase adapter FILE use ADAPTER`, with the number of its head or LoRA, combines them again"
    }

    fn is_available(&self, store: &Store, predictor: &Predictor) -> Result<bool> {
        let has_lora = predictor.lora().is_none() || cfg!(feature = "engine");
        let has_bytes = match predictor.adapter() {
            Some(adapter) => store.adapter_size(adapter)? > 0,
            None => true,
        };
        let left_out = matches!(predictor.method, Method::Combined { settings: Stored::LeftOut, .. });
        Ok(has_lora && has_bytes && !left_out)
    }

    fn load(&self, store: &Store, predictor: &Predictor, load: &Load<'_>) -> Result<Box<dyn Scorer>> {
        let Method::Combined { scout, settings } = &predictor.method else {
            return Err(Fault::new(USE, format!("the model is of the kind {}", predictor.kind())));
        };
        let settings = settings.require(USE)?.clone();
        let all = store.predictors()?;
        let judge = all.iter().find(|p| p.id == settings.judge && p.judge().is_some());
        let judge = judge.ok_or_else(|| Fault::new(USE, "its judge is not in the file"))?;
        let judged = Judged::read(store, judge.clone())?;
        let scout = load(store, &scout_beneath(&all, predictor, *scout)?)?;
        Ok(Box::new(CombinedScorer { scout, settings, judged }))
    }
}

/// The scout's own predictor: the newest of its kind with its adapter before the combination.
fn scout_beneath(all: &[Predictor], combined: &Predictor, scout: Scout) -> Result<Predictor> {
    let method = match scout {
        Scout::Head(adapter) => Method::Head(adapter),
        Scout::Lora(adapter) => Method::Lora(adapter),
        Scout::ZeroShot => {
            let beneath = |p: &&Predictor| p.id < combined.id && matches!(p.method, Method::ZeroShot(_));
            let zero_shot = all.iter().rev().find(beneath);
            return zero_shot
                .cloned()
                .ok_or_else(|| Fault::new(USE, "its zero-shot model is not in the file"));
        }
    };
    Ok(Predictor { method, ..combined.clone() })
}

/// A scout next to a judge, which has read some items.
struct CombinedScorer {
    scout: Box<dyn Scorer>,
    settings: CombinedSettings,
    judged: Judged,
}

impl Scorer for CombinedScorer {
    fn probabilities(&self, vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        let logs = logs(self.scout.probabilities(vectors).view());
        self.settings.alone.probabilities(logs.view(), logs.view())
    }

    fn of_items(&self, items: &[ItemId], vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut all = self.probabilities(vectors);
        let read = |(row, item): (usize, &ItemId)| Some((row, self.judged.items.binary_search(item).ok()?));
        let (rows, at): (Vec<_>, Vec<_>) = items.iter().enumerate().filter_map(read).unzip();
        let scout = logs(self.scout.probabilities(vectors.select(Axis(0), &rows).view()).view());
        let judge = self.judged.logs.select(Axis(0), &at);
        let both = self.settings.both.probabilities(scout.view(), judge.view());
        for (row, p) in rows.into_iter().zip(both.rows()) {
            all.row_mut(row).assign(&p);
        }
        all
    }
}

/// What became of weighing a judge against a scout.
pub(crate) struct Weighed {
    /// The combination, stored and not active yet; none where the scout decides alone.
    pub combined: Option<Predictor>,
    /// What the judge is worth; none where no judge has read anything, or there are too few labels to say.
    pub worth: Option<Worth>,
}

/// Calibrates the active judge, and makes a combination of it with `scout` where it helps.
pub(crate) fn fit(
    work: &mut Work<'_>,
    scout: &Predictor,
    scorer: &dyn Scorer,
    revision: &Revision,
    seed: u64,
) -> Result<Weighed> {
    let alone = |worth| Weighed { combined: None, worth };
    let Some(judged) = Judged::newest(work.store, &scout.labels)? else { return Ok(alone(None)) };
    work.report("weighing scout and judge", 0, None, "labels")?;
    let mut settings = match judge::settings(&judged.predictor) {
        Ok(settings) => settings.clone(),
        Err(fault) => {
            // Whatever else is at hand must not stop because of it.
            work.note_once(&format!("{fault}. Until then the model decides without the judge"));
            return Ok(alone(None));
        }
    };
    let labels = scout.labels.len();
    let evidence = Evidence::collect(work, scout, scorer, &judged, &settings, revision, seed)?;
    let start = judged.without_labels(&revision.task.shares());
    let fitted = start.fitted(&evidence.opinions(), Fitted::Judge);
    // What was mined was chosen by the scout's doubt, not by the judge's: to it a label's texts are there what they are in the pool.
    settings.calibration = Some(match is_enough(evidence.opinions().gold, labels) {
        true => fitted.at_shares_of(judged.logs.view(), judged.logs.view()),
        false => fitted,
    });
    let seen = evidence.scout.as_ref().map(|_| evidence.opinions());
    settings.worth = seen.as_ref().and_then(|opinions| worth(opinions, labels, seed));
    let found = settings.worth;
    work.store.set_settings(&judge::with_settings(&judged.predictor, settings))?;
    let (Some(opinions), Some(beneath)) =
        (seen.filter(|_| found.is_some_and(|worth| worth.helps)), scout.scout())
    else {
        return Ok(alone(found));
    };
    let start = Stack::scout_alone(labels);
    let combined = CombinedSettings {
        judge: judged.predictor.id,
        both: start.fitted(&opinions, Fitted::Both),
        alone: start.fitted(&opinions, Fitted::Scout),
    };
    let method = Method::Combined { scout: beneath, settings: Stored::Known(combined) };
    let mut predictor = Predictor { id: PredictorId(0), method, ..scout.clone() };
    predictor.id = work.store.add_predictor(&predictor)?;
    Ok(Weighed { combined: Some(predictor), worth: found })
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
        scorer: &dyn Scorer,
        judged: &Judged,
        settings: &JudgeSettings,
        revision: &Revision,
        seed: u64,
    ) -> Result<Self> {
        let training = Training::read(work, scout, revision)?;
        let unseen: Option<HashMap<ItemId, Vec<f32>>> = scorer.out_of_fold(&training, seed);
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
