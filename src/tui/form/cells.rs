//! What the pages of a form consist of: rows of cells, what each shows, and what may be written into it.

use crate::desk::survey::{Beginning, Facts};
use crate::desk::task_change::Standing;
use crate::domain::imported_label::checked_source_name;
use crate::domain::project_draft::{ColumnDraft, ColumnUse, ProjectDraft};
use crate::domain::read_options::ReadOptions;
use crate::domain::target::Targets;
use crate::domain::task::Assist;
use crate::domain::task_draft::{in_a_hundred, share_of};
use crate::domain::task_effects::effects;
use crate::domain::task_kind::TaskKind;

use super::words::{TARGETS, assist_in_words, bad_rows, checked, kind_in_words, use_in_words};

/// Encodings to choose from, the most likely ones first.
const ENCODINGS: [&str; 10] = [
    "UTF-8",
    "windows-1252",
    "ISO-8859-15",
    "windows-1250",
    "windows-1251",
    "macintosh",
    "UTF-16LE",
    "Shift_JIS",
    "gb18030",
    "EUC-KR",
];
/// Separators of cells to choose from.
const DELIMITERS: [(&str, &str); 4] = [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar")];
/// What each column of the table of labels holds.
pub(in crate::tui) const LABEL_COLUMNS: [&str; 5] = ["Label", "Key", "Meaning", "Examples", "Of 100"];
/// The most labels that a column or a paste gives a task; a column with more values holds none.
pub(in crate::tui) const MOST_LABELS: usize = 200;

/// A page of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Page {
    File,
    Columns,
    Task,
    Labels,
    Finish,
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Field {
    Expert,
    Project,
    Encoding,
    Delimiter,
    Header,
    BadRows,
    Column(usize),
    /// Who gave the earlier labels.
    LabelledBy,
    Name,
    Question,
    Guideline,
    AskedAbout,
    /// What is asked for: one label, or a level of a scale.
    Kind,
    Assist,
    /// What is to be reached.
    Target,
    /// A column of the data that can be shown next to a text.
    Shown(usize),
    Label(usize),
    Confirm,
}

/// How a cell is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Kind {
    /// A line is typed.
    Line,
    /// Several lines are typed.
    Lines,
    /// The next one of a few is taken.
    Choice,
    /// The form is finished.
    Button,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Cell {
    pub shows: String,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Row {
    pub field: Field,
    /// What the row is called, where the cells do not say so.
    pub name: String,
    pub cells: Vec<Cell>,
}

/// What is being edited, and what is known of the file.
#[derive(Debug, Default)]
pub(in crate::tui) struct Sheet {
    pub draft: ProjectDraft,
    /// How the file begins, as far as it was read.
    pub beginning: Option<Beginning>,
    /// What all of it holds, once all of it was read.
    pub facts: Option<Facts>,
    /// Why it cannot be read.
    pub unreadable: Option<String>,
    /// Why the project cannot be made where it is to be.
    pub place: Option<String>,
    /// Whether it is being read, and what stands here may be of how it was read before.
    pub reading: bool,
    /// The task that is changed, where no project is made.
    pub standing: Option<Standing>,
}

impl Page {
    pub const ALL: [Self; 5] = [Self::File, Self::Columns, Self::Task, Self::Labels, Self::Finish];
    /// Where only the task is changed.
    pub const OF_TASK: [Self; 3] = [Self::Task, Self::Labels, Self::Finish];
}

impl Sheet {
    /// What a page is called.
    pub fn title(&self, page: Page) -> &'static str {
        match page {
            Page::File => "File",
            Page::Columns => "Columns",
            Page::Task => "Task",
            Page::Labels => "Labels",
            Page::Finish if self.standing.is_some() => "Save",
            Page::Finish => "Create",
        }
    }

    /// What the person does on a page.
    pub fn asks(&self, page: Page) -> &'static str {
        match page {
            Page::File => "Is the file read correctly? Look at the texts below.",
            Page::Columns => "Which column holds the texts, and what else do experts see?",
            Page::Task => "What do you want to know about each text?",
            Page::Labels => "Which answers can be given?",
            Page::Finish if self.standing.is_some() => "This changes, for everybody who labels:",
            Page::Finish => "Is this correct?",
        }
    }

    /// What the button of the last page does.
    pub fn does(&self) -> &'static str {
        if self.standing.is_some() { "Save as a new version" } else { "Create the project" }
    }

    /// What the task would change, where one is changed and is complete.
    pub fn changes(&self) -> Vec<String> {
        match (&self.standing, self.draft.task.to_task()) {
            (Some(standing), Ok(task)) => effects(&standing.task, &task, &standing.answers),
            _ => Vec::new(),
        }
    }

    /// The rows of a page.
    pub fn rows(&self, page: Page) -> Vec<Row> {
        match page {
            Page::File => self.file_rows(),
            Page::Columns => self.column_rows(),
            Page::Task => self.task_rows(),
            Page::Labels => (0..self.draft.task.labels.len()).map(|i| self.label_row(i)).collect(),
            Page::Finish => vec![row(Field::Confirm, "", self.does(), Kind::Button)],
        }
    }

    fn file_rows(&self) -> Vec<Row> {
        let draft = &self.draft;
        let mut rows = vec![
            row(Field::Expert, "Your name", &draft.expert, Kind::Line),
            row(Field::Project, "New project", &draft.project, Kind::Line),
        ];
        let told = |chosen: bool| if chosen { "" } else { "  (detected)" };
        if let Some(beginning) = &self.beginning {
            let encoding = format!("{}{}", beginning.encoding, told(draft.encoding.is_some()));
            rows.push(row(Field::Encoding, "Encoding", &encoding, Kind::Choice));
            if beginning.has_cells {
                let format = format!("{}{}", beginning.format, told(draft.delimiter.is_some()));
                rows.push(row(Field::Delimiter, "Format", &format, Kind::Choice));
                let header = if beginning.header { "names the columns" } else { "is a text like the others" };
                let header = format!("{header}{}", told(draft.header.is_some()));
                rows.push(row(Field::Header, "First row", &header, Kind::Choice));
            }
        } else {
            let encoding = draft.encoding.as_deref().unwrap_or("…");
            rows.push(row(Field::Encoding, "Encoding", encoding, Kind::Choice));
        }
        if self.facts.as_ref().is_some_and(|facts| facts.bad > 0) || draft.sets_bad_rows_aside {
            let says = if draft.sets_bad_rows_aside { "are set aside in a file" } else { "stop the import" };
            rows.push(row(Field::BadRows, "Rows in error", says, Kind::Choice));
        }
        rows
    }

    fn task_rows(&self) -> Vec<Row> {
        let task = &self.draft.task;
        let asked_about = task.asked_about.as_deref().unwrap_or_default();
        let mut rows = vec![
            row(Field::Question, "Question", &task.question, Kind::Line),
            row(Field::Guideline, "How to decide", &task.guideline, Kind::Lines),
            row(Field::Name, "Short name", &task.name, Kind::Line),
            row(Field::AskedAbout, "Part asked about", asked_about, Kind::Line),
            row(Field::Assist, "Model's guess", assist_in_words(task.assist), Kind::Choice),
            row(Field::Kind, "Answer", kind_in_words(task.kind), Kind::Choice),
            row(Field::Target, "Done when", &self.targets(), Kind::Line),
        ];
        for (at, (name, _)) in self.columns_to_show().iter().enumerate() {
            let says = if self.shows(at) { "shown next to the text" } else { "not shown" };
            rows.push(row(Field::Shown(at), &format!("Column {name}"), says, Kind::Choice));
        }
        rows
    }

    /// The columns of a project's data that can be shown.
    fn columns_to_show(&self) -> &[(String, bool)] {
        self.standing.as_ref().map_or(&[], |standing| &standing.columns)
    }

    /// Whether such a column is shown.
    fn shows(&self, at: usize) -> bool {
        let Some((name, by_import)) = self.columns_to_show().get(at) else { return false };
        self.draft.task.columns.as_ref().map_or(*by_import, |shown| shown.contains(name))
    }

    /// Shows a column that was not shown, or the other way round.
    fn show_otherwise(&mut self, changed: usize) {
        let all = self.columns_to_show().iter().enumerate();
        let shown =
            all.filter(|(at, _)| self.shows(*at) != (*at == changed)).map(|(_, (name, _))| name.clone());
        let shown: Vec<String> = shown.collect();
        let by_import =
            self.columns_to_show().iter().filter(|(_, by_import)| *by_import).map(|(name, _)| name);
        let is_as_imported = by_import.eq(shown.iter());
        let said_so = self.standing.as_ref().is_some_and(|standing| standing.task.columns.is_some());
        // What the import named needs no list of its own, unless the task has one.
        self.draft.task.columns = Some(shown).filter(|_| said_so || !is_as_imported);
    }

    fn column_rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = (0..self.draft.columns.len()).map(|i| self.column_row(i)).collect();
        if !self.draft.named(ColumnUse::Earlier).is_empty() {
            rows.push(row(Field::LabelledBy, "Whose labels", &self.draft.labelled_by, Kind::Line));
        }
        rows
    }

    fn column_row(&self, at: usize) -> Row {
        let column = &self.draft.columns[at];
        Row {
            field: Field::Column(at),
            name: column.name.clone(),
            cells: vec![Cell { shows: use_in_words(column.is).into(), kind: Kind::Choice }],
        }
    }

    fn label_row(&self, at: usize) -> Row {
        let label = &self.draft.task.labels[at];
        let examples = match label.examples.len() {
            0 => String::new(),
            n => n.to_string(),
        };
        let line = |shows: String| Cell { shows, kind: Kind::Line };
        let cells = vec![
            line(label.name.clone()),
            line(self.key_of(at)),
            line(label.meaning.clone()),
            Cell { shows: examples, kind: Kind::Lines },
            line(label.share.map_or(String::new(), in_a_hundred)),
        ];
        Row { field: Field::Label(at), name: String::new(), cells }
    }

    /// The key of a label, as a cell has it.
    fn key_of(&self, at: usize) -> String {
        self.draft.task.keys().get(at).copied().flatten().map_or(String::new(), String::from)
    }

    /// What a cell holds, for an editor.
    pub fn value(&self, field: Field, column: usize) -> String {
        let (draft, task) = (&self.draft, &self.draft.task);
        match field {
            Field::Expert => draft.expert.clone(),
            Field::Project => draft.project.clone(),
            Field::LabelledBy => draft.labelled_by.clone(),
            Field::Name => task.name.clone(),
            Field::Question => task.question.clone(),
            Field::Guideline => task.guideline.clone(),
            Field::AskedAbout => task.asked_about.clone().unwrap_or_default(),
            Field::Target => self.targets(),
            Field::Label(at) => match (task.labels.get(at), column) {
                (Some(label), 0) => label.name.clone(),
                (Some(_), 1) => self.key_of(at),
                (Some(label), 2) => label.meaning.clone(),
                (Some(label), 3) => label.examples.join("\n"),
                (Some(label), _) => label.share.map_or(String::new(), in_a_hundred),
                (None, _) => String::new(),
            },
            _ => String::new(),
        }
    }

    /// Writes what was typed into a cell.
    ///
    /// # Errors
    /// A sentence that says what to type instead.
    pub fn write(&mut self, field: Field, column: usize, typed: &str) -> Result<(), String> {
        let line = typed.trim();
        match field {
            Field::Expert if line.is_empty() || line.chars().count() > 60 => {
                return Err("Type your name: it is recorded with your labels.".into());
            }
            Field::Expert => self.draft.expert = line.to_owned(),
            Field::Project if line.is_empty() => return Err("The project needs a file of its own.".into()),
            Field::Project if line.ends_with(".hardcase") => self.draft.project = line.to_owned(),
            Field::Project => self.draft.project = format!("{line}.hardcase"),
            Field::LabelledBy => {
                let name = checked_source_name(line)
                    .map_err(|_| "Type a name of up to 100 characters, such as crowd or last year's team.")?;
                self.draft.labelled_by = name.to_owned();
            }
            Field::Name => self.draft.task.name = line.to_owned(),
            Field::Question if line.is_empty() => {
                return Err("A task needs a question. It is shown with every text.".into());
            }
            Field::Question => self.draft.task.question = line.to_owned(),
            Field::Guideline => self.draft.task.guideline = typed.trim_end().to_owned(),
            Field::AskedAbout => {
                self.draft.task.asked_about = Some(line.to_owned()).filter(|part| !part.is_empty());
            }
            Field::Target => {
                let task = &mut self.draft.task;
                task.target = Targets::from_words(line, &task.keys_and_names())
                    .map_err(|why| format!("This cannot be aimed at: {why}. For example: {TARGETS}"))?;
            }
            Field::Label(at) => self.write_label(at, column, typed)?,
            _ => {}
        }
        Ok(())
    }

    /// What is to be reached, in one line.
    pub fn targets(&self) -> String {
        let labels = self.draft.task.keys_and_names();
        self.draft.task.target.clone().of_labels(&labels).in_words(&labels).join(", ")
    }

    fn write_label(&mut self, at: usize, column: usize, typed: &str) -> Result<(), String> {
        let line = typed.trim();
        let task = &self.draft.task;
        match column {
            0 => task.check_name(at, line)?,
            1 if task.kind.is_scale() && line != self.key_of(at) => {
                return Err("The key of a level is its own digit, or its place on the scale.".into());
            }
            1 if task.kind.is_scale() => {}
            1 if !line.is_empty() => drop(task.check_key(at, line)?),
            _ => {}
        }
        let share = if column == 4 && !line.is_empty() { Some(share_of(line)?) } else { None };
        if column == 0 {
            self.draft.task.rename(at, line);
        }
        let Some(label) = self.draft.task.labels.get_mut(at) else { return Ok(()) };
        match column {
            0 => {}
            1 => label.key = line.chars().next(),
            2 => label.meaning = line.to_owned(),
            3 => {
                let examples = typed.lines().map(str::trim).filter(|line| !line.is_empty());
                label.examples = examples.map(str::to_owned).collect();
            }
            _ => label.share = share,
        }
        Ok(())
    }

    /// Takes the next choice of a cell. Returns whether the file reads differently then.
    pub fn choose_next(&mut self, field: Field) -> bool {
        let draft = &mut self.draft;
        match field {
            Field::Encoding => {
                let now = self.beginning.as_ref().map(|b| b.encoding.as_str()).or(draft.encoding.as_deref());
                let at = ENCODINGS.iter().position(|name| now == Some(*name));
                let next = ENCODINGS[at.map_or(0, |at| (at + 1) % ENCODINGS.len())];
                draft.encoding = Some(next.to_owned());
            }
            Field::Delimiter => {
                let now = self.beginning.as_ref().map_or("", |b| b.format.as_str());
                let quoted = |sign: &str| now.contains(&format!("'{sign}'"));
                let at = match now.starts_with("TSV") {
                    true => Some(2),
                    false => DELIMITERS.iter().position(|(sign, _)| quoted(sign)),
                };
                let next = DELIMITERS[at.map_or(1, |at| (at + 1) % DELIMITERS.len())].0;
                draft.delimiter = Some(next.to_owned());
            }
            Field::Header => draft.header = Some(!self.beginning.as_ref().is_some_and(|b| b.header)),
            Field::Assist => {
                draft.task.assist = match draft.task.assist {
                    Assist::After => Assist::Before,
                    Assist::Before => Assist::After,
                };
                return false;
            }
            Field::Kind => {
                let at = TaskKind::ALL.iter().position(|kind| *kind == draft.task.kind);
                draft.task.set_kind(TaskKind::ALL[at.map_or(0, |at| (at + 1) % TaskKind::ALL.len())]);
                return false;
            }
            Field::Shown(at) => {
                self.show_otherwise(at);
                return false;
            }
            Field::BadRows => {
                draft.sets_bad_rows_aside = !draft.sets_bad_rows_aside;
                return false;
            }
            Field::Column(at) => {
                let now = draft.columns.get(at).map_or(ColumnUse::Out, |column| column.is);
                let place = ColumnUse::ALL.iter().position(|is| *is == now).unwrap_or(0);
                draft.set_use(at, ColumnUse::ALL[(place + 1) % ColumnUse::ALL.len()]);
                return true;
            }
            _ => return false,
        }
        // Other columns may come of it.
        draft.columns.clear();
        true
    }

    /// How the file is to be read, with what was found in all of it; a later reader judges by its beginning.
    pub fn options(&self, given: &ReadOptions) -> ReadOptions {
        let mut options = self.draft.options(given);
        if let (None, Some(beginning)) = (&options.encoding, &self.beginning)
            && !beginning.encoding.starts_with("UTF-")
        {
            options.encoding = Some(beginning.encoding.clone());
        }
        options
    }

    /// Takes the columns that were found, unless the person has said already what they are for.
    pub fn take_columns(&mut self, beginning: &Beginning) {
        let known = self.draft.columns.iter().map(|column| &column.name);
        if known.ne(beginning.columns.iter().map(|(name, _)| name)) {
            let column = |(name, is): &(String, ColumnUse)| ColumnDraft { name: name.clone(), is: *is };
            self.draft.columns = beginning.columns.iter().map(column).collect();
        }
    }

    /// The values of a column of the file, if they are few.
    pub fn values(&self, column: usize) -> Option<&[(String, u64)]> {
        let values = self.facts.as_ref()?.values.get(column)?.as_deref()?;
        (!values.is_empty() && values.len() <= MOST_LABELS).then_some(values)
    }

    /// The values of the column that holds labels.
    pub fn label_values(&self) -> Option<&[(String, u64)]> {
        let at = self.draft.columns.iter().position(|column| column.is.holds_labels())?;
        self.values(at)
    }

    /// How the file was read, in one line.
    pub fn checked(&self) -> Option<String> {
        self.facts.as_ref().map(checked)
    }

    pub(super) fn bad_rows(&self) -> Option<String> {
        self.facts.as_ref().and_then(bad_rows)
    }
}

