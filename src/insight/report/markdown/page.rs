//! Builds a page of Markdown: headings, paragraphs, lists, quotations and tables. It accepts only escaped text ([`Inline`]).

use super::escaped::{Inline, quoted};

#[derive(Debug, Default)]
pub(crate) struct Page {
    text: String,
}

impl Page {
    /// A heading of level 1 to 6.
    pub fn heading(&mut self, level: usize, words: &Inline) {
        self.apart();
        self.text.push_str(&format!("{} {}\n", "#".repeat(level), words.as_str()));
    }

    /// A paragraph: the pattern with each `{}` replaced by the next part.
    pub fn say(&mut self, pattern: &'static str, parts: &[Inline]) {
        self.apart();
        self.text.push_str(Inline::sentence(pattern, parts).as_str());
        self.text.push('\n');
    }

    pub fn list(&mut self, points: impl IntoIterator<Item = Inline>) {
        self.apart();
        for point in points {
            self.text.push_str(&format!("- {}\n", point.as_str()));
        }
    }

    /// Untrusted text as a block quotation.
    pub fn quote(&mut self, text: &str) {
        self.apart();
        self.text.push_str(&quoted(text));
    }

    /// A table; nothing if there are no rows. Missing cells are empty.
    pub fn table(&mut self, columns: &[&'static str], rows: impl IntoIterator<Item = Vec<Inline>>) {
        let rows: Vec<Vec<Inline>> = rows.into_iter().collect();
        if rows.is_empty() {
            return;
        }
        self.apart();
        self.row(&columns.iter().map(|name| Inline::from(*name)).collect::<Vec<_>>(), columns.len());
        self.text.push_str(&format!("|{}\n", "---|".repeat(columns.len())));
        for row in &rows {
            self.row(row, columns.len());
        }
    }

    /// A table whose column names are untrusted text.
    pub fn matrix(&mut self, corner: &'static str, names: &[Inline], rows: Vec<Vec<Inline>>) {
        let mut head = vec![Inline::from(corner)];
        head.extend(names.iter().cloned());
        self.apart();
        self.row(&head, head.len());
        self.text.push_str(&format!("|{}\n", "---|".repeat(head.len())));
        for row in &rows {
            self.row(row, head.len());
        }
    }

    fn row(&mut self, cells: &[Inline], width: usize) {
        self.text.push('|');
        for i in 0..width {
            self.text.push_str(&format!(" {} |", cells.get(i).map_or("", Inline::as_str)));
        }
        self.text.push('\n');
    }

    fn apart(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    pub fn text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_can_neither_end_its_row_nor_its_table() {
        let mut page = Page::default();
        page.heading(2, &Inline::text("Who | what"));
        page.table(
            &["name", "n"],
            [vec![Inline::text("a|b\n\n# c"), Inline::from(1usize)], vec!["d".into()]],
        );
        page.table(&["empty"], []);
        page.say("Of {}.", &[Inline::text("x\ny")]);
        assert_eq!(
            page.text(),
            "## Who \\| what\n\n| name | n |\n|---|---|\n| a\\|b \\# c | 1 |\n| d |  |\n\nOf x y.\n"
        );
    }
}
