//! Who labelled, how blind, in which rounds, with how many others, and how texts came to their labels.

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
            "also as",
            "role",
            "logins",
            "sessions",
            "standing labels",
            "skips",
            "first day",
            "last day",
            "seconds a case",
            "labels from a login not tied",
        ],
        report.people.iter().map(row),
    );
    page.say(
        "Seconds a case: the median of the last 200 timed answers at most. A name is tied to the login that first used it.",
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
            "same" => "{}: {} said that {} and {} are one person",
            _ => "{}: {} said that {} and {} are two persons",
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
        "Of {} labels ever given, changed ones and those of cases shown again included, {} were given blind and {} after the model's view or others' \
         answers had been shown, {} of all beside the prelabel. A view was shown {} times, each person and text once.",
        &[
            blind.answers.into(),
            blind.blind.into(),
            blind.after_reveal.into(),
            blind.beside_prelabel.into(),
            blind.reveals.into(),
        ],
    );
    let counting = |cases_of: &str| Inline::from(blind.counting.get(cases_of).copied().unwrap_or(0));
    page.say(
        "Figures rest on each person's first blind answer alone: {} to hard cases, {} to audit cases, {} to training cases. {} answers are to cases that came \
         back blind to whoever had answered them.",
        &[counting("hard"), counting("audit"), counting("training"), blind.shown_again.into()],
    );
    let skips: usize = report.remarks.skips.values().sum();
    page.say(
        "{} cases were skipped and not labelled, each person's counted{}. They count in no figure. {} texts are flagged for a second look, and {} notes stand.",
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
        page.say("There was none.", &[]);
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
            "shown again",
            "sent round again",
            "note",
        ],
        report.rounds.iter().map(|round| {
            let text = |text: &Option<String>, instead| Inline::or(text.as_ref().map(Inline::from), instead);
            vec![
                round.number.into(),
                Inline::from(&round.strategy),
                round.budget.into(),
                round.seed.into(),
                text(&round.mined_from, "nothing yet"),
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
    page.heading(2, &"Overlap: asked for and reached".into());
    page.table(
        &[
            "round",
            "cases of",
            "cases",
            "answers asked for",
            "of these given",
            "beyond that",
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
        "The program never asks for more answers to a case than there are active experts, so a project of one never reaches what is asked for here.",
        &[],
    );
}

pub(crate) fn reached(page: &mut Page, report: &Report) {
    page.heading(2, &"How texts came to their labels".into());
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
        "A lead's decision counts before all answers, else the label that most experts gave; a tie has none. What was said under an earlier revision \
         counts no more once the case was answered again under a newer one. `hardcase export FILE --what final` has every text.",
        &[],
    );
}
