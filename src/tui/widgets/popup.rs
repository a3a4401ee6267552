//! What lies over a screen for a moment: help, commands, an editor, one line to fill in, a choice. One at a time.
//!
//! A popup does nothing itself: what came of it goes to the app, and what was written in it to the screen in view.

use std::collections::HashMap;

use ratatui::Frame;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Span;
use ratatui::widgets::{List, ListState, Paragraph};
use ratatui_textarea::{CursorMove, TextArea, WrapMode};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;
use unicode_width::UnicodeWidthStr;

use super::boxed::{block, block_at};
use super::changes::Changes;
use super::choice::Choice;
use super::frame::{Look, hanging};
use super::help::{Helped, KeyLine, KeysHelp, Under, key_list};
use super::input::draw_input;
use super::label_finder::LabelFinder;
use super::model_choice::ModelChoice;
use super::outcome::{Outcome, Subject, Written};
use super::results_form::{Choosing, KEYS, ResultsForm};
use super::text_layout::{cut, drawable};
use crate::domain::label_set::LabelSet;
use crate::domain::local_model::LocalModel;
use crate::domain::task::Label;
use crate::tui::hits::{Target, WHEEL};
use crate::tui::keys::{Action, ActionInfo, Keymap, Stroke, also_called};

/// Lines that a page's key moves in the palette.
const PAGE: usize = 10;

/// What lies over the screen.
#[derive(Debug)]
pub(in crate::tui) enum Popup {
    /// Keys, each with what it does.
    Help(KeysHelp),
    /// Actions by name.
    Palette { input: Input, chosen: usize },
    /// A text of several lines.
    Editor { subject: Subject, editor: Box<TextArea<'static>> },
    /// One line.
    Field { field: Field, input: Input },
    /// A language model: one of a list, or what is typed.
    Model(ModelChoice),
    /// A label, found by a part of its name. It lies over the labels and leaves the text in view.
    Labels(LabelFinder),
    /// One of several things to do, or none.
    Choice(Choice),
    /// What has changed in the task.
    Changes(Changes),
    /// Which results to write, how and where.
    Results(ResultsForm),
}

/// What one line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Field {
    CaseNumber,
    /// A word to look for in the text.
    Word,
}

impl Popup {
    pub fn palette() -> Self {
        Self::Palette { input: Input::default(), chosen: 0 }
    }

    pub fn field(field: Field) -> Self {
        Self::Field { field, input: Input::default() }
    }

    /// One of these labels, those used most first.
    pub fn labels(labels: &[Label], uses: &HashMap<String, usize>) -> Self {
        Self::Labels(LabelFinder::new(labels, uses))
    }

    /// Any number of these labels, those used most first.
    pub fn several(labels: &[Label], uses: &HashMap<String, usize>, chosen: LabelSet) -> Self {
        Self::Labels(LabelFinder::several(labels, uses, chosen))
    }

    /// The question which of these language models, or which other.
    pub fn model(models: Vec<LocalModel>) -> Self {
        Self::Model(ModelChoice::new(models))
    }

    /// Takes the models to choose from, where it asks for one.
    pub fn offer(&mut self, models: &[LocalModel]) {
        if let Self::Model(choice) = self {
            choice.offer(models.to_vec());
        }
    }

    /// An editor, with what was written before.
    pub fn editor(subject: Subject, before: &str) -> Self {
        let mut editor = TextArea::new(before.lines().map(drawable).collect());
        editor.move_cursor(CursorMove::Bottom);
        editor.move_cursor(CursorMove::End);
        editor.set_cursor_line_style(ratatui::style::Style::new());
        editor.set_wrap_mode(WrapMode::WordOrGlyph);
        Self::Editor { subject, editor: Box::new(editor) }
    }

    /// Whether what is at the top of the screen can still be read.
    pub fn leaves_text_in_view(&self) -> bool {
        matches!(self, Self::Labels(_))
    }

