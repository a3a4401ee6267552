//! Draws the case: question, text, neighbour, metadata, labels, and what was done last. Every case looks alike.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::screen::{Answered, CONFIDENCES, CaseScreen, Showing, Shown};
use crate::desk::shown::{NoCase, Reveal};
use crate::domain::task::Task;
use crate::tui::keys::Action;
use crate::tui::widgets::frame::{Look, Notice, more_below, rule, scrolled, wall};
use crate::tui::widgets::text_layout::{cut, drawable, lay_out};

/// From this width on the neighbour stands beside the text.
const BESIDE: u16 = 100;
/// From this width on the guideline has a column of its own.
const THREE: u16 = 140;
/// No line of text is longer: the eye loses its way back.
const MEASURE: u16 = 90;

/// A longer question stands whole in the guideline only.
const MOST_ASKED: usize = 3;
/// What was done last takes this many lines at most, however narrow the window.
const MOST_SAID: u16 = 4;

/// What is to be drawn beside the case.
pub(in crate::tui) struct Around<'a> {
    pub task: &'a Task,
    pub notice: Option<&'a Notice>,
    /// What runs or can be started, where there is no case.
    pub meanwhile: &'a [Line<'static>],
}

impl CaseScreen {
    /// Draws the screen of cases.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, around: &Around<'_>, look: Look<'_>) {
        // However many labels there are and however long their names: the text keeps most of the screen.
        let fits = |lines: &Vec<Line<'_>>| lines.len() <= usize::from(area.height / 4).max(1);
        let labels = [usize::MAX, 24, 16, 10, 6, 3]
            .into_iter()
            .map(|longest| self.labels(around.task, (area.width, longest), look))
            .find(fits)
            .unwrap_or_else(|| self.labels(around.task, (area.width, 1), look));
        let said = self.said(around.notice, area.width, look);
        // Two lines, so that nothing moves from case to case, but for what would be cut off.
        let told = (said.len() as u16).clamp(2, MOST_SAID);
        let foot = 1 + labels.len() as u16 + told;
        let (body, foot) = split(area, area.height.saturating_sub(foot + 1));
        let asked = self.question(frame, body, around.task, look);
        let (_, text) = split(body, asked);
        match &self.showing {
            Showing::Next(_) | Showing::Asked(_) => self.passages(frame, text, around.task, look),
            Showing::Waiting => {}
            Showing::None(why) => none(frame, text, why, around.meanwhile, look),
        }
        rule(frame, row(foot, 0), look);
        frame.render_widget(Paragraph::new(labels.clone()), Rect { y: foot.y + 1, ..foot });
        let below = Rect { y: foot.y + 1 + labels.len() as u16, height: told, ..foot }.intersection(area);
        frame.render_widget(Paragraph::new(said), below);
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
        frame.render_widget(Paragraph::new(look.hints(&hints, area.width)), row(area, area.height - 1));
    }

    /// The question beside where one is; a long one has the lines below for itself. Returns how many lines it took.
    fn question(&self, frame: &mut Frame<'_>, area: Rect, task: &Task, look: Look<'_>) -> u16 {
        let right = self.whereabouts();
        let width = (right.width() as u16 + 1).min(area.width);
        let place = Rect { x: area.right() - width, width, ..row(area, 0) };
        frame.render_widget(Paragraph::new(Span::styled(right, look.theme.quiet)), place);
        let question = drawable(&task.question);
        let fits = !question.contains('\n') && question.width() + 2 <= usize::from(area.width - width);
        let style = look.theme.title;
        let mut lines = lay_out(&question, &[], area.width.saturating_sub(2), (style, style));
        if lines.len() > MOST_ASKED {
            lines.truncate(MOST_ASKED);
            if let Some(line) = lines.last_mut() {
                line.push_span(Span::styled("…", style));
            }
        }
        let above = u16::from(!fits);
        let height = lines.len() as u16;
        let place = Rect { x: area.x + 1, y: area.y + above, height, width: area.width - 1 };
        frame.render_widget(Paragraph::new(lines), place.intersection(area));
        above + height
    }

    fn whereabouts(&self) -> String {
        let place = self.place.map(|p| {
            let round =
                if p.round == 0 { "until the first round".into() } else { format!("round {}", p.round) };
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
        [case, place].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// The text, its neighbour and the guideline, beside each other or below each other.
    fn passages(&mut self, frame: &mut Frame<'_>, area: Rect, task: &Task, look: Look<'_>) {
        let Some(shown) = self.shown() else { return };
        let plain = (look.theme.text, look.theme.differs);
        let guideline = |width| guideline(task, width, look);
        let area = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let columns: Vec<(Rect, Vec<Line<'static>>)> = if area.width >= BESIDE {
            let with_guideline = self.guideline && area.width >= THREE;
            let n = if with_guideline { 3 } else { 2 };
            let places: Vec<Rect> = (0..n).map(|i| column(area, i, n)).collect();
            let width = |i: usize| places[i].width.saturating_sub(3).min(MEASURE);
            let second = if self.guideline && !with_guideline {
                guideline(width(1))
            } else {
                partner(shown, width(1), plain, look)
            };
            let mut columns = vec![(places[0], passage(shown, width(0), plain, look)), (places[1], second)];
            if with_guideline {
                columns.push((places[2], guideline(width(2))));
            }
            columns
        } else {
            let width = area.width.saturating_sub(3).min(MEASURE);
            let second = if self.guideline { guideline(width) } else { partner(shown, width, plain, look) };
            let first = passage(shown, width, plain, look);
            let lines = |lines: &[Line<'_>]| u16::try_from(lines.len()).unwrap_or(u16::MAX);
            let least = lines(&second).min(area.height / 3);
            let below = area.height.saturating_sub(lines(&first).saturating_add(1));
            let below = least.max(below).min(lines(&second));
            let (top, bottom) = split(area, area.height.saturating_sub(below));
            let top = Rect { height: top.height.saturating_sub(1), ..top };
            vec![(top, first), (bottom, second)]
        };
        let most = columns.iter().map(|(at, lines)| lines.len().saturating_sub(usize::from(at.height))).max();
        let beside = area.width >= BESIDE;
        self.scroll = self.scroll.min(most.unwrap_or(0));
        for (i, (place, lines)) in columns.into_iter().enumerate() {
            if beside && i > 0 {
                wall(frame, Rect { width: 1, ..place }, look);
            }
            let inner = Rect { x: place.x + 2, width: place.width.saturating_sub(3), ..place };
            // A column that is shorter than the longest stays at its own end.
            let mut scroll = self.scroll;
            if scrolled(frame, lines, inner, &mut scroll) {
                more_below(frame, place.right().saturating_sub(1), place, look);
            }
        }
    }

    /// Each label with its key, in as many lines as it takes.
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
        lay_out(&drawable(&says), &[], width.saturating_sub(2), (style, style))
            .into_iter()
            .map(|mut line| {
                line.spans.insert(0, Span::raw(" "));
                line
            })
            .collect()
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
            let judge = reveal.judged().map(|(label, p)| format!(", the judge {label} ({:.0} %)", p * 100.0));
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

/// The text with what stands beside it in the data.
fn passage(shown: &Shown, width: u16, styles: (Style, Style), look: Look<'_>) -> Vec<Line<'static>> {
    let mut lines = lay_out(&shown.text, &shown.differs.0, width, styles);
    let meta: Vec<_> = shown.card.shown.meta.as_object().into_iter().flatten().collect();
    if !meta.is_empty() {
        lines.push(Line::default());
    }
    for (name, value) in meta {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let quiet = (look.theme.quiet, look.theme.quiet);
        lines.extend(lay_out(&drawable(&format!("{name}: {value}")), &[], width, quiet));
    }
    if let Some(note) = &shown.card.note {
        lines.push(Line::default());
        let style = (look.theme.good, look.theme.good);
        lines.extend(lay_out(&drawable(&format!("your note: {note}")), &[], width, style));
    }
    if shown.card.draft.is_some() {
        lines.push(Line::styled("a note is begun and not saved", look.theme.warning));
    }
    lines
}

/// The text across the boundary.
fn partner(shown: &Shown, width: u16, styles: (Style, Style), look: Look<'_>) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("nearest across the boundary", look.theme.quiet)];
    match (&shown.partner, &shown.card.shown.partner) {
        (Some(text), Some(partner)) => {
            lines[0] = Line::styled(
                format!("nearest across the boundary (similarity {:.2})", partner.similarity),
                look.theme.quiet,
            );
            lines.extend(lay_out(text, &shown.differs.1, width, styles));
        }
        _ => lines
            .push(Line::styled("none: the model gives no text near it another label yet", look.theme.quiet)),
    }
    lines
}

fn guideline(task: &Task, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("How to decide", look.theme.title)];
    let plain = (look.theme.text, look.theme.text);
    let question = lay_out(&drawable(&task.question), &[], width, (look.theme.title, look.theme.title));
    if question.len() > MOST_ASKED {
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

fn none(frame: &mut Frame<'_>, area: Rect, why: &NoCase, meanwhile: &[Line<'static>], look: Look<'_>) {
    let says = match why {
        NoCase::NoTexts => "The pool is empty. Leave, and import texts: hardcase import FILE DATA".to_owned(),
        NoCase::NotScouted => "No text has been read by the model yet.".to_owned(),
        NoCase::NoRound => "No round is open yet.".to_owned(),
        NoCase::RoundDone(round) => format!("Round {round} is done: every case is answered."),
        NoCase::WithOthers(owed) => format!("What was yours in round {} is done.", owed.round),
        NoCase::PartDone => "All assigned cases are done.".to_owned(),
    };
    let mut lines = vec![Line::default(), Line::styled(format!("  {says}"), look.theme.title)];
    if let NoCase::WithOthers(owed) = why {
        let beside = "It stays open beside the next round, and their answers count in it.";
        for says in [drawable(&format!("{owed}.")), beside.to_owned()] {
            let room = area.width.saturating_sub(4).max(20);
            for mut line in lay_out(&says, &[], room, (look.theme.text, look.theme.text)) {
                line.spans.insert(0, Span::raw("  "));
                lines.push(line);
            }
        }
    }
    if *why == NoCase::PartDone {
        let says = "Leave, and give this copy back: hardcase merge PROJECT COPY";
        lines.push(Line::styled(format!("  {says}"), look.theme.text));
    }
    lines.push(Line::default());
    lines.extend(meanwhile.iter().cloned());
    frame.render_widget(Paragraph::new(lines), area);
}

fn row(area: Rect, n: u16) -> Rect {
    Rect { y: area.y + n, height: 1, ..area }.intersection(area)
}

fn split(area: Rect, top: u16) -> (Rect, Rect) {
    let top = top.min(area.height);
    (Rect { height: top, ..area }, Rect { y: area.y + top, height: area.height - top, ..area })
}

fn column(area: Rect, i: u16, n: u16) -> Rect {
    let width = area.width / n;
    Rect { x: area.x + i * width, width: if i + 1 == n { area.width - i * width } else { width }, ..area }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::case::Reason;
    use crate::domain::ids::CaseId;

    #[test]
    fn what_was_hidden_until_the_answer_is_told_to_its_end_in_a_small_window() {
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
            assert!(lines(reason, "offensive language", 60) <= usize::from(MOST_SAID), "{reason:?}");
        }
    }
}
