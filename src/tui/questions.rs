//! What the workstation says of a job that ended, and the questions before it is left or the next round begins.

use super::widgets::choice::{Choice, ChoiceKey, Choosable};
use super::widgets::frame::Notice;
use super::widgets::outcome::Outcome;
use super::widgets::popup::Popup;
use crate::desk::jobs::{End, JobKind};
use crate::domain::grouped::counted;

/// How a job ended, for the line at the foot of any screen: the first sentence of its message, which has no jargon. The Jobs screen has the rest.
pub(super) fn job_notice(kind: JobKind, end: End, message: &str) -> Notice {
    match (kind, end) {
        (JobKind::Scout, End::Done) => Notice::good("The model has read the texts (details on Jobs).".into()),
        (JobKind::Import, End::Done) => Notice::good("The new texts are added (details on Jobs).".into()),
        (JobKind::Mine, End::Done) => Notice::good("The next cases are chosen (details on Jobs).".into()),
        (_, End::Done) => Notice::good(first_sentence(message)),
        (_, End::Stopped) if message.is_empty() => Notice::quiet(format!("Stopped: {}.", kind.doing())),
        (_, End::Stopped) => Notice::quiet(message.to_owned()),
        (_, End::Failed) => Notice::bad(message.to_owned()),
    }
}

fn first_sentence(message: &str) -> String {
    let (first, more) = message.split_once(". ").unwrap_or((message, ""));
    let details = if more.is_empty() { "" } else { " (details on Jobs)" };
    let mut letters = first.trim_end_matches('.').chars();
    let capital = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{capital}{}{details}.", letters.as_str())
}

pub(super) fn leave_while_a_job_runs() -> Popup {
    let option = |key, says: &str, outcome| Choosable { key, says: says.into(), outcome };
    Popup::Choice(Choice {
        title: " Something is still running ",
        lead: String::new(),
        options: vec![
            option(ChoiceKey::Char('q'), "quit; it goes on, and shows when you come back", Outcome::Quits),
            option(
                ChoiceKey::Char('s'),
                "quit and stop it; a training starts over next time",
                Outcome::QuitsAndStops,
            ),
        ],
        otherwise: "stay",
    })
}

/// The same question once it has answered itself: it stays until a key is pressed, so that no key meant for it does something else.
pub(super) fn leave_now() -> Popup {
    let key = ChoiceKey::Char('q');
    Popup::Choice(Choice {
        title: " Nothing is running any more ",
        lead: String::new(),
        options: vec![Choosable { key, says: "quit; everything is saved".into(), outcome: Outcome::Quits }],
        otherwise: "stay",
    })
}

pub(super) fn go_on_with_cases_left(left: usize, kinds: Vec<JobKind>) -> Popup {
    let learns = kinds.contains(&JobKind::Tune);
    let says = if learns { "let the model learn, and choose new cases" } else { "choose new cases" };
    Popup::Choice(Choice {
        title: " On to the next round? ",
        lead: format!("{} not answered in this round.", counted(left, "case is", "cases are")),
        options: vec![Choosable {
            key: ChoiceKey::Enter,
            says: says.into(),
            outcome: Outcome::Starts(kinds),
        }],
        otherwise: "stay in this round",
    })
}
