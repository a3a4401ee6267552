//! How well the experts agree: overall, by round, label and pair, next to the model on the same cases; and warnings about annotators.
//!
//! Uses first blind answers only, one per person and case, and of these what the viewer may see. Hard cases and audit cases are never mixed.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::annotator_warnings::annotator_warnings;
use crate::domain::answer::BlindAnswer;
use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::figure::Figure;
use crate::domain::ids::{ExpertId, ItemId};
use crate::domain::label_set::LabelSet;
use crate::domain::predictor::Predictor;
use crate::domain::split::Split;
use crate::domain::task::Task;
use crate::domain::task_kind::TaskKind;
use crate::insight::disputes::{Dispute, Names, disputes};
use crate::insight::viewer::Viewer;
use crate::stats::agreement::answer_matrix::{AnswerMatrix, ModelAndExperts};
use crate::stats::agreement::kappa::{
    by_label_between_experts, by_label_with_experts, ceiling, cohen_figure, mean_model_expert, model_error,
    on_shared_cases,
};
use crate::stats::agreement::panel::{Panel, by_label, confusions, panel};
use crate::stats::agreement::ratings::Ratings;
use crate::store::{Access, Store};

#[derive(Clone, Debug, Serialize)]
pub struct AgreementReport {
    /// Whether the viewer is a lead.
    pub lead: bool,
    /// The labels' names in the order of the task.
    pub labels: Vec<String>,
    /// On hard cases (evaluation), on audit cases, and on training cases that several experts have answered.
    pub uses: Vec<OnUse>,
    /// Warnings about annotators, a sentence each.
    pub warnings: Vec<String>,
    /// Disagreements that the viewer may know of.
    pub disputes: Vec<Dispute>,
}

/// Agreement on the cases of one use.
#[derive(Clone, Debug, Serialize)]
pub struct OnUse {
    /// `hard`, `audit` or `training`.
    pub cases_of: &'static str,
    /// What is asked for: of a scale, every kappa is the weighted one and every alpha the ordinal one; of several labels, every kappa is the mean of the labels'
    /// kappas, every alpha that of sets with MASI distances, and raw agreement the share of exactly the same labels.
    #[serde(skip_serializing_if = "TaskKind::is_one")]
    pub kind: TaskKind,
    /// Cases that two or more experts have answered.
    pub shared: usize,
    /// The names of those who have answered any.
    pub experts: Vec<String>,
    /// All experts together.
    pub overall: Panel,
    /// The mean of Cohen's kappa over pairs of experts.
    pub ceiling: Figure,
    /// The model with the experts on those same cases, the mean of Cohen's kappa. `None` for training cases.
    pub model: Option<Figure>,
    /// Of a scale, the mean distance between the model's level and theirs on those cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_error: Option<Figure>,
    pub pairs: Vec<PairAgreement>,
    /// The model with each expert, on all cases that this expert has answered; empty for training cases.
    pub model_with: Vec<(String, Figure)>,
    /// Specific agreement: if one expert gives a label, how often another does too; in the order of the task.
    pub by_label: Vec<Figure>,
    /// Where a text may have several labels, Cohen's kappa of each by itself, in the order of the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kappa_by_label: Option<KappaByLabel>,
    pub confusions: Vec<Confused>,
    pub rounds: Vec<RoundAgreement>,
}

/// Cohen's kappa of each label by itself, a yes or no.
#[derive(Clone, Debug, Serialize)]
pub struct KappaByLabel {
    /// The mean over pairs of experts.
    pub experts: Vec<Figure>,
    /// The mean over experts, on the cases that two experts have answered. `None` for training cases.
    pub model: Option<Vec<Figure>>,
}

/// The agreement of two experts.
#[derive(Clone, Debug, Serialize)]
pub struct PairAgreement {
    pub one: String,
    pub other: String,
    /// Cohen's kappa; of a scale the weighted one.
    pub kappa: Figure,
    /// Of a scale, the mean distance of their levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute_error: Option<Figure>,
    /// Gwet's AC1.
    pub ac1: Figure,
    /// The share of cases with the same label, or the same labels.
    pub raw: Figure,
}

/// Two labels that experts confused: if one expert gives `one`, another gives `other` in this `share` of the answers to the same case. Where a text may have
/// several labels, in its place: the one does not give `other`, nor the other `one`.
#[derive(Clone, Debug, Serialize)]
pub struct Confused {
    pub one: String,
    pub other: String,
    pub share: Figure,
    /// Cases in which both labels were given.
    pub cases: usize,
}

