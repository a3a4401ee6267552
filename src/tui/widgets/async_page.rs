//! A page that another thread reads: the old one is shown until the new one comes. It scrolls, and has the notice and keys at its foot.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::frame::{Look, Notice, foot, more_below, scrolled};
use super::text_layout::{drawable, lay_out};
use crate::domain::fault::{Fault, Result};
use crate::tui::keys::Action;

/// Lines that scroll at once with a page's key.
const PAGE: usize = 10;

/// What was read last, and where the person is in it.
#[derive(Debug)]
pub(in crate::tui) struct Sheet<T> {
    page: Option<Box<T>>,
    failed: Option<Fault>,
    waits: bool,
    scroll: usize,
}

impl<T> Default for Sheet<T> {
    fn default() -> Self {
        Self { page: None, failed: None, waits: false, scroll: 0 }
    }
}

impl<T> Sheet<T> {
    /// The page is asked for.
    pub fn asked(&mut self) {
        self.waits = true;
    }

    /// The page is here, or why it is not.
    pub fn take(&mut self, page: Result<Box<T>>) {
        self.waits = false;
        match page {
            Ok(page) => (self.page, self.failed) = (Some(page), None),
            Err(fault) => self.failed = Some(fault),
        }
    }

    /// Scrolls.
    pub fn act(&mut self, action: Action) {
        self.scroll = match action {
            Action::Up => self.scroll.saturating_sub(1),
            Action::Down => self.scroll.saturating_add(1),
            Action::PageUp => self.scroll.saturating_sub(PAGE),
            Action::PageDown => self.scroll.saturating_add(PAGE),
            Action::Top => 0,
            Action::Bottom => usize::MAX,
            _ => return,
        };
    }

    /// Draws what `lines` makes of the page for a width and a height.
    pub fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        notice: Option<&Notice>,
        look: Look<'_>,
        lines: impl FnOnce(&T, (u16, u16)) -> Vec<Line<'static>>,
    ) {
        let body = Rect { height: area.height.saturating_sub(2), ..area };
        let mut shown = Vec::new();
        if let Some(fault) = &self.failed {
            let style = look.theme.bad;
            shown.extend(lay_out(&drawable(&fault.to_string()), &[], area.width - 2, (style, style)));
        }
        match &self.page {
            Some(page) => shown.extend(lines(page, (body.width, body.height))),
            None if self.waits => shown.push(Line::styled(" computing…", look.theme.quiet)),
            None => {}
        }
        if scrolled(frame, shown, body, &mut self.scroll) {
            more_below(frame, body.right() - 1, body, look);
        }
        let said = match notice {
            Some(notice) => Some((notice.says.as_str(), look.tone(notice.tone))),
            None if self.waits && self.page.is_some() => Some(("computing anew…", look.theme.quiet)),
            None => None,
        };
        let hints = [
            (Action::Help, "help"),
            (Action::GoOn, "tune and mine"),
            (Action::Down, "scroll"),
            (Action::Back, "back to the case"),
            (Action::NextScreen, "screens"),
            (Action::Quit, "quit"),
        ];
        foot(frame, area, said, &hints, look);
    }
}
