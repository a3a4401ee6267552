//! What the help says: every key that does something on the screen it is opened on.

use super::text_layout::drawable;
use crate::tui::keys::{Action, Keymap, Stroke};

/// Keys, or what can be typed, each with what it does: the screen's own lines first, then the actions but those of other screens only.
pub(in crate::tui) fn help(
    own: Vec<(String, String)>,
    keys: &Keymap,
    is_elsewhere: impl Fn(Action) -> bool,
) -> Vec<(String, String)> {
    let mut lines: Vec<_> = own.into_iter().map(|(key, says)| (drawable(&key), drawable(&says))).collect();
    for info in keys.actions().iter().filter(|info| !is_elsewhere(info.action)) {
        let strokes: Vec<String> = keys.keys_of(info.action).iter().map(Stroke::to_string).collect();
        let strokes = if strokes.is_empty() { format!("(: {})", info.name) } else { strokes.join(", ") };
        lines.push((strokes, info.help.to_owned()));
    }
    lines
}