#[derive(Clone, Debug, Serialize)]
pub struct RoundAgreement {
    pub round: i64,
    /// The mean of Cohen's kappa over pairs of experts.
    pub cohen: Figure,
    /// The model with the experts on those same cases. `None` for training cases.
    pub model: Option<Figure>,
    /// Krippendorff's alpha.
    pub alpha: Figure,
    /// Fleiss' kappa.
    pub fleiss: Figure,
    /// Gwet's AC1.
    pub ac1: Figure,
    /// Raw agreement.
    pub raw: Figure,
    /// Of a scale, the mean distance of two experts' levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute_error: Option<Figure>,
}

/// Reads how well the experts agree, as far as the expert `viewer` may know.
///
/// # Errors
/// The project cannot be opened, or has no task.
pub fn agreement(project: &Path, viewer: &str) -> Result<AgreementReport> {
    let store = Store::open(project, Access::Read)?;
    let revision = store.task()?;
    let task = &revision.task;
    let names = Names::read(&store, task)?;
    let seed = store.project()?.seed;
    let viewer = Viewer::read(&store, viewer)?;
    let mut answers = store.first_blind_answers()?;
    answers.retain(|answer| viewer.sees(answer.item, answer.expert));
    let active = store.active_predictor()?;
    let input = AgreementInput { store: &store, task, names: &names, seed };
    let uses = input.uses(&answers, active.as_ref())?;
    let disputes = disputes(&store, task, &viewer)?;
    Ok(AgreementReport {
        lead: viewer.role == Role::Lead,
        labels: task.labels.iter().map(|l| l.name.clone()).collect(),
        warnings: annotator_warnings(&store, task, (&names, &viewer), &answers)?,
        uses,
        disputes,
    })
}

/// The agreement of all experts on hard cases, for the status.
pub(crate) fn in_short(answers: &[BlindAnswer], task: &Task, seed: u64) -> Panel {
    let hard: Vec<BlindAnswer> =
        answers.iter().filter(|a| a.split == Split::Eval && a.round.is_some()).cloned().collect();
    let matrix = AnswerMatrix::collect(&hard, task);
    panel(&Ratings::of(&matrix.experts, task.labels.len(), task.kind), seed)
}

/// What agreement is computed from.
pub(crate) struct AgreementInput<'a> {
    pub store: &'a Store,
    pub task: &'a Task,
    pub names: &'a Names<'a>,
    pub seed: u64,
}

/// The splits, in the order of the report, with the names of their cases.
pub(crate) const USES: [(Split, &str); 3] =
    [(Split::Eval, "hard"), (Split::Audit, "audit"), (Split::Train, "training")];

/// Those of `answers` that are to cases of the split.
pub(crate) fn on_cases_of(split: Split, answers: &[BlindAnswer]) -> Vec<BlindAnswer> {
    answers.iter().filter(|a| a.split == split && a.round.is_some()).cloned().collect()
}

