//! Draws the items: the line that says what is looked for, the rows around the chosen one, and the chosen one whole.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::screen::{Focus, ItemsScreen};
use crate::desk::browse::{Others, Row, State, View, Whole};
use crate::domain::grouped::grouped;
use crate::domain::ids::ItemId;
use crate::domain::task::Task;
use crate::tui::keys::Action;
use crate::tui::widgets::frame::{Look, Notice, more_below, scrolled, wall};
use crate::tui::widgets::text_layout::{cut, drawable, lay_out};

/// From this width on the chosen item stands whole beside the list.
const BESIDE: u16 = 100;
/// No line of text is longer.
const MEASURE: u16 = 90;
/// No label takes more columns of a row.
const LONGEST_LABEL: usize = 14;
/// Lines for a notice or for why a search is none.
const MOST_SAID: usize = 4;

/// What can be typed, for the help.
pub(in crate::tui) const TYPED: [(&str, &str); 9] = [
    ("label:NAME", "search for what you labelled so; label:none, label:any"),
    ("flagged", "search for what you marked for a second look"),
    ("skipped", "search for what you left unanswered"),
    ("suspect", "search for answers of yours that look like label_issues"),
    ("round:N", "search for the cases of a round"),
    ("source:FILE", "search for what came from this import"),
    ("meta:COL=VALUE", "search by what stands beside the text in the data; meta:COL=\"TWO WORDS\""),
    ("prelabel:NAME", "search by the model's label, among what you have answered"),
    ("\"words\"", "in quotes: search for exactly this in the text"),
];

