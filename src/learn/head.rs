//! The head: a linear classifier on the encoder's vectors, fitted on the experts' training labels within a second.

use std::collections::HashMap;

use ndarray::{Array2, ArrayView1, ArrayView2};

use super::scorer::{Kind, Load, Scorer, bytes_of};
use super::training::Training;
use crate::domain::adapter::{AdapterKind, AdapterSettings, HeadFit, LabelIssue};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{AdapterId, ItemId, PredictorId};
use crate::domain::predictor::{Method, Predictor, PredictorKind, Scout};
use crate::domain::settings::Stored;
use crate::stats::classifier::answered::{AnsweredFit, HeadModel};
use crate::stats::classifier::head::{Lessons, TooFew};
use crate::stats::classifier::label_issues;
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::store::pool::adapters::{AdapterRow, NewAdapter};
use crate::work::runner::Work;

/// Of so many training labels one at most is called a label issue: they lie on the boundary and are hard on purpose, and a list that is mostly right
/// answers is soon not read.
const ONE_ISSUE_IN: usize = 20;

pub(crate) struct Head;

impl Kind for Head {
    fn describe(&self, predictor: &Predictor) -> String {
        match predictor.adapter() {
            Some(adapter) => format!("the head (adapter {adapter})"),
            None => "the head".into(),
        }
    }

    fn remedy(&self) -> &'static str {
        "`hardcase tune FILE` trains a head on the labels to date"
    }

    fn is_available(&self, store: &Store, predictor: &Predictor) -> Result<bool> {
        predictor.adapter().map_or(Ok(false), |adapter| Ok(store.adapter_size(adapter)? > 0))
    }

    fn load(&self, store: &Store, predictor: &Predictor, _load: &Load<'_>) -> Result<Box<dyn Scorer>> {
        Ok(Box::new(HeadScorer::load(store, predictor)?))
    }
}

/// A head as it is stored.
pub(crate) struct HeadScorer {
    pub model: HeadModel,
    /// The penalty's inverse strength that it was fitted with; none where that cannot be read.
    c: Option<f64>,
    /// What others' labels counted.
    factor_of_others: f64,
    /// What stood for each label before there were answers.
    anchors: Anchors,
}

impl HeadScorer {
    /// Reads it.
    ///
    /// # Errors
    /// The predictor is of another kind, or its bytes are not there or not a head.
    pub fn load(store: &Store, predictor: &Predictor) -> Result<Self> {
        let Some(Scout::Head(adapter)) = predictor.scout() else {
            return Err(Fault::new("use the head", format!("the model is of the kind {}", predictor.kind())));
        };
        let model = HeadModel::from_bytes(&bytes_of(store, adapter)?)?;
        let row = store.adapters()?.into_iter().find(|row| row.id == adapter);
        let fit = row.as_ref().and_then(|row| row.settings.known()?.head());
        let factor_of_others = fit.and_then(|fit| fit.factor_of_others).unwrap_or(1.0);
        let anchors = anchors(store, predictor, &predictor.labels)?;
        Ok(Self { model, c: fit.map(|fit| fit.c), factor_of_others, anchors })
    }
}

impl Scorer for HeadScorer {
    fn probabilities(&self, vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        self.model.probabilities(vectors)
    }

    fn out_of_fold(&self, training: &Training, seed: u64) -> Option<HashMap<ItemId, Vec<f32>>> {
        let training = &training.with_others_at(self.factor_of_others);
        let stand_ins = stand_ins(&self.anchors, training);
        let p = training.answered().out_of_fold(stand_ins.view(), (&self.model, self.c?), seed)?;
        Some(training.items.iter().copied().zip(p.rows().into_iter().map(|row| row.to_vec())).collect())
    }
}

/// What there is to activate once the training labels are learned.
pub(crate) enum Fitted {
    /// The active predictor has learned from just these labels.
    Active,
    /// A predictor that is to become the active one: new, or one whose tuning was cut short.
    Predictor(Box<Predictor>),
}

