//! The figures of a project: agreement on hard cases, the ceiling, the curve over models, and the audit.
//!
//! Each from first blind answers only, each with its n and interval or the reason why it is not defined.

use serde::Serialize;

use super::viewer::Viewer;
use crate::domain::answer::BlindAnswer;
use crate::domain::fault::Result;
use crate::domain::figure::Figure;
use crate::domain::ids::{ItemId, PredictorId, RevisionId};
use crate::domain::prediction::Probabilities;
use crate::domain::predictor::{Predictor, PredictorKind};
use crate::domain::split::Split;
use crate::domain::task::Task;
use crate::stats::agreement::ballots::{Ballots, labels_of, pairs_of};
use crate::stats::agreement::kappa::{ceiling, gain, mean_model_expert, on_shared_cases, own_agreement};
use crate::stats::classifier::reliability::{Claim, calibration_error};
use crate::stats::classifier::scores::{mean_ac1, mean_f1};
use crate::stats::estimate::audit::{Audit, AuditCase, audit};
use crate::stats::estimate::audit_rounds::{audit_answers, by_text, combined_inclusion};
use crate::stats::estimate::learning_curve::{Learned, next_gain};
use crate::stats::estimate::shares::SharesFrom;
use crate::store::Store;

/// Evaluation cases of later rounds that a gain must rest on.
const ENOUGH_FOR_GAIN: usize = 30;

/// Agreement on the evaluation cases: hard ones, never trained on.
#[derive(Clone, Debug, Serialize)]
pub struct Agreement {
    /// The active model with the experts: the mean over experts of Cohen's kappa.
    pub model_expert: Figure,
    /// The experts with each other: the ceiling.
    pub expert_expert: Figure,
    /// Each expert with the own first answers, on cases shown again blind, the mean over experts: the ceiling where there is one expert.
    pub own_agreement: Figure,
    /// The model on the very cases that the ceiling rests on.
    pub model_on_shared: Figure,
    /// Gwet's AC1 of the active model with the experts, the mean over them.
    pub ac1: Figure,
    /// F1 of the active model against the experts, the mean over them; an entry per label, in the order of the task.
    pub f1: Vec<Figure>,
}

/// One stored model on all evaluation cases to date.
#[derive(Clone, Debug, Serialize)]
pub struct CurvePoint {
    /// The model.
    #[serde(skip)]
    pub predictor: PredictorId,
    /// `zero-shot` or `head`.
    pub kind: PredictorKind,
    /// The newest round whose answers it saw; none before the first.
    pub after_round: Option<i64>,
    /// Training labels.
    pub training: usize,
    /// Audit texts whose answers moved the shares that it expects of the labels.
    pub audit: usize,
    /// Its agreement with the experts.
    pub kappa: Figure,
    /// Whether its prelabels count.
    pub active: bool,
}

/// What the last model gained over the one before it.
#[derive(Clone, Debug, Serialize)]
pub struct Gain {
    /// The difference in kappa.
    pub difference: Figure,
    /// Said as one sentence.
    pub says: String,
}

/// A stored model with what is known of its training.
struct Stored {
    predictor: Predictor,
    after_round: Option<i64>,
    training: usize,
}

/// Where the shares come from that a zero-shot predictor expects; of any other, the same as before any audit.
fn shares_from(predictor: &Predictor) -> SharesFrom {
    predictor.zero_shot().map_or(SharesFrom::Pool, |settings| settings.shares_from.clone())
}

/// Reads answers and predictions once, and computes every figure from them.
pub struct Figures<'s> {
    store: &'s Store,
    task: &'s Task,
    seed: u64,
    answers: Vec<BlindAnswer>,
}

impl<'s> Figures<'s> {
    /// Reads the answers that count, as far as `viewer` may see them.
    pub fn read(store: &'s Store, task: &'s Task, viewer: &Viewer) -> Result<Self> {
        let mut answers = store.first_blind_answers()?;
        answers.retain(|answer| viewer.sees(answer.item, answer.expert));
        Ok(Self { store, task, seed: store.project()?.seed, answers })
    }

    fn eval(&self, after_round: i64) -> Ballots {
        let chosen: Vec<BlindAnswer> = self
            .answers
            .iter()
            .filter(|a| a.split == Split::Eval && a.round.is_some_and(|r| r > after_round))
            .cloned()
            .collect();
        Ballots::collect(&chosen, self.task)
    }

    fn predictions(&self, predictor: &Predictor, items: &[ItemId]) -> Result<(Vec<ItemId>, Vec<f32>)> {
        let (mut known, mut values) = (Vec::new(), Vec::new());
        for item in items {
            if let Some(p) = self.store.prediction(predictor.id, *item)? {
                known.push(*item);
                values.extend(p);
            }
        }
        Ok((known, values))
    }