    /// Takes a key. The one for help shows the keys of the popup; where a line is being typed, only while it is empty.
    pub fn key(&mut self, key: &KeyEvent, stroke: Option<Stroke>, keys: &Keymap) -> Outcome {
        let asks = stroke.is_some_and(|stroke| keys.action(stroke) == Some(Action::Help));
        let is_letter = stroke.and_then(Stroke::character).is_some();
        match self.typed() {
            Some(_) if !asks => self.take(key, stroke, keys),
            Some(Typed::Nothing) => Outcome::ShowsKeys(KeysHelp::new(self.keys(), Under::Keys)),
            Some(Typed::Line { is_empty: true }) if is_letter => {
                Outcome::ShowsKeys(KeysHelp::new(self.keys(), Under::Line))
            }
            Some(Typed::Line { .. }) if !is_letter => {
                Outcome::ShowsKeys(KeysHelp::new(self.keys(), Under::Keys))
            }
            _ => self.take(key, stroke, keys),
        }
    }

    /// What is typed in it; none where it is the help itself.
    fn typed(&self) -> Option<Typed> {
        let line = |is_empty| Some(Typed::Line { is_empty });
        match self {
            Self::Help(_) => None,
            Self::Choice(_) | Self::Changes(_) | Self::Field { field: Field::CaseNumber, .. } => {
                Some(Typed::Nothing)
            }
            Self::Results(form) if !form.is_typing() => Some(Typed::Nothing),
            Self::Results(form) => line(form.is_empty()),
            Self::Palette { input, .. } | Self::Field { input, .. } => line(input.value().is_empty()),
            Self::Editor { editor, .. } => line(editor.is_empty()),
            Self::Model(choice) => line(choice.is_empty()),
            Self::Labels(finder) => line(finder.is_empty()),
        }
    }

    /// Its keys, for the help.
    pub fn keys(&self) -> Vec<KeyLine> {
        let line: &[(&str, &str)] = match self {
            Self::Help(_) => &[("up, down", "scroll")],
            Self::Palette { .. } => &[
                ("a word", "what you want to do: its name, or what people call it"),
                ("up, down", "the line above, the line below"),
                ("pageup, pagedown", "ten lines up or down"),
                ("enter", "do it"),
                ("esc", "close"),
            ],
            Self::Editor { subject, .. } => return subject.keys(),
            Self::Field { field: Field::CaseNumber, .. } => {
                &[("a number", "of the case to go to"), ("enter", "go there"), ("esc", "close")]
            }
            Self::Field { field: Field::Word, .. } => &[
                ("a word", "to look for in the text, whatever its capitals"),
                ("enter", "go to the first place; with an empty line, to the next"),
                ("esc", "close"),
            ],
            Self::Model(_) => &[
                ("a word", "of the model's name, or the path of a GGUF file"),
                ("up, down", "the model above, the model below"),
                ("enter", "start; with an empty line, the model used last"),
                ("esc", "close"),
            ],
            Self::Labels(_) => &[
                ("a word", "a part of the label's name, or the first letters of its words"),
                ("up, down, tab", "another of those found"),
                ("enter", "give the label that is marked"),
                ("esc", "close"),
            ],
            Self::Choice(choice) => return choice.keys(),
            Self::Changes(_) => &[
                ("enter", "go on: you have read what changed"),
                ("up, down, pageup, pagedown, home, end", "scroll"),
            ],
            Self::Results(_) => &KEYS,
        };
        key_list(line)
    }

