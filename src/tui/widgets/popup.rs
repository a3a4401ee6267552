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

use super::boxed::{block, block_at};
use super::changes::Changes;
use super::frame::{Look, hanging, paragraph};
use super::input::{draw_input, key_lines};
use super::label_finder::{Finding, LabelFinder};
use super::model_choice::ModelChoice;
use super::scroll::{moved, scrolled};
use super::text_layout::{cut, drawable};
use crate::desk::adjudication::Which;
use crate::desk::jobs::JobKind;
use crate::desk::results::Results;
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::local_model::LocalModel;
use crate::domain::task::{Label, Task};
use crate::tui::keys::{Action, ActionInfo, Keymap, Stroke, also_called};

/// Columns of the help.
const HELP: u16 = 80;
/// Lines that a page's key scrolls.
const PAGE: usize = 10;

/// What lies over the screen.
#[derive(Debug)]
pub(in crate::tui) enum Popup {
    /// Keys, each with what it does.
    Help { lines: Vec<(String, String)>, scroll: usize },
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
}

/// What an editor's text is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Subject {
    /// A note on a case. What is not saved stays as a draft.
    Note(CaseId),
    /// Why an item has a label, by the label's name.
    Reason(ItemId, String),
    /// How to decide.
    Guideline,
}

/// What one line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Field {
    CaseNumber,
    /// A word to look for in the text.
    Word,
}

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

/// What was written, for the screen in view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Written {
    /// An editor's text, finished.
    Text(Subject, String),
    /// The name or the path of a language model; empty for the one that judged before.
    Model(String),
    /// Have these cases annotated again.
    LabelAgain(Which),
    /// A note as it stands, before it is finished.
    Draft(CaseId, String),
    /// A word to look for in the text.
    Word(String),
}

/// What came of a key.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum Outcome {
    /// The popup stays.
    Stays,
    /// It stays, and this may be kept.
    Drafts(Written),
    /// It closes; so with all that follow.
    Closes,
    Acts(Action),
    Writes(Written),
    /// The label of this name was found.
    Finds(String),
    GoesToCase(i64),
    Starts(Vec<JobKind>),
    WritesResults(Results),
    Quits,
    QuitsAndStops,
    /// The changes of the task were read.
    Acknowledges(Box<Task>),
}

impl Popup {
    pub fn help(lines: Vec<(String, String)>) -> Self {
        Self::Help { lines, scroll: 0 }
    }

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

    /// Takes a key.
    pub fn key(&mut self, key: &KeyEvent, stroke: Option<Stroke>, keys: &Keymap) -> Outcome {
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
            Self::Help { scroll, .. } => {
                let to = stroke
                    .and_then(|stroke| keys.action(stroke))
                    .and_then(|action| moved(*scroll, action, PAGE));
                to.map_or(Outcome::Closes, |to| {
                    *scroll = to;
                    Outcome::Stays
                })
            }
            Self::Palette { input, chosen } => {
                match key.code {
                    KeyCode::Enter => {
                        let chosen = found(keys, input.value()).get(*chosen).map(|info| info.action);
                        return chosen.map_or(Outcome::Closes, Outcome::Acts);
                    }
                    KeyCode::Up => *chosen = chosen.saturating_sub(1),
                    KeyCode::Down => *chosen += 1,
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
            Self::Labels(finder) => match finder.key(key) {
                Finding::GoesOn => Outcome::Stays,
                Finding::Found(label) => Outcome::Finds(label),
                Finding::Ends => Outcome::Closes,
            },
            Self::Choice(_) if ctrl('c') => Outcome::Closes,
            Self::Choice(choice) => {
                let pressed = |option: &&Choosable| match option.key {
                    ChoiceKey::Enter => key.code == KeyCode::Enter,
                    ChoiceKey::Char(c) => key.code == KeyCode::Char(c),
                };
                // Any other key leaves the question where it is: what is typed after it must not reach the case below.
                choice.options.iter().find(pressed).map_or(Outcome::Stays, |option| option.outcome.clone())
            }
            Self::Changes(_) => Outcome::Stays,
        }
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
            _ => Outcome::Stays,
        }
    }

    /// Draws it over `area`.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        match self {
            Self::Help { lines, scroll } => draw_help(frame, area, (lines, scroll), look),
            Self::Palette { input, chosen } => {
                let inner = block(frame, area, (70, 16), " What do you want to do? ", look);
                let [typed, list] =
                    Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
                frame.render_widget(Paragraph::new(format!("> {}", input.value())), typed);
                frame.set_cursor_position((typed.x + 2 + within(input, typed), typed.y));
                let rows = found(look.keys, input.value()).into_iter().map(|info| {
                    let key = look.keys.key_of(info.action);
                    let text = format!(" {:<12} {key:<9} {}", info.name, info.help);
                    cut(&text, usize::from(list.width))
                });
                let rows = List::new(rows).style(look.theme.text).highlight_style(look.theme.chosen);
                let mut state = ListState::default().with_selected(Some(*chosen));
                frame.render_stateful_widget(rows, list, &mut state);
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

impl Choice {
    fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let width = 70.min(area.width);
        let mut lines = Vec::new();
        if !self.lead.is_empty() {
            lines.extend(hanging(vec![Span::raw(" ")], &self.lead, width - 2, look.theme.text));
        }
        for option in &self.options {
            let key = match option.key {
                ChoiceKey::Enter => "enter".to_owned(),
                ChoiceKey::Char(c) => c.to_string(),
            };
            lines.extend(key_lines(&key, &option.says, width - 2, look));
        }
        lines.extend(key_lines("esc", self.otherwise, width - 2, look));
        let inner = block(frame, area, (width, lines.len() as u16 + 2), self.title, look);
        frame.render_widget(Paragraph::new(lines), inner);
    }
}

fn draw_help(
    frame: &mut Frame<'_>,
    area: Rect,
    (lines, scroll): (&[(String, String)], &mut usize),
    look: Look<'_>,
) {
    let wide = lines.iter().map(|(keys, _)| keys.chars().count()).max().unwrap_or(0);
    let room = area.width.min(HELP).saturating_sub(wide as u16 + 6);
    let mut shown = Vec::new();
    for (keys, says) in lines {
        for (i, mut line) in paragraph(says, room, look.theme.text).into_iter().enumerate() {
            let keys = if i == 0 { keys.as_str() } else { "" };
            line.spans.insert(0, Span::styled(format!(" {keys:<wide$}  "), look.theme.key));
            shown.push(line);
        }
    }
    let height = u16::try_from(shown.len()).unwrap_or(u16::MAX).saturating_add(2);
    let inner = block(frame, area, (HELP, height), " Keys · any other key closes ", look);
    scrolled(frame, shown, Rect { width: inner.width.saturating_sub(1), ..inner }, scroll, look);
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
    found.sort_by_key(|info| !words.first().is_some_and(|w| info.name.starts_with(w.as_str())));
    found
}
