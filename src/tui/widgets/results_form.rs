//! The question which results to write, how, and where; before anything is written it says how much that is and how good it is.

use std::collections::HashMap;
use std::path::PathBuf;

use ratatui::Frame;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::boxed::block;
use super::frame::{Look, hanging};
use super::input::draw_input;
use super::text_layout::drawable;
use crate::desk::results::{FileFormat, Results, Wanted};
use crate::insight::quality::Quality;
use crate::tui::hits::Target;

/// Columns, with the frame.
const WIDTH: u16 = 78;
/// Columns before what is chosen.
const HEAD: u16 = 9;
/// Lines of what went wrong.
const MAX_WRONG: usize = 4;

/// The lines one can be on.
const WHAT: usize = 0;
const FORMAT: usize = 1;
const PLACE: usize = 2;

/// The keys, for the help.
pub(super) const KEYS: [(&str, &str); 7] = [
    ("enter", "write it; if the file exists, you are asked first"),
    ("tab, down", "the next line"),
    ("shift-tab, up", "the line before"),
    ("left, right", "the next choice; where it goes: move in the line"),
    ("1 to 7", "on the first line: choose what to write"),
    ("ctrl-u", "where it goes: clear the line"),
    ("esc", "close without writing"),
];

/// What came of a key.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum Choosing {
    GoesOn,
    /// How much these are is not known yet.
    Asks(Results),
    Writes(Box<Wanted>),
}

#[derive(Debug, PartialEq)]
enum State {
    Asks,
    Writing,
    Failed(String),
}

#[derive(Debug)]
pub(in crate::tui) struct ResultsForm {
    project: PathBuf,
    at: usize,
    what: usize,
    format: usize,
    formats: Vec<FileFormat>,
    place: Input,
    /// Whether the person wrote the place.
    is_own_place: bool,
    counted: HashMap<Results, Result<String, String>>,
    quality: Option<Result<Quality, String>>,
    state: State,
}

impl ResultsForm {
    pub fn new(project: PathBuf) -> Self {
        let mut form = Self {
            project,
            at: WHAT,
            what: 0,
            format: 0,
            formats: Vec::new(),
            place: Input::default(),
            is_own_place: false,
            counted: HashMap::new(),
            quality: None,
            state: State::Asks,
        };
        form.choose(0);
        form
    }

    /// What is chosen.
    pub fn results(&self) -> Results {
        Results::ALL[self.what]
    }

    /// Whether a `?` would be typed into the place.
    pub fn is_typing(&self) -> bool {
        self.at == PLACE
    }

    pub fn is_empty(&self) -> bool {
        self.place.value().is_empty()
    }

    /// Whether it waits for what becomes of the writing.
    pub fn is_writing(&self) -> bool {
        self.state == State::Writing
    }

    /// How much of a kind there is.
    pub fn take_count(&mut self, results: Results, says: Result<String, String>) {
        self.counted.insert(results, says);
    }

    pub fn take_quality(&mut self, quality: Result<Quality, String>) {
        self.quality = Some(quality);
    }

    /// Nothing was written, for this reason or for none.
    pub fn not_written(&mut self, why: Option<String>) {
        self.state = why.map_or(State::Asks, State::Failed);
    }

    /// These are written although the file exists.
    pub fn writes(&mut self) {
        self.state = State::Writing;
    }

    pub fn key(&mut self, key: &KeyEvent) -> Choosing {
        if self.is_writing() {
            return Choosing::GoesOn;
        }
        self.state = State::Asks;
        match (key.code, self.at) {
            (KeyCode::Enter, _) => {
                self.state = State::Writing;
                return Choosing::Writes(Box::new(self.wanted()));
            }
            (KeyCode::Up | KeyCode::BackTab, at) => self.at = at.saturating_sub(1),
            (KeyCode::Down | KeyCode::Tab, at) => self.at = (at + 1).min(PLACE),
            (KeyCode::Char(c @ '1'..='9'), WHAT) if key.modifiers == KeyModifiers::NONE => {
                return self.choose(c as usize - '1' as usize);
            }
            (_, PLACE) => {
                self.place.handle_event(&Event::Key(*key));
                self.is_own_place = self.place.value() != self.usual_place();
            }
            (code, at) => return self.choose_next(code, at),
        }
        Choosing::GoesOn
    }

