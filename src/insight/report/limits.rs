//! The limits of a report: a sentence for each limit that its own figures show.

use serde_json::Value;

use super::contents::Report;
use crate::domain::expert::Role;
use crate::domain::figure::Figure;
use crate::domain::grouped::counted;
use crate::stats::estimate::bootstrap::RESAMPLES;

/// With fewer cases than this, intervals are wide.
const MANY: usize = 30;

/// The limits of a report that is otherwise complete.
pub(crate) fn limits(report: &Report) -> Vec<String> {
    let mut said = vec![
        "Roles, blindness and names are enforced by the program, not by the file: anybody who can write the file could have changed anything in it. The hash \
         of the log shows whether two files have the same log; it does not show who wrote it."
            .to_owned(),
        "Times come from the clocks of the machines on which people worked. Rounds and revisions are numbered as in this file; another copy may number them \
         differently."
            .to_owned(),
    ];
    said.extend(of_the_log(report));
    said.extend(of_the_experts(report));
    said.extend(of_the_figures(report));
    said
}

fn of_the_log(report: &Report) -> Vec<String> {
    let mut said = Vec::new();
    if report.about.reader == Role::Expert {
        said.push(format!(
            "This report was not written for a lead: {} whose cases are still open {} left out of every count of answers and every figure.",
            counted(report.about.left_out, "text", "texts"),
            if report.about.left_out == 1 { "is" } else { "are" }
        ));
    }
    if report.about.missing_events > 0 {
        said.push(format!(
            "{} missing, as gaps in their numbering show. Another copy may have them, or a -wal file that was left behind.",
            counted(report.about.missing_events, "event of the log is", "events of the log are")
        ));
    }
    let open = report.rounds.iter().filter(|round| round.closed.is_none()).count();
    if open > 0 {
        said.push(format!(
            "{} still open, so {} figures will change.",
            counted(open, "round is", "rounds are"),
            if open == 1 { "its" } else { "their" }
        ));
    }
    let older: usize = report.revisions.iter().filter(|r| !r.current).map(|r| r.labels).sum();
    if older > 0 {
        said.push(format!(
            "{} given under an earlier revision of the task. Such labels count like all others until their cases are sent out for re-annotation and answered.",
            counted(older, "current label was", "current labels were")
        ));
    }
    let dropped = report.adapters.iter().filter(|adapter| adapter.sha256.is_none()).count();
    if dropped > 0 {
        said.push(format!(
            "The weights of {} pruned, so {} predictions cannot be recomputed from this file.",
            counted(dropped, "adapter were", "adapters were"),
            if dropped == 1 { "its" } else { "their" }
        ));
    }
    said
}

fn of_the_experts(report: &Report) -> Vec<String> {
    let mut said = Vec::new();
    match report.people.iter().filter(|person| person.labels > 0).count() {
        0 => said.push(
            "Nobody has labelled yet, as far as this report may show, so nothing is known about agreement or about the model.".into(),
        ),
        1 => said.push(
            "Only one expert has labelled, so it is not known how well experts would agree. Agreement with their own earlier answers shows how consistent \
             their answers are, not whether they are right."
                .into(),
        ),
        _ => {}
    }
    let untied: usize = report.people.iter().map(|person| person.untied).sum();
    if untied > 0 {
        said.push(format!(
            "{} from a login not tied to their name: somebody may have worked under another person's name.",
            counted(untied, "current label came", "current labels came")
        ));
    }
    if report.blindness.after_reveal > 0 {
        said.push(format!(
            "{} of {} given after the model's view or others' answers had been shown. They count for labels and for training, but enter no figure.",
            report.blindness.after_reveal,
            counted(report.blindness.answers, "answer was", "answers were")
        ));
    }
    if report.decisions.undecided > 0 {
        said.push(format!(
            "Experts disagree on {} without a decision. If no label has the most votes, such a text has no label and trains nothing.",
            counted(report.decisions.undecided, "text", "texts")
        ));
    }
    said
}

fn of_the_figures(report: &Report) -> Vec<String> {
    let mut said = vec![format!(
        "Intervals are 95 % bootstrap intervals over cases, with {RESAMPLES} resamples from the stored seed. They show how figures would vary with other \
         cases, not with other experts."
    )];
    let hard = report.figures.uses.iter().find(|on| on.on.cases_of == "hard");
    if let Some(shared) = hard.map(|hard| hard.on.shared).filter(|shared| (1..MANY).contains(shared)) {
        said.push(format!(
            "Agreement on hard cases rests on {} of them. With fewer than {MANY}, a single answer changes it considerably.",
            shared
        ));
    }
    if !report.rounds.is_empty() {
        said.push(
            "Hard cases were chosen because a model was unsure of them, so figures on them do not describe ordinary texts. Only audit cases were drawn at \
             random."
                .into(),
        );
    }
    if report.figures.audit.n > 0 {
        said.push(format!(
            "The audit rests on {}. It describes the texts of this project, not future texts.",
            counted(report.figures.audit.n, "answered case", "answered cases")
        ));
    }
    let undefined = serde_json::to_value(&report.figures).map_or(0, |value| undefined(&value));
    if undefined > 0 {
        said.push(format!(
            "{} not known yet; the reason is given in each place. Not known does not mean 0.",
            counted(undefined, "figure is", "figures are")
        ));
    }
    if let Figure::Known { n, .. } = &report.figures.hard.self_agreement
        && *n < MANY
    {
        said.push(format!(
            "The consistency of experts rests on only {}.",
            counted(*n, "repeated case", "repeated cases")
        ));
    }
    said
}

/// How many figures of a document have a reason instead of a number.
fn undefined(value: &Value) -> usize {
    match value {
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("undefined") => 1,
        Value::Object(fields) => fields.values().map(undefined).sum(),
        Value::Array(all) => all.iter().map(undefined).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_without_a_number_are_counted_wherever_they_stand() {
        let of = |json: &str| undefined(&serde_json::from_str(json).unwrap());
        assert_eq!(
            of(
                r#"{"a":{"undefined":"few"},"b":[{"value":1,"lo":0},{"undefined":"none"}],"undefined":{"n":1}}"#
            ),
            2
        );
        assert_eq!(of("3"), 0);
    }
}
