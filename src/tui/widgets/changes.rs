//! What has changed in the task under an open screen. Until it is acknowledged, no key labels anything: a key may mean something else now.

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::boxed::block;
use super::frame::{Look, hanging};
use super::scroll::{moved, scrolled};
use super::text_layout::drawable;
use crate::domain::task::Task;
use crate::tui::keys::Action;

/// Columns.
const WIDTH: u16 = 76;
/// Lines that a page's key scrolls.
const PAGE: usize = 10;

/// What has changed, a sentence each.
#[derive(Debug)]
pub(in crate::tui) struct Changes {
    says: Vec<String>,
    scroll: usize,
    /// Whether they have been on the screen: enter before that acknowledges nothing.
    drawn: bool,
    /// The task as it is now.
    task: Box<Task>,
}

impl Changes {
    pub fn new(says: Vec<String>, task: Task) -> Self {
        Self {
            says: says.iter().map(|line| drawable(line)).collect(),
            scroll: 0,
            drawn: false,
            task: Box::new(task),
        }
    }

    /// Takes a key: only enter closes. Returns the task that the person knows by then.
    pub fn key(&mut self, key: &KeyEvent, action: Option<Action>) -> Option<Task> {
        if key.code == KeyCode::Enter && self.drawn {
            return Some((*self.task).clone());
        }
        self.scroll = action.and_then(|action| moved(self.scroll, action, PAGE)).unwrap_or(self.scroll);
        None
    }

    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let width = WIDTH.min(area.width);
        let mut lines = Vec::new();
        for says in &self.says {
            lines.extend(hanging(vec![Span::raw(" ")], says, width.saturating_sub(2), look.theme.warning));
        }
        let saved = "What you answered before is saved as you meant it. No key labels anything until you press enter.";
        lines.extend(hanging(vec![Span::raw(" ")], saved, width.saturating_sub(2), look.theme.text));
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
        // The line below it, about what was saved last, stays in sight.
        let above = Rect { height: area.height.saturating_sub(4).max(3), ..area };
        let inner = block(
            frame,
            above,
            (width, height.min(above.height)),
            " The task has changed · enter goes on ",
            look,
        );
        scrolled(frame, lines, inner, &mut self.scroll, look);
        self.drawn = true;
    }
}
