//! The keys of a form: in its foot, and over it where `?` asks for all of them.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEventKind};

use super::cells::Page;
use super::state::{Editing, Form, Turn};
use crate::tui::hits::Target;
use crate::tui::keys::Action;
use crate::tui::widgets::help::{Helped, KeyLine, KeysHelp, Under, key_list};

/// A key and what it does, for the foot.
pub(in crate::tui) type Hint = (&'static str, &'static str);

/// What the foot has no room for, where a line is typed and where none is.
const IN_A_LINE: [Hint; 2] = [("home, end", "to the beginning, to the end"), ("ctrl-u", "clear the line")];
const IN_A_TEXT: [Hint; 1] = [("ctrl-u, ctrl-r", "undo and redo what you typed")];
const IN_A_TABLE: [Hint; 5] = [
    ("pageup, pagedown", "ten rows up or down"),
    ("home, end", "the first row, the last row"),
    ("1, 2, 3 …", "the page of that number"),
    ("shift-tab", "the page before"),
    ("ctrl-r", "redo"),
];

impl Form {
    /// The keys of this moment, the most needed first.
    pub fn hints(&self) -> Vec<Hint> {
        match (&self.editing, self.page()) {
            (Some(Editing::Line(_)), Page::Labels) => {
                vec![("enter", "done"), ("tab", "done, and the next cell"), ("esc", "leave it as it was")]
            }
            (Some(Editing::Line(_)), _) => vec![("enter", "done"), ("esc", "leave it as it was")],
            (Some(Editing::Lines(_)), Page::Labels) => {
                vec![
                    ("enter", "a new line"),
                    ("ctrl-s", "done"),
                    ("tab", "done, and the next cell"),
                    ("esc", "leave it as it was"),
                ]
            }
            (Some(Editing::Lines(_)), _) => {
                vec![("enter", "a new line"), ("ctrl-s, tab", "done"), ("esc", "leave it as it was")]
            }
            (None, page) => {
                let changes = self.sheet.standing.is_some();
                let mut hints: Vec<Hint> = match page {
                    Page::File | Page::Task => vec![("up down", "row"), ("enter", "change")],
                    Page::Columns => vec![
                        ("up down", "column"),
                        ("t", "text"),
                        ("b", "beside"),
                        ("o", "left out"),
                        ("i", "id"),
                        ("l", "known labels"),
                        ("e", "earlier labels"),
                    ],
                    Page::Labels => {
                        vec![
                            ("a", "add"),
                            ("arrows", "to a cell"),
                            ("enter", "change"),
                            ("d", "remove"),
                            ("< >", "move up, down"),
                        ]
                    }
                    Page::Finish => vec![("enter", if changes { "save" } else { "create the project" })],
                };
                if page == Page::Labels && self.sheet.label_values().is_some() {
                    hints.push(("v", "take the file's labels"));
                }
                if page != Page::Finish {
                    hints.push(("tab", "next page"));
                }
                hints.extend([
                    ("esc", if page == self.first_page() { "leave" } else { "back" }),
                    ("u", "undo"),
                    ("U", "redo"),
                    ("q", "leave"),
                    ("?", "keys"),
                ]);
                hints
            }
        }
    }

    /// Takes a click, or a turn of the wheel. What is being typed is finished by keys alone.
    pub fn mouse(&mut self, kind: MouseEventKind, target: Option<Target>) -> Turn {
        let way = match kind {
            MouseEventKind::ScrollUp => Some(KeyCode::Up),
            MouseEventKind::ScrollDown => Some(KeyCode::Down),
            _ => None,
        };
        if let Some(code) = way {
            return if matches!(self.editing, Some(Editing::Line(_))) {
                Turn::Stays
            } else {
                self.key(&KeyEvent::new(code, KeyModifiers::NONE))
            };
        }
        let is_click = kind == MouseEventKind::Down(MouseButton::Left);
        if !is_click || self.editing.is_some() || self.help.is_some() {
            return Turn::Stays;
        }
        self.notice = None;
        match target {
            Some(Target::Tab(at) | Target::Page(at)) => self.go(at),
            Some(Target::Cell(row, column)) if (row, column) == (self.row, self.column) => {
                return self.open_cell(&self.rows());
            }
            Some(Target::Cell(row, column)) => (self.row, self.column) = (row, column),
            _ => {}
        }
        Turn::Stays
    }

    /// All keys of this moment.
    fn keys(&self) -> Vec<KeyLine> {
        let more: &[Hint] = match &self.editing {
            Some(Editing::Line(_)) => &IN_A_LINE,
            Some(Editing::Lines(_)) => &IN_A_TEXT,
            None => &IN_A_TABLE,
        };
        let mut keys = key_list(&self.hints());
        keys.extend(key_list(more));
        keys
    }

    /// Takes a key that asks for the keys or is for them. Where something is typed, a `?` asks only while nothing stands there.
    pub(super) fn is_for_help(&mut self, key: &KeyEvent) -> bool {
        if let Some(help) = &mut self.help {
            match help.act(moves(key)) {
                Helped::Stays => {}
                Helped::Closes => self.help = None,
                Helped::Types => {
                    self.help = None;
                    self.paste("?");
                }
            }
            return true;
        }
        if key.code != KeyCode::Char('?') || key.modifiers.contains(KeyModifiers::CONTROL) {
            return false;
        }
        let under = match &self.editing {
            None => Under::Keys,
            // No label has it as its key.
            Some(Editing::Line(_)) if self.is_on_key() => Under::Keys,
            Some(Editing::Line(input)) if input.value().is_empty() => Under::Line,
            Some(Editing::Lines(editor)) if editor.is_empty() => Under::Line,
            Some(_) => return false,
        };
        self.help = Some(KeysHelp::new(self.keys(), under));
        true
    }
}

/// What a key does to the keys that lie over the form.
fn moves(key: &KeyEvent) -> Option<Action> {
    Some(match key.code {
        KeyCode::Up => Action::Up,
        KeyCode::Down => Action::Down,
        KeyCode::PageUp => Action::PageUp,
        KeyCode::PageDown => Action::PageDown,
        KeyCode::Home => Action::Top,
        KeyCode::End => Action::Bottom,
        KeyCode::Char('?') => Action::Help,
        _ => return None,
    })
}
