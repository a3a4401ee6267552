//! Draws the items: the line that says what to search for, the rows around the chosen one, and the chosen one in full.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row as TableRow, Table, TableState};
use unicode_width::UnicodeWidthStr;

use super::screen::{Focus, ItemsScreen};
use crate::desk::browse::{FullItem, ModelView, Others, Row, State};
use crate::desk::query::Searched;
use crate::domain::grouped::{grouped, probable};
use crate::domain::task::Task;
use crate::tui::hits::Target;
use crate::tui::keys::Action;
use crate::tui::screen::View;
use crate::tui::screens::case::choosing::{in_words, needs_list};
use crate::tui::widgets::frame::{Look, Notice, hanging, paragraph, vertical_rule};
use crate::tui::widgets::scroll::{bar, scrolled};
use crate::tui::widgets::text_layout::{cut, drawable, lay_out_in_styles};

/// From this width on the chosen item is shown in full next to the list.
const TWO_COLUMNS: u16 = 100;
/// No line of text is longer.
const MEASURE: u16 = 90;
/// A label takes no more columns of a row, or a quarter of it if that is more.
const MAX_LABEL: usize = 14;
/// No id takes more columns of a row.
const MAX_ID: usize = 16;
/// Lines before a text: its title, and a blank one.
const BEFORE_TEXT: usize = 2;
/// Lines for a notice or for why a search is refused.
const MAX_SAID: usize = 4;
/// So many labels are named with their keys below an opened text.
const FEW_LABELS: usize = 9;

