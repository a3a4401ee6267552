//! The figures of a project: agreement on hard cases, the ceiling, the learning curve, and the audit.
//!
//! Each uses first blind answers only, and comes with its n and interval or the reason why it is not known.

use serde::Serialize;

use super::ceiling::Ceiling;
use super::of_several::OfSeveral;
use super::viewer::Viewer;
use crate::domain::answer::BlindAnswer;
use crate::domain::fault::Result;
use crate::domain::figure::Figure;
use crate::domain::ids::{PredictorId, RevisionId};
use crate::domain::label_set::LabelSet;
use crate::domain::predictor::{Predictor, PredictorKind};
use crate::domain::split::Split;
use crate::domain::task::Task;
use crate::domain::task_kind::TaskKind;
use crate::stats::agreement::answer_matrix::{
    AnswerMatrix, ModelAndExperts, labels_of, pairs_of, predicted, single_labels,
};
use crate::stats::agreement::kappa::{
    ceiling, cohen_figure, experts_error, gain, mean_model_expert, model_error, on_shared_cases,
    self_agreement, share_of_ceiling,
};
use crate::stats::agreement::panel::{OF_ONE_LABEL, UNORDERED};
use crate::stats::agreement::sets::of_label;
use crate::stats::classifier::reliability::{Claim, calibration_error};
use crate::stats::classifier::scores::{mean_ac1, mean_f1};
use crate::stats::estimate::audit::{Audit, AuditCase, audit};
use crate::stats::estimate::audit_rounds::{audit_answers, by_text, combined_inclusion};
use crate::stats::estimate::learning_curve::{Learned, next_gain};
use crate::stats::estimate::shares::SharesFrom;
use crate::store::Store;

/// Cases needed to measure a gain.
const ENOUGH_FOR_GAIN: usize = 30;

/// Agreement on the evaluation cases: hard ones, never trained on.
#[derive(Clone, Debug, Serialize)]
pub struct Agreement {
    /// What is asked for: of a scale, every kappa is the weighted one; of several labels, the mean of the labels' kappas.
    #[serde(skip_serializing_if = "TaskKind::is_one")]
    pub kind: TaskKind,
    /// Of a scale, the mean distance between the model's level and an expert's, the mean over experts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_error: Option<Figure>,
    /// Of a scale, the mean distance between two experts' levels, the mean over pairs of experts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experts_error: Option<Figure>,
    /// The active model with the experts: the mean over experts of Cohen's kappa.
    pub model_expert: Figure,
    /// The experts with each other: the ceiling.
    pub expert_expert: Figure,
    /// Each expert with their own first answers, on cases shown again blind, the mean over experts: the ceiling if there is one expert.
    pub self_agreement: Figure,
    /// The model on the cases that the ceiling rests on.
    pub model_on_shared: Figure,
    /// Gwet's AC1 of the active model with the experts, the mean over them.
    pub ac1: Figure,
    /// F1 of the active model against the experts, the mean over them; an entry per label, in the order of the task.
    pub f1: Vec<Figure>,
    /// Where a text may have several labels, what is known beyond their mean kappa.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub several: Option<OfSeveral>,
}

/// One stored model on all evaluation cases to date.
#[derive(Clone, Debug, Serialize)]
pub struct CurvePoint {
    #[serde(skip)]
    pub predictor: PredictorId,
    /// `zero-shot` or `head`.
    pub kind: PredictorKind,
    /// The newest round whose answers it saw; none before the first.
    pub after_round: Option<i64>,
    /// Training labels.
    pub training: usize,
    /// Audit texts whose answers its expected label shares follow.
    pub audit: usize,
    /// Its agreement with the experts.
    pub kappa: Figure,
    /// Whether its prelabels are in use.
    pub active: bool,
}

/// What the last model gained over the one before it.
#[derive(Clone, Debug, Serialize)]
pub struct Gain {
    /// The difference in kappa.
    pub difference: Figure,
    /// The gain as one sentence.
    pub says: String,
}

/// A stored model with what is known of its training.
struct Stored {
    predictor: Predictor,
    after_round: Option<i64>,
    training: usize,
}

/// The same answered cases as two models predict them.
struct Both {
    before: ModelAndExperts,
    after: ModelAndExperts,
    /// Which cases they are.
    cases: &'static str,
}

