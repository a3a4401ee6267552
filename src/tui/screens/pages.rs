//! The two screens that only show what another thread reads, progress and project, and what that thread reads for the screen of agreement.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::agree::screen::AgreementScreen;
use super::{progress, project};
use crate::desk::pages::{Page, Read};
use crate::insight::project::Project;
use crate::insight::status::Status;
use crate::tui::effect::Effect;
use crate::tui::keys::Action;
use crate::tui::widgets::async_page::Sheet;
use crate::tui::widgets::frame::{Look, Notice};

/// What is known of both.
#[derive(Debug, Default)]
pub(in crate::tui) struct Pages {
    progress: Sheet<Status>,
    project: Sheet<Project>,
    pub agreement: AgreementScreen,
}

impl Pages {
    /// The page on the screen has just been opened, or what it shows has changed.
    pub fn ask(&mut self, page: Page) -> Vec<Effect> {
        match page {
            Page::Progress => self.progress.asked(),
            Page::Project => self.project.asked(),
            Page::Agreement => self.agreement.asked(),
        }
        vec![Effect::Read(page)]
    }

    /// A page was read, or could not be.
    pub fn take(&mut self, read: Read) -> Vec<Effect> {
        match read {
            Read::Progress(status) => self.progress.take(status),
            Read::Project(project) => self.project.take(project),
            Read::Agreement(report) => self.agreement.take(report),
        }
        Vec::new()
    }

    /// Scrolls; asks for nothing.
    pub fn act(&mut self, page: Page, action: Action) -> Vec<Effect> {
        match page {
            Page::Progress => self.progress.act(action),
            Page::Project => self.project.act(action),
            // It does more than scroll, and is asked by itself.
            Page::Agreement => {}
        }
        Vec::new()
    }

    /// Draws the page.
    pub fn draw(
        &mut self,
        page: Page,
        (frame, area): (&mut Frame<'_>, Rect),
        (notice, beside): (Option<&Notice>, &progress::Beside),
        look: Look<'_>,
    ) {
        match page {
            Page::Progress => self
                .progress
                .draw(frame, area, notice, look, |status, size| progress::page(status, size, beside, look)),
            Page::Project => self
                .project
                .draw(frame, area, notice, look, |project, (width, _)| project::page(project, width, look)),
            Page::Agreement => {}
        }
    }
}
