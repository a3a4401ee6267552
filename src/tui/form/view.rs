//! Draws a form: the bar of pages, the table of the page, the first texts as experts will see them, and every key of the moment.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use super::cells::{Field, LABEL_COLUMNS, Page, Row, Sheet};
use super::state::{Editing, Form};
use super::words::assist_in_words;
use crate::domain::project_draft::ColumnUse;
use crate::domain::task::{Assist, key_beside};
use crate::domain::task_draft::{LabelDraft, in_a_hundred};
use crate::domain::task_kind::TaskKind;
use crate::tui::hits::Target;
use crate::tui::widgets::frame::{Bar, Look, MIN_SIZE, Tone, hanging, horizontal_rule, paragraph, too_small};
use crate::tui::widgets::input::draw_input;
use crate::tui::widgets::text_layout::{cut, drawable};

/// No line of text is longer: the eye loses its way back.
const MEASURE: u16 = 110;
/// The most lines of a notice: a sentence that says why, and what to do.
const NOTICE: usize = 4;
/// Lines that the first texts have at least, with their title.
const TEXTS: u16 = 4;
/// A page of fewer lines has none to spare.
const LOW: u16 = 13;

/// Draws the form on the whole screen. `title` is what it is about.
pub(super) fn draw(frame: &mut Frame<'_>, form: &mut Form, title: &str, look: Look<'_>) {
    let area = frame.area();
    if !fits(area) {
        return too_small(frame);
    }
    let [bar, rule, body] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let numbered = numbered(form);
    let screens: Vec<(&str, bool)> = numbered.iter().map(|(title, here)| (title.as_str(), *here)).collect();
    let right = form.percent.map_or(String::new(), |percent| format!("reading {percent} %"));
    Bar { project: title, screens: &screens, right }.draw(frame, bar, look);
    horizontal_rule(frame, rule, look);
    draw_in(frame, body, form, look);
}

/// Whether the form is shown in a window of this size.
pub(super) fn fits(area: Rect) -> bool {
    area.width >= MIN_SIZE.0 && area.height >= MIN_SIZE.1
}

/// Draws the form on a screen of the workstation, below its bar.
pub(in crate::tui) fn draw_below_bar(frame: &mut Frame<'_>, area: Rect, form: &mut Form, look: Look<'_>) {
    let [pages, body] = Layout::vertical([Constraint::Length(2), Constraint::Fill(1)]).areas(area);
    let mut spans = vec![Span::styled(" Change the task  ", look.theme.title)];
    for (at, (title, here)) in numbered(form).into_iter().enumerate() {
        let x = pages.x.saturating_add(spans.iter().map(Span::width).sum::<usize>() as u16);
        let place = Rect { x, width: title.width() as u16 + 2, height: 1, ..pages };
        look.may_click(place.intersection(pages), Target::Page(at));
        spans.push(Span::styled(
            format!(" {title} "),
            if here { look.theme.chosen } else { look.theme.quiet },
        ));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), pages);
    draw_in(frame, body, form, look);
}

/// The pages as the bar has them, each with whether it is in view.
fn numbered(form: &Form) -> Vec<(String, bool)> {
    let numbered =
        |(i, page): (usize, &Page)| (format!("{} {}", i + 1, form.sheet.title(*page)), *page == form.page());
    form.pages().iter().enumerate().map(numbered).collect()
}

