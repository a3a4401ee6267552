//! Any widget as lines of text, for pages that scroll as a whole.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

/// What the widget draws in a place of this size, with blanks before each line.
pub(in crate::tui) fn inline(
    widget: impl Widget,
    (width, height): (u16, u16),
    indent: usize,
) -> Vec<Line<'static>> {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    widget.render(area, &mut buffer);
    (0..height).map(|y| line(&buffer, y, indent)).collect()
}

fn line(buffer: &Buffer, y: u16, indent: usize) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = vec![Span::raw(" ".repeat(indent))];
    let mut x = 0;
    while let Some(cell) = buffer.cell((x, y)) {
        let style = cell.style();
        match spans.last_mut().filter(|last| last.style == style) {
            Some(last) => last.content.to_mut().push_str(cell.symbol()),
            None => spans.push(Span::styled(cell.symbol().to_owned(), style)),
        }
        // The cell after a wide character is a part of it.
        x += (cell.symbol().width() as u16).max(1);
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use ratatui::style::{Style, Stylize};
    use ratatui::widgets::Paragraph;

    use super::*;

    #[test]
    fn a_widget_in_lines_is_what_it_draws() {
        let text = vec![Line::from(vec!["a漢b".red(), " c".into()]), Line::from("next")];
        let lines = inline(Paragraph::new(text), (8, 2), 2);
        let shown: Vec<String> = lines.iter().map(Line::to_string).collect();
        assert_eq!(shown, ["  a漢b c  ", "  next    "]);
        assert_eq!(lines[0].spans[1].style.fg, Style::new().red().fg);
    }
}
