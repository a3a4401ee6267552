//! Whether the experts agree: overall, by round, label and pair, and the model beside them on the same cases; and signs that answers may need
//! a look.
//!
//! From first blind answers alone, each person once. Hard cases and the audit are never mixed. Names experts and figures, never a single
//! case, so everybody may see it.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::annotator_warnings::signs;
use crate::domain::answer::BlindAnswer;
use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::figure::Figure;
use crate::domain::ids::{ExpertId, ItemId};
use crate::domain::predictor::Predictor;
use crate::domain::split::Split;
use crate::domain::task::Task;
use crate::insight::disputes::{Dispute, Names, disputes};
use crate::stats::agreement::ballots::{Ballots, Judged, labels_of};
use crate::stats::agreement::kappa::{ceiling, cohen_figure, mean_model_expert, on_shared_cases};
use crate::stats::agreement::panel::{Panel, by_label, confusions, panel};
use crate::stats::agreement::ratings::Ratings;
use crate::store::{Access, Store};

/// Agreement, in full.
#[derive(Clone, Debug, Serialize)]
pub struct AgreementReport {
    /// Whether whoever asks leads.
    pub lead: bool,
    /// The labels' names in the order of the task.
    pub labels: Vec<String>,
    /// On hard cases (evaluation), on the audit, and on training cases that several experts have answered.
    pub uses: Vec<OnUse>,
    /// What may need a look, a sentence each.
    pub signs: Vec<String>,
    /// Cases on which experts differ, as far as whoever asks may know of them.
    pub disputes: Vec<Dispute>,
}

/// Agreement on the cases of one use.
#[derive(Clone, Debug, Serialize)]
pub struct OnUse {
    /// `hard`, `audit` or `training`.
    pub cases_of: &'static str,
    /// Cases that two experts or more have answered.
    pub shared: usize,
    /// Who has answered any.
    pub experts: Vec<String>,
    /// All experts together.
    pub overall: Panel,
    /// The mean of Cohen's kappa over pairs of experts.
    pub ceiling: Figure,
    /// The model with the experts on those same cases, the mean of Cohen's kappa; none of training cases.
    pub model: Option<Figure>,
    /// Each two experts.
    pub pairs: Vec<PairAgreement>,
    /// The model with each expert, on all that this expert has answered; none of training cases.
    pub model_with: Vec<(String, Figure)>,
    /// Where one expert gives a label, how often another does; in the order of the task.
    pub by_label: Vec<Figure>,
    /// Labels that were taken for one another.
    pub confusions: Vec<Confused>,
    /// Each round's cases.
    pub rounds: Vec<RoundAgreement>,
}

/// Two experts.
#[derive(Clone, Debug, Serialize)]
pub struct PairAgreement {
    /// One.
    pub one: String,
    /// The other.
    pub other: String,
    /// Cohen's kappa.
    pub kappa: Figure,
    /// Gwet's AC1.
    pub ac1: Figure,
    /// The share of cases with the same label.
    pub raw: Figure,
}

/// Two labels that experts took for one another.
#[derive(Clone, Debug, Serialize)]
pub struct Confused {
    /// Where one expert says this,
    pub one: String,
    /// another says that,
    pub other: String,
    /// in this share of the answers to the same case.
    pub share: Figure,
    /// In how many cases the two met.
    pub cases: usize,
}

/// One round.
#[derive(Clone, Debug, Serialize)]
pub struct RoundAgreement {
    /// Its number.
    pub round: i64,
    /// The mean of Cohen's kappa over pairs of experts.
    pub cohen: Figure,
    /// The model with the experts on those same cases; none of training cases.
    pub model: Option<Figure>,
    /// Krippendorff's alpha.
    pub alpha: Figure,
    /// Fleiss' kappa.
    pub fleiss: Figure,
    /// Gwet's AC1.
    pub ac1: Figure,
    /// Raw agreement.
    pub raw: Figure,
}