fn draw_in(frame: &mut Frame<'_>, area: Rect, form: &mut Form, look: Look<'_>) {
    let keys = key_lines(form, area.width, look);
    let mut said = form.notice.as_ref().map_or_else(Vec::new, |said| {
        let says = format!(" {}", said.says.replace('\n', " "));
        paragraph(&says, area.width.saturating_sub(1), look.tone(said.tone))
    });
    said.truncate(NOTICE);
    let heights = [said.len().max(1) as u16, keys.len() as u16];
    let [body, notice, foot] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(heights[0]),
        Constraint::Length(heights[1]),
    ])
    .areas(area);
    if let Some(Editing::Lines(editor)) = &form.editing {
        let block = Block::bordered().border_style(look.theme.rule).title_style(look.theme.title);
        let title =
            if form.page() == Page::Labels { " One example on each line " } else { " How to decide " };
        let block = block.title(title);
        let inner = block.inner(body);
        frame.render_widget(Clear, body);
        frame.render_widget(block, body);
        frame.render_widget(&**editor, inner);
    } else {
        draw_page(frame, body, form, look);
    }
    frame.render_widget(Paragraph::new(said), notice);
    frame.render_widget(Paragraph::new(keys), foot);
    if let Some(help) = &mut form.help {
        help.draw(frame, area, look);
    }
}

/// All keys, over as many lines as they need.
fn key_lines(form: &Form, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
    let mut lines = vec![Line::default()];
    let mut used = 0;
    for (key, says) in form.hints() {
        let long = key.width() + says.width() + 4;
        if used > 0 && used + long > usize::from(width) {
            lines.push(Line::default());
            used = 0;
        }
        used += long;
        if let Some(line) = lines.last_mut() {
            line.push_span(Span::styled(format!(" {key}"), look.theme.key));
            line.push_span(Span::styled(format!(" {says}  "), look.theme.quiet));
        }
    }
    lines
}

fn draw_page(frame: &mut Frame<'_>, area: Rect, form: &Form, look: Look<'_>) {
    let page = form.page();
    let rows = form.rows();
    let low = area.height < LOW;
    let [asks, area] =
        Layout::vertical([Constraint::Length(if low { 1 } else { 2 }), Constraint::Fill(1)]).areas(area);
    frame.render_widget(
        Paragraph::new(Span::styled(format!(" {}", form.sheet.asks(page)), look.theme.title)),
        asks,
    );
    if page == Page::Finish {
        return draw_summary(frame, area, form, look);
    }
    let mut about = about_lines(form, &rows, area.width, look);
    let shows_texts = matches!(page, Page::File | Page::Columns);
    // The rows come first, and the first texts.
    let rest = usize::from(area.height).saturating_sub(rows.len() + 1);
    let room = if shows_texts { 1 } else { rest.max(1) };
    if low && !rows.is_empty() && about.len() > room {
        about.truncate(room);
        if let Some(last) = about.last_mut() {
            last.push_span(Span::styled(" …", look.theme.quiet));
        }
    }
    let wanted = rows.len() as u16 + about.len() as u16 + u16::from(!low);
    let most = if low { area.height.saturating_sub(TEXTS) } else { (area.height / 2).max(TEXTS) };
    let table = if shows_texts { wanted.min(most) } else { area.height };
    let [table, texts] = Layout::vertical([Constraint::Length(table), Constraint::Fill(1)]).areas(area);
    draw_table(frame, table, (form, &rows), about, look);
    if shows_texts {
        draw_texts(frame, texts, form, look);
    }
}