    /// Takes a key that is not for the help.
    pub fn take(&mut self, key: &KeyEvent, stroke: Option<Stroke>, keys: &Keymap) -> Outcome {
        if let Self::Changes(changes) = self {
            let action = stroke.and_then(|stroke| keys.action(stroke));
            let known = changes.key(key, action);
            return known.map_or(Outcome::Stays, |task| Outcome::Acknowledges(Box::new(task)));
        }
        if key.code == KeyCode::Esc {
            return Outcome::Closes;
        }
        let ctrl = |c| key.modifiers == KeyModifiers::CONTROL && key.code == KeyCode::Char(c);
        let typed = |input: &mut Input| {
            input.handle_event(&Event::Key(*key));
            Outcome::Stays
        };
        match self {
            Self::Help(help) => match help.act(stroke.and_then(|stroke| keys.action(stroke))) {
                Helped::Stays => Outcome::Stays,
                Helped::Closes => Outcome::Closes,
                Helped::Types => Outcome::PassesOn(*key),
            },
            Self::Palette { input, chosen } => {
                match key.code {
                    KeyCode::Enter => {
                        let chosen = found(keys, input.value()).get(*chosen).map(|info| info.action);
                        return chosen.map_or(Outcome::Stays, Outcome::Acts);
                    }
                    KeyCode::Up => *chosen = chosen.saturating_sub(1),
                    KeyCode::Down => *chosen += 1,
                    KeyCode::PageUp => *chosen = chosen.saturating_sub(PAGE),
                    KeyCode::PageDown => *chosen += PAGE,
                    _ if ctrl('c') => return Outcome::Closes,
                    _ => {
                        typed(input);
                        *chosen = 0;
                    }
                }
                *chosen = (*chosen).min(found(keys, input.value()).len().saturating_sub(1));
                Outcome::Stays
            }
            Self::Editor { subject, editor } => {
                if ctrl('s') || ctrl('d') {
                    return Outcome::Writes(Written::Text(subject.clone(), editor.lines().join("\n")));
                }
                if ctrl('c') {
                    return Outcome::Closes;
                }
                if editor.input(*key) { drafted(subject, editor) } else { Outcome::Stays }
            }
            Self::Field { field, input } => match (key.code, &field) {
                _ if ctrl('c') => Outcome::Closes,
                (KeyCode::Enter, Field::CaseNumber) if input.value().is_empty() => Outcome::Closes,
                (KeyCode::Enter, Field::CaseNumber) => {
                    Outcome::GoesToCase(input.value().parse().unwrap_or(i64::MAX))
                }
                (KeyCode::Char(c), Field::CaseNumber) if !c.is_ascii_digit() => Outcome::Stays,
                (KeyCode::Enter, Field::Word) => Outcome::Writes(Written::Word(input.value().to_owned())),
                _ => typed(input),
            },
            Self::Model(_) if ctrl('c') => Outcome::Closes,
            Self::Model(choice) => {
                choice.key(key).map_or(Outcome::Stays, |model| Outcome::Writes(Written::Model(model)))
            }
            Self::Labels(finder) => {
                let finding = finder.key(key);
                finder.outcome(finding)
            }
            Self::Choice(_) if ctrl('c') => Outcome::Closes,
            // Any other key leaves the question where it is: what is typed after it must not reach the case below.
            Self::Choice(choice) => choice.key(key).unwrap_or(Outcome::Stays),
            Self::Results(_) if ctrl('c') => Outcome::Closes,
            Self::Results(form) => match form.key(key) {
                Choosing::GoesOn => Outcome::Stays,
                Choosing::Asks(results) => Outcome::Counts(results),
                Choosing::Writes(wanted) => Outcome::WritesResults(wanted),
            },
            Self::Changes(_) => Outcome::Stays,
        }
    }

    /// Takes a click on something that it drew: in a list it chooses, a label it gives, and what is offered it does.
    pub fn click(&mut self, target: Target) -> Outcome {
        match (self, target) {
            (Self::Palette { chosen, .. }, Target::Row(at)) => *chosen = at,
            (Self::Model(choice), Target::Row(at)) => choice.choose(at),
            (Self::Results(form), Target::Row(at)) => form.go(at),
            (Self::Labels(finder), Target::Label(at)) => {
                let finding = finder.clicked(at);
                return finder.outcome(finding);
            }
            (Self::Choice(choice), Target::Row(at)) => {
                return choice.options.get(at).map_or(Outcome::Closes, |option| option.outcome.clone());
            }
            _ => {}
        }
        Outcome::Stays
    }

