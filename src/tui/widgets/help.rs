//! Keys with what they do: of the screen or the popup that it lies over.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::boxed::block;
use super::frame::{Look, paragraph};
use super::scroll::{moved, scrolled};
use super::text_layout::drawable;
use crate::tui::keys::{Action, Keymap, Stroke};

/// Columns of the help.
const WIDTH: u16 = 80;
/// Lines that a page's key scrolls.
const PAGE: usize = 10;

/// A key, or what can be typed, and what it does.
pub(in crate::tui) type KeyLine = (String, String);

/// What the help lies over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Under {
    /// Keys alone.
    Keys,
    /// An empty line that is being typed: the help's own key, pressed once more, is typed into it.
    Line,
}

/// What came of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Helped {
    Stays,
    Closes,
    /// It closes, and the key is for the line below it.
    Types,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct KeysHelp {
    lines: Vec<KeyLine>,
    scroll: usize,
    under: Under,
}

impl KeysHelp {
    pub fn new(mut lines: Vec<KeyLine>, under: Under) -> Self {
        if under == Under::Line {
            lines.push(("?, again".into(), "type a ? into the line".into()));
        }
        Self { lines, scroll: 0, under }
    }

    /// Takes what a key does elsewhere: what moves scrolls, anything else closes.
    pub fn act(&mut self, action: Option<Action>) -> Helped {
        if action == Some(Action::Help) && self.under == Under::Line {
            return Helped::Types;
        }
        action.and_then(|action| moved(self.scroll, action, PAGE)).map_or(Helped::Closes, |to| {
            self.scroll = to;
            Helped::Stays
        })
    }

    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let wide = self.lines.iter().map(|(keys, _)| keys.chars().count()).max().unwrap_or(0);
        let room = area.width.min(WIDTH).saturating_sub(wide as u16 + 6);
        let mut shown = Vec::new();
        for (keys, says) in &self.lines {
            for (i, mut line) in paragraph(says, room, look.theme.text).into_iter().enumerate() {
                let keys = if i == 0 { keys.as_str() } else { "" };
                line.spans.insert(0, Span::styled(format!(" {keys:<wide$}  "), look.theme.key));
                shown.push(line);
            }
        }
        let height = u16::try_from(shown.len()).unwrap_or(u16::MAX).saturating_add(2);
        let inner = block(frame, area, (WIDTH, height), " Keys · any other key closes ", look);
        let text = Rect { width: inner.width.saturating_sub(1), ..inner };
        scrolled(frame, shown, text, &mut self.scroll, look);
    }
}

/// The lines of a fixed list.
pub(in crate::tui) fn key_list(list: &[(&str, &str)]) -> Vec<KeyLine> {
    list.iter().map(|(key, says)| ((*key).to_owned(), (*says).to_owned())).collect()
}

/// What a screen's help says: the screen's own lines first, then the actions but those of other screens only. Of what has no key and only changes
/// how the screen looks, the palette tells.
pub(in crate::tui) fn help(
    own: Vec<KeyLine>,
    keys: &Keymap,
    is_elsewhere: impl Fn(Action) -> bool,
) -> Vec<KeyLine> {
    let mut lines: Vec<_> = own.into_iter().map(|(key, says)| (drawable(&key), drawable(&says))).collect();
    for info in keys.actions().iter().filter(|info| !is_elsewhere(info.action)) {
        let strokes: Vec<String> = keys.keys_of(info.action).iter().map(Stroke::to_string).collect();
        if strokes.is_empty() && matches!(info.action, Action::Theme(_)) {
            continue;
        }
        let strokes = if strokes.is_empty() { format!("(: {})", info.name) } else { strokes.join(", ") };
        lines.push((strokes, info.help.to_owned()));
    }
    lines
}