/// Where the shares come from that a zero-shot predictor expects; of any other, the same as before any audit.
fn shares_from(predictor: &Predictor) -> SharesFrom {
    predictor.zero_shot().map_or(SharesFrom::Pool, |settings| settings.shares_from.clone())
}

/// Reads the answers once, and computes every figure from them and the stored predictions.
pub struct Figures<'s> {
    store: &'s Store,
    task: &'s Task,
    seed: u64,
    answers: Vec<BlindAnswer>,
}

impl<'s> Figures<'s> {
    /// Reads the answers that `viewer` may see.
    pub fn read(store: &'s Store, task: &'s Task, viewer: &Viewer) -> Result<Self> {
        let mut answers = store.first_blind_answers()?;
        answers.retain(|answer| viewer.sees(answer.item, answer.expert));
        Ok(Self { store, task, seed: store.project()?.seed, answers })
    }

    /// The answers that the viewer may see.
    pub fn answers(&self) -> &[BlindAnswer] {
        &self.answers
    }

    fn eval(&self, after_round: i64) -> AnswerMatrix {
        let chosen: Vec<BlindAnswer> = self
            .answers
            .iter()
            .filter(|a| a.split == Split::Eval && a.round.is_some_and(|r| r > after_round))
            .cloned()
            .collect();
        AnswerMatrix::collect(&chosen, self.task)
    }

    /// The same answers next to what a model says, on the cases that it has predicted.
    fn with_model(&self, predictor: &Predictor, matrix: &AnswerMatrix) -> Result<ModelAndExperts> {
        let (mut known, mut values) = (Vec::new(), Vec::new());
        for item in &matrix.items {
            if let Some(p) = self.store.prediction(predictor.id, *item)? {
                known.push(*item);
                values.extend(p);
            }
        }
        Ok(matrix.predicted_by(&known, &values, predictor, self.task))
    }

    /// Agreement of model and experts on the evaluation cases.
    pub fn agreement(&self, active: Option<&Predictor>) -> Result<Agreement> {
        let (matrix, kind) = (self.eval(0), self.task.kind);
        let experts_error = kind.is_scale().then(|| experts_error(&matrix.experts, self.seed));
        let expert_expert = if matrix.expert_ids.len() < 2 {
            Figure::undefined(match matrix.expert_ids.len() {
                0 => "it needs test cases that two people have answered, and there are none yet",
                _ => "it needs a second person: only one has answered test cases",
            })
        } else {
            ceiling(&matrix.experts, self.task.kind, self.seed)
        };
        let again = self.store.first_blind_answers_to_repeats()?;
        let self_agreement = self.self_agreement(&again)?;
        let Some(predictor) = active else {
            let none = Figure::undefined("no text has a prelabel");
            let f1 = vec![none.clone(); self.task.labels.len()];
            return Ok(Agreement {
                kind,
                model_error: kind.is_scale().then(|| none.clone()),
                experts_error,
                model_expert: none.clone(),
                expert_expert,
                self_agreement,
                model_on_shared: none.clone(),
                ac1: none,
                f1,
                several: kind.is_several().then(|| OfSeveral::of(&matrix, None, self.task, self.seed)),
            });
        };
        let both = self.with_model(predictor, &matrix)?;
        let model_on_shared = if matrix.expert_ids.len() < 2 {
            Figure::undefined("no test case that two people have answered")
        } else {
            mean_model_expert(&both.model, &on_shared_cases(&both.experts), kind, self.seed)
        };
        let labels = self.task.labels.len();
        let f1 = |label| {
            let model: Vec<usize> = both.model.iter().map(|said| usize::from(said.has(label))).collect();
            mean_f1(&model, &of_label(&both.experts, label), (1, 2), self.seed)
        };
        Ok(Agreement {
            kind,
            model_error: kind.is_scale().then(|| model_error(&both.model, &both.experts, self.seed)),
            experts_error,
            ac1: match kind {
                TaskKind::One => {
                    let model: Vec<usize> = both.model.iter().filter_map(LabelSet::single).collect();
                    let experts: Vec<_> = both.experts.iter().map(|row| single_labels(row)).collect();
                    mean_ac1(&model, &experts, labels, self.seed)
                }
                TaskKind::Several => Figure::undefined(OF_ONE_LABEL),
                TaskKind::Scale => Figure::undefined(UNORDERED),
            },
            f1: (0..labels).map(f1).collect(),
            several: kind.is_several().then(|| OfSeveral::of(&matrix, Some(&both), self.task, self.seed)),
            model_expert: mean_model_expert(&both.model, &both.experts, self.task.kind, self.seed),
            expert_expert,
            self_agreement,
            model_on_shared,
        })
    }

