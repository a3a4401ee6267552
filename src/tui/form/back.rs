//! Steps back and forward through what was changed in a form.

use super::cells::Row;
use super::state::{Direction, Form, Turn, reads_differently};
use crate::tui::widgets::frame::Notice;

impl Form {
    /// Takes the last change back, or puts it back.
    pub(super) fn restore(&mut self, direction: Direction) -> Turn {
        let (from, to, none) = match direction {
            Direction::Undo => (&mut self.undo, &mut self.redo, "Nothing to undo."),
            Direction::Redo => (&mut self.redo, &mut self.undo, "Nothing to redo."),
        };
        let Some(other) = from.pop() else {
            self.notice = Some(Notice::quiet(none.into()));
            return Turn::Stays;
        };
        let rereads = reads_differently(&self.sheet.draft, &other);
        let before: Vec<Vec<Row>> = self.pages.iter().map(|page| self.sheet.rows(*page)).collect();
        to.push(std::mem::replace(&mut self.sheet.draft, other));
        self.row = self.row.min(self.rows().len().saturating_sub(1));
        self.show_changed(&before, direction);
        Turn::Changed { rereads }
    }

    /// Leads to what a step back or forward has changed, where that is not in view: a change that nobody sees is one that nobody wants.
    fn show_changed(&mut self, before: &[Vec<Row>], direction: Direction) {
        let now: Vec<Vec<Row>> = self.pages.iter().map(|page| self.sheet.rows(*page)).collect();
        let changed: Vec<usize> = (0..now.len()).filter(|at| now[*at] != before[*at]).collect();
        if changed.contains(&self.at) {
            return;
        }
        let Some(page) = changed.first().copied() else { return };
        self.go(page);
        let (now, before) = (&now[page], &before[page]);
        let row = now.iter().zip(before).position(|(now, before)| now != before);
        self.row = row.unwrap_or_else(|| now.len().min(before.len())).min(now.len().saturating_sub(1));
        let says = match direction {
            Direction::Undo => "Undone on this page.",
            Direction::Redo => "Redone on this page.",
        };
        self.notice = Some(Notice::quiet(says.into()));
    }
}
