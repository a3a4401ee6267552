//! How a person leaves a form, or a cell of it: never by a letter of a word, and with nothing lost that was typed.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::state::{Direction, Form, Turn};
use crate::tui::widgets::frame::Notice;

impl Form {
    /// What was typed is kept, and yet nobody leaves by a letter of a word. A task of which nothing was changed can be left at once.
    pub(super) fn ask_to_leave(&mut self) -> Turn {
        let changes_task = self.sheet.standing.is_some();
        if changes_task && self.undo.is_empty() {
            return Turn::Leaves;
        }
        self.asks_to_leave = true;
        let says = if changes_task {
            "Leave? The task stays as it is, and what you typed is kept. y leaves, any other key stays."
        } else {
            "Leave? Your answers are kept, and nothing is made yet. y leaves, any other key stays."
        };
        self.notice = Some(Notice::warning(says.into()));
        Turn::Stays
    }

    /// The cell stays as it was. What was typed, where it could have been written, comes back with a redo.
    pub(super) fn leave_as_it_was(&mut self, typed: &str) -> Turn {
        let field = self.rows().get(self.row).map(|row| row.field);
        if self.is_new || field.is_none_or(|field| self.sheet.value(field, self.column) == typed) {
            return self.give_up();
        }
        let turn = self.write_text(typed);
        if turn == Turn::Stays {
            self.notice = None;
            return turn;
        }
        self.restore(Direction::Undo);
        self.notice = Some(Notice::quiet("It stays as it was; U brings back what you typed.".into()));
        turn
    }

    /// Whether a key confirms that the person leaves: y, or ctrl-c once more.
    pub(super) fn is_yes(key: &KeyEvent) -> bool {
        match key.code {
            KeyCode::Char('y' | 'Y') => key.modifiers != KeyModifiers::CONTROL,
            KeyCode::Char('c') => key.modifiers == KeyModifiers::CONTROL,
            _ => false,
        }
    }
}
