//! The frame of everything that lies over a screen.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::widgets::{Block, Clear};

use super::frame::Look;

/// A frame in the middle of `area`; returns what is inside.
pub(super) fn block(
    frame: &mut Frame<'_>,
    area: Rect,
    (width, height): (u16, u16),
    title: &'static str,
    look: Look<'_>,
) -> Rect {
    block_at(frame, area.centered(Constraint::Length(width), Constraint::Length(height)), title, look)
}

/// The same in a place of its own.
pub(super) fn block_at(frame: &mut Frame<'_>, place: Rect, title: &'static str, look: Look<'_>) -> Rect {
    let block = Block::bordered().title(title).border_style(look.theme.rule).title_style(look.theme.title);
    let inner = block.inner(place);
    frame.render_widget(Clear, place);
    frame.render_widget(block, place);
    inner
}
