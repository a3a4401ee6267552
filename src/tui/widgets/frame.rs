//! What every screen has around it: the bar with the project, the screens and the expert, and the foot with notices and keys.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Wrap};
use unicode_width::UnicodeWidthStr;

use super::text_layout::{cut, drawable, lay_out};
use crate::tui::hits::{Hits, Target};
use crate::tui::keys::{Action, Keymap};
use crate::tui::theme::Theme;

/// The smallest size at which every screen shows all it has to.
pub(in crate::tui) const MIN_SIZE: (u16, u16) = (60, 16);

/// Less of a project's name tells nobody which it is.
const MIN_NAME: usize = 8;
/// The most lines that a foot says.
const MAX_SAID: usize = 4;

/// What a notice means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Tone {
    Quiet,
    Good,
    Warning,
    Bad,
}

/// One sentence to the person, until the next key.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Notice {
    pub tone: Tone,
    pub says: String,
}

impl Notice {
    pub fn quiet(says: String) -> Self {
        Self { tone: Tone::Quiet, says }
    }
    pub fn good(says: String) -> Self {
        Self { tone: Tone::Good, says }
    }
    pub fn warning(says: String) -> Self {
        Self { tone: Tone::Warning, says }
    }
    pub fn bad(says: String) -> Self {
        Self { tone: Tone::Bad, says }
    }
}

/// What screens need to draw.
#[derive(Clone, Copy)]
pub(in crate::tui) struct Look<'a> {
    pub theme: &'a Theme,
    pub keys: &'a Keymap,
    /// Where what can be clicked is noted, if the mouse is used.
    pub hits: Option<&'a Hits>,
}

impl Look<'_> {
    /// Says that something can be clicked at this place.
    pub fn may_click(&self, place: Rect, target: Target) {
        if let Some(hits) = self.hits {
            hits.add(place, target);
        }
    }

    /// Says that each row of a list can be clicked: the first in view, and how many there are.
    pub fn may_click_rows(&self, list: Rect, (from, all): (usize, usize)) {
        for (row, y) in (from..all).zip(list.top()..list.bottom()) {
            self.may_click(Rect { y, height: 1, ..list }, Target::Row(row));
        }
    }

    /// The style of a tone.
    pub fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Quiet => self.theme.quiet,
            Tone::Good => self.theme.good,
            Tone::Warning => self.theme.warning,
            Tone::Bad => self.theme.bad,
        }
    }

    /// Keys with what they do, as far as the width reaches. The last one, which leads out, is always there.
    pub fn hints(&self, hints: &[(Action, &str)], width: u16) -> Line<'static> {
        let mut spans = Vec::new();
        let long = |(action, says): &(Action, &str)| self.keys.key_of(*action).width() + says.width() + 3;
        let last = hints.len().saturating_sub(1);
        let mut used = 1 + hints.last().map_or(0, long);
        for (at, hint) in hints.iter().enumerate() {
            let (action, says) = hint;
            let key = self.keys.key_of(*action);
            let more = if at == last { 0 } else { long(hint) };
            if key.is_empty() || used + more > usize::from(width) {
                continue;
            }
            used += more;
            spans.push(Span::styled(format!(" {key}"), self.theme.key));
            spans.push(Span::styled(format!(" {says} "), self.theme.quiet));
        }
        Line::from(spans)
    }
}

/// The bar on top: which project, which screen, who.
pub(in crate::tui) struct Bar<'a> {
    pub project: &'a str,
    /// The screens by their titles, and whether it is the one in view.
    pub screens: &'a [(&'a str, bool)],
    /// What is running, and the expert.
    pub right: String,
}

