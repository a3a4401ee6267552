//! How well experts agree, with each other and with their own earlier answers, and which labels are confused.

use super::escaped::Inline;
use super::labelling::use_in_words;
use super::page::Page;
use crate::domain::figure::Figure;
use crate::domain::task_kind::TaskKind;
use crate::insight::agreement::OnUse;
use crate::insight::report::contents::Report;
use crate::insight::report::figures::{ConfusionCell, UseInFull};

/// With more labels than this, a full confusion matrix is unreadable.
const WIDEST: usize = 10;
/// Number of confused pairs of labels that are listed instead.
const MOST: usize = 40;

pub(crate) fn agreement(page: &mut Page, report: &Report) {
    page.heading(2, &"Agreement".into());
    page.say(
        "Computed from each person's first blind answers, with 95 % intervals. Hard, audit and training cases are never mixed.",
        &[],
    );
    for on in &report.figures.uses {
        of_use(page, on, &report.figures.labels);
    }
    page.say(
        match report.figures.hard.kind {
            TaskKind::One => {
                "Experts with their own earlier answers, on cases repeated blind, mean Cohen's kappa: {}"
            }
            TaskKind::Several => {
                "Experts with their own earlier answers, on cases repeated blind, mean kappa of the labels: {}"
            }
            TaskKind::Scale => {
                "Experts with their own earlier answers, on cases repeated blind, mean weighted kappa: {}"
            }
        },
        &[(&report.figures.hard.self_agreement).into()],
    );
    if !report.figures.warnings.is_empty() {
        page.say("Warnings:", &[]);
        page.list(report.figures.warnings.iter().map(Inline::from));
    }
}

fn of_use(page: &mut Page, use_in_full: &UseInFull, labels: &[String]) {
    let on = &use_in_full.on;
    page.heading(3, &Inline::sentence("Cases: {}", &[use_in_words(on.cases_of)]));
    if on.shared == 0 {
        page.say("No such case is answered by two experts, so their agreement is not known.", &[]);
    } else {
        page.say("{} cases are answered by two or more experts.", &[on.shared.into()]);
        coefficients(page, on);
        pairs(page, on);
    }
    if !on.model_with.is_empty() {
        page.table(
            match on.kind {
                TaskKind::One => {
                    &["the model with", "Cohen's kappa, on all cases that this expert has answered"]
                }
                TaskKind::Several => &[
                    "the model with",
                    "mean kappa of the labels, on all cases that this expert has answered",
                ],
                TaskKind::Scale => {
                    &["the model with", "weighted kappa, on all cases that this expert has answered"]
                }
            },
            on.model_with.iter().map(|(name, kappa)| vec![name.into(), kappa.into()]),
        );
    }
    if on.shared > 0 {
        page.table(
            &["label", "if one expert gives it, another does too"],
            labels.iter().zip(&on.by_label).map(|(label, figure)| vec![label.into(), figure.into()]),
        );
        page.table(
            &["if one expert says", "another says", "in this share of answers to the same case", "cases"],
            on.confusions
                .iter()
                .map(|c| vec![(&c.one).into(), (&c.other).into(), (&c.share).into(), c.cases.into()]),
        );
        let title = if on.kind.is_several() {
            "Labels of two experts' answers to the same case: with itself how often both gave a label, with another how often one gave the first in place of \
             the second."
        } else if labels.len() <= WIDEST {
            "Pairs of experts' answers to the same case. Each pair is counted once: on the diagonal if both answers are the same, otherwise above it. \
             The cells below the diagonal are not used."
        } else {
            "Pairs of experts' answers to the same case, each pair counted once:"
        };
        confusion(page, title, &use_in_full.expert_confusion, labels);
    }
    if !use_in_full.model_confusion.is_empty() {
        confusion(
            page,
            match on.kind.is_several() {
                false => "The model's labels (rows) and the experts' answers (columns):",
                true => {
                    "The model's labels (rows) and the experts' (columns): on the diagonal both gave the label, elsewhere the expert gave another in its place."
                }
            },
            &use_in_full.model_confusion,
            labels,
        );
    }
}

fn coefficients(page: &mut Page, on: &OnUse) {
    match on.kind {
        TaskKind::One => {}
        TaskKind::Several => return of_sets(page, on),
        TaskKind::Scale => return of_levels(page, on),
    }
    let row = |name: Inline, model: Option<&Figure>, rest: [&Figure; 5]| {
        let mut cells = vec![name];
        cells.extend(rest.map(Inline::from));
        cells.push(Inline::or(model.map(Inline::from), "–"));
        cells
    };
    let overall = &on.overall;
    let mut rows = vec![row(
        "all rounds".into(),
        on.model.as_ref(),
        [&overall.raw, &on.ceiling, &overall.fleiss, &overall.alpha, &overall.ac1],
    )];
    rows.extend(
        on.rounds
            .iter()
            .map(|r| row(r.round.into(), r.model.as_ref(), [&r.raw, &r.cohen, &r.fleiss, &r.alpha, &r.ac1])),
    );
    page.table(
        &[
            "round",
            "raw agreement",
            "mean Cohen's kappa (the ceiling)",
            "Fleiss' kappa",
            "Krippendorff's alpha",
            "Gwet's AC1",
            "model on the same cases, mean Cohen's kappa",
        ],
        rows,
    );
}

