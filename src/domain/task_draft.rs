//! A task as a person is still writing it: nothing need be complete, and every part can be checked on its own.

use serde::{Deserialize, Serialize};

use super::several_values::several_in;
use super::target::Targets;
use super::task::{Assist, Label, Task, shares_that_cannot_be};
use super::task_kind::{MAX_LEVELS, TaskKind, level_keys, look_like_levels};

/// Keys in the order in which they are proposed.
const KEYS: &str = "1234567890abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A label that may lack anything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LabelDraft {
    /// The stable key of a label that the task has already, or the value of a column that the label was made of, by which it stays known when
    /// it is renamed; empty for another.
    pub id: String,
    pub name: String,
    pub key: Option<char>,
    /// What it means, in one sentence.
    pub meaning: String,
    /// Typical texts.
    pub examples: Vec<String>,
    /// Its expected share, 0 to 1.
    pub share: Option<f64>,
}

/// A task that may lack anything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskDraft {
    pub name: String,
    pub question: String,
    /// One label, or a scale whose levels the labels are, the lowest first.
    pub kind: TaskKind,
    pub guideline: String,
    pub assist: Assist,
    /// Which part of a text is asked about.
    pub asked_about: Option<String>,
    /// The columns shown next to a text, where the task says so.
    pub columns: Option<Vec<String>>,
    /// What is to be reached, by stable keys.
    pub target: Targets,
    pub labels: Vec<LabelDraft>,
}

/// What a task still lacks, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    Question,
    /// There are too few labels, or something concerns all of them.
    Labels,
    Label(usize),
}

impl LabelDraft {
    /// By what a task knows it.
    fn key_or_name(&self) -> &str {
        if self.id.is_empty() { &self.name } else { &self.id }
    }
}

impl TaskDraft {
    /// The draft that changes nothing of a task.
    pub fn of(task: &Task) -> Self {
        let labels = task.labels.iter().map(|label| LabelDraft {
            id: label.id.clone(),
            name: label.name.clone(),
            key: label.key,
            meaning: label.description.clone(),
            examples: label.examples.clone(),
            share: label.share,
        });
        Self {
            name: task.name.clone(),
            question: task.question.clone(),
            kind: task.kind,
            guideline: task.guideline.clone(),
            assist: task.assist,
            asked_about: task.asked_about.clone(),
            columns: task.columns.clone(),
            target: task.target.clone(),
            labels: labels.collect(),
        }
    }

    /// A key for one more label; none if all that are proposed are taken.
    pub fn free_key(&self) -> Option<char> {
        KEYS.chars()
            .find(|key| Label::may_use(*key) && self.labels.iter().all(|label| label.key != Some(*key)))
    }

    /// A new label in place `at`, with a key of its own.
    pub fn insert_label(&mut self, at: usize, name: &str) {
        let label = LabelDraft { name: name.to_owned(), key: self.free_key(), ..LabelDraft::default() };
        self.labels.insert(at.min(self.labels.len()), label);
    }

    /// Makes labels of the values of a column, with their shares of all rows. Small whole numbers are taken for the levels of a scale, and lists for several
    /// labels of a text, which is only a suggestion: it stands where a person sees it and can be changed.
    pub fn take_labels(&mut self, values: &[(String, u64)]) {
        let all: u64 = values.iter().map(|(_, n)| n).sum();
        self.labels.clear();
        if let Some(labels) = several_in(values) {
            self.kind = TaskKind::Several;
            return self.take_several(&labels, all);
        }
        let mut values: Vec<&(String, u64)> = values.iter().collect();
        if look_like_levels(values.iter().map(|(value, _)| value.as_str())) {
            self.kind = TaskKind::Scale;
        }
        if self.kind.is_scale() {
            values.sort_by_key(|(value, _)| value.trim().parse::<i64>().unwrap_or(i64::MAX));
        }
        for (value, n) in values {
            self.insert_label(self.labels.len(), value);
            if let Some(label) = self.labels.last_mut() {
                label.id.clone_from(value);
                label.share = share(*n, all);
            }
        }
        // The last one has what is left: rounded shares may not make a whole, and so another label can still be added.
        if let Some(label) = self.labels.last_mut() {
            label.share = None;
        }
    }