impl Bar<'_> {
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let right = Span::styled(format!("{} ", self.right), look.theme.quiet);
        let screens: usize = self.screens.iter().map(|(name, _)| name.width() + 2).sum();
        // The screens are how a person gets about, so in a narrow window the project's name gives way, and then the person's.
        let rest = usize::from(area.width).saturating_sub(screens + 3);
        let room = rest.checked_sub(right.width()).filter(|room| *room >= MIN_NAME.min(self.project.width()));
        let name = cut(self.project, room.unwrap_or(rest));
        let mut spans = vec![Span::styled(format!(" {name}  "), look.theme.title)];
        let mut x = area.x + spans[0].width() as u16;
        for (at, (name, here)) in self.screens.iter().enumerate() {
            let width = name.width() as u16 + 2;
            look.may_click(Rect { x, width, ..area }.intersection(area), Target::Tab(at));
            x = x.saturating_add(width);
            let style = if *here { look.theme.chosen } else { look.theme.quiet };
            spans.push(Span::styled(format!(" {name} "), style));
        }
        let who = if room.is_some() { right.width() as u16 } else { 0 };
        let [left, right_area] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(who)]).areas(area);
        frame.render_widget(Paragraph::new(Line::from(spans)), left);
        frame.render_widget(Paragraph::new(right).alignment(Alignment::Right), right_area);
    }
}

/// A screen without a case: its body, and the lines below for [`foot`]. What is said is said whole, within reason.
pub(in crate::tui) fn below(area: Rect, said: Option<(&str, Style)>) -> [Rect; 2] {
    let lines = said_lines(said, area.width).len().max(1) as u16;
    Layout::vertical([Constraint::Fill(1), Constraint::Length(lines + 1)]).areas(area)
}

fn said_lines(said: Option<(&str, Style)>, width: u16) -> Vec<Line<'static>> {
    let Some((says, style)) = said else { return Vec::new() };
    let mut lines = hanging(vec![Span::raw(" ")], &drawable(says).replace('\n', " "), width, style);
    lines.truncate(MAX_SAID);
    lines
}

/// The foot of a screen without a case: lines that say something, one with keys.
pub(in crate::tui) fn foot(
    frame: &mut Frame<'_>,
    area: Rect,
    said: Option<(&str, Style)>,
    hints: &[(Action, &str)],
    look: Look<'_>,
) {
    let [notice, keys] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(area);
    frame.render_widget(Paragraph::new(said_lines(said, area.width)), notice);
    frame.render_widget(Paragraph::new(look.hints(hints, area.width)), keys);
}

/// A text in lines of one style.
pub(in crate::tui) fn paragraph(text: &str, width: u16, style: Style) -> Vec<Line<'static>> {
    lay_out(&drawable(text), &[], width, (style, style))
}

/// A text in lines of one style; what comes before its first line is matched by blanks before the others.
pub(in crate::tui) fn hanging(
    before: Vec<Span<'static>>,
    text: &str,
    width: u16,
    style: Style,
) -> Vec<Line<'static>> {
    let indent: usize = before.iter().map(Span::width).sum();
    let room = width.saturating_sub(indent as u16 + 1).max(10);
    let mut before = Some(before);
    let mut lines = paragraph(text, room, style);
    for line in &mut lines {
        let before = before.take().unwrap_or_else(|| vec![Span::raw(" ".repeat(indent))]);
        line.spans.splice(0..0, before);
    }
    lines
}

/// A line across the top of `area`.
pub(in crate::tui) fn horizontal_rule(frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
    frame.render_widget(Block::new().borders(Borders::TOP).border_style(look.theme.rule), area);
}

/// A line down the left of `area`.
pub(in crate::tui) fn vertical_rule(frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
    frame.render_widget(Block::new().borders(Borders::LEFT).border_style(look.theme.rule), area);
}

/// What is shown where the terminal is too small for anything else.
pub(in crate::tui) fn too_small(frame: &mut Frame<'_>) {
    let area = frame.area();
    let says = format!(
        "hardcase needs {} columns and {} rows; this terminal has {} and {}",
        MIN_SIZE.0, MIN_SIZE.1, area.width, area.height
    );
    frame.render_widget(Paragraph::new(says).wrap(Wrap { trim: true }), area);
}