/// Reads how far the experts agree. Changes nothing.
///
/// # Errors
/// The project cannot be opened, or has no task.
pub fn agreement(project: &Path, viewer: &str) -> Result<AgreementReport> {
    let store = Store::open(project, Access::Read)?;
    let revision = store.task()?;
    let task = &revision.task;
    let names = Names::read(&store, task)?;
    let seed = store.project()?.seed;
    let answers = store.first_blind_answers()?;
    let active = store.active_predictor()?;
    let reading = Reading { store: &store, task, names: &names, seed };
    let uses = reading.uses(&answers, active.as_ref())?;
    let viewer = store.find_expert(viewer)?;
    let disputes = match viewer {
        Some(viewer) => disputes(&store, task, viewer)?,
        None => Vec::new(),
    };
    Ok(AgreementReport {
        lead: viewer.map(|v| store.role(v)).transpose()? == Some(Role::Lead),
        labels: task.labels.iter().map(|l| l.name.clone()).collect(),
        signs: signs(&store, task, &names, &answers)?,
        uses,
        disputes,
    })
}

/// The agreement of all experts on hard cases in short, for the status.
pub(crate) fn in_short(answers: &[BlindAnswer], task: &Task, seed: u64) -> Panel {
    let hard: Vec<BlindAnswer> =
        answers.iter().filter(|a| a.split == Split::Eval && a.round.is_some()).cloned().collect();
    let ballots = Ballots::collect(&hard, task);
    panel(&Ratings::of(&ballots.experts, task.labels.len()), seed)
}

/// What agreement is worked out from.
pub(crate) struct Reading<'a> {
    pub store: &'a Store,
    pub task: &'a Task,
    pub names: &'a Names<'a>,
    pub seed: u64,
}

/// The splits, in the order in which agreement is told, with what their cases are called.
pub(crate) const USES: [(Split, &str); 3] =
    [(Split::Eval, "hard"), (Split::Audit, "audit"), (Split::Train, "training")];

/// Of these answers those to cases of a split.
pub(crate) fn on_cases_of(split: Split, answers: &[BlindAnswer]) -> Vec<BlindAnswer> {
    answers.iter().filter(|a| a.split == split && a.round.is_some()).cloned().collect()
}

