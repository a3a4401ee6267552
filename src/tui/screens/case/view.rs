//! Draws the case: question, text, a similar text, the guideline, labels, and what was done last. Every case looks alike.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::screen::{Answered, CONFIDENCES, CaseScreen, Showing, Shown};
use crate::desk::jobs::JobKind;
use crate::desk::shown::{Lack, NoCase, Reveal, RoundProgress};
use crate::domain::task::Task;
use crate::tui::keys::Action;
use crate::tui::screen::View;
use crate::tui::screens::jobs::view::{duration, progress_bar};
use crate::tui::shared::Shared;
use crate::tui::widgets::frame::{Look, Notice, hanging, horizontal_rule, paragraph, vertical_rule};
use crate::tui::widgets::scroll::scrolled;
use crate::tui::widgets::text_layout::{cut, drawable, lay_out};

/// From this width on the similar text is next to the text.
const TWO_COLUMNS: u16 = 100;
/// From this width on the guideline has a column of its own.
const THREE_COLUMNS: u16 = 140;
/// No line of text is longer: the eye loses its way back.
const MEASURE: u16 = 90;
/// A longer question stands whole in the guideline only.
const MAX_QUESTION: usize = 3;
/// What was done last takes this many lines at most, however narrow the window.
const MAX_SAID: u16 = 4;