impl AgreementInput<'_> {
    /// Agreement on the cases of each use, by these answers.
    pub fn uses(&self, answers: &[BlindAnswer], active: Option<&Predictor>) -> Result<Vec<OnUse>> {
        let on = |(split, cases_of)| {
            self.on(cases_of, &on_cases_of(split, answers), active.filter(|_| split != Split::Train))
        };
        USES.into_iter().map(on).collect()
    }

    fn on(
        &self,
        cases_of: &'static str,
        answers: &[BlindAnswer],
        model: Option<&Predictor>,
    ) -> Result<OnUse> {
        let (labels, kind) = (self.task.labels.len(), self.task.kind);
        let matrix = AnswerMatrix::collect(answers, self.task);
        let ratings = Ratings::of(&matrix.experts, labels, kind);
        let name = |id: &ExpertId| self.names.expert(*id);
        let mut pairs = Vec::new();
        for (i, one) in matrix.expert_ids.iter().enumerate() {
            for (j, other) in matrix.expert_ids.iter().enumerate().skip(i + 1) {
                pairs.push(self.pair((name(one), name(other)), &matrix.experts[i], &matrix.experts[j]));
            }
        }
        let with_model = match model {
            Some(predictor) => Some(self.with_model(&matrix, predictor)?),
            None => None,
        };
        let with_each = |both: &ModelAndExperts| -> Vec<(String, Figure)> {
            let one = |expert: &Vec<Option<LabelSet>>| {
                mean_model_expert(&both.model, std::slice::from_ref(expert), kind, self.seed)
            };
            matrix.expert_ids.iter().map(name).zip(both.experts.iter().map(one)).collect()
        };
        let confused = confusions(&ratings, self.seed).into_iter().map(|c| Confused {
            one: self.task.labels[c.one].name.clone(),
            other: self.task.labels[c.other].name.clone(),
            share: c.share,
            cases: c.cases,
        });
        let rounds: BTreeSet<i64> = answers.iter().filter_map(|a| a.round).collect();
        Ok(OnUse {
            cases_of,
            shared: ratings.shared(),
            experts: matrix.expert_ids.iter().map(name).collect(),
            overall: panel(&ratings, self.seed),
            kind,
            ceiling: ceiling(&matrix.experts, kind, self.seed),
            model: with_model
                .as_ref()
                .map(|both| mean_model_expert(&both.model, &on_shared_cases(&both.experts), kind, self.seed)),
            model_error: with_model
                .as_ref()
                .filter(|_| kind.is_scale())
                .map(|both| model_error(&both.model, &on_shared_cases(&both.experts), self.seed)),
            model_with: with_model.as_ref().map(with_each).unwrap_or_default(),
            by_label: by_label(&ratings, self.seed),
            kappa_by_label: kind.is_several().then(|| KappaByLabel {
                experts: by_label_between_experts(&matrix.experts, labels, self.seed),
                model: with_model.as_ref().map(|both| {
                    by_label_with_experts(&both.model, &on_shared_cases(&both.experts), labels, self.seed)
                }),
            }),
            confusions: confused.collect(),
            // Without shared cases there is nothing to say about single rounds.
            rounds: if ratings.shared() == 0 {
                Vec::new()
            } else {
                rounds.into_iter().map(|round| self.in_round(round, answers, model)).collect::<Result<_>>()?
            },
            pairs,
        })
    }

    fn in_round(
        &self,
        round: i64,
        answers: &[BlindAnswer],
        model: Option<&Predictor>,
    ) -> Result<RoundAgreement> {
        let of: Vec<BlindAnswer> = answers.iter().filter(|a| a.round == Some(round)).cloned().collect();
        let matrix = AnswerMatrix::collect(&of, self.task);
        let kind = self.task.kind;
        let Panel { raw, fleiss, alpha, ac1, absolute_error } =
            panel(&Ratings::of(&matrix.experts, self.task.labels.len(), kind), self.seed);
        let with_model = model.map(|predictor| self.with_model(&matrix, predictor)).transpose()?;
        let model = with_model
            .map(|both| mean_model_expert(&both.model, &on_shared_cases(&both.experts), kind, self.seed));
        Ok(RoundAgreement {
            round,
            cohen: ceiling(&matrix.experts, kind, self.seed),
            absolute_error,
            model,
            alpha,
            fleiss,
            ac1,
            raw,
        })
    }

    fn pair(
        &self,
        (one, other): (String, String),
        a: &[Option<LabelSet>],
        b: &[Option<LabelSet>],
    ) -> PairAgreement {
        let both: Vec<(LabelSet, LabelSet)> =
            a.iter().zip(b).filter_map(|(a, b)| a.clone().zip(b.clone())).collect();
        let rows = [
            both.iter().map(|p| Some(p.0.clone())).collect(),
            both.iter().map(|p| Some(p.1.clone())).collect(),
        ];
        let kind = self.task.kind;
        let Panel { raw, ac1, absolute_error, .. } =
            panel(&Ratings::of(&rows, self.task.labels.len(), kind), self.seed);
        PairAgreement { one, other, kappa: cohen_figure(&both, kind, self.seed), absolute_error, ac1, raw }
    }

    /// The same answers next to the model's labels, on the cases that it has predicted.
    pub fn with_model(&self, matrix: &AnswerMatrix, predictor: &Predictor) -> Result<ModelAndExperts> {
        let (mut items, mut values) = (Vec::<ItemId>::new(), Vec::new());
        for item in &matrix.items {
            if let Some(p) = self.store.prediction(predictor.id, *item)? {
                items.push(*item);
                values.extend(p);
            }
        }
        Ok(matrix.predicted_by(&items, &values, predictor, self.task))
    }
}

impl AgreementReport {
    /// Number of undecided disagreements.
    pub fn undecided(&self) -> usize {
        self.disputes.iter().filter(|d| d.decided.is_none()).count()
    }
}

