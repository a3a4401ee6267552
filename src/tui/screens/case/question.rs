//! The question, and where the person is.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::panes::MAX_QUESTION;
use crate::domain::task::Task;
use crate::tui::widgets::frame::Look;
use crate::tui::widgets::text_layout::{drawable, lay_out};

/// The question, and right of it where the person is.
pub(super) struct Question {
    lines: Vec<Line<'static>>,
    /// Whether it is too long to fit next to that.
    is_below: bool,
}

impl Question {
    pub fn new(task: &Task, whereabouts: &str, width: u16, look: Look<'_>) -> Self {
        let question = drawable(&task.question);
        let room = usize::from(width).saturating_sub(whereabouts.width() + 1);
        let is_below = question.contains('\n') || question.width() + 2 > room;
        let style = look.theme.title;
        let mut lines = lay_out(&question, &[], width.saturating_sub(2), (style, style));
        if lines.len() > MAX_QUESTION {
            lines.truncate(MAX_QUESTION);
            if let Some(line) = lines.last_mut() {
                line.push_span(Span::styled("…", style));
            }
        }
        for line in &mut lines {
            line.spans.insert(0, Span::raw(" "));
        }
        Self { lines, is_below }
    }

    pub fn height(&self) -> u16 {
        u16::from(self.is_below) + self.lines.len() as u16
    }

    pub fn draw(self, frame: &mut Frame<'_>, area: Rect, whereabouts: String, look: Look<'_>) {
        let [top, below] =
            Layout::vertical([Constraint::Length(u16::from(self.is_below)), Constraint::Fill(1)]).areas(area);
        frame.render_widget(Paragraph::new(self.lines), below);
        let first = Rect { height: area.height.min(1), ..if self.is_below { top } else { area } };
        let wide = whereabouts.width() as u16;
        let [_, right, _] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(wide), Constraint::Length(1)])
                .areas(first);
        frame.render_widget(Paragraph::new(Span::styled(whereabouts, look.theme.quiet)), right);
    }
}
