//! The texts of a case next to each other: the text, a similar one, the guideline. Each scrolls by itself; the keys move one of them.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;

use super::found::Found;
use super::shown::Shown;
use crate::domain::task::Task;
use crate::tui::hits::{Target, WHEEL};
use crate::tui::keys::Action;
use crate::tui::widgets::frame::{Look, paragraph, vertical_rule};
use crate::tui::widgets::scroll::{moved, scrolled};
use crate::tui::widgets::text_layout::{drawable, lay_out, lay_out_in_styles};

/// From this width on the similar text is next to the text.
const TWO_COLUMNS: u16 = 100;
/// From this width on the guideline has a column of its own.
const THREE_COLUMNS: u16 = 140;
/// No line of text is longer: the eye loses its way back.
const MEASURE: u16 = 90;
/// Where texts stand one above the other, the upper one keeps this many rows.
const FIRST_ROWS: u16 = 3;
/// A longer question stands whole in the guideline only.
pub(super) const MAX_QUESTION: usize = 3;
/// Stands where the model has stopped reading a text.
const NOT_READ: &str = "╌╌ the model has not read further than about here ╌╌";
/// Lines that a page's key scrolls.
const PAGE: usize = 10;

/// One of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text,
    Similar,
    Guideline,
}

impl Part {
    fn in_words(self) -> &'static str {
        match self {
            Self::Text => "line",
            Self::Similar => "similar text: line",
            Self::Guideline => "guideline: line",
        }
    }
}

/// Where the person is in the texts of a case.
#[derive(Debug, Default)]
pub(super) struct Panes {
    scrolls: [usize; 3],
    /// The one that the keys move, where the person has said so.
    chosen: Option<Part>,
    /// The parts as they were drawn last: how many lines each has, and how many rows.
    drawn: Vec<Drawn>,
    /// Show the line with this byte of the text.
    show_byte: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Drawn {
    part: Part,
    lines: usize,
    rows: usize,
}

impl Drawn {
    /// Whether there is more than is in view. A part without a row is not there at all.
    fn has_more(&self) -> bool {
        self.rows > 0 && self.lines > self.rows
    }
}

/// What is drawn in the panes.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    pub shown: &'a Shown,
    pub task: &'a Task,
    pub has_guideline: bool,
    pub found: Option<&'a Found>,
}

impl Panes {
    /// Scrolls the text that is to be scrolled, where the action does that.
    pub fn scroll(&mut self, action: Action) -> bool {
        let scroll = &mut self.scrolls[self.active() as usize];
        let to = moved(*scroll, action, PAGE);
        *scroll = to.unwrap_or(*scroll);
        to.is_some()
    }

    /// Scrolls the text under the wheel, which the keys then move as well.
    pub fn turn(&mut self, way: Action, over: Option<Target>) {
        if let Some(Target::Text(over)) = over {
            let part = self.drawn.iter().map(|drawn| drawn.part).find(|part| *part as usize == over);
            self.chosen = part.or(self.chosen);
        }
        for _ in 0..WHEEL {
            self.scroll(way);
        }
    }

    /// Lets the keys move the next text of which not all is in view.
    pub fn choose_other(&mut self) {
        let active = self.active();
        let longer: Vec<Part> = self.drawn.iter().filter(|d| d.has_more()).map(|d| d.part).collect();
        let after = longer.iter().position(|part| *part == active).map_or(0, |at| at + 1);
        self.chosen = longer.get(after).or(longer.first()).copied();
    }

    /// Shows this byte of the text with the next frame.
    pub fn show_byte(&mut self, byte: usize) {
        self.chosen = None;
        self.show_byte = Some(byte);
    }

    /// The text that the keys move: the chosen one, else the first of which not all is in view.
    fn active(&self) -> Part {
        let is_longer = |part: Part| self.drawn.iter().any(|d| d.part == part && d.has_more());
        let longer = self.drawn.iter().map(|d| d.part).find(|part| is_longer(*part));
        self.chosen.filter(|part| is_longer(*part)).or(longer).unwrap_or(Part::Text)
    }

    /// `▼ line 1-8 of 160`, where not all of the text that the keys move is in view.
    pub fn position(&self) -> Option<String> {
        let active = self.active();
        let drawn = self.drawn.iter().find(|d| d.part == active && d.has_more())?;
        let from = self.scrolls[active as usize];
        let to = (from + drawn.rows).min(drawn.lines);
        let up = if from > 0 { "▲" } else { "" };
        let down = if to < drawn.lines { "▼" } else { "" };
        Some(format!("{up}{down} {} {}-{to} of {}", active.in_words(), from + 1, drawn.lines))
    }

    /// Whether there is a second text of which not all is in view.
    pub fn has_other(&self) -> bool {
        self.drawn.iter().filter(|d| d.has_more()).count() > 1
    }

    /// Whether the text that the keys move has more than is in view.
    pub fn has_more(&self) -> bool {
        self.drawn.iter().any(Drawn::has_more)
    }

