//! The question which results to write, from the palette and the Progress screen.

use super::widgets::popup::{Choice, ChoiceKey, Choosable, Outcome, Popup};
use crate::desk::results::Results;

/// Asks what to write. Everything goes into a new file next to the project.
pub(super) fn results() -> Popup {
    let option = |results: Results| Choosable {
        key: ChoiceKey::Char(results.key()),
        says: results.says().to_owned(),
        outcome: Outcome::WritesResults(results),
    };
    Popup::Choice(Choice {
        title: " Results ",
        lead: "A new file next to the project. How good the labels are stands on the Progress screen, and in the report.".into(),
        options: Results::ALL.map(option).into(),
        otherwise: "nothing",
    })
}