    /// The experts with their own first answers. Not every answer to a repeated case has a blind first answer to compare with.
    fn self_agreement(&self, again: &[BlindAnswer]) -> Result<Figure> {
        let pairs = pairs_of(&self.answers, again, self.task);
        if pairs.iter().flatten().flatten().next().is_none() && self.store.repeat_count(None)? > 0 {
            return Ok(Figure::undefined("no repeated case has a blind first answer of the same expert"));
        }
        Ok(self_agreement(&pairs, self.task.kind, self.seed))
    }

    /// The active model's agreement with the experts as a share of the ceiling. If that is self-agreement, which is measured on other cases, the
    /// ends of the interval are those of both figures that are farthest apart.
    pub fn of_ceiling(&self, active: Option<&Predictor>, agreement: &Agreement) -> Result<Figure> {
        let Some(predictor) = active else { return Ok(Figure::undefined("no text has a prelabel")) };
        match Ceiling::of(&agreement.expert_expert, &agreement.self_agreement) {
            None => Ok(Figure::undefined(
                Ceiling::missing(&agreement.expert_expert, &agreement.self_agreement)
                    .map_or("it is not known yet how well people agree".into(), |why| {
                        why.trim_end_matches('.').to_owned()
                    }),
            )),
            Some(Ceiling::Experts(_)) => {
                let both = self.with_model(predictor, &self.eval(0))?;
                Ok(share_of_ceiling(&both.model, &both.experts, self.task.kind, self.seed))
            }
            Some(Ceiling::Own(own)) => Ok(match (&agreement.model_expert, own) {
                (
                    &Figure::Known { value, lo, hi, n },
                    &Figure::Known { value: most, lo: low, hi: high, n: repeated },
                ) if low > 0.0 => {
                    let n = n.min(repeated);
                    Figure::Known { value: value / most, lo: (lo / high).min(lo / low), hi: hi / low, n }
                }
                (Figure::Undefined { undefined }, _) | (_, Figure::Undefined { undefined }) => {
                    Figure::undefined(undefined.clone())
                }
                _ => Figure::undefined("people may agree with themselves only by chance"),
            }),
        }
    }

    fn stored(&self) -> Result<Vec<Stored>> {
        let adapters = self.store.adapters()?;
        // A judge has scored only some of the texts. Of the combinations with one scout, only the newest counts.
        let mut predictors = self.store.predictors()?;
        let newest: std::collections::HashMap<_, _> =
            predictors.iter().filter(|p| p.is_combined()).map(|p| (p.adapter(), p.id)).collect();
        predictors.retain(|p| match p.kind() {
            PredictorKind::Judge | PredictorKind::States => false,
            PredictorKind::Combined => newest.get(&p.adapter()) == Some(&p.id),
            PredictorKind::ZeroShot | PredictorKind::Head | PredictorKind::Lora => true,
        });
        Ok(predictors
            .into_iter()
            .map(|predictor| {
                let adapter = predictor.adapter().and_then(|id| adapters.iter().find(|a| a.id == id));
                let (after_round, training) = adapter.map_or((None, 0), |a| (a.round, a.training_n));
                Stored { predictor, after_round, training }
            })
            .collect())
    }

    /// Every stored model, evaluated on the same cases: all evaluation cases to date.
    pub fn curve(&self, active: Option<&Predictor>) -> Result<Vec<CurvePoint>> {
        let matrix = self.eval(0);
        self.stored()?
            .into_iter()
            .map(|stored| {
                let both = self.with_model(&stored.predictor, &matrix)?;
                Ok(CurvePoint {
                    kappa: mean_model_expert(&both.model, &both.experts, self.task.kind, self.seed),
                    audit: shares_from(&stored.predictor).audit_items(),
                    active: active.is_some_and(|active| active.id == stored.predictor.id),
                    predictor: stored.predictor.id,
                    kind: stored.predictor.kind(),
                    after_round: stored.after_round,
                    training: stored.training,
                })
            })
            .collect()
    }