    /// Goes to a line that was clicked.
    pub fn go(&mut self, line: usize) {
        if !self.is_writing() {
            self.at = line.min(PLACE);
        }
    }

    /// Takes pasted text, where a place is typed.
    pub fn paste(&mut self, line: &str) {
        if self.at == PLACE && !self.is_writing() {
            for c in line.chars() {
                self.place.handle(tui_input::InputRequest::InsertChar(c));
            }
            self.is_own_place = self.place.value() != self.usual_place();
        }
    }

    fn choose_next(&mut self, code: KeyCode, at: usize) -> Choosing {
        let (now, all) = match at {
            WHAT => (self.what, Results::ALL.len()),
            _ => (self.format, self.formats.len()),
        };
        let to = match code {
            KeyCode::Left => (now + all - 1) % all,
            KeyCode::Right | KeyCode::Char(' ') => (now + 1) % all,
            KeyCode::Home => 0,
            KeyCode::End => all - 1,
            _ => return Choosing::GoesOn,
        };
        if at == WHAT {
            return self.choose(to);
        }
        self.format = to;
        self.place_as_usual();
        Choosing::GoesOn
    }

    /// Chooses what to write. The way it was written before stays, where there is one of that name.
    fn choose(&mut self, what: usize) -> Choosing {
        self.what = what.min(Results::ALL.len() - 1);
        let before = self.formats.get(self.format).cloned();
        self.formats = self.results().formats();
        self.format = self.formats.iter().position(|format| Some(format) == before.as_ref()).unwrap_or(0);
        self.place_as_usual();
        match self.counted.contains_key(&self.results()) {
            true => Choosing::GoesOn,
            false => Choosing::Asks(self.results()),
        }
    }

    fn usual_place(&self) -> String {
        self.results().usual_place(&self.formats[self.format], &self.project).display().to_string()
    }

    /// Another kind or format goes elsewhere, unless the person said where.
    fn place_as_usual(&mut self) {
        if !self.is_own_place {
            self.place = Input::new(self.usual_place());
        }
    }