impl CaseScreen {
    pub(super) fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        let (task, look) = (&view.shared.about.task, view.look);
        // However many labels there are and however long their names: the text keeps most of the screen.
        let fits = |lines: &Vec<Line<'_>>| lines.len() <= usize::from(area.height / 4).max(1);
        let labels = [usize::MAX, 24, 16, 10, 6, 3]
            .into_iter()
            .map(|longest| self.labels(task, (area.width, longest), look))
            .find(fits)
            .unwrap_or_else(|| self.labels(task, (area.width, 1), look));
        let said = self.said(view.notice, area.width, look);
        // Two lines, so that nothing moves from case to case, but for what would be cut off.
        let said_height = (said.len() as u16).clamp(2, MAX_SAID);
        let whereabouts = self.whereabouts(view.shared.supply.progress);
        let question = Question::new(task, &whereabouts, area.width, look);
        let [asked, text, rule, label_area, said_area, keys] = Layout::vertical([
            Constraint::Length(question.height()),
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(labels.len() as u16),
            Constraint::Length(said_height),
            Constraint::Length(1),
        ])
        .areas(area);
        question.draw(frame, asked, whereabouts, look);
        let [_, text] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(text);
        match &self.showing {
            Showing::Next(_) | Showing::Asked(_) => self.columns(frame, text, task, look),
            Showing::Waiting => {}
            Showing::None(why) => no_case(frame, text, why, view),
        }
        horizontal_rule(frame, rule, look);
        frame.render_widget(Paragraph::new(labels), label_area);
        frame.render_widget(Paragraph::new(said), said_area);
        let hints = [
            (Action::Help, "help"),
            (Action::Skip, "skip"),
            (Action::Undo, "undo"),
            (Action::Note, "note"),
            (Action::Flag, "flag"),
            (Action::Guideline, "guideline"),
            (Action::NextScreen, "screens"),
            (Action::Palette, "commands"),
            (Action::Quit, "quit"),
        ];
        frame.render_widget(Paragraph::new(look.hints(&hints, area.width)), keys);
    }

    /// `case 4, you said spam · round 2: 12 of 60 by you, 30 by all`
    fn whereabouts(&self, progress: Option<RoundProgress>) -> String {
        let round = progress.map(|p| {
            let round =
                if p.round == 0 { "before the first round".into() } else { format!("round {}", p.round) };
            format!("{round}: {} of {} by you, {} by all", p.mine, p.cases, p.answered)
        });
        let case = self.shown().map(|s| {
            let state = match (&self.showing, &s.card.label, s.card.skipped) {
                (Showing::Asked(_), Some(label), _) => format!(", you said {}", drawable(label)),
                (Showing::Asked(_), None, true) => ", you skipped it".into(),
                _ => String::new(),
            };
            let flag = if s.card.flagged { ", flagged" } else { "" };
            format!("case {}{state}{flag}", s.card.shown.case)
        });
        [case, round].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// The text, a similar text and the guideline, side by side or one above the other.
    fn columns(&mut self, frame: &mut Frame<'_>, area: Rect, task: &Task, look: Look<'_>) {
        let Some(shown) = self.shown() else { return };
        let wide = |place: Rect| place.width.saturating_sub(3).min(MEASURE);
        let second =
            |width| if self.guideline { guideline(task, width, look) } else { similar(shown, width, look) };
        let columns: Vec<(Rect, Vec<Line<'static>>)> = if area.width >= THREE_COLUMNS && self.guideline {
            let places: [Rect; 3] = Layout::horizontal([Constraint::Fill(1); 3]).areas(area);
            vec![
                (places[0], main_text(shown, wide(places[0]), look)),
                (places[1], similar(shown, wide(places[1]), look)),
                (places[2], guideline(task, wide(places[2]), look)),
            ]
        } else if area.width >= TWO_COLUMNS {
            let places: [Rect; 2] = Layout::horizontal([Constraint::Fill(1); 2]).areas(area);
            vec![(places[0], main_text(shown, wide(places[0]), look)), (places[1], second(wide(places[1])))]
        } else {
            let (first, second) = (main_text(shown, wide(area), look), second(wide(area)));
            let height = |lines: &[Line<'_>]| u16::try_from(lines.len()).unwrap_or(u16::MAX);
            // The second has what the first leaves, and a third where there is not enough for both.
            let rest = area.height.saturating_sub(height(&first).saturating_add(1));
            let below = rest.max(area.height / 3).min(height(&second));
            let [top, _, bottom] =
                Layout::vertical([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(below)])
                    .areas(area);
            vec![(top, first), (bottom, second)]
        };
        let most = columns.iter().map(|(at, lines)| lines.len().saturating_sub(usize::from(at.height))).max();
        self.scroll = self.scroll.min(most.unwrap_or(0));
        for (i, (place, lines)) in columns.into_iter().enumerate() {
            if area.width >= TWO_COLUMNS && i > 0 {
                vertical_rule(frame, place, look);
            }
            let inner = Rect { x: place.x + 2, width: place.width.saturating_sub(3), ..place };
            // A column that is shorter than the longest stays at its own end.
            let mut scroll = self.scroll;
            scrolled(frame, lines, inner, &mut scroll, look);
        }
    }

    /// Each label with its key, in as many lines as needed.
    fn labels(&self, task: &Task, (width, longest): (u16, usize), look: Look<'_>) -> Vec<Line<'static>> {
        let given = self.shown().and_then(|s| s.card.label.as_deref());
        let mut lines = vec![Line::default()];
        let mut used = 0;
        for label in &task.labels {
            let name = cut(&drawable(&label.name), longest);
            let long = name.width() + 5;
            if used + long > usize::from(width) && used > 0 {
                lines.push(Line::default());
                used = 0;
            }
            used += long;
            let style = if given == Some(&label.name) { look.theme.chosen } else { look.theme.text };
            if let Some(line) = lines.last_mut() {
                let key = drawable(&label.key.to_string());
                line.push_span(Span::styled(format!(" {key}"), look.theme.key));
                line.push_span(Span::styled(format!(" {name} "), style));
                line.push_span(Span::raw(" "));
            }
        }
        if let Some(sure) = self.confidence
            && let Some(line) = lines.last_mut()
        {
            line.push_span(Span::styled(
                format!(" {}", CONFIDENCES[usize::from(sure) - 1]),
                look.theme.warning,
            ));
        }
        lines
    }

    /// What is being saved, what went wrong, or what was answered last with what was hidden until then.
    fn said(&self, notice: Option<&Notice>, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
        let (says, style) = match (self.saving(), notice, &self.last) {
            (_, Some(notice), _) => (notice.says.clone(), look.tone(notice.tone)),
            (Some(saving), None, _) => (saving, look.tone(self.tone())),
            (None, None, Some(last)) if !matches!(self.showing, Showing::Asked(_)) => {
                (answered(last, &look.keys.key_of(Action::Undo)), look.tone(self.tone()))
            }
            (None, None, _) => {
                let revealed = self.shown().and_then(|s| s.card.shown.revealed.as_ref());
                (revealed.map(thought).unwrap_or_default(), look.theme.quiet)
            }
        };
        hanging(vec![Span::raw(" ")], &says, width, style)
    }
}

/// The question, and right of it where the person is.
struct Question {
    lines: Vec<Line<'static>>,
    /// Whether it is too long to fit next to that.
    is_below: bool,
}

impl Question {
    fn new(task: &Task, whereabouts: &str, width: u16, look: Look<'_>) -> Self {
        let question = drawable(&task.question);
        let room = usize::from(width).saturating_sub(whereabouts.width() + 1);
        let is_below = question.contains('\n') || question.width() + 2 > room;
        let style = look.theme.title;
        let mut lines = lay_out(&question, &[], width.saturating_sub(2), (style, style));
        if lines.len() > MAX_QUESTION {
            lines.truncate(MAX_QUESTION);
            if let Some(line) = lines.last_mut() {
                line.push_span(Span::styled("…", style));
            }
        }
        for line in &mut lines {
            line.spans.insert(0, Span::raw(" "));
        }
        Self { lines, is_below }
    }

    fn height(&self) -> u16 {
        u16::from(self.is_below) + self.lines.len() as u16
    }

    fn draw(self, frame: &mut Frame<'_>, area: Rect, whereabouts: String, look: Look<'_>) {
        let [top, below] =
            Layout::vertical([Constraint::Length(u16::from(self.is_below)), Constraint::Fill(1)]).areas(area);
        frame.render_widget(Paragraph::new(self.lines), below);
        let first = Rect { height: area.height.min(1), ..if self.is_below { top } else { area } };
        let wide = whereabouts.width() as u16;
        let [_, right, _] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(wide), Constraint::Length(1)])
                .areas(first);
        frame.render_widget(Paragraph::new(Span::styled(whereabouts, look.theme.quiet)), right);
    }
}