    /// Draws the texts side by side or one above the other. Returns which rows of the case's own text were drawn.
    pub fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        texts: Texts<'_>,
        look: Look<'_>,
    ) -> Range<usize> {
        let wide = |place: Rect| place.width.saturating_sub(3).min(MEASURE);
        let Texts { shown, task, .. } = texts;
        let second = |width| match texts.has_guideline {
            true => (Part::Guideline, guideline(task, width, look)),
            false => (Part::Similar, similar(shown, width, look)),
        };
        // A text beside which nothing stands has all of the width.
        let columns = match (texts.has_guideline, shown.partner.is_some()) {
            (true, true) if area.width >= THREE_COLUMNS => 3,
            (true, _) | (_, true) if area.width >= TWO_COLUMNS => 2,
            _ => 1,
        };
        let places: Vec<(Rect, (Part, Vec<Line<'static>>))> = if columns == 3 {
            let places: [Rect; 3] = Layout::horizontal([Constraint::Fill(1); 3]).areas(area);
            vec![
                (places[0], self.text(texts, wide(places[0]), look)),
                (places[1], (Part::Similar, similar(shown, wide(places[1]), look))),
                (places[2], second(wide(places[2]))),
            ]
        } else if columns == 2 {
            let places: [Rect; 2] = Layout::horizontal([Constraint::Fill(1); 2]).areas(area);
            vec![(places[0], self.text(texts, wide(places[0]), look)), (places[1], second(wide(places[1])))]
        } else {
            let (first, second) = (self.text(texts, wide(area), look), second(wide(area)));
            let (top, bottom) = one_above_the_other(area, first.1.len(), second.1.len());
            vec![(top, first), (bottom, second)]
        };
        self.drawn.clear();
        for (i, (place, (part, lines))) in places.into_iter().enumerate() {
            if columns > 1 && i > 0 {
                vertical_rule(frame, place, look);
            }
            let inner = Rect { x: place.x + 2, width: place.width.saturating_sub(3), ..place };
            look.may_click(inner, Target::Text(part as usize));
            self.drawn.push(Drawn { part, lines: lines.len(), rows: usize::from(inner.height) });
            scrolled(frame, lines, inner, &mut self.scrolls[part as usize], look);
        }
        let from = self.scrolls[Part::Text as usize];
        let drawn = self.drawn.first().filter(|d| d.part == Part::Text && area.width > 3);
        from..drawn.map_or(from, |d| (from + d.rows).min(d.lines))
    }

    /// The text with the other columns of its data. What is looked for is brought into view.
    fn text(&mut self, texts: Texts<'_>, width: u16, look: Look<'_>) -> (Part, Vec<Line<'static>>) {
        let (shown, theme) = (texts.shown, look.theme);
        let styles = styles(texts, look);
        let (mut starts, mut lines): (Vec<usize>, Vec<Line<'static>>) =
            lay_out_in_styles(&shown.text, &styles, width, theme.text).into_iter().unzip();
        if let Some(read) = shown.read_up_to {
            let at = starts.partition_point(|start| *start <= read);
            starts.insert(at, starts.get(at).copied().unwrap_or(shown.text.len()));
            lines.insert(at, Line::styled(NOT_READ, theme.quiet));
        }
        if let Some(byte) = self.show_byte.take() {
            // A few lines before it are in view, too.
            let line = starts.partition_point(|start| *start <= byte).saturating_sub(1);
            self.scrolls[Part::Text as usize] = line.saturating_sub(2);
        }
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
            lines.extend(paragraph("You began a note and did not save it.", width, theme.warning));
        }
        (Part::Text, lines)
    }
}

/// What stands out in the text: what was looked for, else who speaks and how it differs from the similar text.
fn styles(texts: Texts<'_>, look: Look<'_>) -> Vec<(Range<usize>, Style)> {
    let theme = look.theme;
    if let Some(found) = texts.found {
        let style = |at: usize| if at == found.at { theme.chosen } else { theme.key };
        return found.places.iter().enumerate().map(|(at, place)| (place.clone(), style(at))).collect();
    }
    let headings = &texts.shown.headings;
    let is_heading = |range: &Range<usize>| {
        headings.iter().any(|heading| heading.start < range.end && range.start < heading.end)
    };
    let differs = texts.shown.differs.0.iter().filter(|range| !is_heading(range));
    let mut styles: Vec<(Range<usize>, Style)> =
        differs.map(|range| (range.clone(), theme.differs)).collect();
    styles.extend(headings.iter().map(|range| (range.clone(), theme.title)));
    styles.sort_by_key(|(range, _)| range.start);
    styles
}

/// The upper of two texts has its rows before the lower one does; the lower has what is left, and a third where there is not enough for both.
fn one_above_the_other(area: Rect, first: usize, second: usize) -> (Rect, Rect) {
    let rows = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
    let rest = area.height.saturating_sub(rows(first).saturating_add(1));
    let below = rest.max(area.height / 3).min(rows(second));
    // Two rows of a few are for the text: a gap and one line of another would leave it none.
    let below = below.min(area.height.saturating_sub(1 + FIRST_ROWS.min(area.height)));
    let [top, _, bottom] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(u16::from(below > 0)),
        Constraint::Length(below),
    ])
    .areas(area);
    (top, bottom)
}