fn row(field: Field, name: &str, shows: &str, kind: Kind) -> Row {
    Row { field, name: name.to_owned(), cells: vec![Cell { shows: shows.to_owned(), kind }] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_written_is_explained_and_changes_nothing() {
        let mut sheet = Sheet::default();
        sheet.draft.task.insert_label(0, "spam");
        sheet.draft.task.insert_label(1, "ham");
        let wrong = [
            (Field::Expert, 0, " "),
            (Field::Question, 0, ""),
            (Field::Label(1), 0, "Spam"),
            (Field::Label(1), 1, "u"),
            (Field::Label(1), 1, "1"),
            (Field::Label(1), 4, "120"),
        ];
        for (field, column, typed) in wrong {
            let before = sheet.draft.clone();
            assert!(sheet.write(field, column, typed).is_err(), "{field:?} {typed}");
            assert_eq!(sheet.draft, before);
        }
        sheet.write(Field::Label(1), 3, "one\n\n two ").unwrap();
        sheet.write(Field::Label(1), 4, "2,5").unwrap();
        sheet.write(Field::Project, 0, "mine").unwrap();
        let label = &sheet.draft.task.labels[1];
        assert_eq!((label.examples.len(), label.share), (2, Some(0.025)));
        assert_eq!(sheet.draft.project, "mine.hardcase");
        assert_eq!(sheet.value(Field::Label(1), 3), "one\ntwo");
    }

    #[test]
    fn what_is_to_be_reached_is_written_in_a_line_and_follows_a_renamed_label() {
        let mut sheet = Sheet::default();
        for name in ["spam", "ham"] {
            let end = sheet.draft.task.labels.len();
            sheet.draft.task.insert_label(end, name);
        }
        sheet.write(Field::Question, 0, "Spam?").unwrap();
        sheet.write(Field::Target, 0, "kappa 0.75, recall spam 0.9").unwrap();
        sheet.write(Field::Label(0), 0, "junk").unwrap();
        assert_eq!(sheet.value(Field::Target, 0), "kappa 0.75, recall 0.9 of 'junk'");
        assert_eq!(sheet.draft.task.to_task().unwrap().target.recall["junk"], 0.9);
        let labels = sheet.draft.task.labels.clone();
        sheet.draft.task.labels.remove(0);
        assert_eq!(sheet.value(Field::Target, 0), "kappa 0.75", "what the project would get");
        sheet.draft.task.labels = labels;
        let why = sheet.write(Field::Target, 0, "recall spam 0.9").unwrap_err();
        assert!(why.contains("the task has no such label") && why.contains("For example"), "{why}");
        sheet.write(Field::Target, 0, " ").unwrap();
        assert_eq!(sheet.value(Field::Target, 0), "");
    }

    #[test]
    fn columns_are_shown_and_hidden_and_what_the_import_named_needs_no_list() {
        let toml = "question='?'\n[[label]]\nname='a'\n[[label]]\nname='b'";
        let task = crate::domain::task::Task::from_toml(toml, "t").unwrap();
        let standing = Standing {
            task: task.clone(),
            answers: Default::default(),
            may_change: true,
            leads: Vec::new(),
            columns: vec![("who".into(), true), ("when".into(), false)],
        };
        let draft =
            ProjectDraft { task: crate::domain::task_draft::TaskDraft::of(&task), ..ProjectDraft::default() };
        let mut sheet = Sheet { draft, standing: Some(standing), ..Sheet::default() };
        let shown = |sheet: &Sheet| sheet.draft.task.to_task().unwrap().columns;
        sheet.choose_next(Field::Shown(1));
        assert_eq!(shown(&sheet), Some(vec!["who".to_owned(), "when".to_owned()]));
        assert_eq!(sheet.changes(), ["Shown next to the text are now: who, when."]);
        sheet.choose_next(Field::Shown(0));
        assert_eq!(shown(&sheet), Some(vec!["when".to_owned()]));
        sheet.choose_next(Field::Shown(1));
        assert_eq!(shown(&sheet), Some(Vec::new()));
        sheet.choose_next(Field::Shown(0));
        assert_eq!((shown(&sheet), sheet.changes()), (None, Vec::new()));
        sheet.write(Field::AskedAbout, 0, " last ").unwrap();
        sheet.choose_next(Field::Assist);
        assert_eq!(sheet.changes().len(), 2);
        assert_eq!(sheet.rows(Page::Task).len(), 9);
    }

    #[test]
    fn an_encoding_that_only_the_whole_file_tells_is_handed_on() {
        let beginning = Beginning {
            format: "CSV with ';'".into(),
            encoding: "windows-1252".into(),
            has_cells: true,
            header: true,
            columns: Vec::new(),
            unclear: None,
            rows: Vec::new(),
        };
        let mut sheet = Sheet { beginning: Some(beginning), ..Sheet::default() };
        let given = ReadOptions::default();
        assert_eq!(sheet.options(&given).encoding.as_deref(), Some("windows-1252"));
        sheet.draft.encoding = Some("macintosh".into());
        assert_eq!(sheet.options(&given).encoding.as_deref(), Some("macintosh"));
    }

    #[test]
    fn every_choice_comes_round_again_and_other_columns_may_come_of_reading_differently() {
        let mut sheet = Sheet::default();
        let column = ColumnDraft { name: "a".into(), is: ColumnUse::Text };
        sheet.draft.columns.push(column);
        for _ in ColumnUse::ALL {
            assert!(sheet.choose_next(Field::Column(0)));
        }
        assert_eq!(sheet.draft.columns[0].is, ColumnUse::Text);
        assert!(!sheet.choose_next(Field::BadRows) && sheet.choose_next(Field::Encoding));
        assert!(sheet.draft.columns.is_empty());
        assert_eq!(sheet.draft.encoding.as_deref(), Some("UTF-8"));
    }
}
