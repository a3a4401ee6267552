//! A question with a few things to do, each by a key.

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Paragraph;

use super::boxed::block;
use super::frame::{Look, hanging};
use super::help::KeyLine;
use super::input::key_lines;
use super::outcome::Outcome;
use crate::tui::hits::Target;

/// Things to do, each by a key.
#[derive(Debug)]
pub(in crate::tui) struct Choice {
    pub title: &'static str,
    /// What there is to know first; may be empty.
    pub lead: String,
    pub options: Vec<Choosable>,
    /// What escape does, which is nothing.
    pub otherwise: &'static str,
}

/// One of them.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Choosable {
    pub key: ChoiceKey,
    pub says: String,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum ChoiceKey {
    Enter,
    Char(char),
}

impl ChoiceKey {
    fn name(self) -> String {
        match self {
            Self::Enter => "enter".to_owned(),
            Self::Char(c) => c.to_string(),
        }
    }
}

impl Choice {
    /// What a key does here; none for a key that does nothing.
    pub fn key(&self, key: &KeyEvent) -> Option<Outcome> {
        let pressed = |option: &&Choosable| match option.key {
            ChoiceKey::Enter => key.code == KeyCode::Enter,
            ChoiceKey::Char(c) => key.code == KeyCode::Char(c),
        };
        self.options.iter().find(pressed).map(|option| option.outcome.clone())
    }

    pub fn keys(&self) -> Vec<KeyLine> {
        let options = self.options.iter().map(|option| (option.key.name(), option.says.clone()));
        options.chain([("esc".to_owned(), self.otherwise.to_owned())]).collect()
    }

    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let width = 70.min(area.width);
        let mut lines = Vec::new();
        if !self.lead.is_empty() {
            lines.extend(hanging(vec![Span::raw(" ")], &self.lead, width - 2, look.theme.text));
        }
        let mut starts = Vec::new();
        for (key, says) in self.keys() {
            starts.push(lines.len() as u16);
            lines.extend(key_lines(&key, &says, width - 2, look));
        }
        let ends = starts.iter().skip(1).copied().chain([lines.len() as u16]);
        let inner = block(frame, area, (width, lines.len() as u16 + 2), self.title, look);
        for (at, (from, to)) in starts.iter().zip(ends).enumerate() {
            let place = Rect { y: inner.y + from, height: to - from, ..inner }.intersection(inner);
            look.may_click(place, Target::Row(at));
        }
        frame.render_widget(Paragraph::new(lines), inner);
    }
}