    /// The labels that stand in the lists of a column, each with how many rows have it.
    fn take_several(&mut self, labels: &[(String, u64)], all: u64) {
        for (value, n) in labels {
            self.insert_label(self.labels.len(), value);
            if let Some(label) = self.labels.last_mut() {
                label.id.clone_from(value);
                label.share = share(*n, all);
            }
        }
    }

    /// Checks a name for the label in place `at`.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn check_name(&self, at: usize, name: &str) -> Result<(), String> {
        let name = name.trim();
        if name.is_empty() {
            return Err("A label needs a name.".into());
        }
        if name.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
            return Err("A label's name is one line of characters that can be seen. Type it again.".into());
        }
        let mut others = self.labels.iter().enumerate().filter(|(i, _)| *i != at);
        match others.find(|(_, label)| label.name.trim().to_lowercase() == name.to_lowercase()) {
            Some((_, twin)) => {
                Err(format!("There is already a label '{}'. Give this one another name.", twin.name))
            }
            None => Ok(()),
        }
    }

    /// Checks a key for the label in place `at`.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn check_key(&self, at: usize, typed: &str) -> Result<char, String> {
        let mut characters = typed.chars();
        let (Some(key), None) = (characters.next(), characters.next()) else {
            return Err("A key is one character, such as 1 or x.".into());
        };
        if !Label::may_use(key) {
            return Err(format!("The workstation uses the key {key} itself. Choose another."));
        }
        let mut others = self.labels.iter().enumerate().filter(|(i, _)| *i != at);
        match others.find(|(_, label)| label.key == Some(key)) {
            Some((_, owner)) => {
                Err(format!("The key {key} already stands for '{}'. Choose another.", owner.name))
            }
            None => Ok(key),
        }
    }

    /// What is missing before this is a task, each with a sentence that says what to do.
    pub fn lacks(&self) -> Vec<(Lacking, String)> {
        let mut lacks = Vec::new();
        if self.question.trim().is_empty() {
            lacks.push((Lacking::Question, "A task needs a question. It is shown with every text.".into()));
        }
        if self.labels.len() < 2 {
            let says = "A task needs at least two labels, such as yes and no.";
            lacks.push((Lacking::Labels, says.into()));
        }
        if self.kind.is_scale() && self.labels.len() > MAX_LEVELS {
            let says = format!("A scale has at most {MAX_LEVELS} levels. Remove some, or ask for one label.");
            lacks.push((Lacking::Labels, says));
        }
        for (i, label) in self.labels.iter().enumerate() {
            if let Err(why) = self.check_name(i, &label.name) {
                lacks.push((Lacking::Label(i), why));
            } else if !self.kind.is_scale()
                && let Some(key) = label.key
                && let Err(why) = self.check_key(i, &key.to_string())
            {
                lacks.push((Lacking::Label(i), why));
            }
        }
        if let (true, Some(sum)) =
            (lacks.is_empty(), shares_that_cannot_be(self.kind, &self.checked_labels()))
        {
            let sum = in_a_hundred(sum);
            let says = match self.labels.iter().find(|label| label.share.is_none()) {
                Some(open) => format!(
                    "The shares add up to {sum} of 100 and leave nothing for '{}'. Make one smaller, or empty it.",
                    open.name
                ),
                None => format!("The shares add up to {sum} of 100. Change one, or empty it."),
            };
            lacks.push((Lacking::Labels, says));
        }
        if lacks.is_empty()
            && let Err(why) = self.to_task()
        {
            lacks.push((Lacking::Labels, format!("The task is not complete yet: {why}.")));
        }
        lacks
    }

    /// The task.
    ///
    /// # Errors
    /// A clause that says what is missing.
    pub fn to_task(&self) -> Result<Task, String> {
        let labels = self.checked_labels();
        let (name, question) = (self.name.trim().to_owned(), self.question.trim().to_owned());
        let mut task = Task::of_kind(self.kind, name, question, self.guideline.clone(), labels)?;
        task.assist = self.assist;
        task.asked_about.clone_from(&self.asked_about);
        task.columns.clone_from(&self.columns);
        task.target = self.target.clone().of_labels(&task.ids_and_names());
        Ok(task)
    }

    /// The labels' stable keys, or their names where they have none yet, and their names.
    pub fn keys_and_names(&self) -> Vec<(&str, &str)> {
        self.labels.iter().map(|label| (label.key_or_name(), label.name.as_str())).collect()
    }

    /// Gives a label another name. What is to be reached for it follows.
    pub fn rename(&mut self, at: usize, name: &str) {
        let Some(label) = self.labels.get_mut(at) else { return };
        let before = label.key_or_name().to_owned();
        label.name = name.to_owned();
        let now = label.key_or_name().to_owned();
        self.target.rename(&before, &now);
    }

    fn checked_labels(&self) -> Vec<Label> {
        // The keys of levels follow from their names, which may have been typed since.
        let keys = self.keys();
        let with_key = |(label, key): (&LabelDraft, Option<char>)| Label { key, ..label.to_label() };
        self.labels.iter().zip(keys).map(with_key).collect()
    }

    /// The key of each label; those of levels are not chosen.
    pub fn keys(&self) -> Vec<Option<char>> {
        match self.kind {
            TaskKind::One | TaskKind::Several => self.labels.iter().map(|label| label.key).collect(),
            TaskKind::Scale => level_keys(self.labels.iter().map(|label| label.name.as_str())),
        }
    }

    /// Asks for another kind of answer. Levels are put in order by their numbers where all are numbers, and stand in for no key that was chosen.
    pub fn set_kind(&mut self, kind: TaskKind) {
        if kind == self.kind {
            return;
        }
        let before = std::mem::replace(&mut self.kind, kind);
        match kind {
            TaskKind::Scale => {
                let number = |label: &LabelDraft| label.name.trim().parse::<i64>().ok();
                if self.labels.iter().all(|label| number(label).is_some()) {
                    self.labels.sort_by_key(number);
                }
            }
            TaskKind::One | TaskKind::Several if !before.is_scale() => {}
            TaskKind::One | TaskKind::Several => {
                // Those of the scale stay, as far as each is free.
                let keys = level_keys(self.labels.iter().map(|label| label.name.as_str()));
                for (label, key) in self.labels.iter_mut().zip(keys) {
                    label.key = key;
                }
            }
        }
    }
}

