//! What lies over a screen for a moment: help, commands, a note, a number, a question. One at a time.

use ratatui::Frame;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};
use ratatui_textarea::{CursorMove, TextArea, WrapMode};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::frame::{Look, more_below};
use super::text_layout::{cut, drawable, lay_out};
use crate::desk::adjudication::Which;
use crate::desk::jobs::JobKind;
use crate::domain::grouped::counted;
use crate::domain::ids::{CaseId, ItemId};
use crate::tui::keys::{ACTIONS, About, Action, Stroke};

/// Columns of the help.
const HELP: u16 = 80;

/// What lies over the screen.
#[derive(Debug)]
pub(in crate::tui) enum Popup {
    /// Every key of the screen.
    Help { lines: Vec<(String, String)>, scroll: u16 },
    /// Actions by name.
    Palette { input: Input, chosen: usize },
    /// A note on a case.
    Note { case: CaseId, editor: Box<TextArea<'static>> },
    /// A text that is kept only once it is finished.
    Write { what: Writing, editor: Box<TextArea<'static>> },
    /// Which cases to send round again?
    Send { item: ItemId, undecided: usize },
    /// The number of a case.
    Jump { input: Input },
    /// Which language model judges.
    Model { input: Input },
    /// Leave while a job runs?
    Leave,
    /// Go on to the next round while cases of this one are left?
    GoOn { left: usize, kinds: Vec<JobKind> },
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Writing {
    /// Why an item has a label, by the label's name.
    Reason(ItemId, String),
    /// How to decide.
    Guideline,
}

/// What came of a key.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::tui) enum Outcome {
    /// The popup stays.
    Stays,
    /// It closes.
    Closes,
    /// It closes, and this is done.
    Does(Action),
    /// The note changed.
    Drafted(CaseId, String),
    /// The note is finished.
    Noted(CaseId, String),
    /// The text is finished.
    Wrote(Writing, String),
    /// Send these round again.
    Sends(Which),
    /// The case of this number is wanted.
    Jumps(i64),
    /// Start these now.
    GoesOn(Vec<JobKind>),
    /// The model of this file judges; who judged before, where nothing is written.
    Judges(String),
    /// Leave, and stop the job.
    LeavesAndStops,
    /// Leave, and let the job go on.
    Leaves,
}

impl Popup {
    /// The editor of a note, with what was written before.
    pub fn note(case: CaseId, before: &str) -> Self {
        Self::Note { case, editor: editor(before) }
    }

    /// The editor of another text, with what it was before.
    pub fn write(what: Writing, before: &str) -> Self {
        Self::Write { what, editor: editor(before) }
    }

    /// Takes a key.
    pub fn key(&mut self, key: &KeyEvent, stroke: Option<Stroke>, look: Look<'_>) -> Outcome {
        if key.code == KeyCode::Esc {
            // A note that is left is kept as a draft.
            return Outcome::Closes;
        }
        let action = stroke.and_then(|stroke| look.keys.action(stroke));
        match self {
            Self::Help { lines, scroll } => {
                let most = lines.len() as u16;
                match action {
                    Some(Action::Up) => *scroll = scroll.saturating_sub(1),
                    Some(Action::Down) => *scroll = (*scroll + 1).min(most),
                    Some(Action::PageUp) => *scroll = scroll.saturating_sub(10),
                    Some(Action::PageDown) => *scroll = (*scroll + 10).min(most),
                    _ => return Outcome::Closes,
                }
                Outcome::Stays
            }
            Self::Palette { input, chosen } => {
                match key.code {
                    KeyCode::Enter => {
                        let found = found(input.value());
                        return found
                            .get(*chosen)
                            .map_or(Outcome::Closes, |about| Outcome::Does(about.action));
                    }
                    KeyCode::Up => *chosen = chosen.saturating_sub(1),
                    KeyCode::Down => *chosen += 1,
                    KeyCode::Char('c') if key.modifiers == KeyModifiers::CONTROL => return Outcome::Closes,
                    _ => {
                        input.handle_event(&Event::Key(*key));
                        *chosen = 0;
                    }
                }
                *chosen = (*chosen).min(found(input.value()).len().saturating_sub(1));
                Outcome::Stays
            }
            Self::Note { case, editor } => {
                let ctrl = |c| key.modifiers == KeyModifiers::CONTROL && key.code == KeyCode::Char(c);
                if ctrl('s') || ctrl('d') {
                    return Outcome::Noted(*case, editor.lines().join("\n"));
                }
                if ctrl('c') {
                    return Outcome::Closes;
                }
                if editor.input(*key) {
                    return Outcome::Drafted(*case, editor.lines().join("\n"));
                }
                Outcome::Stays
            }
            Self::Write { what, editor } => {
                let ctrl = |c| key.modifiers == KeyModifiers::CONTROL && key.code == KeyCode::Char(c);
                if ctrl('s') || ctrl('d') {
                    return Outcome::Wrote(what.clone(), editor.lines().join("\n"));
                }
                if ctrl('c') {
                    return Outcome::Closes;
                }
                editor.input(*key);
                Outcome::Stays
            }
            Self::Send { item, undecided } => match key.code {
                KeyCode::Enter => Outcome::Sends(Which::Item(*item)),
                KeyCode::Char('d') if *undecided > 0 => Outcome::Sends(Which::Undecided),
                KeyCode::Char('a') => Outcome::Sends(Which::All),
                _ => Outcome::Closes,
            },
            Self::Jump { input } => match key.code {
                KeyCode::Enter if input.value().is_empty() => Outcome::Closes,
                KeyCode::Enter => Outcome::Jumps(input.value().parse().unwrap_or(i64::MAX)),
                KeyCode::Char(c) if !c.is_ascii_digit() => Outcome::Stays,
                _ => {
                    input.handle_event(&Event::Key(*key));
                    Outcome::Stays
                }
            },
            Self::Model { input } => match key.code {
                KeyCode::Enter => Outcome::Judges(input.value().to_owned()),
                KeyCode::Char('c') if key.modifiers == KeyModifiers::CONTROL => Outcome::Closes,
                _ => {
                    input.handle_event(&Event::Key(*key));
                    Outcome::Stays
                }
            },
            Self::GoOn { kinds, .. } => match key.code {
                KeyCode::Enter => Outcome::GoesOn(std::mem::take(kinds)),
                _ => Outcome::Closes,
            },
            Self::Leave => match key.code {
                KeyCode::Char('q') | KeyCode::Enter => Outcome::Leaves,
                KeyCode::Char('s') => Outcome::LeavesAndStops,
                _ => Outcome::Closes,
            },
        }
    }

    /// Takes pasted text. Only an editor does.
    pub fn paste(&mut self, text: &str) -> Outcome {
        match self {
            Self::Note { case, editor } => {
                editor.insert_str(drawable(text));
                Outcome::Drafted(*case, editor.lines().join("\n"))
            }
            Self::Write { editor, .. } => {
                editor.insert_str(drawable(text));
                Outcome::Stays
            }
            Self::Palette { input, .. } | Self::Model { input } => {
                let line = drawable(text).replace('\n', " ");
                *input = std::mem::take(input).with_value(line);
                Outcome::Stays
            }
            _ => Outcome::Stays,
        }
    }

    /// Draws it over `area`.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let line = |key: &str, says: &str| {
            Line::from(vec![
                Span::styled(format!(" {key:<6}"), look.theme.key),
                Span::styled(says.to_owned(), look.theme.text),
            ])
        };
        match self {
            Self::Help { lines, scroll } => {
                let wide = lines.iter().map(|(keys, _)| keys.chars().count()).max().unwrap_or(0);
                let room = area.width.min(HELP).saturating_sub(wide as u16 + 6);
                let plain = (look.theme.text, look.theme.text);
                let shown: Vec<Line<'_>> = lines
                    .iter()
                    .flat_map(|(keys, says)| {
                        lay_out(says, &[], room, plain).into_iter().enumerate().map(move |(i, mut line)| {
                            let keys = if i == 0 { keys.as_str() } else { "" };
                            line.spans.insert(0, Span::styled(format!(" {keys:<wide$}  "), look.theme.key));
                            line
                        })
                    })
                    .collect();
                let height = shown.len() as u16;
                let inner =
                    self.block(frame, area, (HELP, height + 2), " Keys · any other key closes ", look);
                let scroll = (*scroll).min(height.saturating_sub(inner.height));
                frame.render_widget(Paragraph::new(shown).scroll((scroll, 0)), inner);
                if scroll + inner.height < height {
                    more_below(frame, inner.right() - 1, inner, look);
                }
            }
            Self::Palette { input, chosen } => {
                let inner = self.block(frame, area, (70, 16), " What do you want to do? ", look);
                let typed = format!("> {}", input.value());
                frame.set_cursor_position((inner.x + 2 + within(input, inner), inner.y));
                let mut lines = vec![Line::from(typed)];
                let found = found(input.value());
                let room = usize::from(inner.height).saturating_sub(1).max(1);
                let first = (chosen + 1).saturating_sub(room);
                for (i, about) in found.iter().enumerate().skip(first).take(room) {
                    let key = look.keys.key_of(about.action);
                    let text = format!(" {:<12} {:<9} {}", about.name, key, about.says);
                    let text = cut(&text, usize::from(inner.width));
                    let style = if i == *chosen { look.theme.chosen } else { look.theme.text };
                    lines.push(Line::styled(text, style));
                }
                frame.render_widget(Paragraph::new(lines), inner);
            }
            Self::Note { editor, .. } => {
                let title = " Note · ctrl-s saves, esc keeps it as a draft ";
                let inner = self.block(frame, area, (70, 10), title, look);
                frame.render_widget(&**editor, inner);
            }
            Self::Write { what, editor } => {
                let (size, title) = match what {
                    Writing::Reason(..) => ((70, 8), " Why? · ctrl-s decides, esc does not "),
                    Writing::Guideline => {
                        ((100, 18), " How to decide · ctrl-s sets a new revision, esc leaves it as it was ")
                    }
                };
                let inner = self.block(frame, area, size, title, look);
                frame.render_widget(&**editor, inner);
            }
            Self::Send { undecided, .. } => {
                let inner = self.block(frame, area, (74, 7), " Send round again? ", look);
                let mut lines = vec![
                    Line::styled(
                        " Who labelled it under an older revision gets it once more, blind.",
                        look.theme.text,
                    ),
                    line("enter", "this case"),
                ];
                if *undecided > 0 {
                    lines.push(line(
                        "d",
                        &format!("those that nobody has decided ({undecided} disagreements)"),
                    ));
                }
                lines.push(line("a", "all cases that were labelled before"));
                lines.push(line("esc", "none"));
                frame.render_widget(Paragraph::new(lines), inner);
            }
            Self::Jump { input } => {
                let inner = self.block(frame, area, (36, 3), " Go to case number ", look);
                frame.set_cursor_position((inner.x + within(input, inner), inner.y));
                frame.render_widget(Paragraph::new(input.value().to_owned()), inner);
            }
            Self::Model { input } => {
                let inner = self.block(frame, area, (76, 6), " Which language model judges? ", look);
                let typed = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), height: 1, ..inner };
                let room = usize::from(typed.width).max(1);
                let scroll = input.visual_scroll(room);
                frame.set_cursor_position((
                    typed.x + (input.visual_cursor() - scroll).min(room) as u16,
                    typed.y,
                ));
                let value = Paragraph::new(input.value().to_owned()).scroll((0, scroll as u16));
                frame.render_widget(value.style(look.theme.text), typed);
                let below = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
                let lines = vec![
                    Line::styled(" The path of a GGUF file, typed or pasted.", look.theme.quiet),
                    line("enter", "starts; empty: the one that judged before"),
                    line("esc", "starts nothing"),
                ];
                frame.render_widget(Paragraph::new(lines), below);
            }
            Self::Leave => {
                let inner = self.block(frame, area, (58, 5), " A job is running ", look);
                let lines = vec![
                    line("q", "leave; the job goes on, the next opening shows it"),
                    line("s", "leave, and stop the job (a training begins anew)"),
                    line("esc", "stay"),
                ];
                frame.render_widget(Paragraph::new(lines), inner);
            }
            Self::GoOn { left, kinds } => {
                let inner = self.block(frame, area, (64, 5), " On to the next round? ", look);
                let lines = vec![
                    Line::styled(
                        format!(" {} not answered in this round.", counted(*left, "case is", "cases are")),
                        look.theme.text,
                    ),
                    match kinds.contains(&JobKind::Tune) {
                        true => line("enter", "train on the answers, and choose new cases"),
                        false => line("enter", "choose new cases"),
                    },
                    line("esc", "stay in this round"),
                ];
                frame.render_widget(Paragraph::new(lines), inner);
            }
        }
    }

    fn block(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        (width, height): (u16, u16),
        title: &'static str,
        look: Look<'_>,
    ) -> Rect {
        let (width, height) = (width.min(area.width), height.min(area.height));
        let place = Rect {
            x: area.x + (area.width - width) / 2,
            y: area.y + (area.height - height) / 2,
            width,
            height,
        };
        let block =
            Block::bordered().title(title).border_style(look.theme.rule).title_style(look.theme.title);
        let inner = block.inner(place);
        frame.render_widget(Clear, place);
        frame.render_widget(block, place);
        inner
    }
}

/// The column of the cursor; what was pasted may be longer than any terminal is wide.
fn within(input: &Input, area: Rect) -> u16 {
    input.visual_cursor().min(usize::from(area.width)) as u16
}

fn editor(before: &str) -> Box<TextArea<'static>> {
    let mut editor = TextArea::new(before.lines().map(drawable).collect());
    editor.move_cursor(CursorMove::Bottom);
    editor.move_cursor(CursorMove::End);
    editor.set_cursor_line_style(ratatui::style::Style::new());
    editor.set_wrap_mode(WrapMode::WordOrGlyph);
    Box::new(editor)
}

/// Actions whose name or sentence has every word typed.
fn found(typed: &str) -> Vec<&'static About> {
    let words: Vec<String> = typed.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let fits = |about: &&About| {
        words.iter().all(|w| about.name.contains(w.as_str()) || about.says.contains(w.as_str()))
    };
    let mut found: Vec<&About> = ACTIONS.iter().filter(fits).collect();
    found.sort_by_key(|about| !words.first().is_some_and(|w| about.name.starts_with(w.as_str())));
    found
}
