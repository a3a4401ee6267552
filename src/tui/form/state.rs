//! Where a person is in a form, and what each key does. It knows no terminal, file or thread.

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui_textarea::{CursorMove, TextArea, WrapMode};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::cells::{Field, Kind, LABEL_COLUMNS, Page, Row, Sheet};
use crate::desk::survey::{Answer, Question, Says};
use crate::desk::task_change::Standing;
use crate::domain::project_draft::{ColumnUse, ProjectDraft};
use crate::domain::read_options::ReadOptions;
use crate::domain::task_draft::TaskDraft;
use crate::tui::widgets::frame::Notice;
use crate::tui::widgets::help::KeysHelp;
use crate::tui::widgets::text_layout::{drawable, in_one_line};

/// Changes that can be taken back.
const UNDONE: usize = 500;
/// Rows that a page's key moves.
const PAGE: usize = 10;

/// The form as it stands.
#[derive(Debug)]
pub(in crate::tui) struct Form {
    pub sheet: Sheet,
    pub(super) pages: &'static [Page],
    pub(super) at: usize,
    pub row: usize,
    /// The cell in a row of several.
    pub column: usize,
    pub editing: Option<Editing>,
    pub notice: Option<Notice>,
    pub(super) undo: Vec<ProjectDraft>,
    pub(super) redo: Vec<ProjectDraft>,
    /// The number of the last question about the file.
    asked: u64,
    /// How much of the file has been read, in percent.
    pub percent: Option<u64>,
    /// A label that was just added, and goes again if it gets no name.
    pub(super) is_new: bool,
    /// The keys, where they lie over the form.
    pub help: Option<KeysHelp>,
    /// Whether the next key says whether the person leaves.
    pub(super) asks_to_leave: bool,
    /// Whether the values of a column are to become the labels once they are known.
    pub(super) awaits_values: bool,
}

/// What is being typed.
#[derive(Debug)]
pub(in crate::tui) enum Editing {
    Line(Input),
    Lines(Box<TextArea<'static>>),
}

/// What is to be done after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Turn {
    Stays,
    /// The draft is another one; the file is to be read again if it reads differently now.
    Changed {
        rereads: bool,
    },
    Leaves,
    Confirms,
    Suspends,
    Redraws,
}

impl Form {
    pub fn new(draft: ProjectDraft, pages: &'static [Page]) -> Self {
        Self {
            sheet: Sheet { draft, reading: true, ..Sheet::default() },
            pages,
            at: 0,
            row: 0,
            column: 0,
            editing: None,
            notice: None,
            undo: Vec::new(),
            redo: Vec::new(),
            asked: 0,
            percent: None,
            is_new: false,
            help: None,
            asks_to_leave: false,
            awaits_values: false,
        }
    }

    /// The form in which a task is changed.
    pub fn of_task(standing: Standing) -> Self {
        let draft = ProjectDraft { task: TaskDraft::of(&standing.task), ..ProjectDraft::default() };
        let mut form = Self::new(draft, &Page::OF_TASK);
        (form.sheet.standing, form.sheet.reading) = (Some(standing), false);
        form
    }

    pub fn page(&self) -> Page {
        self.pages[self.at]
    }

    pub(super) fn first_page(&self) -> Page {
        self.pages[0]
    }