    /// What the active model gained over the one before: on evaluation cases of rounds that neither was trained on, if there are
    /// enough, else on audit cases.
    pub fn gain(&self, active: PredictorId) -> Result<Gain> {
        let stored = self.stored()?;
        let at = stored.iter().position(|s| s.predictor.id == active);
        let Some((earlier, later)) = at.filter(|i| *i > 0).map(|i| (&stored[i - 1], &stored[i])) else {
            return Ok(unknown("there is no earlier model"));
        };
        let Both { before, after, cases } = match self.both(earlier, later)? {
            Ok(both) => both,
            Err(unknown) => return Ok(unknown),
        };
        let n = after.items.len();
        if before.model == after.model {
            return Ok(unknown(&format!("the last two models give the same labels to all {n} {cases}")));
        }
        let difference = gain(&before.model, &after.model, &after.experts, self.task.kind, self.seed);
        let says = match &difference {
            Figure::Known { value, lo, hi, n } => {
                let verdict = if *lo > 0.0 {
                    "better than"
                } else if *hi < 0.0 {
                    "worse than"
                } else {
                    "not clearly different from"
                };
                format!(
                    "On {n} {cases}, the last model is {verdict} the one before: {} {value:+.2} ({lo:+.2} to {hi:+.2}).",
                    self.task.kind.kappa()
                )
            }
            Figure::Undefined { undefined } => gain_unknown(undefined),
        };
        Ok(Gain { difference, says })
    }

    /// The difference in kappa between the active model and an earlier one, by the number of its adapter, on cases that neither was trained on or
    /// chose. The clause says which; `None` if there is no such model.
    pub fn against(&self, active: PredictorId, adapter: i64) -> Result<Option<(Figure, String)>> {
        let stored = self.stored()?;
        let is_it =
            |s: &&Stored| !s.predictor.is_combined() && s.predictor.adapter().is_some_and(|a| a.0 == adapter);
        let Some(earlier) = stored.iter().rev().find(is_it) else { return Ok(None) };
        let Some(later) = stored.iter().find(|s| s.predictor.id == active) else { return Ok(None) };
        let Both { before, after, cases } = match self.both(earlier, later)? {
            Ok(both) => both,
            Err(unknown) => return Ok(Some((unknown.difference, unknown.says))),
        };
        let n = after.items.len();
        let on = format!("on {n} {cases}");
        if before.model != after.model {
            return Ok(Some((
                gain(&before.model, &after.model, &after.experts, self.task.kind, self.seed),
                on,
            )));
        }
        // Nothing differs, so resampling has no spread; on other cases they may still differ as far as is credible.
        let same: Vec<(LabelSet, LabelSet)> = before.model.into_iter().zip(after.model).collect();
        let difference = match cohen_figure(&same, self.task.kind, self.seed) {
            Figure::Known { lo, n, .. } => Figure::Known { value: 0.0, lo: lo - 1.0, hi: 1.0 - lo, n },
            undefined @ Figure::Undefined { .. } => undefined,
        };
        Ok(Some((difference, format!("{on}, which both call the same"))))
    }

    /// What two models say of the same cases: evaluation cases of rounds that neither was trained on, if there are enough, else audit cases.
    fn both(&self, earlier: &Stored, later: &Stored) -> Result<std::result::Result<Both, Gain>> {
        let rounds_seen = later.after_round.max(earlier.after_round).unwrap_or(0);
        let hard = self.eval(rounds_seen);
        let audit_answers: Vec<BlindAnswer> =
            self.answers.iter().filter(|a| a.split == Split::Audit && a.round.is_some()).cloned().collect();
        let audit_cases = AnswerMatrix::collect(&audit_answers, self.task);
        let (matrix, where_) = if hard.items.len() >= ENOUGH_FOR_GAIN {
            (hard, "hard cases of later rounds")
        } else if audit_cases.items.len() >= ENOUGH_FOR_GAIN {
            (audit_cases, "audit cases")
        } else {
            let more = ENOUGH_FOR_GAIN - hard.items.len().max(audit_cases.items.len());
            let cases = if more == 1 { "case" } else { "cases" };
            return Ok(Err(Gain {
                difference: Figure::undefined(format!("{more} more test {cases} needed")),
                says: format!("Whether the last round helped shows after {more} more test {cases}."),
            }));
        };
        let before = self.with_model(&earlier.predictor, &matrix)?;
        let after = self.with_model(&later.predictor, &matrix)?;
        if before.items != after.items {
            return Ok(Err(unknown("the two models have not scored the same cases")));
        }
        Ok(Ok(Both { before, after, cases: where_ }))
    }