/// `saved: spam (1), case 41, u undoes · the model thought ham (61 %); …`
fn answered(last: &Answered, undo: &str) -> String {
    let verb = if last.changed { "changed" } else { "saved" };
    let revealed = last.reveal.as_ref().map(|r| format!(" · {}", thought(r))).unwrap_or_default();
    format!("{verb}: {} ({}), case {}, {undo} undoes{revealed}", last.label, last.key, last.case)
}

/// What the model thought and why the case was chosen, in plain words.
fn thought(reveal: &Reveal) -> String {
    match (&reveal.prelabel, reveal.certainty()) {
        (Some(label), Some(p)) => {
            let judge = reveal
                .judged()
                .map(|(label, p)| format!(", the language model {label} ({:.0} %)", p * 100.0));
            let judge = judge.unwrap_or_default();
            format!(
                "the model thought {label} ({:.0} %){judge}; chosen because {}",
                p * 100.0,
                reveal.in_words
            )
        }
        _ => format!("chosen because {}", reveal.in_words),
    }
}

/// The text with the other columns of its data.
fn main_text(shown: &Shown, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
    let theme = look.theme;
    let mut lines = lay_out(&shown.text, &shown.differs.0, width, (theme.text, theme.differs));
    let meta: Vec<_> = shown.card.shown.meta.as_object().into_iter().flatten().collect();
    if !meta.is_empty() {
        lines.push(Line::default());
    }
    for (name, value) in meta {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        lines.extend(paragraph(&format!("{name}: {value}"), width, theme.quiet));
    }
    if let Some(note) = &shown.card.note {
        lines.push(Line::default());
        lines.extend(paragraph(&format!("your note: {note}"), width, theme.good));
    }
    if shown.card.draft.is_some() {
        lines.push(Line::styled("You began a note and did not save it.", theme.warning));
    }
    lines
}

/// The nearest text to which the model gives another label, with the words in which the two differ.
fn similar(shown: &Shown, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
    let theme = look.theme;
    match (&shown.partner, &shown.card.shown.partner) {
        (Some(text), Some(partner)) => {
            let mut lines =
                vec![Line::styled(format!("similar text ({:.2})", partner.similarity), theme.quiet)];
            lines.extend(lay_out(text, &shown.differs.1, width, (theme.text, theme.differs)));
            lines
        }
        _ => vec![Line::styled("no similar text to show", theme.quiet)],
    }
}

fn guideline(task: &Task, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("How to decide", look.theme.title)];
    let plain = (look.theme.text, look.theme.text);
    let question = lay_out(&drawable(&task.question), &[], width, (look.theme.title, look.theme.title));
    if question.len() > MAX_QUESTION {
        lines.extend(question);
        lines.push(Line::default());
    }
    if !task.guideline.is_empty() {
        lines.extend(lay_out(&drawable(&task.guideline), &[], width, plain));
        lines.push(Line::default());
    }
    for label in &task.labels {
        let says = drawable(&format!("{}: {}", label.name, label.description));
        lines.extend(lay_out(&says, &[], width, plain));
        for example in &label.examples {
            let quiet = (look.theme.quiet, look.theme.quiet);
            lines.extend(lay_out(&drawable(&format!("e.g. {example}")), &[], width, quiet));
        }
    }
    lines
}

