//! A project as a person is still describing it: where it goes, who makes it, how its texts are read, and its task.

use serde::{Deserialize, Serialize};

use super::read_options::ReadOptions;
use super::task_draft::TaskDraft;

/// What a column is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnUse {
    /// It is the text, or a part of it.
    Text,
    /// It is shown next to the text.
    Beside,
    /// It is kept, and not shown.
    #[default]
    Out,
    /// It holds the file's own ids.
    Id,
    /// It holds known labels, which nobody who labels sees and which measure the model.
    Labels,
    /// It holds labels that somebody has given before, which teach the model and measure nothing.
    Earlier,
}

impl ColumnUse {
    pub const ALL: [Self; 6] = [Self::Text, Self::Beside, Self::Out, Self::Id, Self::Labels, Self::Earlier];

    /// Whether its values are labels.
    pub fn holds_labels(self) -> bool {
        matches!(self, Self::Labels | Self::Earlier)
    }
}

/// A column of the file and what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDraft {
    pub name: String,
    pub is: ColumnUse,
}

/// A project that may lack anything. Kept between sittings, so every field has a default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectDraft {
    /// The project file to be made.
    pub project: String,
    /// Who makes it, and so leads it.
    pub expert: String,
    /// The file's encoding, where the person chose one.
    pub encoding: Option<String>,
    /// What separates the cells, where the person chose it.
    pub delimiter: Option<String>,
    /// Whether the first row names the columns, where the person said so.
    pub header: Option<bool>,
    /// The columns of the file; empty until they are known.
    pub columns: Vec<ColumnDraft>,
    /// Who gave the labels of the column of earlier labels.
    pub labelled_by: String,
    /// Whether rows that cannot be read are set aside.
    pub sets_bad_rows_aside: bool,
    pub task: TaskDraft,
}

impl ProjectDraft {
    /// How the file is to be read. What the person has not said is as in `given`.
    pub fn options(&self, given: &ReadOptions) -> ReadOptions {
        let mut options = given.clone();
        options.encoding = self.encoding.clone().or(options.encoding);
        options.delimiter = self.delimiter.clone().or(options.delimiter);
        options.header = self.header.or(options.header);
        if !self.columns.is_empty() {
            options.text = self.named(ColumnUse::Text);
            options.meta = self.named(ColumnUse::Beside);
            options.id = self.named(ColumnUse::Id).pop();
            // What the person leaves out is not taken for ids because of its name.
            options.has_no_id = options.id.is_none();
            options.gold = self.named(ColumnUse::Labels).pop();
            options.labels = self.named(ColumnUse::Earlier).pop();
        }
        options
    }

    /// The names of the columns of one use, in the order of the file.
    pub fn named(&self, is: ColumnUse) -> Vec<String> {
        self.columns.iter().filter(|column| column.is == is).map(|column| column.name.clone()).collect()
    }

    /// Says what a column is for. There is one column of ids, and one of each kind of labels.
    pub fn set_use(&mut self, at: usize, is: ColumnUse) {
        if is == ColumnUse::Id || is.holds_labels() {
            for column in self.columns.iter_mut().filter(|column| column.is == is) {
                column.is = ColumnUse::Out;
            }
        }
        if let Some(column) = self.columns.get_mut(at) {
            column.is = is;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_said_wins_and_there_is_one_column_of_labels() {
        let given = ReadOptions { quotes: Some(false), text: vec!["a".into()], ..ReadOptions::default() };
        let mut draft = ProjectDraft { encoding: Some("windows-1252".into()), ..ProjectDraft::default() };
        assert_eq!(draft.options(&given).text, ["a"], "until the columns are known");
        let column = |name: &str| ColumnDraft { name: name.into(), is: ColumnUse::Out };
        draft.columns = ["a", "b", "c"].map(column).into();
        draft.set_use(0, ColumnUse::Labels);
        draft.set_use(1, ColumnUse::Labels);
        draft.set_use(2, ColumnUse::Text);
        let options = draft.options(&given);
        assert_eq!((options.gold.as_deref(), options.text.as_slice()), (Some("b"), &["c".to_owned()][..]));
        assert!(options.has_no_id, "no column was said to hold ids");
        draft.set_use(0, ColumnUse::Earlier);
        let both = draft.options(&given);
        assert_eq!((both.gold.as_deref(), both.labels.as_deref()), (Some("b"), Some("a")));
        draft.set_use(0, ColumnUse::Id);
        let with_ids = draft.options(&given);
        assert_eq!((with_ids.id.as_deref(), with_ids.has_no_id), (Some("a"), false));
        assert_eq!((options.quotes, options.encoding.as_deref()), (Some(false), Some("windows-1252")));
    }
}