    /// The wheel was turned over it.
    pub fn wheel(&mut self, way: Action, keys: &Keymap) -> Outcome {
        let (times, code) = match (&*self, way) {
            (Self::Choice(_) | Self::Field { .. } | Self::Results(_), _) => return Outcome::Stays,
            (Self::Help(_) | Self::Changes(_), Action::Up) => (WHEEL, KeyCode::Up),
            (Self::Help(_) | Self::Changes(_), _) => (WHEEL, KeyCode::Down),
            (_, Action::Up) => (1, KeyCode::Up),
            (_, _) => (1, KeyCode::Down),
        };
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        if let Self::Help(help) = self {
            for _ in 0..times {
                help.act(Some(way));
            }
            return Outcome::Stays;
        }
        if let Self::Changes(changes) = self {
            for _ in 0..times {
                changes.key(&key, Some(way));
            }
            return Outcome::Stays;
        }
        self.take(&key, Stroke::of(&key), keys)
    }

    /// Takes pasted text, where there is a place for it.
    pub fn paste(&mut self, text: &str) -> Outcome {
        match self {
            Self::Editor { subject, editor } => {
                editor.insert_str(drawable(text));
                drafted(subject, editor)
            }
            Self::Palette { input, .. } | Self::Field { field: Field::Word, input } => {
                let line = drawable(text).replace('\n', " ");
                *input = std::mem::take(input).with_value(line);
                Outcome::Stays
            }
            Self::Model(choice) => {
                choice.paste(&drawable(text).replace('\n', " "));
                Outcome::Stays
            }
            Self::Results(form) => {
                form.paste(&drawable(text).replace('\n', " "));
                Outcome::Stays
            }
            _ => Outcome::Stays,
        }
    }

    /// Draws it over `area`.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        match self {
            Self::Help(help) => help.draw(frame, area, look),
            Self::Results(form) => form.draw(frame, area, look),
            Self::Palette { input, chosen } => {
                let inner = block(frame, area, (70, 16), " What do you want to do? ", look);
                let found = found(look.keys, input.value());
                let wide = found.iter().map(|info| info.name.len()).max().unwrap_or(0).max(12);
                let row = |info: &&ActionInfo| {
                    let key = look.keys.key_of(info.action);
                    format!(" {:<wide$} {key:<9} {}", info.name, info.help)
                };
                // What the row has no room for stands below.
                let cut_off = found.get(*chosen).filter(|info| row(info).width() > usize::from(inner.width));
                let about = cut_off.map_or_else(Vec::new, |info| {
                    hanging(vec![Span::raw(" ")], info.help, inner.width, look.theme.quiet)
                });
                let [typed, list, below] = Layout::vertical([
                    Constraint::Length(1),
                    Constraint::Fill(1),
                    Constraint::Length(about.len() as u16),
                ])
                .areas(inner);
                frame.render_widget(Paragraph::new(format!("> {}", input.value())), typed);
                frame.set_cursor_position((typed.x + 2 + within(input, typed), typed.y));
                frame.render_widget(Paragraph::new(about), below);
                if found.is_empty() {
                    let says = "Nothing is called that. Try another word, such as export, undo or label.";
                    let lines = hanging(vec![Span::raw(" ")], says, list.width, look.theme.quiet);
                    frame.render_widget(Paragraph::new(lines), list);
                }
                let rows = found.iter().map(|info| cut(&row(info), usize::from(list.width)));
                let rows = List::new(rows).style(look.theme.text).highlight_style(look.theme.chosen);
                let mut state = ListState::default().with_selected(Some(*chosen));
                frame.render_stateful_widget(rows, list, &mut state);
                look.may_click_rows(list, (state.offset(), found.len()));
            }
            Self::Editor { subject, editor } => {
                let (size, title) = match subject {
                    Subject::Note(_) => ((70, 10), " Note · ctrl-s saves, esc keeps a draft "),
                    Subject::Reason(..) => ((70, 8), " Why? · ctrl-s decides, esc cancels "),
                    Subject::Guideline => {
                        ((100, 18), " How to decide · ctrl-s saves a new version, esc cancels ")
                    }
                };
                let inner = block(frame, area, size, title, look);
                frame.render_widget(&**editor, inner);
            }
            Self::Field { field, input } => {
                let (wide, title) = match field {
                    Field::CaseNumber => (36, " Go to case number "),
                    Field::Word => (52, " Find in the text · enter alone: the next place "),
                };
                let inner = block(frame, area, (wide, 3), title, look);
                draw_input(frame, inner, input, look);
            }
            Self::Model(choice) => {
                let size = (76, choice.height());
                let inner = block(frame, area, size, " Which language model? ", look);
                choice.draw(frame, inner, look);
            }
            Self::Labels(finder) => {
                let height = finder.height().saturating_add(2).min(area.height / 2).min(area.height);
                let place = Rect { y: area.bottom() - height, height, ..area };
                let title = " Which label? · enter gives it, esc cancels ";
                let inner = block_at(frame, place, title, look);
                finder.draw(frame, inner, look);
            }
            Self::Choice(choice) => choice.draw(frame, area, look),
            Self::Changes(changes) => changes.draw(frame, area, look),
        }
    }
}