/// Why there is no case, and what is running or can be done next.
fn no_case(frame: &mut Frame<'_>, area: Rect, why: &NoCase, view: View<'_>) {
    let (look, theme) = (view.look, view.look.theme);
    let title = match why {
        NoCase::NoTexts => "This project has no texts yet.".to_owned(),
        NoCase::NotScouted => "The model has not read the texts yet.".to_owned(),
        NoCase::NoRound => "No cases have been chosen yet.".to_owned(),
        NoCase::RoundDone(round) => format!("Round {round} is done: every case is answered."),
        NoCase::WithOthers(outstanding) => format!("Your part of round {} is done.", outstanding.round),
        NoCase::PartDone => "All cases assigned to you are done.".to_owned(),
    };
    let more = match why {
        NoCase::NoTexts => vec!["Quit, and add some: hardcase import FILE DATA".to_owned()],
        NoCase::WithOthers(outstanding) => {
            let open = "It stays open while the next round goes on, and their answers still count in it.";
            vec![format!("{outstanding}."), open.to_owned()]
        }
        NoCase::PartDone => vec!["Quit, and give this copy back: hardcase merge PROJECT COPY".to_owned()],
        NoCase::NotScouted | NoCase::NoRound | NoCase::RoundDone(_) => Vec::new(),
    };
    let indented = |says: &str, style| hanging(vec![Span::raw("  ")], says, area.width, style);
    let mut lines = indented(&title, theme.title);
    lines.extend(more.iter().flat_map(|says| indented(says, theme.text)));
    lines.push(Line::default());
    lines.extend(meanwhile(view.shared, area.width, look));
    frame.render_widget(Paragraph::new(lines), area);
}

/// What is running, or the key that goes on and what it does.
fn meanwhile(shared: &Shared, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
    let theme = look.theme;
    let mut lines = Vec::new();
    for running in &shared.jobs.running {
        lines.push(Line::styled(format!("  {}", running.kind.in_words()), theme.text));
        let progress = running.progress.as_ref();
        lines.extend(progress.and_then(|progress| progress_bar(progress, look)));
        let left = progress.and_then(|progress| progress.eta_s);
        lines.extend(left.map(|s| Line::styled(format!("  {} left", duration(s)), theme.text)));
    }
    let next = shared.next_jobs();
    if lines.is_empty() && !next.is_empty() {
        let key = Span::styled(format!("  {}  ", look.keys.key_or_name(Action::Open)), theme.key);
        lines = hanging(vec![key], offer(shared.supply.lack), width, theme.text);
        if next.contains(&JobKind::Lora) {
            let says = "With enough answers, a stronger model is trained while you go on.";
            let indent = lines.first().and_then(|line| line.spans.first()).map_or(2, Span::width);
            lines.extend(hanging(vec![Span::raw(" ".repeat(indent))], says, width, theme.quiet));
        }
    }
    lines
}

/// What the jobs do that are needed to continue.
fn offer(lack: Option<Lack>) -> &'static str {
    match lack {
        Some(Lack::Prelabels) => "The model reads all texts, and the first cases are chosen.",
        Some(_) => "The first cases are chosen (a few seconds).",
        None => "The model learns from your answers, and the next cases are chosen (a few seconds).",
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;
    use crate::domain::case::Reason;
    use crate::domain::ids::CaseId;

    #[test]
    fn the_reveal_is_shown_in_full_in_a_small_window() {
        let reveal = |reason: Reason, label: &str| Reveal {
            split: "eval",
            reason: reason.as_str(),
            in_words: reason.in_words(),
            prelabel: Some(label.to_owned()),
            probabilities: [(label.to_owned(), 0.6.into())].into_iter().collect(),
            judge: None,
        };
        let lines = |reason, label: &str, width: u16| {
            let last = Answered {
                label: label.to_owned(),
                key: '1',
                case: CaseId(141),
                changed: false,
                reveal: Some(reveal(reason, label)),
            };
            lay_out(&answered(&last, "u"), &[], width - 2, (Style::default(), Style::default())).len()
        };
        for reason in [Reason::Repeat, Reason::Overlap, Reason::Contrast] {
            assert!(lines(reason, "clickbait", 80) <= 2, "{reason:?}: the text keeps its place");
            assert!(lines(reason, "offensive language", 60) <= usize::from(MAX_SAID), "{reason:?}");
        }
    }
}
