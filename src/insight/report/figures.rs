//! The figures of the report: agreement of the experts with each other and with the model, confusion matrices, and the audit.

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
use crate::insight::agreement::{AgreementInput, OnUse, USES, on_cases_of};
use crate::insight::annotator_warnings::annotator_warnings;
use crate::insight::audit_text::{label_in_words, share_in_words};
use crate::insight::disputes::Names;
use crate::insight::figures::{Agreement, CurvePoint, Figures};
use crate::insight::viewer::Viewer;
use crate::stats::agreement::answer_matrix::AnswerMatrix;
use crate::stats::agreement::confusion_matrix::{between_experts, model_by_experts};
use crate::stats::estimate::audit::Audit;
use crate::store::Store;

/// A cell of a confusion matrix: how often two labels, by name, were given to the same case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfusionCell {
    /// One label; of the model with experts, the model's.
    pub one: String,
    pub other: String,
    pub times: usize,
}

/// Agreement on the cases of one use, in full.
#[derive(Clone, Debug, Serialize)]
pub struct UseInFull {
    /// What the verb `agreement` says.
    #[serde(flatten)]
    pub on: OnUse,
    /// Pairs of experts' answers to the same case, each pair once, without zeros.
    pub expert_confusion: Vec<ConfusionCell>,
    /// The model's labels with the experts' answers, without zeros; empty for training cases.
    pub model_confusion: Vec<ConfusionCell>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FigurePart {
    /// The labels' names, in the order of the task.
    pub labels: Vec<String>,
    /// The kind of the active model: `zero-shot`, `head`, ….
    pub prelabels: Option<String>,
    /// On hard cases (evaluation), audit cases, and training cases.
    pub uses: Vec<UseInFull>,
    /// Model and experts on the hard cases.
    pub hard: Agreement,
    /// What the last model gained over the one before it, in a sentence.
    pub gain: Option<String>,
    /// Estimates for the whole pool.
    pub audit: Audit,
    /// The audit in words, a line per label.
    pub audit_in_words: Vec<String>,
    /// The model's calibration error on the audit cases.
    pub calibration_error: Figure,
    /// Warnings about annotators; empty unless the reader is a lead.
    pub warnings: Vec<String>,
}

/// What the figures are read from.
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
            .flat_map(|(l, a)| share_in_words(&l.name, a).into_iter().chain([label_in_words(&l.name, a)]))
            .collect(),
        audit,
        calibration_error: figures.calibration_error(active.as_ref())?,
        warnings: match viewer.role {
            Role::Lead => sorted(annotator_warnings(store, task, (names, viewer), answers)?),
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
    let input = AgreementInput { store, task, names, seed: store.project()?.seed };
    let places: BTreeMap<&str, usize> =
        source.ledger.log.experts.iter().enumerate().map(|(i, e)| (e.name.as_str(), i)).collect();
    let place = |name: &str| places.get(name).copied().unwrap_or(usize::MAX);
    let labels = task.labels.len();
    let mut found = Vec::new();
    for (on, (split, _)) in input.uses(answers, active)?.into_iter().zip(USES) {
        let matrix = AnswerMatrix::collect(&on_cases_of(split, answers), task);
        let both = match active.filter(|_| split != Split::Train) {
            Some(predictor) => Some(input.with_model(&matrix, predictor)?),
            None => None,
        };
        found.push(UseInFull {
            on: in_order(on, &place),
            expert_confusion: cells(task, between_experts(&matrix.experts, labels)),
            model_confusion: both
                .map_or(Vec::new(), |both| cells(task, model_by_experts(&both.model, &both.experts, labels))),
        });
    }
    Ok(found)
}

/// Experts and their pairs in the order in which they joined the project, because ids are local to a file.
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

fn cells(task: &Task, table: Vec<Vec<usize>>) -> Vec<ConfusionCell> {
    let name = |label: usize| task.labels[label].name.clone();
    let row = |(one, row): (usize, Vec<usize>)| {
        let cell = move |(other, times): (usize, usize)| (one, other, times);
        row.into_iter().enumerate().map(cell).filter(|(_, _, times)| *times > 0).collect::<Vec<_>>()
    };
    table
        .into_iter()
        .enumerate()
        .flat_map(row)
        .map(|(one, other, times)| ConfusionCell { one: name(one), other: name(other), times })
        .collect()
}
