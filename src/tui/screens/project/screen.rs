//! A page that is read, and nothing else.

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::view::page;
use crate::insight::project::{Project, project};
use crate::tui::keys::Action;
use crate::tui::message::Message;
use crate::tui::screen::{Received, Screen, Then, View};
use crate::tui::shared::Shared;
use crate::tui::widgets::async_page::AsyncPage;

#[derive(Debug, Default)]
pub(in crate::tui) struct ProjectScreen {
    page: AsyncPage<Project>,
}

impl Screen for ProjectScreen {
    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        self.page.draw(frame, area, view, |project, size| page(project, size.width, view.look));
    }

    fn act(&mut self, action: Action, _: &Shared) -> Vec<Then> {
        self.page.act(action)
    }

    fn refresh(&mut self) -> Vec<Then> {
        self.page.request(|file, _| project(file))
    }

    fn receive(&mut self, message: Message, _: &Shared, _: Instant) -> Received {
        self.page.receive(message)
    }
}