    /// Agreement of model and experts on the evaluation cases.
    pub fn agreement(&self, active: Option<&Predictor>) -> Result<Agreement> {
        let ballots = self.eval(0);
        let expert_expert = if ballots.names.len() < 2 {
            Figure::undefined(match ballots.names.len() {
                0 => "no evaluation case is answered yet; two experts' answers make it known",
                _ => "one expert only has answered evaluation cases; a second one makes it known",
            })
        } else {
            ceiling(&ballots.experts, self.seed)
        };
        let again = self.store.first_blind_answers_to_repeats()?;
        let own_agreement = self.own_agreement(&again)?;
        let Some(predictor) = active else {
            let none = Figure::undefined("nothing has been scouted yet");
            let f1 = vec![none.clone(); self.task.labels.len()];
            return Ok(Agreement {
                model_expert: none.clone(),
                expert_expert,
                own_agreement,
                model_on_shared: none.clone(),
                ac1: none,
                f1,
            });
        };
        let (items, values) = self.predictions(predictor, &ballots.items)?;
        let judged = ballots.predicted_by(&items, &values, &labels_of(self.task, &predictor.labels));
        let model_on_shared = if ballots.names.len() < 2 {
            Figure::undefined("no evaluation case has two experts' answers")
        } else {
            mean_model_expert(&judged.model, &on_shared_cases(&judged.experts), self.seed)
        };
        let labels = self.task.labels.len();
        let f1 = |label| mean_f1(&judged.model, &judged.experts, (label, labels), self.seed);
        Ok(Agreement {
            ac1: mean_ac1(&judged.model, &judged.experts, labels, self.seed),
            f1: (0..labels).map(f1).collect(),
            model_expert: mean_model_expert(&judged.model, &judged.experts, self.seed),
            expert_expert,
            own_agreement,
            model_on_shared,
        })
    }

    /// The experts with their own first answers. Not every answer to a case shown again has a blind first one beside it.
    fn own_agreement(&self, again: &[BlindAnswer]) -> Result<Figure> {
        let pairs = pairs_of(&self.answers, again, self.task);
        if pairs.iter().flatten().flatten().next().is_none() && self.store.repeat_count(None)? > 0 {
            return Ok(Figure::undefined(
                "no answer to a case shown again can be held yet against a blind first one of the same expert",
            ));
        }
        Ok(own_agreement(&pairs, self.seed))
    }