impl LabelDraft {
    /// The label.
    pub fn to_label(&self) -> Label {
        Label {
            id: self.id.clone(),
            name: self.name.trim().to_owned(),
            key: self.key,
            description: self.meaning.trim().to_owned(),
            examples: self.examples.clone(),
            share: self.share,
        }
    }
}

/// The share that so many of all rows are, to a thousandth; none where it is nothing or everything.
fn share(n: u64, all: u64) -> Option<f64> {
    let share = ((n as f64 / all.max(1) as f64) * 1_000.0).round() / 1_000.0;
    (share > 0.0 && share < 1.0).then_some(share)
}

/// Parses a percentage such as "10", "10 %" or "2,5" into a share.
///
/// # Errors
/// A sentence that says what to enter.
pub fn share_of(typed: &str) -> Result<f64, String> {
    let number: String = typed.trim_end_matches('%').trim().replace(',', ".");
    match number.parse::<f64>() {
        Ok(n) if n > 0.0 && n < 100.0 => Ok(n / 100.0),
        _ => Err("Enter a number above 0 and below 100, such as 5 or 0.5, or nothing for unknown.".into()),
    }
}

/// A share as a percentage with as many decimals as needed, at most four.
pub fn in_a_hundred(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(names: &[&str]) -> TaskDraft {
        let mut draft = TaskDraft { question: "Spam?".into(), ..TaskDraft::default() };
        for name in names {
            draft.insert_label(draft.labels.len(), name);
        }
        draft
    }

    #[test]
    fn a_draft_of_a_task_is_that_task_and_labels_get_keys_as_long_as_there_are_some() {
        let mut task = draft(&["spam", "ham"]).to_task().unwrap();
        task.assist = Assist::Before;
        task.guideline = "Look.\nTwice.".into();
        task.asked_about = Some("last".into());
        task.labels[1].key = None;
        assert_eq!(TaskDraft::of(&task).to_task().unwrap(), task);
        let names: Vec<String> = (0..200).map(|i| format!("label {i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(draft(&names).to_task().unwrap().labels.len(), 200);
    }

    #[test]
    fn what_is_missing_is_said_where_it_is_missing() {
        let lacks = TaskDraft::default().lacks();
        assert_eq!(lacks.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [Lacking::Question, Lacking::Labels]);
        let mut twins = draft(&["spam", "Spam", "ham"]);
        twins.labels[2].key = Some('u');
        let at: Vec<Lacking> = twins.lacks().iter().map(|(at, _)| *at).collect();
        assert_eq!(at, [Lacking::Label(0), Lacking::Label(1), Lacking::Label(2)]);
        let mut shares = draft(&["spam", "ham"]);
        shares.labels[0].share = Some(0.4);
        shares.labels[1].share = Some(0.4);
        assert!(shares.lacks()[0].1.contains("add up to 80 of 100"), "{:?}", shares.lacks());
    }

    #[test]
    fn the_values_of_a_column_become_labels_with_their_shares() {
        let mut draft = draft(&[]);
        draft.take_labels(&[("ham".into(), 747), ("spam".into(), 253)]);
        let task = draft.to_task().unwrap();
        assert_eq!(task.shares(), [Some(0.747), None], "the rest");
        draft.insert_label(2, "odd");
        assert_eq!(draft.lacks(), [], "another label has room");
        let values: Vec<(String, u64)> = (0..30).map(|i| (format!("v{i}"), 1 + 3_000 / (1 + i))).collect();
        draft.take_labels(&values);
        assert_eq!(draft.lacks(), [], "whatever the rounding does");
        draft.take_labels(&[("only".into(), 5)]);
        assert_eq!(draft.labels[0].share, None);
    }

    #[test]
    fn shares_are_read_and_said_as_people_do() {
        assert_eq!(share_of("2,5 %"), Ok(0.025));
        assert_eq!(in_a_hundred(0.025), "2.5");
        for wrong in ["0", "100", "-3", "many", "nan", "inf"] {
            assert!(share_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn whole_numbers_of_a_column_become_the_levels_of_a_scale_with_their_own_keys() {
        let mut of_column = draft(&[]);
        of_column.take_labels(&[("2".into(), 5), ("0".into(), 20), ("1".into(), 9)]);
        let task = of_column.to_task().unwrap();
        assert_eq!(task.kind, TaskKind::Scale);
        let levels: Vec<(&str, Option<char>)> =
            task.labels.iter().map(|l| (l.name.as_str(), l.key)).collect();
        assert_eq!(levels, [("0", Some('0')), ("1", Some('1')), ("2", Some('2'))]);
        assert_eq!(TaskDraft::of(&task).to_task().unwrap(), task);
        of_column.set_kind(TaskKind::One);
        assert_eq!(of_column.to_task().unwrap().kind, TaskKind::One, "it is only a suggestion");
        let mut many = draft(&["1"; 0]);
        many.kind = TaskKind::Scale;
        (0..10).for_each(|n| many.insert_label(n, &format!("level {n}")));
        assert_eq!(many.lacks()[0].1, "A scale has at most 9 levels. Remove some, or ask for one label.");
    }
}
