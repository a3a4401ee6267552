//! How good the model is, the audit's estimates for the whole pool, and the files and settings behind them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::escaped::Inline;
use super::page::Page;
use crate::domain::task_kind::TaskKind;
use crate::insight::report::contents::Report;
use crate::stats::estimate::audit::LabelAudit;

pub(crate) fn model(page: &mut Page, report: &Report) {
    let figures = &report.figures;
    page.heading(2, &"The model".into());
    let Some(kind) = &figures.prelabels else {
        page.say("No text has a prelabel yet, so there is no model to describe.", &[]);
        return;
    };
    let hard = &figures.hard;
    page.say("The prelabels in use come from: {}.", &[kind.into()]);
    let mut rows = match hard.kind {
        TaskKind::Several => vec![
            ("model with experts, mean kappa of the labels", &hard.model_expert),
            ("experts with each other, mean kappa of the labels (the ceiling)", &hard.expert_expert),
        ],
        TaskKind::One => vec![
            ("model with experts, mean Cohen's kappa", &hard.model_expert),
            ("model with experts, Gwet's AC1", &hard.ac1),
            ("experts with each other, mean Cohen's kappa (the ceiling)", &hard.expert_expert),
        ],
        TaskKind::Scale => vec![
            ("model with experts, mean weighted kappa", &hard.model_expert),
            ("experts with each other, mean weighted kappa (the ceiling)", &hard.expert_expert),
        ],
    };
    rows.push(("model with experts, on the cases of the ceiling", &hard.model_on_shared));
    rows.extend(hard.several.iter().flat_map(|several| {
        [
            ("model with experts, micro F1", &several.micro_f1),
            ("model with experts, macro F1", &several.macro_f1),
        ]
    }));
    rows.extend(
        hard.model_error.iter().map(|error| ("model with experts, mean absolute error in levels", error)),
    );
    rows.extend(
        hard.experts_error
            .iter()
            .map(|error| ("experts with each other, mean absolute error in levels", error)),
    );
    page.table(
        &["on hard cases (evaluation)", "figure"],
        rows.into_iter().map(|(name, figure)| vec![name.into(), figure.into()]),
    );
    match &hard.several {
        None => page.table(
            &["label", "F1 against the experts, on hard cases"],
            figures.labels.iter().zip(&hard.f1).map(|(label, f1)| vec![label.into(), f1.into()]),
        ),
        Some(several) => {
            let figures = figures.labels.iter().zip(&hard.f1).zip(&several.model_expert);
            page.table(
                &["label, on hard cases", "kappa of the model with experts", "kappa of the experts", "F1"],
                figures.zip(&several.expert_expert).map(|(((label, f1), model), experts)| {
                    vec![label.into(), model.into(), experts.into(), f1.into()]
                }),
            );
        }
    }
    if let Some(gain) = &figures.gain {
        page.say("{}", &[gain.into()]);
    }
    page.table(
        &[
            "made",
            "prelabels",
            "revision",
            "training labels",
            match hard.kind {
                TaskKind::One => "kappa with experts on all hard cases to date",
                TaskKind::Several => "mean kappa of the labels with experts on all hard cases to date",
                TaskKind::Scale => "weighted kappa with experts on all hard cases to date",
            },
            "in use",
        ],
        report.predictors.iter().filter_map(|predictor| {
            Some(vec![
                Inline::from(&predictor.at),
                Inline::from(&predictor.kind),
                predictor.revision.into(),
                predictor.training.into(),
                predictor.kappa.as_ref()?.into(),
                if predictor.active { "yes".into() } else { Inline::none() },
            ])
        }),
    );
}

/// Whether a text may have several labels.
fn figures_are_of_sets(report: &Report) -> bool {
    report.figures.hard.kind.is_several()
}

pub(crate) fn audit(page: &mut Page, report: &Report) {
    let audit = &report.figures.audit;
    page.heading(2, &"The whole pool, estimated by the audit".into());
    if audit.n == 0 {
        page.say(
            "No audit case with a prelabel is answered yet, so nothing is known about the whole pool.",
            &[],
        );
        return;
    }
    page.say(
        "Estimated from {} answered texts that were drawn at random, each weighted by the inverse of its probability of being drawn. A text counts once, \
         however many experts answered it.",
        &[audit.n.into()],
    );
    let mut rows = vec![("share of the pool on which they agree", &audit.accuracy)];
    match &audit.absolute_error {
        None if figures_are_of_sets(report) => rows.push(("mean kappa of the labels", &audit.kappa)),
        None => rows.extend([("Cohen's kappa", &audit.kappa), ("Gwet's AC1", &audit.ac1)]),
        Some(error) => {
            rows.extend([("weighted kappa", &audit.kappa), ("mean absolute error in levels", error)]);
        }
    }
    rows.push((
        "calibration error (how far its probabilities are off, on average)",
        &report.figures.calibration_error,
    ));
    page.table(
        &["model and experts", "figure"],
        rows.into_iter().map(|(name, figure)| vec![name.into(), figure.into()]),
    );
    let row = |(label, of): (&String, &LabelAudit)| {
        vec![
            Inline::from(label),
            (&of.prevalence).into(),
            (&of.precision).into(),
            (&of.recall).into(),
            (&of.f1).into(),
        ]
    };
    page.table(
        &["label", "share of the pool", "precision", "recall", "F1"],
        report.figures.labels.iter().zip(&audit.labels).map(row),
    );
    page.list(report.figures.audit_in_words.iter().map(Inline::from));
}

pub(crate) fn files(page: &mut Page, report: &Report) {
    page.heading(2, &"Models, adapters and settings".into());
    if report.models.is_empty() {
        page.say("The project has no model yet.", &[]);
        return;
    }
    page.table(
        &["model", "architecture", "quantisation", "bytes", "sha256"],
        report.models.iter().map(|model| {
            vec![
                Inline::from(&model.name),
                Inline::from(&model.architecture),
                Inline::from(&model.quantisation),
                model.bytes.into(),
                Inline::from(&model.sha256),
            ]
        }),
    );
    page.table(
        &[
            "adapter",
            "model",
            "made",
            "after round",
            "revision",
            "training labels",
            "training set (hash)",
            "bytes",
            "sha256 of the bytes",
            "settings",
        ],
        report.adapters.iter().map(|adapter| {
            vec![
                Inline::from(&adapter.kind),
                Inline::from(&adapter.model),
                Inline::from(&adapter.at),
                Inline::or(adapter.after_round.map(Inline::from), "–"),
                adapter.revision.into(),
                adapter.training.into(),
                Inline::from(&adapter.training_hash),
                adapter.bytes.into(),
                Inline::or(adapter.sha256.as_ref().map(Inline::from), "–"),
                settings(&adapter.settings),
            ]
        }),
    );
    page.table(
        &["prelabels by", "model", "made", "revision", "prompt (hash)", "settings"],
        report.predictors.iter().map(|predictor| {
            vec![
                Inline::from(&predictor.kind),
                Inline::from(&predictor.model),
                Inline::from(&predictor.at),
                predictor.revision.into(),
                Inline::or(predictor.prompt.as_ref().map(Inline::from), "–"),
                settings(&predictor.settings),
            ]
        }),
    );
}

fn settings(settings: &BTreeMap<String, Value>) -> Inline {
    let each = settings.iter().map(|(name, value)| match value {
        Value::String(text) => Inline::text(&format!("{name}={text}")),
        value => Inline::text(&format!("{name}={value}")),
    });
    Inline::list(each, ", ")
}
