//! Names of labels that come many at a time: the values of a column, and what was pasted.

use super::cells::{MOST_LABELS, Sheet};
use super::state::{Form, Turn};
use crate::domain::grouped::counted;
use crate::domain::label_values::{LabelValues, OneLabel};
use crate::domain::project_draft::ColumnUse;
use crate::domain::task_kind::TaskKind;
use crate::tui::widgets::frame::Notice;

/// Why the values of a column cannot become the labels.
const TOO_MANY_VALUES: &str = "This column has too many values for labels (more than 200, or longer than 80 bytes). Type the labels on the page Labels.";

/// Values that a sentence lists.
const LISTED: usize = 8;

impl Sheet {
    /// How many values a column has, where it has too few of them to tell every text from the others.
    pub fn too_few_for_ids(&self, column: usize) -> Option<usize> {
        let values = self.values(column)?;
        let rows: u64 = values.iter().map(|(_, n)| n).sum();
        (rows > values.len() as u64).then_some(values.len())
    }

    /// The values of the columns with labels that are no label of the task, each with how many rows have it. Those rows have no label then.
    fn left_out(&self) -> Vec<(String, u64)> {
        let Ok(task) = self.draft.task.to_task() else { return Vec::new() };
        let Ok(mut known) = LabelValues::new(&task, "", &[]) else { return Vec::new() };
        let columns = self.draft.columns.iter().enumerate().filter(|(_, column)| column.is.holds_labels());
        let values = columns.filter_map(|(at, _)| self.values(at)).flatten();
        values.filter(|(value, _)| known.one_label(value) == OneLabel::Unknown).cloned().collect()
    }

    /// What the values of the columns with labels stand for, where a value is no label: nothing, as `import --map` takes it.
    pub fn map(&self) -> Vec<String> {
        self.left_out().into_iter().map(|(value, _)| format!("{value}=")).collect()
    }

    /// Which values are no label, in a sentence.
    pub fn values_without_label(&self) -> Option<String> {
        let left_out = self.left_out();
        let rows: u64 = left_out.iter().map(|(_, n)| n).sum();
        let listed: Vec<&str> = left_out.iter().take(LISTED).map(|(value, _)| value.as_str()).collect();
        let more = if left_out.len() > LISTED { " …" } else { "" };
        (!left_out.is_empty()).then(|| {
            format!(
                "{}{more}. {} without a label from the file.",
                listed.join(", "),
                counted(rows as usize, "row is", "rows are")
            )
        })
    }

    /// Gives the label in place `at` the first of these names, and adds a label for each of the others behind it. Returns how many were written,
    /// how many stood there already, and for how many there was no room.
    pub fn write_names(&mut self, at: usize, names: &[String]) -> (usize, usize, usize) {
        let (mut written, mut twice, mut beyond) = (0, 0, 0);
        let at = at.min(self.draft.task.labels.len());
        if self.draft.task.labels.get(at).is_none() {
            self.draft.task.insert_label(at, "");
        }
        let mut next = at;
        for name in names {
            let is_first = next == at;
            let task = &mut self.draft.task;
            // Held against all labels but the one that gets the name.
            let place = if is_first { at } else { task.labels.len() };
            if task.check_name(place, name).is_err() {
                twice += 1;
            } else if is_first {
                task.labels[at].name.clone_from(name);
                (written, next) = (written + 1, next + 1);
            } else if task.labels.len() >= MOST_LABELS {
                beyond += 1;
            } else {
                task.insert_label(next, name);
                (written, next) = (written + 1, next + 1);
            }
        }
        if self.draft.task.labels[at].name.is_empty() {
            self.draft.task.labels.remove(at);
        }
        (written, twice, beyond)
    }
}

impl Form {
    pub(super) fn set_use(&mut self, at: usize, is: ColumnUse) -> Turn {
        let turn = self.change(|sheet| {
            sheet.draft.set_use(at, is);
            Ok(())
        });
        if let (ColumnUse::Id, Some(values)) = (is, self.sheet.too_few_for_ids(at)) {
            let says = format!(
                "This column has only {}, and an id belongs to one text; u takes it back.",
                counted(values, "different value", "different values")
            );
            self.notice = Some(Notice::warning(says));
        }
        if is.holds_labels() { self.offer_labels(turn) } else { turn }
    }

    /// A column of known labels was named: its values are the labels, unless the person has some.
    pub(super) fn offer_labels(&mut self, turn: Turn) -> Turn {
        if !self.sheet.draft.task.labels.is_empty() {
            return turn;
        }
        if self.sheet.facts.is_none() {
            self.awaits_values = true;
            return turn;
        }
        if self.sheet.label_values().is_none() {
            self.notice = Some(Notice::warning(TOO_MANY_VALUES.into()));
            return turn;
        }
        self.take_labels();
        turn
    }

    pub(super) fn take_labels(&mut self) -> Turn {
        let Some(values) = self.sheet.label_values().map(<[_]>::to_vec) else {
            let has_column = self.sheet.draft.columns.iter().any(|column| column.is.holds_labels());
            let says = match has_column {
                true if self.sheet.facts.is_none() => "The file is still being read.",
                true => TOO_MANY_VALUES,
                false => "No column holds labels: say so on the page Columns.",
            };
            self.notice = Some(Notice::warning(says.into()));
            return Turn::Stays;
        };
        let turn = self.change(|sheet| {
            sheet.draft.task.take_labels(&values);
            Ok(())
        });
        let n = values.len();
        let says = match self.sheet.draft.task.kind {
            TaskKind::One => format!("The labels are the {n} values of that column; u takes them out."),
            TaskKind::Several => format!(
                "The labels are the {n} names that stand in that column, of which a text may have several; u takes them out."
            ),
            TaskKind::Scale => format!(
                "The labels are the {n} values of that column, as the levels of a scale; if they have no order, say so on the page Task. u takes them out."
            ),
        };
        self.notice = Some(Notice::good(says));
        turn
    }

    /// A label for each of these names, the first of them for the label that is being named.
    pub(super) fn paste_labels(&mut self, names: &[String]) -> Turn {
        let (at, is_new, undone) = (self.row, std::mem::take(&mut self.is_new), self.undo.len());
        self.editing = None;
        let mut told = (0, 0, 0);
        let turn = self.change(|sheet| {
            told = sheet.write_names(at, names);
            Ok(())
        });
        let (added, twice, beyond) = told;
        if is_new {
            self.undo.truncate(undone);
        }
        self.row = self.row.min(self.rows().len().saturating_sub(1));
        let mut says =
            format!("{} from what you pasted; u takes them out.", counted(added, "label", "labels"));
        if twice > 0 {
            says += &format!(" {} there already.", counted(twice, "line stood", "lines stood"));
        }
        if beyond > 0 {
            says += &format!(
                " {} left out: a task has at most {MOST_LABELS} labels here.",
                counted(beyond, "line was", "lines were")
            );
        }
        self.notice = Some(Notice::good(says));
        turn
    }
}