impl ItemsScreen {
    /// Draws the screen.
    pub fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        (task, notice): (&Task, Option<&Notice>),
        look: Look<'_>,
    ) {
        let said = self.said(notice, area.width, look);
        let foot = 1 + said.len().max(1) as u16;
        let body = Rect { y: area.y + 2, height: area.height.saturating_sub(2 + foot), ..area };
        let beside = area.width >= BESIDE;
        self.shows_whole = beside || self.focus == Focus::Whole;
        self.height = usize::from(body.height);
        self.top = self.top.clamp(
            (self.selected + 1).saturating_sub(self.height),
            self.selected
                .min(self.items.len().saturating_sub(self.height))
                .max((self.selected + 1).saturating_sub(self.height)),
        );
        self.line(frame, Rect { height: 1, ..area }, look);
        let left = if beside { area.width / 2 } else { area.width };
        if beside || self.focus != Focus::Whole {
            let list = Rect { width: if beside { left - 1 } else { left }, ..body };
            self.list(frame, Rect { y: area.y + 1, height: body.height + 1, ..list }, task, look);
        }
        if self.shows_whole {
            let place = if beside {
                Rect { x: area.x + left, y: area.y + 1, width: area.width - left, height: body.height + 1 }
            } else {
                Rect { y: area.y + 1, height: body.height + 1, ..area }
            };
            if beside {
                wall(frame, Rect { width: 1, ..place }, look);
            }
            let inner = Rect { x: place.x + 2, width: place.width.saturating_sub(3), ..place };
            self.draw_whole(frame, inner, look);
        }
        frame.render_widget(Paragraph::new(said), Rect { y: body.bottom(), height: foot - 1, ..area });
        let last = Rect { y: area.bottom() - 1, height: 1, ..area };
        frame.render_widget(Paragraph::new(self.hints(area.width, look)), last);
    }

    /// What is looked for, and where one is in what was found.
    fn line(&self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let right = self.whereabouts();
        let width = (right.width() as u16 + 1).min(area.width);
        let place = Rect { x: area.right() - width, width, ..area };
        frame.render_widget(Paragraph::new(Span::styled(right, look.theme.quiet)), place);
        let room = usize::from((area.width - width).saturating_sub(5)).max(1);
        let mut spans = vec![Span::styled(" / ", look.theme.key)];
        if self.field.value().is_empty() && self.focus != Focus::Field {
            spans.push(Span::styled(cut("search the texts", room), look.theme.quiet));
        } else {
            let from = self.field.visual_scroll(room);
            let shown: String = tail(&drawable(self.field.value()), from);
            let style = if self.refused.is_some() { look.theme.warning } else { look.theme.text };
            spans.push(Span::styled(shown, style));
            if self.focus == Focus::Field {
                let at = self.field.visual_cursor().saturating_sub(from).min(room);
                frame.set_cursor_position((area.x + 3 + at as u16, area.y));
            }
        }
        frame.render_widget(Paragraph::new(Line::from(spans)), Rect { width: area.width - width, ..area });
    }

    /// `row 12,345 of 1,000,000`, `row 3 of 57 found, searching … 34 %`
    fn whereabouts(&self) -> String {
        let n = self.items.len();
        let row = grouped(self.selected as u64 + 1);
        let searching = match self.state {
            None => return "searching …".into(),
            Some(State::Searching { done, of }) if of > 0 => format!(", searching … {} %", done * 100 / of),
            Some(State::Searching { .. }) => ", searching …".into(),
            Some(State::Done) => String::new(),
        };
        match (n, self.query.is_everything()) {
            _ if self.refused.is_some() => "not searched".into(),
            (0, true) if self.pool == 0 => "no texts".into(),
            (0, _) => format!("0 found{searching}"),
            (n, true) => format!("row {row} of {}", grouped(self.pool.max(n) as u64)),
            (n, false) => format!("row {row} of {} found{searching}", grouped(n as u64)),
        }
    }

    fn list(&self, frame: &mut Frame<'_>, area: Rect, task: &Task, look: Look<'_>) {
        let columns = Columns::of(task, self.items.last().copied(), area.width);
        let mut lines = vec![Line::styled(columns.head(), look.theme.quiet)];
        let shown = self.items.iter().enumerate().skip(self.top).take(self.height);
        lines.extend(shown.map(|(i, item)| {
            let line = columns.line(*item, self.rows.get(item), look);
            if i == self.selected { line.patch_style(look.theme.chosen) } else { line }
        }));
        if self.items.is_empty() && self.refused.is_none() {
            lines.push(Line::styled(format!(" {}", self.why_empty()), look.theme.quiet));
        }
        frame.render_widget(Paragraph::new(lines), area);
    }

    fn why_empty(&self) -> &'static str {
        match self.state {
            Some(State::Done) if self.pool == 0 => {
                "The pool is empty: hardcase import FILE DATA brings texts."
            }
            Some(State::Done) => "Nothing of the pool fits what is typed.",
            _ => "searching …",
        }
    }

    fn draw_whole(&mut self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let chosen = self.chosen();
        let Some(whole) = self.whole.as_ref().filter(|whole| Some(whole.row.item) == chosen) else {
            if chosen.is_some() {
                frame.render_widget(Paragraph::new(Span::styled("reading …", look.theme.quiet)), area);
            }
            return;
        };
        let focused = self.focus == Focus::Whole;
        let head = if focused { look.theme.chosen } else { look.theme.title };
        let mut lines = vec![Line::styled(format!(" {} ", title(whole)), head), Line::default()];
        lines.extend(body(whole, area.width.min(MEASURE), look));
        if scrolled(frame, lines, area, &mut self.scroll) {
            more_below(frame, area.right(), area, look);
        }
    }

    /// A notice, why nothing is looked for, or what can be typed.
    fn said(&self, notice: Option<&Notice>, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
        let (says, style) = match (notice, &self.refused) {
            (Some(notice), _) => (notice.says.clone(), look.tone(notice.tone)),
            (None, Some(why)) => (why.clone(), look.theme.warning),
            (None, None) if self.focus == Focus::Field => (
                "words of the text; or label:NAME label:none label:any flagged skipped suspect round:N source:FILE meta:COLUMN=\"A VALUE\", and prelabel:NAME for what you have answered"
                    .into(),
                look.theme.quiet,
            ),
            (None, None) => return Vec::new(),
        };
        let mut lines = lay_out(&drawable(&says), &[], width.saturating_sub(2), (style, style));
        lines.truncate(MOST_SAID);
        for line in &mut lines {
            line.spans.insert(0, Span::raw(" "));
        }
        lines
    }

    fn hints(&self, width: u16, look: Look<'_>) -> Line<'static> {
        let may_answer = self.whole.as_ref().is_some_and(|whole| whole.may_answer);
        let hints: &[(Action, &str)] = match self.focus {
            Focus::Field => {
                return Line::from(vec![
                    Span::styled(" enter", look.theme.key),
                    Span::styled(" to the list ", look.theme.quiet),
                    Span::styled(" ctrl-u", look.theme.key),
                    Span::styled(" empties the line", look.theme.quiet),
                ]);
            }
            Focus::Whole if may_answer => &[
                (Action::Help, "help"),
                (Action::Open, "to this case"),
                (Action::Back, "to the list"),
                (Action::Earlier, "item before"),
                (Action::Later, "item after"),
            ],
            Focus::Whole => &[
                (Action::Help, "help"),
                (Action::Back, "to the list"),
                (Action::Earlier, "item before"),
                (Action::Later, "item after"),
            ],
            Focus::List => &[
                (Action::Help, "help"),
                (Action::Search, "search"),
                (Action::Open, "open"),
                (Action::Back, "back to the case"),
                (Action::NextScreen, "screens"),
                (Action::Quit, "quit"),
            ],
        };
        look.hints(hints, width)
    }
}

/// Where the columns of a row stand.
struct Columns {
    item: usize,
    label: usize,
    text: usize,
}

