//! Lines that scroll, with a scrollbar next to them if not all of them fit.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Scrollbar, ScrollbarOrientation, ScrollbarState};

use super::frame::Look;
use crate::tui::keys::Action;

/// Where a key that moves leads, from a line or row; how far down the last one is, the drawing says. None for other keys.
pub(in crate::tui) fn moved(from: usize, action: Action, page: usize) -> Option<usize> {
    Some(match action {
        Action::Up => from.saturating_sub(1),
        Action::Down => from.saturating_add(1),
        Action::PageUp => from.saturating_sub(page),
        Action::PageDown => from.saturating_add(page),
        Action::Top => 0,
        Action::Bottom => usize::MAX,
        _ => return None,
    })
}

/// Draws the lines from the place on to which the person has scrolled, which is kept within them. The bar stands in the column right of
/// `area`.
pub(in crate::tui) fn scrolled(
    frame: &mut Frame<'_>,
    lines: Vec<Line<'static>>,
    area: Rect,
    scroll: &mut usize,
    look: Look<'_>,
) {
    let (all, height) = (lines.len(), usize::from(area.height));
    *scroll = (*scroll).min(all.saturating_sub(height));
    // Cut here: a text of a megabyte may have more lines than ratatui's own scrolling counts.
    let shown: Vec<Line<'static>> = lines.into_iter().skip(*scroll).take(height).collect();
    frame.render_widget(Paragraph::new(shown), area);
    bar(frame, area, (*scroll, all), look);
}

/// The bar right of `area` that says which part of `all` rows is in view; none where all are.
pub(in crate::tui) fn bar(frame: &mut Frame<'_>, area: Rect, (from, all): (usize, usize), look: Look<'_>) {
    let height = usize::from(area.height);
    if all <= height {
        return;
    }
    let place = Rect { x: area.right(), width: 1, ..area }.intersection(frame.area());
    let mut state = ScrollbarState::new(all - height + 1).viewport_content_length(height).position(from);
    let bar = Scrollbar::new(ScrollbarOrientation::VerticalRight)
        .begin_symbol(None)
        .end_symbol(None)
        .track_symbol(Some("┊"))
        .thumb_symbol("█")
        .track_style(look.theme.rule)
        .thumb_style(look.theme.quiet);
    frame.render_stateful_widget(bar, place, &mut state);
}