    fn stored(&self) -> Result<Vec<Stored>> {
        let adapters = self.store.adapters()?;
        // A judge has read a part only. Of the combinations with one scout the newest is the one that counts.
        let mut predictors = self.store.predictors()?;
        let newest: std::collections::HashMap<_, _> =
            predictors.iter().filter(|p| p.is_combined()).map(|p| (p.adapter(), p.id)).collect();
        predictors.retain(|p| match p.kind() {
            PredictorKind::Judge => false,
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

    /// Every stored model on the same cases: all evaluation cases to date.
    pub fn curve(&self, active: Option<&Predictor>) -> Result<Vec<CurvePoint>> {
        let ballots = self.eval(0);
        self.stored()?
            .into_iter()
            .map(|stored| {
                let (items, values) = self.predictions(&stored.predictor, &ballots.items)?;
                let labels = labels_of(self.task, &stored.predictor.labels);
                let judged = ballots.predicted_by(&items, &values, &labels);
                Ok(CurvePoint {
                    kappa: mean_model_expert(&judged.model, &judged.experts, self.seed),
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

    /// What the active model gained over the one before: on evaluation cases of rounds that neither has seen, where there are
    /// enough, else on audit cases.
    pub fn gain(&self, active: PredictorId) -> Result<Gain> {
        let stored = self.stored()?;
        let at = stored.iter().position(|s| s.predictor.id == active);
        let Some((earlier, later)) = at.filter(|i| *i > 0).map(|i| (&stored[i - 1], &stored[i])) else {
            return Ok(unknown("there is no earlier model to compare with"));
        };
        let rounds_seen = later.after_round.max(earlier.after_round).unwrap_or(0);
        let hard = self.eval(rounds_seen);
        let audit_answers: Vec<BlindAnswer> =
            self.answers.iter().filter(|a| a.split == Split::Audit && a.round.is_some()).cloned().collect();
        let audit_cases = Ballots::collect(&audit_answers, self.task);
        let (ballots, where_) = if hard.items.len() >= ENOUGH_FOR_GAIN {
            (hard, "hard cases of later rounds")
        } else if audit_cases.items.len() >= ENOUGH_FOR_GAIN {
            (audit_cases, "audit cases")
        } else {
            return Ok(unknown(&format!(
                "of the evaluation cases of later rounds {} are answered, of the audit cases {}; {ENOUGH_FOR_GAIN} of either are needed",
                hard.items.len(),
                audit_cases.items.len()
            )));
        };
        let judge = |s: &Stored| -> Result<_> {
            let (items, values) = self.predictions(&s.predictor, &ballots.items)?;
            Ok(ballots.predicted_by(&items, &values, &labels_of(self.task, &s.predictor.labels)))
        };
        let (before, after) = (judge(earlier)?, judge(later)?);
        if before.items != after.items {
            return Ok(unknown("the two models have not been scored on the same cases; run tune"));
        }
        if before.model == after.model {
            let n = ballots.items.len();
            return Ok(unknown(&format!(
                "it gives the same label as the one before to each of {n} {where_}"
            )));
        }
        let difference = gain(&before.model, &after.model, &after.experts, self.seed);
        let says = match &difference {
            Figure::Known { value, lo, hi, n } => {
                let verdict = if *lo > 0.0 {
                    "better than"
                } else if *hi < 0.0 {
                    "worse than"
                } else {
                    "not told apart from"
                };
                format!(
                    "on {n} {where_} the last model is {verdict} the one before: kappa {value:+.2} ({lo:+.2} to {hi:+.2})"
                )
            }
            Figure::Undefined { undefined } => {
                format!("the gain of the last model is not yet known: {undefined}")
            }
        };
        Ok(Gain { difference, says })
    }

    /// By how much kappa would probably rise with so many `more` training labels: the curve of the active model's kind over all evaluation
    /// cases to date.
    pub fn next_gain(&self, active: Option<&Predictor>, more: usize) -> Result<Figure> {
        let Some(active) = active else { return Ok(Figure::undefined("nothing has been scouted yet")) };
        let ballots = self.eval(0);
        let mut judged = Vec::new();
        for stored in
            self.stored()?.into_iter().filter(|s| s.training > 0 && s.predictor.kind() == active.kind())
        {
            let (items, values) = self.predictions(&stored.predictor, &ballots.items)?;
            let labels = labels_of(self.task, &stored.predictor.labels);
            judged.push((stored.training, ballots.predicted_by(&items, &values, &labels)));
        }
        // Models that were not scored on all cases that the newest has, for example of an older task, are no part of the curve.
        let Some((_, newest)) = judged.last().cloned() else {
            return Ok(Figure::undefined("no model has been trained on labels yet"));
        };
        let models: Vec<Learned> = judged
            .into_iter()
            .filter(|(_, judged)| judged.items == newest.items)
            .map(|(training, judged)| Learned { training, labels: judged.model })
            .collect();
        Ok(next_gain(&models, &newest.experts, more, self.seed))
    }

    /// Whether tuning would move the shares that the active model expects of the labels: it is a zero-shot one of this revision of the task,
    /// and there are enough audit answers that its shares do not follow yet.
    pub fn audit_moves_shares(&self, active: Option<&Predictor>, revision: RevisionId) -> bool {
        active.is_some_and(|predictor| {
            predictor.kind() == PredictorKind::ZeroShot
                && predictor.revision == revision
                && shares_from(predictor)
                    .should_follow(&audit_answers(&self.answers, self.task), self.task.labels.len())
        })
    }

    /// What the audit sample says of the whole pool. The predictions of a model whose shares follow the audit are stored cross-fitted.
    pub fn audit(&self, active: Option<&Predictor>) -> Result<Audit> {
        let cases: Vec<AuditCase> = self.audit_cases(active)?.into_iter().map(|(case, _)| case).collect();
        Ok(audit(&cases, self.task.labels.len(), self.seed))
    }

    /// Whether the active model's probabilities are what they say, on the audit cases. Of a text with several answers, the share of them that
    /// the model agrees with is how far it was right.
    pub fn calibration_error(&self, active: Option<&Predictor>) -> Result<Figure> {
        let claim = |(case, confidence): (AuditCase, f64)| {
            let agree = case.answered.iter().filter(|label| **label == case.predicted).count();
            let right = agree as f64 / case.answered.len() as f64;
            Claim { confidence, right, weight: 1.0 / case.inclusion }
        };
        let claims: Vec<Claim> = self.audit_cases(active)?.into_iter().map(claim).collect();
        Ok(calibration_error(&claims, self.seed))
    }

    /// The answered audit cases, each with the probability that the model gives its label. A case is a text, with the answers of all experts
    /// who have one: texts were drawn at random, so they are what is counted and resampled.
    fn audit_cases(&self, active: Option<&Predictor>) -> Result<Vec<(AuditCase, f64)>> {
        let Some(predictor) = active else { return Ok(Vec::new()) };
        let known = labels_of(self.task, &predictor.labels);
        let (mut draws, mut cases) = (Vec::new(), Vec::new());
        for text in by_text(&audit_answers(&self.answers, self.task)) {
            let Some(p) = self.store.prediction(predictor.id, text.item)? else {
                continue;
            };
            let p = Probabilities(p);
            if let Some(predicted) = known.get(p.top()).copied().flatten() {
                draws.push(text.draw);
                let case = AuditCase { inclusion: text.draw.inclusion, predicted, answered: text.labels };
                cases.push((case, f64::from(p.0[p.top()])));
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
    Gain {
        difference: Figure::undefined(why),
        says: format!("the gain of the last model is not yet known: {why}"),
    }
}