impl ItemsScreen {
    pub(super) fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        let look = view.look;
        self.labelling.drawn = None;
        let said = self.said(view.notice, area.width, look);
        let [search, body, said_area, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(said.len().max(1) as u16),
            Constraint::Length(1),
        ])
        .areas(area);
        let side_by_side = area.width >= TWO_COLUMNS;
        self.shows_full = side_by_side || self.focus == Focus::FullItem;
        // The first line of the list says what its columns are.
        self.height = usize::from(body.height).saturating_sub(1);
        let lowest = (self.selected + 1).saturating_sub(self.height);
        let highest = self.selected.min(self.items.len().saturating_sub(self.height)).max(lowest);
        self.top = self.top.clamp(lowest, highest);
        self.draw_search(frame, search, look);
        let [list, full] = match (side_by_side, self.shows_full) {
            (true, _) => Layout::horizontal([Constraint::Fill(1); 2]).areas(body),
            (false, true) => [Rect::ZERO, body],
            (false, false) => [body, Rect::ZERO],
        };
        if !list.is_empty() {
            self.draw_list(frame, list, &view.shared.about.task, look);
        }
        if self.shows_full {
            if side_by_side {
                vertical_rule(frame, full, look);
            }
            let inner = Rect { x: full.x + 2, width: full.width.saturating_sub(3), ..full };
            self.draw_full(frame, inner, &view.shared.about.task, look);
        }
        frame.render_widget(Paragraph::new(said), said_area);
        frame.render_widget(Paragraph::new(self.hints(area.width, look)), keys);
    }

    /// What is searched for, and where the person is in what was found.
    fn draw_search(&self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let right = self.whereabouts();
        let width = (right.width() as u16 + 1).min(area.width);
        let [left, place] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(width)]).areas(area);
        frame.render_widget(Paragraph::new(Span::styled(right, look.theme.quiet)), place);
        let room = usize::from(left.width.saturating_sub(5)).max(1);
        let mut spans = vec![Span::styled(" / ", look.theme.key)];
        if self.field.value().is_empty() && self.focus != Focus::Field {
            spans.push(Span::styled(cut("search the texts", room), look.theme.quiet));
        } else {
            let from = self.field.visual_scroll(room);
            let shown: String = tail(&drawable(self.field.value()), from);
            let style = match &self.refused {
                Some(_) => look.theme.warning,
                None if self.focus == Focus::Field && self.overtypes => look.theme.chosen,
                None => look.theme.text,
            };
            spans.push(Span::styled(shown, style));
            if self.focus == Focus::Field {
                let at = self.field.visual_cursor().saturating_sub(from).min(room);
                frame.set_cursor_position((left.x + 3 + at as u16, left.y));
            }
        }
        frame.render_widget(Paragraph::new(Line::from(spans)), left);
    }

    /// `text 12,345 of 1,000,000`, `text 3 of 57 found, searching … 34 %`
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
            (n, true) => format!("text {row} of {}", grouped(self.pool.max(n) as u64)),
            (n, false) => format!("text {row} of {} found{searching}", grouped(n as u64)),
        }
    }

    /// The rows in view; of the others only the ids are known.
    fn draw_list(&self, frame: &mut Frame<'_>, area: Rect, task: &Task, look: Look<'_>) {
        // A blank before the scrollbar.
        let table_area = Rect { width: area.width.saturating_sub(2), ..area };
        let shown = || self.items.iter().skip(self.top).take(self.height);
        let known = || shown().filter_map(|item| self.rows.get(item));
        let has_ids = known().any(|row| row.id.is_some());
        let name = |row: &Row| match (&row.id, row.case) {
            (Some(id), _) => one_line(id),
            (None, Some(case)) if !has_ids => case.to_string(),
            (None, _) => String::new(),
        };
        let heading = if has_ids { "id" } else { "case" };
        let number = known().map(|row| name(row).width()).max().unwrap_or(0).clamp("case".len(), MAX_ID);
        let names = task.labels.iter().map(|label| drawable(&label.name).width());
        let most = MAX_LABEL.max(usize::from(table_area.width) / 4);
        let label = names.max().unwrap_or(0).clamp("skipped".len(), most);
        let used = number + label + 16;
        let text = usize::from(table_area.width).saturating_sub(used);
        let rows = shown().map(|item| {
            let name = self.rows.get(item).map(name).unwrap_or_default();
            let name = Span::styled(format!(" {}", cut(&name, number)), look.theme.quiet);
            row(name, self.rows.get(item), (label, text), look)
        });
        let header = [format!(" {heading}"), "yours".into(), "round".into(), String::new(), "text".into()];
        let table = Table::new(
            rows,
            [
                Constraint::Length(number as u16 + 1),
                Constraint::Length(label as u16),
                Constraint::Length(5),
                Constraint::Length(2),
                Constraint::Fill(1),
            ],
        )
        .column_spacing(2)
        .header(TableRow::new(header).style(look.theme.quiet))
        .row_highlight_style(look.theme.chosen);
        let selected = (!self.items.is_empty()).then_some(self.selected - self.top.min(self.selected));
        let mut state = TableState::default().with_selected(selected);
        frame.render_stateful_widget(table, table_area, &mut state);
        let below_header =
            Rect { y: table_area.y + 1, height: table_area.height.saturating_sub(1), ..table_area };
        let rows = Rect { width: area.width.saturating_sub(1), ..below_header };
        bar(frame, rows, (self.top, self.items.len()), look);
        look.may_click_rows(below_header, (self.top, self.items.len()));
        if self.items.is_empty() && self.refused.is_none() {
            let says = Line::styled(format!(" {}", self.why_empty()), look.theme.quiet);
            frame.render_widget(Paragraph::new(says), below_header);
        }
    }

    fn why_empty(&self) -> &'static str {
        match self.state {
            Some(State::Done) if self.pool == 0 => {
                "This project has no texts yet. Add some: hardcase import FILE DATA"
            }
            Some(State::Done) => "No text matches.",
            _ => "searching …",
        }
    }

    fn draw_full(&mut self, frame: &mut Frame<'_>, area: Rect, task: &Task, look: Look<'_>) {
        let chosen = self.chosen();
        let Some(full) = self.full.as_ref().filter(|full| Some(full.row.item) == chosen) else {
            if chosen.is_some() {
                frame.render_widget(Paragraph::new(Span::styled("reading …", look.theme.quiet)), area);
            }
            return;
        };
        look.may_click(area, Target::Text(0));
        let head = if self.focus == Focus::FullItem { look.theme.chosen } else { look.theme.title };
        let mut lines = vec![Line::styled(format!(" {} ", title(full)), head), Line::default()];
        let labels = task.kind.is_several().then(|| self.labels_chosen());
        let labels = labels.as_deref().filter(|labels| *labels != full.row.labels);
        let searched = Searched::of(&self.query);
        lines.extend(body(full, &searched, (task, labels), area.width.min(MEASURE), look));
        scrolled(frame, lines, area, &mut self.scroll, look);
        // At least the first row of the text, now or since it came.
        let has_row = usize::from(area.height) > BEFORE_TEXT && self.scroll <= BEFORE_TEXT;
        let seen = self.labelling.seen;
        self.labelling.drawn = chosen.filter(|item| has_row || seen == Some(*item));
    }

    /// A notice, why nothing is searched for, or what can be typed.
    fn said(&self, notice: Option<&Notice>, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
        let (says, style) = match (notice, &self.refused) {
            (Some(notice), _) => (notice.says.as_str(), look.tone(notice.tone)),
            (None, Some(why)) => (why.as_str(), look.theme.warning),
            (None, None) if self.focus == Focus::Field => (
                "words of the text; or label:NAME label:none label:any flagged skipped suspect round:N source:FILE \
                 id:YOUR-ID meta:COLUMN=\"A VALUE\" regex:PATTERN, and prelabel:NAME for texts you have answered",
                look.theme.quiet,
            ),
            (None, None) => return Vec::new(),
        };
        let mut lines = hanging(vec![Span::raw(" ")], says, width, style);
        lines.truncate(MAX_SAID);
        lines
    }

    fn hints(&self, width: u16, look: Look<'_>) -> Line<'static> {
        let may_answer = self.full.as_ref().is_some_and(|full| full.may_answer);
        let hints: &[(Action, &str)] = match self.focus {
            Focus::Field => {
                return Line::from(vec![
                    Span::styled(" enter", look.theme.key),
                    Span::styled(" to the list ", look.theme.quiet),
                    Span::styled(" ctrl-u", look.theme.key),
                    Span::styled(" clears the line", look.theme.quiet),
                ]);
            }
            Focus::FullItem if may_answer => &[
                (Action::Help, "help"),
                (Action::Back, "list"),
                (Action::Open, "label"),
                (Action::Jump, "to the case"),
                (Action::Undo, "undo"),
                (Action::NextScreen, "screens"),
                (Action::Earlier, "previous"),
                (Action::Later, "next"),
                (Action::Quit, "quit"),
            ],
            Focus::FullItem => &[
                (Action::Help, "help"),
                (Action::Back, "list"),
                (Action::Open, "label"),
                (Action::Undo, "undo"),
                (Action::NextScreen, "screens"),
                (Action::Earlier, "previous"),
                (Action::Later, "next"),
                (Action::Quit, "quit"),
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

fn row(
    number: Span<'static>,
    row: Option<&Row>,
    (label, text): (usize, usize),
    look: Look<'_>,
) -> TableRow<'static> {
    let theme = look.theme;
    let Some(row) = row else {
        let reading = Span::styled("reading …", theme.quiet);
        return TableRow::new([number, Span::raw(""), Span::raw(""), Span::raw(""), reading]);
    };
    let yours = match &row.label {
        Some(name) => Span::styled(cut(&drawable(name), label), theme.good),
        None if row.skipped => Span::styled("skipped", theme.quiet),
        None => Span::raw(""),
    };
    let round = row.round.map(|round| round.to_string()).unwrap_or_default();
    let marks = format!("{}{}", if row.flagged { "F" } else { " " }, if row.noted { "N" } else { " " });
    let passage = drawable(&row.passage).replace('\n', " ");
    TableRow::new([
        number,
        yours,
        Span::styled(cut(&round, 5), theme.quiet),
        Span::styled(marks, theme.warning),
        Span::styled(cut(&passage, text), theme.text),
    ])
}

fn title(full: &FullItem) -> String {
    let id = full.row.id.as_deref().map(one_line);
    let case = full.row.case.map(|case| format!("case {case}"));
    let round = full.row.round.map(|round| format!("round {round}"));
    let parts: Vec<String> = id.into_iter().chain(case).chain(round).collect();
    if parts.is_empty() { "no case".into() } else { parts.join(" · ") }
}

fn one_line(text: &str) -> String {
    drawable(text).replace('\n', " ")
}

/// The text, the other columns of its data, what this expert did with it, and the model's view where it may be seen.
fn body(
    full: &FullItem,
    searched: &Searched,
    (task, chosen): (&Task, Option<&[String]>),
    width: u16,
    look: Look<'_>,
) -> Vec<Line<'static>> {
    let said = |says: &str, style: Style| paragraph(says, width, style);
    let text = drawable(&full.text);
    let found: Vec<_> = searched.places_in(&text).into_iter().map(|place| (place, look.theme.key)).collect();
    let drawn = lay_out_in_styles(&text, &found, width, look.theme.text);
    let mut lines: Vec<Line<'static>> = drawn.into_iter().map(|(_, line)| line).collect();
    lines.push(Line::default());
    for origin in &full.origins {
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
    if let Some(chosen) = chosen {
        lines.extend(said(&format!("enter saves: {}", in_words(chosen, task)), look.theme.warning));
    }
    match (&full.row.label, full.row.skipped) {
        (Some(label), _) => lines.extend(said(&format!("your label: {label}"), look.theme.good)),
        (None, true) => lines.extend(said("you skipped it", look.theme.quiet)),
        (None, false) => lines.extend(said("you have not labelled it", look.theme.quiet)),
    }
    if full.is_suspect {
        let says = "This answer may be a mistake: a model that learned from all answers finds it unlikely. Label it once more, \
                    the same or otherwise, and it is no longer listed.";
        lines.extend(said(says, look.theme.warning));
    }
    if full.row.flagged {
        lines.extend(said("flagged by you", look.theme.warning));
    }
    if let Some(note) = &full.note {
        lines.extend(said(&format!("your note: {note}"), look.theme.good));
    }
    if let Some(view) = &full.view {
        lines.extend(said(&thought(view), look.theme.quiet));
    }
    match &full.others {
        Others::Hidden => lines.extend(said(
            "Others have answered it. Their answers stay hidden until the case is closed.",
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
    lines.push(Line::default());
    if full.row.case.is_none() || full.may_answer {
        let enter = look.keys.key_or_name(Action::Open);
        lines.extend(said(&how_to_label(task, &enter), look.theme.quiet));
    }
    if let (Some(case), true) = (full.row.case, full.may_answer) {
        lines.extend(said(
            &format!("{} shows it as case {case}", look.keys.key_or_name(Action::Jump)),
            look.theme.quiet,
        ));
    }
    lines
}

/// How the opened text is labelled: by which keys, as long as a glance takes them in.
fn how_to_label(task: &Task, enter: &str) -> String {
    let with_keys: Vec<String> = task
        .labels
        .iter()
        .filter_map(|label| label.key.map(|key| format!("{key} {}", one_line(&label.name))))
        .collect();
    if task.kind.is_several() {
        let enter = match needs_list(task) {
            true => format!("{enter} finds labels by their names, and on an empty line saves"),
            false => "enter saves those that are chosen, or none".to_owned(),
        };
        let keys =
            if with_keys.len() <= FEW_LABELS { with_keys.join(", ") } else { "the labels' keys".to_owned() };
        return format!("choose labels here: {keys}; {enter}");
    }
    match with_keys.len() {
        1..=FEW_LABELS => {
            format!("label it here: {}; {enter} finds a label by its name", with_keys.join(", "))
        }
        _ => format!("a label's key labels it here; {enter} finds a label by its name"),
    }
}

fn thought(view: &ModelView) -> String {
    let model = match &view.prelabel {
        Some((label, Some(p))) => format!("the model now thinks {label} ({})", probable(f64::from(*p))),
        Some((labels, None)) => format!("the model now thinks {labels}"),
        None => "the model has not read it yet".into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_few_labels_stand_below_an_opened_text() {
        let of = |labels: usize| {
            let labels: String = (1..=labels)
                .map(|n| format!("[[label]]\nname='l{n}'\nkey='{}'\n", (b'@' + n as u8) as char))
                .collect();
            how_to_label(&Task::from_toml(&format!("question='?'\n{labels}"), "t").unwrap(), "enter")
        };
        assert_eq!(of(2), "label it here: A l1, B l2; enter finds a label by its name");
        assert_eq!(of(10), "a label's key labels it here; enter finds a label by its name");
    }
}