    pub fn pages(&self) -> &'static [Page] {
        self.pages
    }

    pub fn rows(&self) -> Vec<Row> {
        self.sheet.rows(self.page())
    }

    /// The question how the file reads now.
    pub fn question(&mut self, given: &ReadOptions) -> Question {
        self.asked += 1;
        self.sheet.reading = true;
        self.sheet.unreadable = None;
        Question { number: self.asked, options: self.sheet.draft.options(given) }
    }

    /// Takes what was found in the file. Returns whether to ask again, because its columns are not those of the draft.
    pub fn hear(&mut self, answer: Answer) -> bool {
        if answer.number != self.asked {
            return false;
        }
        match answer.says {
            Says::Progress { read, of } => self.percent = (100 * read).checked_div(of),
            Says::Begins(beginning) => {
                self.sheet.take_columns(&beginning);
                self.sheet.beginning = Some(*beginning);
            }
            Says::Whole(facts) => {
                (self.sheet.facts, self.sheet.reading, self.percent) = (Some(*facts), false, None);
                if std::mem::take(&mut self.awaits_values) {
                    self.offer_labels(Turn::Stays);
                }
            }
            Says::Failed(_) if self.sheet.beginning.is_none() && !self.sheet.draft.columns.is_empty() => {
                self.sheet.draft.columns.clear();
                return true;
            }
            Says::Failed(why) => {
                (self.sheet.unreadable, self.sheet.reading, self.percent) = (Some(why), false, None);
            }
        }
        false
    }

    /// Takes a key.
    pub fn key(&mut self, key: &KeyEvent) -> Turn {
        self.notice = None;
        if std::mem::take(&mut self.asks_to_leave) {
            return if Self::is_yes(key) { Turn::Leaves } else { Turn::Stays };
        }
        if self.is_for_help(key) {
            return Turn::Stays;
        }
        let ctrl = |c| key.modifiers == KeyModifiers::CONTROL && key.code == KeyCode::Char(c);
        match self.editing.take() {
            Some(Editing::Line(mut input)) => match key.code {
                KeyCode::Esc => self.leave_as_it_was(input.value()),
                _ if ctrl('c') => self.leave_as_it_was(input.value()),
                KeyCode::Enter => self.write(input, false),
                KeyCode::Tab => self.write(input, true),
                // A key is one character: another one takes its place.
                KeyCode::Char(c) if self.is_on_key() && key.modifiers != KeyModifiers::CONTROL => {
                    self.editing = Some(Editing::Line(Input::new(c.to_string())));
                    Turn::Stays
                }
                _ => {
                    input.handle_event(&Event::Key(*key));
                    self.editing = Some(Editing::Line(input));
                    Turn::Stays
                }
            },
            Some(Editing::Lines(mut editor)) => {
                let text = || editor.lines().join("\n");
                if key.code == KeyCode::Esc || ctrl('c') {
                    return self.leave_as_it_was(&text());
                }
                if ctrl('s') || ctrl('d') || key.code == KeyCode::Tab {
                    let turn = self.write_text(&text());
                    if key.code == KeyCode::Tab {
                        self.open_next_cell();
                    }
                    return turn;
                }
                editor.input(*key);
                self.editing = Some(Editing::Lines(editor));
                Turn::Stays
            }
            None => self.command(key),
        }
    }

    /// Whether the chosen cell is the key of a label.
    pub(super) fn is_on_key(&self) -> bool {
        self.page() == Page::Labels && LABEL_COLUMNS.get(self.column) == Some(&"Key")
    }

    /// Takes pasted text, where something is being typed. Several lines in the name of a label are a label each.
    pub fn paste(&mut self, text: &str) -> Turn {
        self.asks_to_leave = false;
        let lines: Vec<&str> =
            text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).collect();
        match &mut self.editing {
            Some(Editing::Lines(editor)) => drop(editor.insert_str(drawable(text))),
            Some(Editing::Line(input))
                if self.column == 0 && lines.len() > 1 && self.pages[self.at] == Page::Labels =>
            {
                let first = format!("{}{}", input.value(), lines[0]);
                let names: Vec<String> = std::iter::once(first.as_str())
                    .chain(lines[1..].iter().copied())
                    .map(in_one_line)
                    .collect();
                return self.paste_labels(&names);
            }
            Some(Editing::Line(input)) => {
                for c in in_one_line(text).chars() {
                    input.handle(tui_input::InputRequest::InsertChar(c));
                }
            }
            None => {
                let says = "What you pasted was dropped: press enter on a cell first, then paste.";
                self.notice = Some(Notice::warning(says.into()));
            }
        }
        Turn::Stays
    }

    /// The program ends: what was being typed counts as far as it can.
    pub fn finish_typing(&mut self) {
        match self.editing.take() {
            Some(Editing::Line(input)) => drop(self.write(input, false)),
            Some(Editing::Lines(editor)) => drop(self.write_text(&editor.lines().join("\n"))),
            None => {}
        }
        self.editing = None;
    }

    fn command(&mut self, key: &KeyEvent) -> Turn {
        let rows = self.rows();
        let last = rows.len().saturating_sub(1);
        if key.modifiers == KeyModifiers::CONTROL {
            return match key.code {
                KeyCode::Char('c') => self.ask_to_leave(),
                KeyCode::Char('z') => Turn::Suspends,
                KeyCode::Char('w') => Turn::Redraws,
                KeyCode::Char('r') => self.restore(Direction::Redo),
                _ => Turn::Stays,
            };
        }
        match key.code {
            KeyCode::Up => self.row = self.row.saturating_sub(1),
            KeyCode::Down => self.row = (self.row + 1).min(last),
            KeyCode::PageUp => self.row = self.row.saturating_sub(PAGE),
            KeyCode::PageDown => self.row = (self.row + PAGE).min(last),
            KeyCode::Home => self.row = 0,
            KeyCode::End => self.row = last,
            KeyCode::Left if self.page() == Page::Labels => self.column = self.column.saturating_sub(1),
            KeyCode::Right if self.page() == Page::Labels => {
                self.column = (self.column + 1).min(LABEL_COLUMNS.len() - 1);
            }
            KeyCode::Tab => self.go(self.at + 1),
            KeyCode::Esc if self.at == 0 => return self.ask_to_leave(),
            KeyCode::Esc | KeyCode::BackTab => self.go(self.at.saturating_sub(1)),
            KeyCode::Char('q') => return self.ask_to_leave(),
            KeyCode::Char('u') => return self.restore(Direction::Undo),
            KeyCode::Char('U') => return self.restore(Direction::Redo),
            KeyCode::Char(c @ '1'..='9') if (c as usize - '1' as usize) < self.pages.len() => {
                self.go(c as usize - '1' as usize);
            }
            KeyCode::Enter if self.page() == Page::Columns && self.row < self.sheet.draft.columns.len() => {
                let says = "Say what the column is for with t, b, o, i, l or e.";
                self.notice = Some(Notice::quiet(says.into()));
            }
            KeyCode::Enter => return self.open_cell(&rows),
            KeyCode::Char(c) => return self.letter(c),
            KeyCode::Delete => return self.letter('d'),
            _ => {}
        }
        Turn::Stays
    }

    /// A letter that only one page has.
    fn letter(&mut self, c: char) -> Turn {
        let at = self.row;
        match (self.page(), c) {
            (Page::Columns, 't' | 'b' | 'o' | 'i' | 'l' | 'e') if at >= self.sheet.draft.columns.len() => {
                self.notice = Some(Notice::quiet("Go up to a column, and say there what it is for.".into()));
                Turn::Stays
            }
            (Page::Columns, 't') => self.set_use(at, ColumnUse::Text),
            (Page::Columns, 'b') => self.set_use(at, ColumnUse::Beside),
            (Page::Columns, 'o') => self.set_use(at, ColumnUse::Out),
            (Page::Columns, 'i') => self.set_use(at, ColumnUse::Id),
            (Page::Columns, 'l') => self.set_use(at, ColumnUse::Labels),
            (Page::Columns, 'e') => self.set_use(at, ColumnUse::Earlier),
            (Page::Labels, 'a') => self.add_label(),
            (Page::Labels, 'd') if at < self.sheet.draft.task.labels.len() => {
                let gone = self.sheet.draft.task.labels[at].name.clone();
                let turn = self.change(|sheet| {
                    sheet.draft.task.labels.remove(at);
                    Ok(())
                });
                self.row = at.min(self.sheet.draft.task.labels.len().saturating_sub(1));
                self.notice = Some(Notice::quiet(format!("'{gone}' is removed; u brings it back.")));
                turn
            }
            (Page::Labels, '<') if at > 0 => self.swap(at, at - 1),
            (Page::Labels, '>') if at + 1 < self.sheet.draft.task.labels.len() => self.swap(at, at + 1),
            (Page::Labels, 'v') => self.take_labels(),
            _ => {
                self.notice = Some(Notice::quiet(format!("{c} does nothing here; the keys are below.")));
                Turn::Stays
            }
        }
    }

    fn add_label(&mut self) -> Turn {
        let all = self.sheet.draft.task.labels.len();
        let at = if all == 0 { 0 } else { self.row + 1 };
        let turn = self.change(|sheet| {
            sheet.draft.task.insert_label(at, "");
            Ok(())
        });
        (self.row, self.column, self.is_new) = (at, 0, true);
        self.editing = Some(Editing::Line(Input::default()));
        turn
    }

    fn swap(&mut self, at: usize, with: usize) -> Turn {
        let turn = self.change(|sheet| {
            sheet.draft.task.labels.swap(at, with);
            Ok(())
        });
        self.row = with;
        turn
    }

    pub(super) fn open_cell(&mut self, rows: &[Row]) -> Turn {
        let Some(row) = rows.get(self.row) else {
            return if self.page() == Page::Labels { self.add_label() } else { Turn::Stays };
        };
        let Some(cell) = row.cells.get(self.column.min(row.cells.len() - 1)) else { return Turn::Stays };
        match cell.kind {
            Kind::Line => {
                self.editing = Some(Editing::Line(Input::new(self.sheet.value(row.field, self.column))));
            }
            Kind::Lines => {
                let before = self.sheet.value(row.field, self.column);
                let mut editor = TextArea::new(before.lines().map(drawable).collect());
                editor.move_cursor(CursorMove::Bottom);
                editor.move_cursor(CursorMove::End);
                editor.set_cursor_line_style(ratatui::style::Style::new());
                editor.set_wrap_mode(WrapMode::WordOrGlyph);
                self.editing = Some(Editing::Lines(Box::new(editor)));
            }
            Kind::Choice => {
                let field = row.field;
                let turn = self.change(|sheet| {
                    sheet.choose_next(field);
                    Ok(())
                });
                let is_of_labels = matches!(field, Field::Column(at)
                    if self.sheet.draft.columns.get(at).is_some_and(|column| column.is.holds_labels()));
                return if is_of_labels { self.offer_labels(turn) } else { turn };
            }
            Kind::Button => return self.confirm(),
        }
        Turn::Stays
    }

    fn confirm(&mut self) -> Turn {
        let Some((page, says)) = self.sheet.lacks().into_iter().next() else { return Turn::Confirms };
        self.go(self.pages.iter().position(|known| *known == page).unwrap_or(0));
        if self.sheet.place.as_ref() == Some(&says) {
            self.row = self.rows().iter().position(|row| row.field == Field::Project).unwrap_or(0);
        }
        self.notice = Some(Notice::warning(says));
        Turn::Stays
    }

    /// Writes the line that was typed; what cannot be stays to be corrected.
    fn write(&mut self, input: Input, goes_on: bool) -> Turn {
        let Some(field) = self.rows().get(self.row).map(|row| row.field) else { return Turn::Stays };
        let column = self.column;
        let typed = input.value().to_owned();
        if self.is_new && typed.trim().is_empty() {
            return self.give_up();
        }
        let (undone, turn) = (self.undo.len(), self.change(|sheet| sheet.write(field, column, &typed)));
        if self.notice.is_some() {
            self.editing = Some(Editing::Line(input));
            return Turn::Stays;
        }
        // Adding a label and naming it are one change.
        if std::mem::take(&mut self.is_new) {
            self.undo.truncate(undone);
        }
        if goes_on {
            self.open_next_cell();
        }
        turn
    }

    /// On the page of labels, goes on to the next cell of the row.
    fn open_next_cell(&mut self) {
        if self.page() == Page::Labels && self.column + 1 < LABEL_COLUMNS.len() {
            self.column += 1;
            let rows = self.rows();
            self.open_cell(&rows);
        }
    }

    pub(super) fn write_text(&mut self, text: &str) -> Turn {
        let Some(field) = self.rows().get(self.row).map(|row| row.field) else { return Turn::Stays };
        let column = self.column;
        self.change(|sheet| sheet.write(field, column, text))
    }

    /// What was typed is forgotten, and so is a label that got no name.
    pub(super) fn give_up(&mut self) -> Turn {
        if std::mem::take(&mut self.is_new)
            && let Some(before) = self.undo.pop()
        {
            self.sheet.draft = before;
            self.row = self.row.saturating_sub(1);
            return Turn::Changed { rereads: false };
        }
        Turn::Stays
    }

    /// Changes the draft so that it can be taken back.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Sheet) -> Result<(), String>) -> Turn {
        let before = self.sheet.draft.clone();
        if let Err(why) = change(&mut self.sheet) {
            self.notice = Some(Notice::warning(why));
            return Turn::Stays;
        }
        if self.sheet.draft == before {
            return Turn::Stays;
        }
        let rereads = reads_differently(&before, &self.sheet.draft);
        if self.undo.len() == UNDONE {
            self.undo.remove(0);
        }
        self.undo.push(before);
        self.redo.clear();
        Turn::Changed { rereads }
    }

    pub(super) fn go(&mut self, to: usize) {
        self.at = to.min(self.pages.len() - 1);
        (self.row, self.column) = (0, 0);
    }
}

#[derive(Clone, Copy)]
pub(super) enum Direction {
    Undo,
    Redo,
}

/// Whether the file has to be read again for its texts to be those of the other draft.
pub(super) fn reads_differently(one: &ProjectDraft, other: &ProjectDraft) -> bool {
    let reading = |draft: &ProjectDraft| {
        (draft.encoding.clone(), draft.delimiter.clone(), draft.header, draft.columns.clone())
    };
    reading(one) != reading(other)
}

#[cfg(test)]
mod tests;
