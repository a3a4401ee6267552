//! What the help lists: every key of the screen that one is on.

use super::items_view::TYPED;
use super::keys::{ACTIONS, Keymap, Stroke};
use super::passage::drawable;
use super::screen::Screen;
use crate::domain::task::Task;

/// Keys, or what can be typed, each with what it does.
pub(super) fn help(screen: Screen, task: &Task, keys: &Keymap) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    if screen == Screen::Case {
        for label in &task.labels {
            lines.push((label.key.to_string(), format!("label: {}", drawable(&label.name))));
        }
    }
    if screen == Screen::Items {
        lines.extend(TYPED.map(|(typed, says)| (typed.to_owned(), says.to_owned())));
    }
    for about in ACTIONS.iter().filter(|about| screen == Screen::Case || !about.action.is_on_cases()) {
        let strokes: Vec<String> = keys.keys_of(about.action).iter().map(Stroke::to_string).collect();
        let strokes = if strokes.is_empty() { format!("(: {})", about.name) } else { strokes.join(", ") };
        lines.push((strokes, about.says.to_owned()));
    }
    lines
}