impl OnUse {
    /// What the cases are, in words.
    pub fn in_words(&self) -> &'static str {
        match self.cases_of {
            "hard" => "Hard cases (evaluation)",
            "audit" => "Audit cases, drawn at random",
            _ => "Training cases that several experts have answered",
        }
    }

    /// Kappa of two experts, in either order.
    pub fn kappa(&self, one: &str, other: &str) -> Option<&Figure> {
        let these =
            |p: &&PairAgreement| (p.one == one && p.other == other) || (p.one == other && p.other == one);
        self.pairs.iter().find(these).map(|pair| &pair.kappa)
    }
}

impl std::fmt::Display for AgreementReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut first = true;
        for on in &self.uses {
            if on.shared == 0 && on.cases_of != "hard" {
                continue;
            }
            if !std::mem::take(&mut first) {
                writeln!(f)?;
            }
            on.write(f, &self.labels)?;
        }
        if !self.warnings.is_empty() {
            writeln!(f, "\nWarnings")?;
        }
        for warning in &self.warnings {
            writeln!(f, "  {warning}")?;
        }
        match self.undecided() {
            0 => write!(f, "\nNo disagreement is undecided."),
            n => write!(
                f,
                "\n{} undecided: see `hardcase adjudicate FILE --list`, or the screen Agree.",
                if n == 1 { "1 disagreement is".into() } else { format!("{n} disagreements are") }
            ),
        }
    }
}

impl OnUse {
    fn write(&self, f: &mut std::fmt::Formatter<'_>, labels: &[String]) -> std::fmt::Result {
        writeln!(
            f,
            "{}: {} answered by two or more experts; with 95 % intervals",
            self.in_words(),
            self.shared
        )?;
        let (kappa, alpha) = (self.kind.kappa(), self.kind.alpha());
        match self.kind {
            TaskKind::One => writeln!(f, "  experts, mean Cohen's kappa  {}", self.ceiling)?,
            TaskKind::Several => writeln!(f, "  experts, {kappa}  {}", self.ceiling)?,
            TaskKind::Scale => writeln!(f, "  experts, mean {kappa} {}", self.ceiling)?,
        }
        if self.shared == 0 {
            return Ok(());
        }
        if let Some(model) = &self.model {
            writeln!(f, "  model on the same cases      {model}")?;
        }
        writeln!(f, "  {:<28} {}", self.kind.krippendorffs_alpha(), self.overall.alpha)?;
        match &self.overall.absolute_error {
            None if self.kind.is_several() => {}
            None => {
                writeln!(f, "  Fleiss' kappa                {}", self.overall.fleiss)?;
                writeln!(f, "  Gwet's AC1                   {}", self.overall.ac1)?;
            }
            Some(error) => {
                writeln!(f, "  mean absolute error          {error}")?;
                if let Some(error) = &self.model_error {
                    writeln!(f, "  the model's error there      {error}")?;
                }
            }
        }
        let raw = if self.kind.is_several() { "exactly the same labels" } else { "raw agreement" };
        writeln!(f, "  {raw:<28} {}", self.overall.raw)?;
        for pair in &self.pairs {
            write!(f, "  {} and {}: {kappa} {}", pair.one, pair.other, pair.kappa)?;
            match &pair.absolute_error {
                None => writeln!(f)?,
                Some(error) => writeln!(f, "; mean absolute error {error}")?,
            }
        }
        for (name, with) in &self.model_with {
            writeln!(f, "  the model and {name}: {kappa} {with}")?;
        }
        if let Some(KappaByLabel { experts, model }) = &self.kappa_by_label {
            for (at, (label, kappa)) in labels.iter().zip(experts).enumerate() {
                write!(f, "  {label}: kappa of the experts {kappa}")?;
                match model.as_ref().and_then(|model| model.get(at)) {
                    None => writeln!(f)?,
                    Some(model) => writeln!(f, "; of the model with them {model}")?,
                }
            }
        }
        for (label, figure) in labels.iter().zip(&self.by_label) {
            writeln!(f, "  if one expert says {label}, another does too: {figure}")?;
        }
        let instead = if self.kind.is_several() { " in its place" } else { "" };
        for c in &self.confusions {
            writeln!(
                f,
                "  if one expert says {}, another says {}{instead}: {}, in {} cases",
                c.one, c.other, c.share, c.cases
            )?;
        }
        if self.rounds.len() > 1 {
            for round in &self.rounds {
                writeln!(f, "  round {}: {alpha} {}", round.round, round.alpha)?;
            }
        }
        Ok(())
    }
}
