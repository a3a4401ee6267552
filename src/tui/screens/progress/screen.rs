//! A page that is read, with what is running next to it.

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::view::page;
use crate::insight::status::{Status, status};
use crate::tui::keys::Action;
use crate::tui::message::Message;
use crate::tui::results::results;
use crate::tui::screen::{Received, Screen, Then, View};
use crate::tui::shared::Shared;
use crate::tui::widgets::async_page::AsyncPage;

#[derive(Debug, Default)]
pub(in crate::tui) struct ProgressScreen {
    page: AsyncPage<Status>,
}

impl Screen for ProgressScreen {
    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        let running = view.shared.jobs.in_short();
        self.page.draw(frame, area, view, |status, size| page(status, size, running.as_deref(), view.look));
    }

    fn act(&mut self, action: Action, shared: &Shared) -> Vec<Then> {
        if action == Action::Open { results(&shared.about) } else { self.page.act(action) }
    }

    fn refresh(&mut self) -> Vec<Then> {
        self.page.request(status)
    }

    fn receive(&mut self, message: Message, _: &Shared, _: Instant) -> Received {
        self.page.receive(message)
    }
}
