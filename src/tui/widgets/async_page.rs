//! A page that another thread reads: the old one is shown until the new one comes. It scrolls, and has the notice and keys below it.

use std::any::Any;
use std::path::Path;

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use super::frame::{below, foot, paragraph};
use super::scroll::{moved, scrolled};
use crate::desk::pages::PageRequest;
use crate::domain::fault::{Fault, Result};
use crate::tui::effect::Effect;
use crate::tui::keys::Action;
use crate::tui::message::Message;
use crate::tui::screen::{Received, Then, View};

/// Lines that a page's key scrolls.
pub(in crate::tui) const PAGE: usize = 10;

/// What was read last, and where the person is in it.
#[derive(Debug)]
pub(in crate::tui) struct AsyncPage<T> {
    pub content: Option<Box<T>>,
    failed: Option<Fault>,
    waits: bool,
    pub scroll: usize,
}

impl<T> Default for AsyncPage<T> {
    fn default() -> Self {
        Self { content: None, failed: None, waits: false, scroll: 0 }
    }
}

impl<T: Any + Send> AsyncPage<T> {
    /// Asks for the page, which `read` reads from the project's path as the expert of a name.
    pub fn request(&mut self, read: fn(&Path, &str) -> Result<T>) -> Vec<Then> {
        self.waits = true;
        vec![Effect::Read(PageRequest::new(read)).into()]
    }

    /// Takes the page, where the message is one of this type.
    pub fn receive(&mut self, message: Message) -> Received {
        let page = match message {
            Message::Page(page) if page.is::<T>() => page,
            other => return Received::NotMine(other),
        };
        self.waits = false;
        match page.into_content() {
            Some(Ok(content)) => (self.content, self.failed) = (Some(content), None),
            Some(Err(fault)) => self.failed = Some(fault),
            None => {}
        }
        Received::Taken(Vec::new())
    }

    /// Scrolls, or goes back.
    pub fn act(&mut self, action: Action) -> Vec<Then> {
        if action == Action::Back {
            return vec![Then::Home];
        }
        self.scroll = moved(self.scroll, action, PAGE).unwrap_or(self.scroll);
        Vec::new()
    }

    /// Draws what `lines` makes of the page for a size.
    pub fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        view: View<'_>,
        lines: impl FnOnce(&T, Size) -> Vec<Line<'static>>,
    ) {
        let hints = [
            (Action::Help, "help"),
            (Action::GoOn, "next round"),
            (Action::Open, "results"),
            (Action::Down, "scroll"),
            (Action::Back, "back to the case"),
            (Action::NextScreen, "screens"),
            (Action::Quit, "quit"),
        ];
        let said = self.said(view);
        let [body, foot_area] = below(area, said);
        self.draw_body(frame, body, view, lines);
        foot(frame, foot_area, said, &hints, view.look);
    }

    /// The page alone, without the lines below it.
    pub fn draw_body(
        &mut self,
        frame: &mut Frame<'_>,
        body: Rect,
        view: View<'_>,
        lines: impl FnOnce(&T, Size) -> Vec<Line<'static>>,
    ) {
        let text = Rect { width: body.width.saturating_sub(1), ..body };
        let mut shown = Vec::new();
        if let Some(fault) = &self.failed {
            shown.extend(paragraph(&fault.to_string(), text.width.saturating_sub(1), view.look.theme.bad));
        }
        match &self.content {
            Some(page) => shown.extend(lines(page, text.as_size())),
            None if self.waits => shown.push(Line::styled(" computing …", view.look.theme.quiet)),
            None => {}
        }
        scrolled(frame, shown, text, &mut self.scroll, view.look);
    }

    /// What the line below the page says.
    pub fn said<'v>(&self, view: View<'v>) -> Option<(&'v str, ratatui::style::Style)> {
        match view.notice {
            Some(notice) => Some((notice.says.as_str(), view.look.tone(notice.tone))),
            None if self.waits && self.content.is_some() => Some(("updating …", view.look.theme.quiet)),
            None => None,
        }
    }
}