    /// By how much kappa would probably rise with this many `more` training labels, by the learning curve of the active model's kind over all
    /// evaluation cases to date.
    pub fn next_gain(&self, active: Option<&Predictor>, more: usize) -> Result<Figure> {
        let Some(active) = active else { return Ok(Figure::undefined("no text has a prelabel")) };
        let matrix = self.eval(0);
        let mut predicted = Vec::new();
        for stored in
            self.stored()?.into_iter().filter(|s| s.training > 0 && s.predictor.kind() == active.kind())
        {
            predicted.push((stored.training, self.with_model(&stored.predictor, &matrix)?));
        }
        // Models that have not scored all cases that the newest has, for example under an older task, are left out of the curve.
        let Some((_, newest)) = predicted.last().cloned() else {
            return Ok(Figure::undefined("no model has been trained on labels"));
        };
        let models: Vec<Learned<LabelSet>> = predicted
            .into_iter()
            .filter(|(_, both)| both.items == newest.items)
            .map(|(training, both)| Learned { training, labels: both.model })
            .collect();
        Ok(next_gain(&models, &newest.experts, self.task.kind, more, self.seed))
    }

    /// Whether `tune` would update the label shares that the active model expects: it is a zero-shot model of this revision of the task, and there
    /// are enough audit answers that its shares do not follow yet.
    pub fn audit_moves_shares(&self, active: Option<&Predictor>, revision: RevisionId) -> bool {
        active.is_some_and(|predictor| {
            predictor.kind() == PredictorKind::ZeroShot
                && predictor.revision == revision
                && shares_from(predictor)
                    .should_follow(&audit_answers(&self.answers, self.task), self.task.labels.len())
        })
    }

    /// Estimates for the whole pool from the audit sample. The predictions of a model whose shares follow the audit are stored cross-fitted.
    pub fn audit(&self, active: Option<&Predictor>) -> Result<Audit> {
        let cases: Vec<AuditCase> = self.audit_cases(active)?.into_iter().map(|(case, _)| case).collect();
        Ok(audit(&cases, self.task.labels.len(), self.task.kind, self.seed))
    }

    /// The active model's calibration error on the audit cases, of each label that it gives. For a text with several answers, it was right by the share of
    /// them that give the label.
    pub fn calibration_error(&self, active: Option<&Predictor>) -> Result<Figure> {
        let claims = |(case, confidence): (AuditCase, Vec<f64>)| -> Vec<Claim> {
            let claim = |(label, confidence)| {
                let agree = case.answered.iter().filter(|answer| answer.has(label)).count();
                let right = agree as f64 / case.answered.len() as f64;
                Claim { confidence, right, weight: 1.0 / case.inclusion }
            };
            case.predicted.places().zip(confidence).map(claim).collect()
        };
        let texts: Vec<Vec<Claim>> = self.audit_cases(active)?.into_iter().map(claims).collect();
        Ok(calibration_error(&texts, self.seed))
    }

    /// The answered audit cases, each with the probability of each label that the model gives. A case is a text with all experts' answers: texts were
    /// drawn at random, so texts are what is counted and resampled.
    fn audit_cases(&self, active: Option<&Predictor>) -> Result<Vec<(AuditCase, Vec<f64>)>> {
        let Some(predictor) = active else { return Ok(Vec::new()) };
        let known = labels_of(self.task, &predictor.labels);
        let (mut draws, mut cases) = (Vec::new(), Vec::new());
        for text in by_text(&audit_answers(&self.answers, self.task)) {
            let Some(p) = self.store.prediction(predictor.id, text.item)? else {
                continue;
            };
            if let Some(predicted) = predicted(predictor, &known, self.task.kind, &p) {
                draws.push(text.draw);
                let of =
                    |place| known.iter().position(|at| *at == Some(place)).map_or(0.0, |at| f64::from(p[at]));
                let confidence = predicted.places().map(of).collect();
                let case = AuditCase { inclusion: text.draw.inclusion, predicted, answered: text.answers };
                cases.push((case, confidence));
            }
        }
        let combined = combined_inclusion(&draws, &self.store.audit_draws()?);
        for ((case, _), inclusion) in cases.iter_mut().zip(combined) {
            case.inclusion = inclusion;
        }
        Ok(cases)
    }
}

fn unknown(why: &str) -> Gain {
    Gain { difference: Figure::undefined(why), says: gain_unknown(why) }
}

fn gain_unknown(why: &str) -> String {
    format!("Whether the last round helped is not known yet: {why}.")
}