impl Reading<'_> {
    /// Agreement by these answers on the cases of each use.
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
        let labels = self.task.labels.len();
        let ballots = Ballots::collect(answers, self.task);
        let ratings = Ratings::of(&ballots.experts, labels);
        let name = |id: &ExpertId| self.names.expert(*id);
        let mut pairs = Vec::new();
        for (i, one) in ballots.names.iter().enumerate() {
            for (j, other) in ballots.names.iter().enumerate().skip(i + 1) {
                pairs.push(self.pair((name(one), name(other)), &ballots.experts[i], &ballots.experts[j]));
            }
        }
        let judged = match model {
            Some(predictor) => Some(self.judged(&ballots, predictor)?),
            None => None,
        };
        let with = |judged: &Judged| -> Vec<(String, Figure)> {
            let one = |expert: &Vec<Option<usize>>| {
                mean_model_expert(&judged.model, std::slice::from_ref(expert), self.seed)
            };
            ballots.names.iter().map(name).zip(judged.experts.iter().map(one)).collect()
        };
        let met = confusions(&ratings, self.seed).into_iter().map(|c| Confused {
            one: self.task.labels[c.one].name.clone(),
            other: self.task.labels[c.other].name.clone(),
            share: c.share,
            cases: c.cases,
        });
        let rounds: BTreeSet<i64> = answers.iter().filter_map(|a| a.round).collect();
        Ok(OnUse {
            cases_of,
            shared: ratings.shared(),
            experts: ballots.names.iter().map(name).collect(),
            overall: panel(&ratings, self.seed),
            ceiling: ceiling(&ballots.experts, self.seed),
            model: judged
                .as_ref()
                .map(|j| mean_model_expert(&j.model, &on_shared_cases(&j.experts), self.seed)),
            model_with: judged.as_ref().map(with).unwrap_or_default(),
            by_label: by_label(&ratings, self.seed),
            confusions: met.collect(),
            // Where nobody shares a case there is nothing to tell the rounds apart by.
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
        let ballots = Ballots::collect(&of, self.task);
        let Panel { raw, fleiss, alpha, ac1 } =
            panel(&Ratings::of(&ballots.experts, self.task.labels.len()), self.seed);
        let judged = model.map(|predictor| self.judged(&ballots, predictor)).transpose()?;
        let model = judged.map(|j| mean_model_expert(&j.model, &on_shared_cases(&j.experts), self.seed));
        Ok(RoundAgreement {
            round,
            cohen: ceiling(&ballots.experts, self.seed),
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
        a: &[Option<usize>],
        b: &[Option<usize>],
    ) -> PairAgreement {
        let both: Vec<(usize, usize)> = a.iter().zip(b).filter_map(|(a, b)| a.zip(*b)).collect();
        let rows = [both.iter().map(|p| Some(p.0)).collect(), both.iter().map(|p| Some(p.1)).collect()];
        let Panel { raw, ac1, .. } = panel(&Ratings::of(&rows, self.task.labels.len()), self.seed);
        PairAgreement { one, other, kappa: cohen_figure(&both, self.seed), ac1, raw }
    }

    /// The same ballots on the cases that a model has predicted.
    pub fn judged(&self, ballots: &Ballots, predictor: &Predictor) -> Result<Judged> {
        let (mut items, mut values) = (Vec::<ItemId>::new(), Vec::new());
        for item in &ballots.items {
            if let Some(p) = self.store.prediction(predictor.id, *item)? {
                items.push(*item);
                values.extend(p);
            }
        }
        Ok(ballots.predicted_by(&items, &values, &labels_of(self.task, &predictor.labels)))
    }
}

impl AgreementReport {
    /// How many of the disputes nobody has decided.
    pub fn undecided(&self) -> usize {
        self.disputes.iter().filter(|d| d.decided.is_none()).count()
    }
}

impl OnUse {
    /// What the cases are, in words.
    pub fn in_words(&self) -> &'static str {
        match self.cases_of {
            "hard" => "Hard cases (evaluation)",
            "audit" => "The audit's cases, drawn at random",
            _ => "Training cases that several have answered",
        }
    }

    /// Kappa of two experts, whichever is named first.
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
        if !self.signs.is_empty() {
            writeln!(f, "\nMay need a look")?;
        }
        for sign in &self.signs {
            writeln!(f, "  {sign}")?;
        }
        match self.undecided() {
            0 => write!(f, "\nNo disagreement waits for a decision"),
            n => write!(
                f,
                "\n{} for a decision: `hardcase adjudicate FILE --list`, or the screen Agree",
                if n == 1 { "1 disagreement waits".into() } else { format!("{n} disagreements wait") }
            ),
        }
    }
}

impl OnUse {
    fn write(&self, f: &mut std::fmt::Formatter<'_>, labels: &[String]) -> std::fmt::Result {
        writeln!(
            f,
            "{}: {} answered by two experts or more; with 95 % intervals",
            self.in_words(),
            self.shared
        )?;
        writeln!(f, "  experts, mean Cohen's kappa  {}", self.ceiling)?;
        if self.shared == 0 {
            return Ok(());
        }
        if let Some(model) = &self.model {
            writeln!(f, "  model on the same cases      {model}")?;
        }
        writeln!(f, "  Krippendorff's alpha         {}", self.overall.alpha)?;
        writeln!(f, "  Fleiss' kappa                {}", self.overall.fleiss)?;
        writeln!(f, "  Gwet's AC1                   {}", self.overall.ac1)?;
        writeln!(f, "  raw agreement                {}", self.overall.raw)?;
        for pair in &self.pairs {
            writeln!(f, "  {} and {}: kappa {}", pair.one, pair.other, pair.kappa)?;
        }
        for (name, kappa) in &self.model_with {
            writeln!(f, "  the model and {name}: kappa {kappa}")?;
        }
        for (label, figure) in labels.iter().zip(&self.by_label) {
            writeln!(f, "  where one says {label}, another does: {figure}")?;
        }
        for c in &self.confusions {
            writeln!(
                f,
                "  where one says {}, another says {}: {}, in {} cases",
                c.one, c.other, c.share, c.cases
            )?;
        }
        if self.rounds.len() > 1 {
            for round in &self.rounds {
                writeln!(f, "  round {}: alpha {}", round.round, round.alpha)?;
            }
        }
        Ok(())
    }
}