/// What is typed in a popup.
enum Typed {
    /// Keys alone.
    Nothing,
    Line {
        is_empty: bool,
    },
}

/// The column of the cursor, where it is not beyond the area.
fn within(input: &Input, area: Rect) -> u16 {
    input.visual_cursor().min(usize::from(area.width)) as u16
}

fn drafted(subject: &Subject, editor: &TextArea<'_>) -> Outcome {
    match subject {
        Subject::Note(case) => Outcome::Drafts(Written::Draft(*case, editor.lines().join("\n"))),
        Subject::Reason(..) | Subject::Guideline => Outcome::Stays,
    }
}

/// Actions whose name or help has every word typed.
fn found<'k>(keys: &'k Keymap, typed: &str) -> Vec<&'k ActionInfo> {
    let words: Vec<String> = typed.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let fits = |info: &&ActionInfo| {
        words.iter().all(|w| {
            info.name.contains(w.as_str())
                || info.help.to_lowercase().contains(w.as_str())
                || also_called(info.action).iter().any(|other| other.starts_with(w.as_str()))
        })
    };
    let mut found: Vec<&ActionInfo> = keys.actions().iter().filter(fits).collect();
    // What is called just so, then what begins so, then what has the word anywhere.
    found.sort_by_key(|info| {
        let Some(word) = words.first().map(String::as_str) else { return 0 };
        match () {
            () if info.name == word || also_called(info.action).contains(&word) => 0,
            () if info.name.starts_with(word) => 1,
            () => 2,
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_people_use_finds_the_right_thing_first() {
        let screen = |name| ActionInfo { action: Action::Show(name), name, help: "", keys: &[] };
        let keys = Keymap::with(["progress", "project"].map(screen));
        for (word, action) in [
            ("export", Action::Results),
            ("excel", Action::Results),
            ("csv", Action::Results),
            ("rename", Action::Show("project")),
            ("label", Action::Show("project")),
            ("figures", Action::Show("progress")),
            ("undo", Action::Undo),
            ("quit", Action::Quit),
        ] {
            assert_eq!(found(&keys, word).first().map(|info| info.action), Some(action), "{word}");
        }
        assert!(matches!(found(&keys, "theme").first().map(|info| info.action), Some(Action::Theme(_))));
        assert!(found(&keys, "xyzzy").is_empty());
        let mut palette = Popup::Palette { input: Input::new("xyzzy".into()), chosen: 0 };
        let enter = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
        assert!(matches!(palette.key(&enter, Stroke::of(&enter), &keys), Outcome::Stays));
    }
}
