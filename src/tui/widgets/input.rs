//! What popups with a line to fill in have in common.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use tui_input::Input;

use super::frame::{Look, hanging};

/// A key and what it does, in a popup.
pub(super) fn key_line(key: &str, says: &str, look: Look<'_>) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!(" {key:<6}"), look.theme.key),
        Span::styled(says.to_owned(), look.theme.text),
    ])
}

/// The same in as many lines as it needs.
pub(super) fn key_lines(key: &str, says: &str, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
    hanging(vec![Span::styled(format!(" {key:<6}"), look.theme.key)], says, width, look.theme.text)
}

/// A field with its cursor; what was pasted may be longer than any terminal is wide.
pub(in crate::tui) fn draw_input(frame: &mut Frame<'_>, area: Rect, input: &Input, look: Look<'_>) {
    let room = usize::from(area.width).max(1);
    let scroll = input.visual_scroll(room);
    let cursor = (input.visual_cursor() - scroll).min(room) as u16;
    frame.set_cursor_position((area.x + cursor, area.y));
    let value = Paragraph::new(input.value().to_owned()).scroll((0, scroll as u16));
    frame.render_widget(value.style(look.theme.text), area);
}