/// Why no head was fitted.
pub(crate) enum Refused {
    TooFew(TooFew),
    Fault(Fault),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// A head on the training labels: the one that has learned from just these, or a new one.
///
/// # Errors
/// A label has too few training labels, or the project cannot be read or written.
pub(crate) fn fit(
    work: &mut Work<'_>,
    training: &Training,
    current: &Predictor,
    revision: &Revision,
    seed: u64,
) -> Result<Fitted, Refused> {
    let labels = revision.task.label_ids();
    let learned: Vec<AdapterRow> = work
        .store
        .adapters()?
        .into_iter()
        .filter(|a| a.training_hash == training.hash && a.model == current.model && a.labels == labels)
        .collect();
    // A low-rank adapter that has learned from just these labels has the head in it.
    if current.lora().is_some_and(|lora| learned.iter().any(|a| a.id == lora)) {
        return Ok(Fitted::Active);
    }
    let mut same: Vec<AdapterId> = Vec::new();
    for head in learned.iter().filter(|a| a.kind == AdapterKind::Head) {
        // One whose bytes were dropped, or cannot be read, is trained again.
        let bytes = work.store.adapter_bytes(head.id)?.unwrap_or_default();
        if HeadModel::from_bytes(&bytes).is_ok() {
            same.push(head.id);
        }
    }
    let known = work.store.predictors()?.into_iter().rev().find(|p| {
        p.kind() == PredictorKind::Head
            && p.model == current.model
            && p.labels == labels
            && p.adapter().is_some_and(|a| same.contains(&a))
    });
    if let Some(predictor) = known {
        return Ok(if predictor.id == current.id {
            Fitted::Active
        } else {
            Fitted::Predictor(Box::new(predictor))
        });
    }
    let adapter = match same.last() {
        // Trained by a tune that was killed before it could say what it is for.
        Some(&trained) => trained,
        None => train(work, training, current, revision, seed)?,
    };
    let mut predictor = Predictor {
        id: PredictorId(0),
        method: Method::Head(adapter),
        model: current.model,
        revision: revision.id,
        labels,
        created_ms: 0,
    };
    predictor.id = work.store.add_predictor(&predictor)?;
    Ok(Fitted::Predictor(Box::new(predictor)))
}

fn train(
    work: &mut Work<'_>,
    training: &Training,
    current: &Predictor,
    revision: &Revision,
    seed: u64,
) -> Result<AdapterId, Refused> {
    let labels = revision.task.label_ids();
    work.report("training on the answers", 0, None, "labels")?;
    let anchors = anchors(work.store, current, &labels)?;
    let factor_of_others = training.has_imported().then(|| {
        let stand_ins = stand_ins(&anchors, training);
        training.answered().factor_of_others(&training.by_experts, stand_ins.view(), seed)
    });
    if let Some(said) = factor_of_others.and_then(said_of_others) {
        work.note(&said);
    }
    let weighed = factor_of_others.map(|factor| training.with_others_at(factor));
    let taught = weighed.as_ref().unwrap_or(training);
    let stand_ins = stand_ins(&anchors, taught);
    let mut fit = taught.answered().fit(stand_ins.view(), seed).map_err(Refused::TooFew)?;
    if training.has_imported() {
        // It chose the penalty. As a figure it would rest on labels that no figure may count.
        fit.cv_log_loss = None;
    }
    let label_issues = label_issues(taught, &labels, stand_ins.view(), (&fit.model, fit.c), seed);
    let AnsweredFit { c, cv_log_loss, folds, .. } = fit;
    let settings = HeadFit { c, cv_log_loss, folds, seed, factor_of_others, label_issues };
    Ok(work.store.add_adapter(&NewAdapter {
        kind: AdapterKind::Head,
        model: current.model,
        parent: current.adapter(),
        round: work.store.rounds()?.last().map(|r| r.id),
        revision: revision.id,
        labels,
        settings: AdapterSettings::Head(settings),
        training_hash: training.hash,
        training_n: training.items.len(),
        bytes: fit.model.to_bytes(),
    })?)
}

/// What a person is told of labels that were given before; nothing where they count as they are said to.
fn said_of_others(factor: f64) -> Option<String> {
    if factor >= 1.0 {
        return None;
    }
    Some(if factor > 0.0 {
        format!(
            "earlier labels count only {factor} as much as was set: so the model agrees best with the experts' answers"
        )
    } else {
        "earlier labels were left out: without them the model agrees better with the experts' answers"
            .to_owned()
    })
}

/// A vector for each label; none for one that never had any.
type Anchors = Vec<Option<Vec<f32>>>;

/// What stood for each of these labels before there were answers, in the newest zero-shot prelabels that had it. A label that was added to the task since
/// has none.
fn anchors(store: &Store, current: &Predictor, labels: &[String]) -> Result<Anchors> {
    let mut found = vec![None; labels.len()];
    for predictor in store.predictors()?.into_iter().rev().filter(|p| p.model == current.model) {
        let Method::ZeroShot(Stored::Known(settings)) = predictor.method else { continue };
        for (label, anchor) in predictor.labels.iter().zip(settings.anchors) {
            let place = labels.iter().position(|known| known == label).map(|at| &mut found[at]);
            if let Some(place @ None) = place {
                *place = Some(anchor);
            }
        }
    }
    Ok(found)
}

/// A unit vector for each label that stands in where it has too few examples, labels × dimensions: its anchor, or the mean of the examples it has. For a
/// label with neither, one that no text is near: the head learns the others, and leaves this one out until somebody gives it. Where a text may have several
/// labels, it is zero: a label that nobody has given is given to no text.
fn stand_ins(anchors: &Anchors, training: &Training) -> Array2<f32> {
    let vectors = training.vectors.view();
    let mut rows = Array2::zeros((anchors.len(), vectors.ncols()));
    for (label, (mut row, anchor)) in rows.rows_mut().into_iter().zip(anchors).enumerate() {
        let own = || {
            let all = vectors.rows().into_iter().zip(&training.answers);
            all.filter(|(_, answer)| answer.has(label)).map(|(vector, _)| vector)
        };
        match anchor.as_ref().filter(|anchor| anchor.len() == vectors.ncols()) {
            Some(anchor) => row.assign(&ArrayView1::from(anchor)),
            None if own().next().is_some() => own().for_each(|vector| row += &vector),
            None if training.kind.is_several() => continue,
            None => vectors.rows().into_iter().for_each(|vector| row -= &vector),
        }
        let length = row.dot(&row).sqrt().max(f32::MIN_POSITIVE);
        row.mapv_inplace(|x| x / length);
    }
    rows
}

/// The training labels that heads find unlikely that have not seen them; none while a label has too few examples for that. Where a text may have several
/// labels, those that were given: that one is missing, nobody said.
fn label_issues(
    training: &Training,
    labels: &[String],
    stand_ins: ArrayView2<'_, f32>,
    model: (&HeadModel, f64),
    seed: u64,
) -> Vec<LabelIssue> {
    let found: Vec<(usize, usize)> = match model.0 {
        HeadModel::One(linear) => {
            let given = training.labels();
            let lessons = Lessons { x: training.vectors.view(), y: &given, importance: &training.weights };
            let held_out = lessons.out_of_fold(labels.len(), (linear.form(), model.1), seed);
            let found = held_out.map(|p| label_issues::label_issues(p.view(), &given)).unwrap_or_default();
            found.into_iter().map(|i| (i, given[i])).collect()
        }
        HeadModel::Several(_) => {
            let held_out = training.answered().out_of_fold(stand_ins, model, seed);
            held_out.map(|p| label_issues::of_sets(p.view(), &training.answers)).unwrap_or_default()
        }
    };
    let most = training.count_by_experts() / ONE_ISSUE_IN;
    let issue =
        |(i, label): (usize, usize)| LabelIssue { item: training.items[i], label: labels[label].clone() };
    // Nobody here gave the others.
    found.into_iter().filter(|(i, _)| training.by_experts[*i]).take(most).map(issue).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::domain::task_kind::TaskKind;

    #[test]
    fn a_label_without_an_anchor_is_stood_in_for_by_its_examples_and_one_without_any_by_what_no_text_is_near()
    {
        let vectors = array![[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]];
        let anchors = vec![Some(vec![0.0, 2.0]), None, None, Some(vec![1.0])];
        let training = |kind: TaskKind| Training {
            items: (1..4).map(ItemId).collect(),
            vectors: vectors.clone(),
            answers: [1, 1, 0].map(|label| [label].into_iter().collect()).to_vec(),
            kind,
            weights: vec![1.0; 3],
            by_experts: vec![true; 3],
            hash: [0; 32],
        };
        let rows = stand_ins(&anchors, &training(TaskKind::One));
        assert_eq!(rows.row(0), array![0.0, 1.0]);
        let mean = array![1.8f32, 0.6] / 1.8f32.hypot(0.6);
        assert!((&rows.row(1) - &mean).iter().all(|d| d.abs() < 1e-6), "{rows}");
        for label in [2, 3] {
            assert!(vectors.rows().into_iter().all(|text| text.dot(&rows.row(label)) < -0.5), "{rows}");
        }
        let several = stand_ins(&anchors, &training(TaskKind::Several));
        assert_eq!((several.row(1), several.row(2).sum()), (rows.row(1), 0.0));
    }
}
