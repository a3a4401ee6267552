//! What leads decided where experts disagree, and why.

use super::escaped::Inline;
use super::page::Page;
use crate::insight::disputes::Said;
use crate::insight::report::contents::Report;
use crate::insight::report::decisions::DecisionEntry;

pub(crate) fn decisions(page: &mut Page, report: &Report) {
    let decisions = &report.decisions;
    page.heading(2, &"Adjudication".into());
    page.say(
        "Texts on which experts disagree: {}, of these undecided: {}. Decisions made: {}, of these undone: {}, replaced by a later one: {}, in force: {}.",
        &[
            decisions.differ.into(),
            decisions.undecided.into(),
            decisions.given.into(),
            decisions.taken_back.into(),
            decisions.replaced.into(),
            decisions.standing.len().into(),
        ],
    );
    page.table(
        &["text (key)", "split", "beginning", "answers", "decision", "by", "when", "revision", "reason"],
        decisions.standing.iter().map(row),
    );
}

fn row(decision: &DecisionEntry) -> Vec<Inline> {
    let said = |said: &Said| {
        let label = Inline::or(said.label.as_ref().map(Inline::from), "skipped");
        Inline::sentence("{}: {}", &[(&said.expert).into(), label])
    };
    let label = Inline::from(&decision.label);
    vec![
        Inline::from(&decision.key),
        decision.split.into(),
        Inline::from(&decision.beginning),
        Inline::list(decision.answers.iter().map(said), ", "),
        if decision.overtaken {
            Inline::sentence("{} (superseded: answered again since)", &[label])
        } else {
            label
        },
        Inline::from(&decision.by),
        Inline::from(&decision.at),
        decision.revision.into(),
        Inline::or(decision.reason.as_ref().map(Inline::from), ""),
    ]
}