/// What there is to know of the chosen row, or of the page.
fn about_lines(form: &Form, rows: &[Row], width: u16, look: Look<'_>) -> Vec<Line<'static>> {
    let about = rows.get(form.row).map_or(String::new(), |row| match row.field {
        Field::Label(_) => form.sheet.about_label(form.column),
        field => form.sheet.about(field),
    });
    let (says, style) = match (form.page(), &form.sheet.unreadable) {
        (Page::File, Some(why)) => (why.clone(), look.theme.bad),
        (Page::Labels, _) if rows.is_empty() => {
            let says = "Two or more answers to choose from. Press a to add one. The meaning, examples and how many of 100 texts have the \
                        label help the model's first guess; all of them can stay empty.";
            (says.to_owned(), look.theme.quiet)
        }
        _ => (about, look.theme.quiet),
    };
    if says.is_empty() {
        return Vec::new();
    }
    hanging(vec![Span::raw(" ")], &says, width.min(MEASURE), style)
}

fn draw_table(
    frame: &mut Frame<'_>,
    area: Rect,
    (form, rows): (&Form, &[Row]),
    about: Vec<Line<'static>>,
    look: Look<'_>,
) {
    let page = form.page();
    let header = u16::from(page == Page::Labels && !rows.is_empty());
    // One line says which of the rows are in view, where not all are, or parts them from what follows.
    let all = area.height.saturating_sub(header + about.len() as u16);
    let room = if usize::from(all) == rows.len() { all } else { all.saturating_sub(1) };
    let room = usize::from(room).max(1);
    let from = form.row.saturating_sub(room - 1).min(rows.len().saturating_sub(room));
    let widths = widths(page, rows, area.width);
    let mut y = area.y;
    let mut line = |frame: &mut Frame<'_>, content: Line<'static>| {
        let place = Rect { y, height: 1, ..area }.intersection(area);
        frame.render_widget(Paragraph::new(content), place);
        y += 1;
        place
    };
    if header > 0 {
        let heads = LABEL_COLUMNS.iter().zip(&widths);
        let spans = heads.map(|(head, wide)| Span::styled(padded(head, *wide), look.theme.quiet));
        line(frame, Line::from_iter(std::iter::once(Span::raw("  ")).chain(spans)));
    }
    for (at, row) in rows.iter().enumerate().skip(from).take(room) {
        let here = at == form.row;
        let mut spans = vec![Span::styled(if here { " ›" } else { "  " }, look.theme.key)];
        let mut x = 2;
        if !row.name.is_empty() {
            let name = padded(&drawable(&row.name).replace('\n', " "), widths[0]);
            x += widths[0];
            spans.push(Span::styled(name, look.theme.quiet));
        }
        let mut edited = None;
        let mut cells = Vec::new();
        for (i, cell) in row.cells.iter().enumerate() {
            let wide = widths[i + usize::from(!row.name.is_empty())];
            let chosen = here && i == form.column.min(row.cells.len() - 1);
            let style = if chosen { look.theme.chosen } else { look.theme.text };
            cells.push((i, x as u16, wide as u16));
            let shows = drawable(&cell.shows).replace('\n', " ");
            let shows = cut(&shows, wide.saturating_sub(1));
            // A chosen cell that is empty is still seen.
            let shows = if chosen && shows.is_empty() { "   ".to_owned() } else { shows };
            let gap = " ".repeat(wide.saturating_sub(shows.width()));
            spans.push(Span::styled(shows, style));
            spans.push(Span::raw(gap));
            if chosen {
                edited = Some((x, wide));
            }
            x += wide;
        }
        let place = line(frame, Line::from(spans));
        for (cell, x, width) in cells {
            let place = Rect { x: place.x.saturating_add(x), width, ..place };
            look.may_click(place.intersection(area), Target::Cell(at, cell));
        }
        if let (true, Some(Editing::Line(input)), Some((x, wide))) = (here, &form.editing, edited) {
            let cell = Rect { x: place.x + x as u16, width: wide as u16, ..place }.intersection(area);
            frame.render_widget(Clear, cell);
            draw_input(frame, cell, input, look);
        }
    }
    let more = rows.len().saturating_sub(from + room);
    if from > 0 || more > 0 {
        line(frame, Line::styled(format!("  {} of {}", form.row + 1, rows.len()), look.theme.quiet));
    } else if room > rows.len() || usize::from(all) > room {
        line(frame, Line::default());
    }
    for about in about {
        line(frame, about);
    }
}

/// How wide each part of a row is.
fn widths(page: Page, rows: &[Row], width: u16) -> Vec<usize> {
    let all = usize::from(width).saturating_sub(3);
    let names = rows.iter().map(|row| drawable(&row.name).width()).max().unwrap_or(0);
    if page != Page::Labels {
        let name = names.min(all / 2) + 2;
        return vec![name, all.saturating_sub(name)];
    }
    let name =
        rows.iter().map(|row| row.cells.first().map_or(0, |cell| cell.shows.width())).max().unwrap_or(0);
    let name = (name + 2).clamp(16, (all / 3).max(16));
    let (key, examples, share) = (5, 10, 7);
    vec![name, key, all.saturating_sub(name + key + examples + share), examples, share]
}

fn padded(text: &str, wide: usize) -> String {
    let shows = cut(text, wide.saturating_sub(1));
    let gap = " ".repeat(wide.saturating_sub(shows.width()));
    shows + &gap
}

/// The first texts as experts will see them.
fn draw_texts(frame: &mut Frame<'_>, area: Rect, form: &Form, look: Look<'_>) {
    let sheet = &form.sheet;
    let theme = look.theme;
    let [head, area] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    horizontal_rule(frame, head, look);
    let says = match (&sheet.facts, sheet.reading) {
        (_, true) => " The first texts · reading the whole file … ".to_owned(),
        _ => format!(" The first texts · {} ", sheet.checked().unwrap_or_default()),
    };
    let bad = sheet.facts.as_ref().is_some_and(|facts| facts.bad > 0);
    let style = if bad { look.tone(Tone::Warning) } else { theme.quiet };
    let title = Rect { x: head.x + 1, width: head.width.saturating_sub(1), ..head };
    frame.render_widget(Paragraph::new(Span::styled(cut(&says, usize::from(title.width)), style)), title);
    let rows = match &sheet.beginning {
        Some(beginning) if !sheet.draft.named(ColumnUse::Text).is_empty() => beginning.rows.as_slice(),
        Some(beginning) => {
            let why = beginning.unclear.as_deref().unwrap_or("say above which column holds them");
            let says = format!(" There is no text to show: {why}.");
            let lines = paragraph(&says, area.width.min(MEASURE) - 2, theme.warning);
            return frame.render_widget(Paragraph::new(lines), area);
        }
        None => &[],
    };
    let each = usize::from(area.height) / rows.len().max(1);
    let width = area.width.min(MEASURE);
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let beside: Vec<String> = row
            .beside
            .iter()
            .map(|(name, value)| drawable(&format!("{name}: {value}")).replace('\n', " "))
            .collect();
        let room = each.saturating_sub(usize::from(!beside.is_empty())).max(1);
        let number = Span::styled(format!(" {} ", i + 1), theme.quiet);
        let mut text = hanging(vec![number], &row.text, width, theme.text);
        if row.has_turns {
            // Who speaks parts the turns; an empty line would look like the end of the text.
            text.retain(|line| !line.to_string().trim().is_empty());
        }
        if text.len() > room && row.has_turns && room > 1 {
            // The last turn is what is usually asked about.
            let number = text.first().cloned().unwrap_or_default();
            text.drain(..text.len() - room);
            let mark = number.spans.into_iter().next().unwrap_or_default();
            text[0] = Line::from(vec![mark, Span::styled("…", theme.quiet)]);
        } else if text.len() > room {
            text.truncate(room);
            if let Some(last) = text.last_mut() {
                last.push_span(Span::styled(" …", theme.quiet));
            }
        }
        lines.extend(text);
        if !beside.is_empty() && each > 1 {
            let says = cut(&beside.join("   "), usize::from(width).saturating_sub(4));
            lines.push(Line::styled(format!("   {says}"), theme.quiet));
        }
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// What will be made, or what is missing.
fn draw_summary(frame: &mut Frame<'_>, area: Rect, form: &Form, look: Look<'_>) {
    let (sheet, theme) = (&form.sheet, look.theme);
    let width = area.width.min(MEASURE);
    let mut lines = Vec::new();
    if sheet.standing.is_some() {
        for says in sheet.changes() {
            lines.extend(hanging(vec![Span::styled("  · ", theme.quiet)], &says, width, theme.text));
        }
    } else {
        for (name, says) in described(sheet) {
            let head = Span::styled(format!("  {name:<15}"), theme.quiet);
            lines.extend(hanging(vec![head], &says, width, theme.text));
        }
    }
    let lacks = sheet.lacks();
    let last = lacks.len() as u16 + 2;
    let shown = usize::from(area.height.saturating_sub(last));
    if lines.len() > shown {
        lines.truncate(shown.saturating_sub(1));
        lines.push(Line::styled("  …", theme.quiet));
    }
    lines.push(Line::default());
    if lacks.is_empty() {
        let y = area.y.saturating_add(lines.len() as u16);
        let place = Rect { y, height: 1, ..area };
        look.may_click(place.intersection(area), Target::Cell(0, 0));
        lines.push(Line::from(vec![
            Span::raw("  "),
            Span::styled(format!(" {} ", sheet.does()), theme.chosen),
        ]));
    }
    for (page, says) in lacks {
        let head = format!("  {}: ", sheet.title(page));
        lines.extend(hanging(vec![Span::styled(head, theme.warning)], &says, width, theme.warning));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// What will be made, by its parts.
fn described(sheet: &Sheet) -> Vec<(&'static str, String)> {
    let draft = &sheet.draft;
    let mut parts = vec![
        ("Project", draft.project.clone()),
        ("Led by", draft.expert.clone()),
        ("Texts", sheet.checked().unwrap_or_else(|| "still being read".into())),
    ];
    parts.push(("Question", draft.task.question.clone()));
    let label = |(label, key): (&LabelDraft, Option<char>)| {
        let key = key_beside(&label.name, key).map_or(String::new(), |key| format!("{key} "));
        let share = label.share.map_or(String::new(), |share| format!(" ({} of 100)", in_a_hundred(share)));
        format!("{key}{}{share}", label.name)
    };
    let labels: Vec<String> = draft.task.labels.iter().zip(draft.task.keys()).map(label).collect();
    if !draft.task.guideline.is_empty() {
        parts.push(("How to decide", draft.task.guideline.clone()));
    }
    if let Some(part) = &draft.task.asked_about {
        let why = sheet.lacks_part().map(|why| format!(". {why}")).unwrap_or_default();
        parts.push(("Asked about", format!("{part}{why}")));
    }
    if draft.task.assist == Assist::Before {
        parts.push(("Model's guess", assist_in_words(draft.task.assist).to_owned()));
    }
    if !draft.task.target.is_empty() {
        parts.push(("Done when", sheet.targets()));
    }
    for (name, is) in [
        ("Text", ColumnUse::Text),
        ("Beside it", ColumnUse::Beside),
        ("Your ids", ColumnUse::Id),
        ("Known labels", ColumnUse::Labels),
        ("Earlier labels", ColumnUse::Earlier),
        ("Left out", ColumnUse::Out),
    ] {
        let columns = draft.named(is);
        if !columns.is_empty() {
            let whose = match is {
                ColumnUse::Earlier if !draft.labelled_by.is_empty() => format!(" (by {})", draft.labelled_by),
                _ => String::new(),
            };
            parts.push((name, format!("{}{whose}", columns.join(", "))));
        }
    }
    parts.extend(sheet.values_without_label().map(|says| ("No label", says)));
    parts.extend(sheet.one_label_at_first().map(|says| ("First guess", says)));
    // The longest last: of many labels not all may fit.
    let labels = labels.join(", ");
    parts.push(match draft.task.kind {
        TaskKind::One => ("Labels", labels),
        TaskKind::Several => ("Labels", format!("any number for a text, or none: {labels}")),
        TaskKind::Scale => ("Levels", format!("the lowest first: {labels}")),
    });
    parts
}

#[cfg(test)]
mod tests;
