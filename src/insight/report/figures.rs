//! Agreement of the experts and of the model with them, and what the audit says of the pool: the figures of the project, with who says what where
//! another says what.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ledger::Ledger;
use crate::domain::answer::BlindAnswer;
use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::figure::Figure;
use crate::domain::predictor::Predictor;
use crate::domain::split::Split;
use crate::domain::task::Task;
use crate::insight::agreement::{OnUse, Reading, USES, on_cases_of};
use crate::insight::annotator_warnings::signs;
use crate::insight::disputes::Names;
use crate::insight::figures::{Agreement, CurvePoint, Figures};
use crate::insight::viewer::Viewer;
use crate::stats::agreement::ballots::Ballots;
use crate::stats::agreement::crossed::{between_experts, with_model};
use crate::stats::estimate::audit::Audit;
use crate::store::Store;

/// How often one label met another, both by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Met {
    /// One label; of the model with experts, the model's.
    pub one: String,
    /// The other.
    pub other: String,
    /// How often.
    pub times: usize,
}

/// Agreement on the cases of one use, in full.
#[derive(Clone, Debug, Serialize)]
pub struct UseInFull {
    /// What `agreement` says.
    #[serde(flatten)]
    pub on: OnUse,
    /// Pairs of experts' answers to the same case, each pair once; those that never met are left out.
    pub experts_met: Vec<Met>,
    /// The model's labels with the experts' answers; empty for training cases.
    pub model_met: Vec<Met>,
}

/// The figures.
#[derive(Clone, Debug, Serialize)]
pub struct FigurePart {
    /// The labels' names, in the order of the task.
    pub labels: Vec<String>,
    /// Whose prelabels count: `zero-shot`, `head`, …; none before scouting.
    pub prelabels: Option<String>,
    /// On hard cases (evaluation), the audit, and training cases.
    pub uses: Vec<UseInFull>,
    /// Model and experts on the hard cases.
    pub hard: Agreement,
    /// What the last model gained over the one before it, in a sentence.
    pub gain: Option<String>,
    /// What the audit says of the whole pool.
    pub audit: Audit,
    /// The same in words, a line per label.
    pub audit_in_words: Vec<String>,
    /// How far the model's probabilities are from what they say, on the audit cases.
    pub calibration_error: Figure,
    /// What in the experts' answers may need a look; empty for whoever does not lead.
    pub signs: Vec<String>,
}

/// Everything that the figures are read from.
pub(crate) struct Source<'a> {
    pub store: &'a Store,
    pub task: &'a Task,
    pub names: &'a Names<'a>,
    pub viewer: &'a Viewer,
    pub ledger: &'a Ledger,
}

/// The figures, with the curve of all models over the hard cases.
pub(crate) fn figures(source: &Source<'_>, answers: &[BlindAnswer]) -> Result<(FigurePart, Vec<CurvePoint>)> {
    let Source { store, task, viewer, names, .. } = *source;
    let active = store.active_predictor()?;
    let figures = Figures::read(store, task, viewer)?;
    let audit = figures.audit(active.as_ref())?;
    let part = FigurePart {
        labels: task.labels.iter().map(|l| l.name.clone()).collect(),
        uses: uses(source, answers, active.as_ref())?,
        hard: figures.agreement(active.as_ref())?,
        gain: active.as_ref().map(|active| figures.gain(active.id)).transpose()?.map(|gain| gain.says),
        audit_in_words: task
            .labels
            .iter()
            .zip(&audit.labels)
            .flat_map(|(l, a)| a.share_in_words(&l.name).into_iter().chain([a.in_words(&l.name)]))
            .collect(),
        audit,
        calibration_error: figures.calibration_error(active.as_ref())?,
        signs: match viewer.role {
            Role::Lead => sorted(signs(store, task, names, answers)?),
            Role::Expert => Vec::new(),
        },
        prelabels: active.as_ref().map(|active| active.kind().to_string()),
    };
    Ok((part, figures.curve(active.as_ref())?))
}

fn sorted(mut sentences: Vec<String>) -> Vec<String> {
    sentences.sort();
    sentences
}

fn uses(source: &Source<'_>, answers: &[BlindAnswer], active: Option<&Predictor>) -> Result<Vec<UseInFull>> {
    let Source { store, task, names, .. } = *source;
    let reading = Reading { store, task, names, seed: store.project()?.seed };
    let places: BTreeMap<&str, usize> =
        source.ledger.log.experts.iter().enumerate().map(|(i, e)| (e.name.as_str(), i)).collect();
    let place = |name: &str| places.get(name).copied().unwrap_or(usize::MAX);
    let labels = task.labels.len();
    let mut found = Vec::new();
    for (on, (split, _)) in reading.uses(answers, active)?.into_iter().zip(USES) {
        let ballots = Ballots::collect(&on_cases_of(split, answers), task);
        let judged = match active.filter(|_| split != Split::Train) {
            Some(predictor) => Some(reading.judged(&ballots, predictor)?),
            None => None,
        };
        found.push(UseInFull {
            on: in_order(on, &place),
            experts_met: met(task, between_experts(&ballots.experts, labels)),
            model_met: judged.map_or(Vec::new(), |j| met(task, with_model(&j.model, &j.experts, labels))),
        });
    }
    Ok(found)
}

/// Experts and their pairs in the order of their enrolment: ids are local to a file.
fn in_order(mut on: OnUse, place: &dyn Fn(&str) -> usize) -> OnUse {
    on.experts.sort_by_key(|name| place(name));
    for pair in &mut on.pairs {
        if place(&pair.other) < place(&pair.one) {
            std::mem::swap(&mut pair.one, &mut pair.other);
        }
    }
    on.pairs.sort_by_key(|pair| (place(&pair.one), place(&pair.other)));
    on.model_with.sort_by_key(|(name, _)| place(name));
    on
}

fn met(task: &Task, table: Vec<Vec<usize>>) -> Vec<Met> {
    let name = |label: usize| task.labels[label].name.clone();
    let row = |(one, row): (usize, Vec<usize>)| {
        let cell = move |(other, times): (usize, usize)| (one, other, times);
        row.into_iter().enumerate().map(cell).filter(|(_, _, times)| *times > 0).collect::<Vec<_>>()
    };
    table
        .into_iter()
        .enumerate()
        .flat_map(row)
        .map(|(one, other, times)| Met { one: name(one), other: name(other), times })
        .collect()
}
