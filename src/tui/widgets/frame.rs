//! What every screen has around it: the head with the project, the screens and the expert, and the foot with notices and keys.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::text_layout::{cut, drawable};
use crate::tui::keys::{Action, Keymap};
use crate::tui::theme::Theme;

/// The least size at which every screen shows all it has to.
pub(in crate::tui) const LEAST: (u16, u16) = (60, 16);

/// Less of a project's name tells nobody which it is.
const LEAST_NAME: usize = 8;

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
}

impl Look<'_> {
    /// The style of a tone.
    pub fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Quiet => self.theme.quiet,
            Tone::Good => self.theme.good,
            Tone::Warning => self.theme.warning,
            Tone::Bad => self.theme.bad,
        }
    }

    /// Keys with what they do, as far as the width reaches.
    pub fn hints(&self, hints: &[(Action, &str)], width: u16) -> Line<'static> {
        let mut spans = Vec::new();
        let mut used = 1;
        for (action, says) in hints {
            let key = self.keys.key_of(*action);
            let long = key.width() + says.width() + 4;
            if key.is_empty() || used + long > usize::from(width) {
                continue;
            }
            used += long;
            spans.push(Span::styled(format!(" {key}"), self.theme.key));
            spans.push(Span::styled(format!(" {says} "), self.theme.quiet));
        }
        Line::from(spans)
    }
}

/// The head: which project, which screen, who.
pub(in crate::tui) struct Head<'a> {
    pub project: &'a str,
    pub screens: &'a [(&'a str, bool)],
    pub right: String,
}

impl Head<'_> {
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let right = Span::styled(format!("{} ", self.right), look.theme.quiet);
        let screens: usize = self.screens.iter().map(|(name, _)| name.width() + 2).sum();
        // The screens are how a person gets about, so in a narrow window the project's name gives way, and then the person's.
        let beside = usize::from(area.width).saturating_sub(screens + 3);
        let room =
            beside.checked_sub(right.width()).filter(|room| *room >= LEAST_NAME.min(self.project.width()));
        let name = cut(self.project, room.unwrap_or(beside));
        let mut spans = vec![Span::styled(format!(" {name}  "), look.theme.title)];
        for (name, here) in self.screens {
            let style = if *here { look.theme.chosen } else { look.theme.quiet };
            spans.push(Span::styled(format!(" {name} "), style));
        }
        frame.render_widget(Paragraph::new(Line::from(spans)), area);
        if room.is_none() {
            return;
        }
        let width = (right.content.width() as u16).min(area.width);
        let place = Rect { x: area.right() - width, width, ..area };
        frame.render_widget(Paragraph::new(Line::from(right)).alignment(Alignment::Right), place);
    }
}

/// The foot of a screen without a case: one line that something is said in, one with keys.
pub(in crate::tui) fn foot(
    frame: &mut Frame<'_>,
    area: Rect,
    said: Option<(&str, Style)>,
    hints: &[(Action, &str)],
    look: Look<'_>,
) {
    let line = |from_below: u16| Rect { y: area.bottom() - from_below, height: 1, ..area };
    if let Some((says, style)) = said {
        let says = cut(&drawable(says).replace('\n', " "), usize::from(area.width) - 2);
        frame.render_widget(Paragraph::new(Span::styled(format!(" {says}"), style)), line(2));
    }
    frame.render_widget(Paragraph::new(look.hints(hints, area.width)), line(1));
}

/// Draws the lines from the place on to which the person has scrolled, which is kept within them. Returns whether more stands below.
pub(in crate::tui) fn scrolled(
    frame: &mut Frame<'_>,
    lines: Vec<Line<'static>>,
    area: Rect,
    scroll: &mut usize,
) -> bool {
    // By hand: a text of a megabyte may have more lines than ratatui counts.
    let most = lines.len().saturating_sub(usize::from(area.height));
    *scroll = (*scroll).min(most);
    let shown: Vec<Line<'static>> = lines.into_iter().skip(*scroll).take(usize::from(area.height)).collect();
    frame.render_widget(Paragraph::new(shown), area);
    *scroll < most
}

/// That more stands below what the place has room for.
pub(in crate::tui) fn more_below(frame: &mut Frame<'_>, x: u16, area: Rect, look: Look<'_>) {
    if area.height > 0 {
        let place = Rect { x, y: area.bottom() - 1, width: 1, height: 1 };
        frame.render_widget(Paragraph::new(Span::styled("▼", look.theme.key)), place);
    }
}

/// A line across.
pub(in crate::tui) fn rule(frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
    let line = "─".repeat(usize::from(area.width));
    frame.render_widget(Paragraph::new(Span::styled(line, look.theme.rule)), area);
}

/// A line down.
pub(in crate::tui) fn wall(frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
    let lines: Vec<Line<'_>> =
        (0..area.height).map(|_| Line::from(Span::styled("│", look.theme.rule))).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// What is shown where the terminal is too small for anything else.
pub(in crate::tui) fn too_small(frame: &mut Frame<'_>) {
    let area = frame.area();
    let says = format!(
        "hardcase needs {} columns and {} rows; this terminal has {} and {}",
        LEAST.0, LEAST.1, area.width, area.height
    );
    frame.render_widget(Paragraph::new(says).wrap(ratatui::widgets::Wrap { trim: true }), area);
}