impl Columns {
    fn of(task: &Task, last: Option<ItemId>, width: u16) -> Self {
        let item = last.map_or(1, |last| last.to_string().len()).max("item".len());
        let names = task.labels.iter().map(|label| drawable(&label.name).width());
        let label = names.max().unwrap_or(0).clamp("skipped".len(), LONGEST_LABEL);
        let used = item + label + 16;
        Self { item, label, text: usize::from(width).saturating_sub(used) }
    }

    fn head(&self) -> String {
        format!(
            " {:>item$}  {:<label$}  round      text",
            "item",
            "yours",
            item = self.item,
            label = self.label
        )
    }

    fn line(&self, item: ItemId, row: Option<&Row>, look: Look<'_>) -> Line<'static> {
        let number = Span::styled(format!(" {:>width$}  ", item.0, width = self.item), look.theme.quiet);
        let Some(row) = row else {
            return Line::from(vec![number, Span::styled("reading …", look.theme.quiet)]);
        };
        let (label, style) = match &row.label {
            Some(label) => (cut(&drawable(label), self.label), look.theme.good),
            None if row.skipped => ("skipped".into(), look.theme.quiet),
            None => (String::new(), look.theme.quiet),
        };
        let blank = " ".repeat(self.label.saturating_sub(label.width()));
        let round = row.round.map(|round| round.to_string()).unwrap_or_default();
        let marks = format!("{}{}", if row.flagged { "F" } else { " " }, if row.noted { "N" } else { " " });
        let text = drawable(&row.beginning).replace('\n', " ");
        Line::from(vec![
            number,
            Span::styled(format!("{label}{blank}  "), style),
            Span::styled(format!("{:<5} ", cut(&round, 5)), look.theme.quiet),
            Span::styled(format!("{marks:<2}   "), look.theme.warning),
            Span::styled(cut(&text, self.text), look.theme.text),
        ])
    }
}

fn title(whole: &Whole) -> String {
    let round = whole.row.round.map(|round| format!(" · round {round}")).unwrap_or_default();
    let case = whole.case.map(|case| format!(" · case {case}")).unwrap_or_default();
    format!("item {}{round}{case}", whole.row.item)
}

/// The text, what stands beside it in the data, what this expert did to it, and the model's view where it may be seen.
fn body(whole: &Whole, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
    let said = |says: &str, style: Style| lay_out(&drawable(says), &[], width, (style, style));
    let mut lines = said(&whole.text, look.theme.text);
    lines.push(Line::default());
    for origin in &whole.origins {
        lines.extend(said(
            &format!("{}, row {}", origin.source, grouped(origin.row as u64)),
            look.theme.quiet,
        ));
        for (name, value) in &origin.meta {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            lines.extend(said(&format!("  {name}: {value}"), look.theme.quiet));
        }
    }
    lines.push(Line::default());
    match (&whole.row.label, whole.row.skipped) {
        (Some(label), _) => lines.extend(said(&format!("your label: {label}"), look.theme.good)),
        (None, true) => lines.extend(said("you skipped it", look.theme.quiet)),
        (None, false) => lines.extend(said("you have not labelled it", look.theme.quiet)),
    }
    if whole.row.flagged {
        lines.extend(said("flagged by you", look.theme.warning));
    }
    if let Some(note) = &whole.note {
        lines.extend(said(&format!("your note: {note}"), look.theme.good));
    }
    if let Some(view) = &whole.view {
        lines.extend(said(&thought(view), look.theme.quiet));
    }
    match &whole.others {
        Others::Hidden => lines.extend(said(
            "others have answered it: what they said stays hidden until it is closed",
            look.theme.quiet,
        )),
        Others::Shown(answers) => {
            for other in answers {
                let label = other.label.as_deref().unwrap_or("skipped it");
                let note = other.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
                lines.extend(said(&format!("{}: {label}{note}", other.name), look.theme.text));
            }
        }
    }
    if let (Some(case), true) = (whole.case, whole.may_answer) {
        lines.push(Line::default());
        lines.extend(said(
            &format!("{} again shows case {case}, to answer it", look.keys.key_of(Action::Open)),
            look.theme.quiet,
        ));
    }
    lines
}

fn thought(view: &View) -> String {
    let model = match &view.prelabel {
        Some((label, p)) => format!("the model now thinks {label} ({:.0} %)", p * 100.0),
        None => "the model has no view of it yet".into(),
    };
    match view.chosen {
        Some(why) => format!("{model}; it was chosen because {why}"),
        None => model,
    }
}

/// What is left of a line after its first `columns`.
fn tail(line: &str, columns: usize) -> String {
    let mut gone = 0;
    line.chars()
        .skip_while(|c| {
            let past = gone >= columns;
            gone += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
            !past
        })
        .collect()
}
