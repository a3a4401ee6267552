//! How far experts agree, with each other and with the own earlier answers, and who says what where another says what.

use super::escaped::Inline;
use super::labelling::use_in_words;
use super::page::Page;
use crate::domain::figure::Figure;
use crate::insight::agreement::OnUse;
use crate::insight::report::contents::Report;
use crate::insight::report::figures::{Met, UseInFull};

/// With more labels than this a table of all with all is no longer read.
const WIDEST: usize = 10;
/// No more pairs of labels are listed then.
const MOST: usize = 40;

pub(crate) fn agreement(page: &mut Page, report: &Report) {
    page.heading(2, &"Agreement".into());
    page.say(
        "From each person's first blind answers, with 95 % intervals. Hard cases, the audit's and training cases are never mixed.",
        &[],
    );
    for on in &report.figures.uses {
        of_use(page, on, &report.figures.labels);
    }
    page.say(
        "Experts with their own earlier answers, on cases that came back blind, the mean of Cohen's kappa: {}",
        &[(&report.figures.hard.own_agreement).into()],
    );
    if !report.figures.signs.is_empty() {
        page.say("What may need a look:", &[]);
        page.list(report.figures.signs.iter().map(Inline::from));
    }
}

fn of_use(page: &mut Page, use_in_full: &UseInFull, labels: &[String]) {
    let on = &use_in_full.on;
    page.heading(3, &Inline::sentence("Cases: {}", &[use_in_words(on.cases_of)]));
    if on.shared == 0 {
        page.say("No such case is answered by two experts: nothing can be said of their agreement.", &[]);
    } else {
        page.say("{} cases are answered by two experts or more.", &[on.shared.into()]);
        coefficients(page, on);
        pairs(page, on);
    }
    if !on.model_with.is_empty() {
        page.table(
            &["the model with", "Cohen's kappa, on all that this expert has answered"],
            on.model_with.iter().map(|(name, kappa)| vec![name.into(), kappa.into()]),
        );
    }
    if on.shared > 0 {
        page.table(
            &["label", "where one expert gives it, another does"],
            labels.iter().zip(&on.by_label).map(|(label, figure)| vec![label.into(), figure.into()]),
        );
        page.table(
            &["where one says", "another says", "in this share of answers to the same case", "cases"],
            on.confusions
                .iter()
                .map(|c| vec![(&c.one).into(), (&c.other).into(), (&c.share).into(), c.cases.into()]),
        );
        let title = if labels.len() <= WIDEST {
            "Pairs of experts' answers to the same case. Each pair is counted once, whoever gave which: on the diagonal where both are the same, \
             else above it. Nothing is counted below it."
        } else {
            "Pairs of experts' answers to the same case, each pair once:"
        };
        met(page, title, &use_in_full.experts_met, labels);
    }
    if !use_in_full.model_met.is_empty() {
        met(
            page,
            "The model's label (rows) with the experts' answers (columns):",
            &use_in_full.model_met,
            labels,
        );
    }
}

fn coefficients(page: &mut Page, on: &OnUse) {
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
            "the model on the same cases, mean Cohen's kappa",
        ],
        rows,
    );
}

fn pairs(page: &mut Page, on: &OnUse) {
    page.table(
        &["experts", "Cohen's kappa", "Gwet's AC1", "raw agreement"],
        on.pairs.iter().map(|pair| {
            let both = Inline::sentence("{} and {}", &[(&pair.one).into(), (&pair.other).into()]);
            vec![both, (&pair.kappa).into(), (&pair.ac1).into(), (&pair.raw).into()]
        }),
    );
}

/// Who says what where another says what: all with all where that can be read, else the labels that differ, the most frequent first.
fn met(page: &mut Page, title: &'static str, met: &[Met], labels: &[String]) {
    page.say(title, &[]);
    if labels.len() <= WIDEST {
        let cell = |one: &String, other: &String| {
            met.iter().find(|m| m.one == *one && m.other == *other).map_or(0, |m| m.times)
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
    let mut differ: Vec<&Met> = met.iter().filter(|m| m.one != m.other).collect();
    let alike: usize = met.iter().filter(|m| m.one == m.other).map(|m| m.times).sum();
    differ.sort_by_key(|m| std::cmp::Reverse(m.times));
    page.table(
        &["one", "other", "times"],
        differ.iter().take(MOST).map(|m| vec![(&m.one).into(), (&m.other).into(), m.times.into()]),
    );
    page.say(
        "{} times the two were the same; {} further pairs of labels that differ are not listed here, but in the JSON document.",
        &[alike.into(), differ.len().saturating_sub(MOST).into()],
    );
}
