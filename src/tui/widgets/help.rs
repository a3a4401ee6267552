//! What the help lists: every key of the screen that one is on.

use super::text_layout::drawable;
use crate::domain::task::Task;
use crate::tui::keys::{ACTIONS, About, Action, Keymap, Stroke};
use crate::tui::screen::Screen;
use crate::tui::screens::items::view::TYPED;

/// What a lead does on a disagreement beside what has an action of its own.
const ON_DISPUTES: [(&str, &str); 1] =
    [("a label's key", "on a case that is open: decide for that label, and write why")];

/// Keys, or what can be typed, each with what it does.
pub(in crate::tui) fn help(screen: Screen, task: &Task, keys: &Keymap) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    if screen == Screen::Case {
        for label in &task.labels {
            lines.push((drawable(&label.key.to_string()), format!("label: {}", drawable(&label.name))));
        }
    }
    if screen == Screen::Items {
        lines.extend(TYPED.map(|(typed, says)| (typed.to_owned(), says.to_owned())));
    }
    if screen == Screen::Agreement {
        lines.extend(ON_DISPUTES.map(|(key, says)| (key.to_owned(), says.to_owned())));
        let undo = keys.keys_of(Action::Undo).iter().map(Stroke::to_string).collect::<Vec<_>>().join(", ");
        lines.push((undo, "take back the decision on the case that is open".into()));
    }
    let here = |about: &&About| match about.action {
        action if action.is_on_cases() => screen == Screen::Case,
        action if action.is_on_disputes() => screen == Screen::Agreement,
        _ => true,
    };
    for about in ACTIONS.iter().filter(here) {
        let strokes: Vec<String> = keys.keys_of(about.action).iter().map(Stroke::to_string).collect();
        let strokes = if strokes.is_empty() { format!("(: {})", about.name) } else { strokes.join(", ") };
        lines.push((strokes, about.says.to_owned()));
    }
    lines
}
