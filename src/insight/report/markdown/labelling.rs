//! Who labelled, how blind, in which rounds, with how many others, and how texts got their labels.

use super::escaped::Inline;
use super::page::Page;
use crate::domain::expert::Role;
use crate::domain::figure::Figure;
use crate::insight::report::contents::Report;
use crate::insight::report::people::{Person, SaidOfExperts};

/// What the cases of a use are called.
pub(crate) fn use_in_words(cases_of: &'static str) -> Inline {
    match cases_of {
        "hard" => "hard (evaluation)".into(),
        other => other.into(),
    }
}

pub(crate) fn people(page: &mut Page, report: &Report) {
    page.heading(2, &"Who labelled".into());
    page.table(
        &[
            "person",
            "other names",
            "role",
            "logins",
            "sessions",
            "current labels",
            "skips",
            "first day",
            "last day",
            "seconds per case",
            "labels from an untied login",
        ],
        report.people.iter().map(row),
    );
    page.say(
        "Seconds per case are the median of up to 200 last timed answers. A name is tied to the login that first used it.",
        &[],
    );
    if !report.said_of_experts.is_empty() {
        page.list(report.said_of_experts.iter().map(said));
    }
}

fn row(person: &Person) -> Vec<Inline> {
    let day = |day: &Option<String>| Inline::or(day.as_ref().map(Inline::from), "–");
    vec![
        Inline::from(&person.name),
        Inline::list(person.other_names.iter().map(Inline::from), ", "),
        match person.role {
            Role::Lead => "lead".into(),
            Role::Expert => "expert".into(),
        },
        person.logins.into(),
        person.sessions.into(),
        person.labels.into(),
        person.skips.into(),
        day(&person.first_day),
        day(&person.last_day),
        match &person.seconds {
            Figure::Known { value, lo, hi, n } => {
                Inline::text(&format!("{value:.1} ({lo:.1} to {hi:.1}, n = {n})"))
            }
            undefined => undefined.into(),
        },
        person.untied.into(),
    ]
}

fn said(said: &SaidOfExperts) -> Inline {
    let other = Inline::or(said.other.as_ref().map(Inline::from), "");
    let parts = [Inline::from(&said.at), Inline::from(&said.by), Inline::from(&said.expert), other];
    Inline::sentence(
        match said.action.as_str() {
            "lead" => "{}: {} made {} a lead",
            "expert" => "{}: {} made {} an expert",
            "same" => "{}: {} declared {} and {} to be one person",
            _ => "{}: {} declared {} and {} to be two people",
        },
        &parts,
    )
}

pub(crate) fn blindness(page: &mut Page, report: &Report) {
    let blind = &report.blindness;
    page.heading(2, &"Blindness".into());
    page.table(
        &["person", "labels given", "blind", "after the model's view or others' answers"],
        report.people.iter().filter(|person| person.answers > 0).map(|person| {
            vec![
                Inline::from(&person.name),
                person.answers.into(),
                person.blind.into(),
                person.after_reveal.into(),
            ]
        }),
    );
    page.say(
        "Of {} labels ever given, including changed ones and those of repeated cases, {} were given blind and {} after the model's view or others' \
         answers had been shown; {} were given with the prelabel on the screen. Model's view or others' answers were shown {} times, counting each person and \
         text once.",
        &[
            blind.answers.into(),
            blind.blind.into(),
            blind.after_reveal.into(),
            blind.with_prelabel.into(),
            blind.reveals.into(),
        ],
    );
    let counting = |cases_of: &str| Inline::from(blind.counting.get(cases_of).copied().unwrap_or(0));
    page.say(
        "Figures use only each person's first blind answer to a case: {} to hard cases, {} to audit cases, {} to training cases. {} answers are to cases that \
         were repeated blind.",
        &[counting("hard"), counting("audit"), counting("training"), blind.shown_again.into()],
    );
    let skips: usize = report.remarks.skips.values().sum();
    page.say(
        "{} cases were skipped and not labelled, counted per person{}. They enter no figure. {} texts are flagged for a second look, and there are {} notes.",
        &[
            skips.into(),
            by_split(report),
            report.remarks.flags.into(),
            report.remarks.notes.into(),
        ],
    );
}

fn by_split(report: &Report) -> Inline {
    if report.remarks.skips.is_empty() {
        return Inline::none();
    }
    let each =
        report.remarks.skips.iter().map(|(split, n)| Inline::sentence("{} {}", &[split.into(), (*n).into()]));
    Inline::sentence(" ({})", &[Inline::list(each, ", ")])
}

pub(crate) fn rounds(page: &mut Page, report: &Report) {
    page.heading(2, &"Rounds".into());
    if report.rounds.is_empty() {
        page.say("There are no rounds yet.", &[]);
        return;
    }
    page.table(
        &[
            "round",
            "strategy",
            "budget",
            "seed",
            "mined from",
            "overlap asked for",
            "opened",
            "closed",
            "cases",
            "withdrawn",
            "repeated",
            "re-annotated",
            "note",
        ],
        report.rounds.iter().map(|round| {
            let text = |text: &Option<String>, instead| Inline::or(text.as_ref().map(Inline::from), instead);
            vec![
                round.number.into(),
                Inline::from(&round.strategy),
                round.budget.into(),
                round.seed.into(),
                text(&round.mined_from, "no model"),
                text(&round.overlap, "–"),
                Inline::from(&round.opened),
                text(&round.closed, "open"),
                round.cases.into(),
                round.withdrawn.into(),
                round.shown_again.into(),
                round.sent_again.into(),
                text(&round.note, ""),
            ]
        }),
    );
}

pub(crate) fn overlap(page: &mut Page, report: &Report) {
    if report.overlap.is_empty() {
        return;
    }
    page.heading(2, &"Overlap, asked for and reached".into());
    page.table(
        &[
            "round",
            "cases of",
            "cases",
            "answers asked for",
            "of these, given",
            "beyond those",
            "complete cases",
            "cases without a label",
        ],
        report.overlap.iter().map(|on| {
            vec![
                on.round.into(),
                use_in_words(on.cases_of),
                on.cases.into(),
                on.asked.into(),
                on.given.into(),
                on.beyond.into(),
                on.complete.into(),
                on.without.into(),
            ]
        }),
    );
    page.say(
        "The program never asks for more answers to a case than there are active experts, so a project with one expert never reaches the overlap asked for.",
        &[],
    );
}

pub(crate) fn reached(page: &mut Page, report: &Report) {
    page.heading(2, &"How texts got their labels".into());
    page.table(
        &["cases of", "adjudicated", "agreed", "one expert", "majority", "tie", "skipped by all"],
        report.reached.iter().map(|on| {
            vec![
                use_in_words(on.cases_of),
                on.adjudicated.into(),
                on.agreed.into(),
                on.single.into(),
                on.majority.into(),
                on.tie.into(),
                on.skipped.into(),
            ]
        }),
    );
    page.say(
        "A lead's decision overrides all answers; otherwise the label that most experts gave counts, and after a tie there is none. Answers given under an \
         earlier revision are superseded once the case is answered again under a newer one. `hardcase export FILE --what final` lists every text.",
        &[],
    );
}
