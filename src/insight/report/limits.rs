//! What a report does not say: a sentence for each limit that its own figures show.

use serde_json::Value;

use super::contents::Report;
use crate::domain::expert::Role;
use crate::domain::figure::Figure;
use crate::domain::grouped::counted;
use crate::stats::estimate::bootstrap::RESAMPLES;

/// Fewer cases than this make a wide interval.
const MANY: usize = 30;

/// The limits of a report that is complete but for them.
pub(crate) fn limits(report: &Report) -> Vec<String> {
    let mut said = vec![
        "Roles, blindness and names are kept by the program, not by the file: whoever may write the file could have changed anything in it. The hash of the \
         log tells whether two files have the same log; it does not say who wrote it."
            .to_owned(),
        "Times are those of the clocks of the machines on which people worked. Numbers of rounds and of revisions are those of this file; another copy \
         may count them otherwise."
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
            "This was written for somebody who does not lead: {} whose cases are still open {} left out of every count of answers and every figure.",
            counted(report.about.left_out, "text", "texts"),
            if report.about.left_out == 1 { "is" } else { "are" }
        ));
    }
    if report.about.missing_events > 0 {
        said.push(format!(
            "{} missing: the numbers of their sessions say that there were more than this file has. A copy may have them, or a -wal file that was left behind.",
            counted(report.about.missing_events, "event of the log is", "events of the log are")
        ));
    }
    let open = report.rounds.iter().filter(|round| round.closed.is_none()).count();
    if open > 0 {
        said.push(format!(
            "{} open: what is said of {} will change.",
            counted(open, "round is", "rounds are"),
            if open == 1 { "it" } else { "them" }
        ));
    }
    let older: usize = report.revisions.iter().filter(|r| !r.stands).map(|r| r.labels).sum();
    if older > 0 {
        said.push(format!(
            "{} given under a revision of the task that stands no more. Such labels count like all others until their cases are sent round again and answered.",
            counted(older, "standing label was", "standing labels were")
        ));
    }
    let dropped = report.adapters.iter().filter(|adapter| adapter.sha256.is_none()).count();
    if dropped > 0 {
        said.push(format!(
            "The bytes of {} dropped, so what {} said cannot be computed again from this file.",
            counted(dropped, "adapter were", "adapters were"),
            if dropped == 1 { "it" } else { "they" }
        ));
    }
    said
}

fn of_the_experts(report: &Report) -> Vec<String> {
    let mut said = Vec::new();
    match report.people.iter().filter(|person| person.labels > 0).count() {
        0 => said.push(
            "Nobody has labelled yet, as far as this report may tell: nothing is known of agreement or of the model.".into(),
        ),
        1 => said.push(
            "One expert has labelled: how far experts would agree is not known. How far that one agrees with the own earlier answers says how steady they \
             are, not whether they are right."
                .into(),
        ),
        _ => {}
    }
    let untied: usize = report.people.iter().map(|person| person.untied).sum();
    if untied > 0 {
        said.push(format!(
            "{} from a login that their name is not tied to: somebody may have worked under another's name.",
            counted(untied, "standing label came", "standing labels came")
        ));
    }
    if report.blindness.after_reveal > 0 {
        said.push(format!(
            "{} of {} given after the model's view or others' answers had been shown: they count for labels and for training, and make no figure.",
            report.blindness.after_reveal,
            counted(report.blindness.answers, "answer was", "answers were")
        ));
    }
    if report.decisions.undecided > 0 {
        said.push(format!(
            "Experts differ on {} that nobody has decided: where no label has the most votes there is none, and such texts train nothing.",
            counted(report.decisions.undecided, "text", "texts")
        ));
    }
    said
}

fn of_the_figures(report: &Report) -> Vec<String> {
    let mut said = vec![format!(
        "Intervals are 95 % bootstrap intervals over cases, {RESAMPLES} resamples from the stored seed. They say what other cases would give, not what other \
         experts would."
    )];
    let hard = report.figures.uses.iter().find(|on| on.on.cases_of == "hard");
    if let Some(shared) = hard.map(|hard| hard.on.shared).filter(|shared| (1..MANY).contains(shared)) {
        said.push(format!(
            "How far experts agree on hard cases rests on {} of them: with fewer than {MANY} a single answer moves it far.",
            shared
        ));
    }
    if !report.rounds.is_empty() {
        said.push(
            "Hard cases were chosen because a model was unsure of them: what is measured on them says nothing of ordinary texts. Only the audit's cases were \
             drawn at random."
                .into(),
        );
    }
    if report.figures.audit.n > 0 {
        said.push(format!(
            "The audit rests on {}. It speaks of the texts of this pool, not of texts to come.",
            counted(report.figures.audit.n, "answered case", "answered cases")
        ));
    }
    let undefined = serde_json::to_value(&report.figures).map_or(0, |value| undefined(&value));
    if undefined > 0 {
        said.push(format!(
            "{} not defined; each says why where it stands. What is not defined is not 0.",
            counted(undefined, "figure is", "figures are")
        ));
    }
    if let Figure::Known { n, .. } = &report.figures.hard.own_agreement
        && *n < MANY
    {
        said.push(format!(
            "How steady experts are rests on {}.",
            counted(*n, "case shown again", "cases shown again")
        ));
    }
    said
}

/// How many figures of a document have a reason in the place of a number.
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