    fn wanted(&self) -> Wanted {
        Wanted {
            results: self.results(),
            format: self.formats[self.format].clone(),
            place: self.place.value().to_owned(),
            replaces: false,
        }
    }

    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let theme = look.theme;
        let width = WIDTH.min(area.width).saturating_sub(2);
        let head = |name: &str, at: usize| {
            let mark = if self.at == at { "› " } else { "  " };
            vec![
                Span::styled(mark, theme.key),
                Span::styled(format!("{name:<width$}", width = usize::from(HEAD) - 2), theme.quiet),
            ]
        };
        let style = |at: usize| if self.at == at { theme.chosen } else { theme.text };
        let choice = |says: &str, at: usize, all: usize| format!("{says} ({at} of {all})");
        let mut fields = hanging(
            head("What", WHAT),
            &choice(self.results().says(), self.what + 1, Results::ALL.len()),
            width,
            style(WHAT),
        );
        let what = fields.len() as u16;
        let format = &self.formats[self.format];
        fields.extend(hanging(
            head("Format", FORMAT),
            &choice(&format.says, self.format + 1, self.formats.len()),
            width,
            style(FORMAT),
        ));
        fields.push(Line::from(head("Where", PLACE)));
        let about = self.about(width, look);
        let keys = Line::from(vec![
            Span::styled(" enter", theme.key),
            Span::styled(" write  ", theme.quiet),
            Span::styled("tab", theme.key),
            Span::styled(" next line  ", theme.quiet),
            Span::styled("left right", theme.key),
            Span::styled(" choose  ", theme.quiet),
            Span::styled("esc", theme.key),
            Span::styled(" close", theme.quiet),
        ]);
        let heights = [fields.len() as u16, about.len() as u16];
        let height = (heights[0] + heights[1] + 4).min(area.height);
        let inner = block(frame, area, (WIDTH, height), " Results ", look);
        let [top, _, middle, foot] = Layout::vertical([
            Constraint::Length(heights[0]),
            Constraint::Max(1),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        let place = Rect { y: top.bottom().saturating_sub(1), height: 1, ..top };
        let heights = [what, heights[0] - what - 1, 1];
        for (line, place) in Layout::vertical(heights.map(Constraint::Length)).split(top).iter().enumerate() {
            look.may_click(*place, Target::Row(line));
        }
        frame.render_widget(Paragraph::new(fields), top);
        frame.render_widget(Paragraph::new(about), middle);
        frame.render_widget(Paragraph::new(keys), foot);
        let field = Rect { x: place.x + HEAD, width: place.width.saturating_sub(HEAD + 1), ..place };
        if self.at == PLACE {
            draw_input(frame, field, &self.place, look);
        } else {
            // The end of a path tells more than its beginning.
            let shown = drawable(self.place.value());
            let scroll = Input::new(shown.clone()).visual_scroll(usize::from(field.width)) as u16;
            frame.render_widget(Paragraph::new(shown).style(theme.text).scroll((0, scroll)), field);
        }
    }

    /// How much it is, how good it is, and what went wrong.
    fn about(&self, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
        let theme = look.theme;
        let said = |says: &str, style| hanging(vec![Span::raw(" ")], says, width, style);
        let mut lines = match self.counted.get(&self.results()) {
            None => said("counting …", theme.quiet),
            Some(Ok(says)) => said(says, theme.text),
            Some(Err(why)) => said(&format!("How much it is could not be counted: {why}"), theme.warning),
        };
        let of_model = self.results() == Results::Predictions;
        lines.extend(match &self.quality {
            None => said("reading how good the labels are …", theme.quiet),
            Some(Ok(quality)) if of_model => said(&quality.predictions, theme.text),
            Some(Ok(quality)) => said(&quality.labels, theme.text),
            Some(Err(why)) => {
                said(&format!("How good the labels are could not be read: {why}"), theme.warning)
            }
        });
        let mut state = match &self.state {
            State::Asks => Vec::new(),
            State::Writing => said("Writing …", theme.quiet),
            State::Failed(why) => said(why, theme.bad),
        };
        state.truncate(MAX_WRONG);
        // What went wrong stands first where there is no room for all.
        state.extend(lines);
        state
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn press(form: &mut ResultsForm, code: KeyCode) -> Choosing {
        form.key(&KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn wanted(form: &mut ResultsForm) -> Wanted {
        match press(form, KeyCode::Enter) {
            Choosing::Writes(wanted) => *wanted,
            other => panic!("{other:?}"),
        }
    }

    fn form() -> ResultsForm {
        ResultsForm::new("/p/spam.hardcase".into())
    }

    #[test]
    fn every_kind_can_be_chosen_in_every_format_and_the_place_follows_until_it_is_written() {
        let mut form = form();
        for (n, results) in Results::ALL.into_iter().enumerate() {
            press(&mut form, KeyCode::Char(char::from(b'1' + n as u8)));
            assert_eq!(form.results(), results);
            for format in results.formats() {
                assert_eq!(form.formats[form.format], format);
                let usual = results.usual_place(&format, Path::new("/p/spam.hardcase"));
                assert_eq!(Path::new(form.place.value()), usual);
                press(&mut form, KeyCode::Tab);
                press(&mut form, KeyCode::Right);
                press(&mut form, KeyCode::Up);
            }
            press(&mut form, KeyCode::Up);
        }
        press(&mut form, KeyCode::Home);
        press(&mut form, KeyCode::End);
        press(&mut form, KeyCode::Right);
        assert_eq!(form.results(), Results::Final, "the choices go round");
        press(&mut form, KeyCode::Down);
        press(&mut form, KeyCode::Down);
        for c in "x.txt".chars() {
            press(&mut form, KeyCode::Char(c));
        }
        press(&mut form, KeyCode::Up);
        press(&mut form, KeyCode::Right);
        assert!(wanted(&mut form).place.ends_with("x.txt"), "what the person wrote stays");
    }

    #[test]
    fn what_is_chosen_is_counted_once_and_nothing_is_typed_while_it_is_written() {
        let mut form = form();
        assert_eq!(press(&mut form, KeyCode::Char('2')), Choosing::Asks(Results::Labels));
        form.take_count(Results::Labels, Ok("2 rows.".into()));
        press(&mut form, KeyCode::Right);
        assert_eq!(press(&mut form, KeyCode::Left), Choosing::GoesOn);
        assert_eq!(wanted(&mut form).results, Results::Labels);
        assert_eq!(press(&mut form, KeyCode::Enter), Choosing::GoesOn, "enter that is held down writes once");
        assert_eq!(press(&mut form, KeyCode::Char('1')), Choosing::GoesOn);
        form.not_written(Some("there is no such folder".into()));
        assert_eq!(wanted(&mut form).results, Results::Labels);
    }
}