/// Where a text may have several labels: each label by itself, and sets as a whole.
fn of_sets(page: &mut Page, on: &OnUse) {
    let row = |name: Inline, figures: [&Figure; 3], model: Option<&Figure>| {
        let mut cells = vec![name];
        cells.extend(figures.map(Inline::from));
        cells.push(Inline::or(model.map(Inline::from), "–"));
        cells
    };
    let overall = &on.overall;
    let all = [&overall.raw, &on.ceiling, &overall.alpha];
    let mut rows = vec![row("all rounds".into(), all, on.model.as_ref())];
    rows.extend(
        on.rounds.iter().map(|r| row(r.round.into(), [&r.raw, &r.cohen, &r.alpha], r.model.as_ref())),
    );
    page.table(
        &[
            "round",
            "exactly the same labels",
            "mean kappa of the labels (the ceiling)",
            "Krippendorff's alpha with MASI distances",
            "model on the same cases, mean kappa of the labels",
        ],
        rows,
    );
}

/// Of a scale: coefficients that count how far levels differ.
fn of_levels(page: &mut Page, on: &OnUse) {
    let row = |name: Inline, figures: [&Figure; 3], error: Option<&Figure>, model: Option<&Figure>| {
        let mut cells = vec![name];
        cells.extend(figures.map(Inline::from));
        cells.extend([error, model].map(|figure| Inline::or(figure.map(Inline::from), "–")));
        cells
    };
    let overall = &on.overall;
    let mut rows = vec![row(
        "all rounds".into(),
        [&overall.raw, &on.ceiling, &overall.alpha],
        overall.absolute_error.as_ref(),
        on.model.as_ref(),
    )];
    rows.extend(on.rounds.iter().map(|r| {
        row(r.round.into(), [&r.raw, &r.cohen, &r.alpha], r.absolute_error.as_ref(), r.model.as_ref())
    }));
    page.table(
        &[
            "round",
            "raw agreement",
            "mean weighted kappa (the ceiling)",
            "ordinal alpha",
            "mean absolute error in levels",
            "model on the same cases, mean weighted kappa",
        ],
        rows,
    );
}

fn pairs(page: &mut Page, on: &OnUse) {
    if on.kind.is_scale() {
        page.table(
            &["experts", "weighted kappa", "mean absolute error in levels", "raw agreement"],
            on.pairs.iter().map(|pair| {
                let both = Inline::sentence("{} and {}", &[(&pair.one).into(), (&pair.other).into()]);
                let error = Inline::or(pair.absolute_error.as_ref().map(Inline::from), "–");
                vec![both, (&pair.kappa).into(), error, (&pair.raw).into()]
            }),
        );
        return;
    }
    if on.kind.is_several() {
        page.table(
            &["experts", "mean kappa of the labels", "exactly the same labels"],
            on.pairs.iter().map(|pair| {
                let both = Inline::sentence("{} and {}", &[(&pair.one).into(), (&pair.other).into()]);
                vec![both, (&pair.kappa).into(), (&pair.raw).into()]
            }),
        );
        return;
    }
    page.table(
        &["experts", "Cohen's kappa", "Gwet's AC1", "raw agreement"],
        on.pairs.iter().map(|pair| {
            let both = Inline::sentence("{} and {}", &[(&pair.one).into(), (&pair.other).into()]);
            vec![both, (&pair.kappa).into(), (&pair.ac1).into(), (&pair.raw).into()]
        }),
    );
}

/// A confusion matrix: in full if there are few labels, else only the confused pairs, the most frequent first.
fn confusion(page: &mut Page, title: &'static str, cells: &[ConfusionCell], labels: &[String]) {
    page.say(title, &[]);
    if labels.len() <= WIDEST {
        let cell = |one: &String, other: &String| {
            cells.iter().find(|c| c.one == *one && c.other == *other).map_or(0, |c| c.times)
        };
        let row = |one: &String| {
            let mut cells = vec![Inline::from(one)];
            cells.extend(labels.iter().map(|other| Inline::from(cell(one, other))));
            cells
        };
        let names: Vec<Inline> = labels.iter().map(Inline::from).collect();
        page.matrix("", &names, labels.iter().map(row).collect());
        return;
    }
    let mut differ: Vec<&ConfusionCell> = cells.iter().filter(|c| c.one != c.other).collect();
    let alike: usize = cells.iter().filter(|c| c.one == c.other).map(|c| c.times).sum();
    differ.sort_by_key(|c| std::cmp::Reverse(c.times));
    page.table(
        &["one", "other", "times"],
        differ.iter().take(MOST).map(|c| vec![(&c.one).into(), (&c.other).into(), c.times.into()]),
    );
    page.say(
        "{} times both were the same. {} further pairs of different labels are listed only in the JSON document.",
        &[alike.into(), differ.len().saturating_sub(MOST).into()],
    );
}