/// The similar text, with the words in which the two differ.
fn similar(shown: &Shown, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
    let theme = look.theme;
    match (&shown.partner, &shown.card.shown.partner) {
        (Some(text), Some(partner)) => {
            let revealed = shown.card.shown.revealed.as_ref().and_then(|reveal| reveal.partner);
            let side = revealed.map(|label| format!(": the model gave it {label}")).unwrap_or_default();
            let says = format!("similar text ({:.2}){side}", partner.similarity);
            let mut lines = paragraph(&says, width, theme.quiet);
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
        let says = match label.description.is_empty() {
            true => drawable(&label.name),
            false => drawable(&format!("{}: {}", label.name, label.description)),
        };
        lines.extend(lay_out(&says, &[], width, plain));
        for example in &label.examples {
            let quiet = (look.theme.quiet, look.theme.quiet);
            lines.extend(lay_out(&drawable(&format!("e.g. {example}")), &[], width, quiet));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::shown::{Card, Reveal, ShownCase, ShownPartner};
    use crate::domain::ids::{CaseId, ItemId};
    use crate::tui::keys::Keymap;
    use crate::tui::theme::{Theme, ThemeName};

    #[test]
    fn a_line_stands_where_the_model_has_stopped_reading() {
        let text = (1..=100).map(|n| format!("Line {n:>3} of the letter.")).collect::<Vec<_>>().join("\n");
        let task =
            Task::from_toml("question='Is it?'\n[[label]]\nname='a'\n[[label]]\nname='b'", "t").unwrap();
        let (theme, keys) = (Theme::of(ThemeName::None), Keymap::with([]));
        let look = Look { theme: &theme, keys: &keys, hits: None };
        let lines = |read_up_to, show: Option<&str>| {
            let shown = ShownCase {
                case: CaseId(1),
                item: ItemId(1),
                id: None,
                text: text.clone(),
                turns: Vec::new(),
                asked: None,
                read_up_to,
                meta: serde_json::Value::Null,
                partner: None,
                labels: Vec::new(),
                revealed: None,
            };
            let card = Card {
                shown,
                label: None,
                labels: Vec::new(),
                skipped: false,
                flagged: false,
                note: None,
                draft: None,
            };
            let mut panes = Panes { show_byte: show.and_then(|words| text.find(words)), ..Panes::default() };
            let texts = Texts { shown: &Shown::new(card), task: &task, has_guideline: false, found: None };
            let (_, lines) = panes.text(texts, 60, look);
            (lines.iter().map(Line::to_string).collect::<Vec<_>>(), panes.scrolls[0])
        };
        assert!(!lines(None, None).0.contains(&NOT_READ.to_owned()));
        let (drawn, _) = lines(Some(text.find("Line  41").unwrap()), None);
        assert_eq!(&drawn[40..43], ["Line  41 of the letter.", NOT_READ, "Line  42 of the letter."]);
        // What is searched for stays two lines below the top, before the mark and behind it.
        let read = text.find("Line  41").unwrap();
        for (words, line) in [("Line  40", 37), ("Line  60", 58)] {
            assert_eq!(lines(Some(read), Some(words)).1, line, "{words}");
        }
        assert_eq!(lines(Some(text.len()), None).0.last().unwrap(), NOT_READ);
    }
    #[test]
    fn what_the_model_gave_the_similar_text_is_whole_in_a_narrow_column() {
        let reveal = Reveal {
            prelabels: None,
            split: "train",
            reason: "margin",
            in_words: "few texts were closer calls for the model",
            partner: Some("the same label"),
            prelabel: None,
            probabilities: serde_json::Map::new(),
            judge: None,
            judge_label: None,
        };
        let shown = ShownCase {
            case: CaseId(1),
            item: ItemId(1),
            id: None,
            text: "The fee is due.".into(),
            turns: Vec::new(),
            asked: None,
            read_up_to: None,
            meta: serde_json::Value::Null,
            partner: Some(ShownPartner { text: "The fee was due.".into(), similarity: 0.7 }),
            labels: Vec::new(),
            revealed: Some(reveal),
        };
        let card = Card {
            shown,
            label: None,
            labels: Vec::new(),
            skipped: false,
            flagged: false,
            note: None,
            draft: None,
        };
        let (theme, keys) = (Theme::of(ThemeName::None), Keymap::with([]));
        let look = Look { theme: &theme, keys: &keys, hits: None };
        let lines = similar(&Shown::new(card), 46, look);
        let drawn: Vec<String> = lines.iter().map(Line::to_string).collect();
        assert_eq!(drawn, ["similar text (0.70): the model gave it the", "same label", "The fee was due."]);
    }
}
