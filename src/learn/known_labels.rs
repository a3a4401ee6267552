//! Predictions held against labels that are known: how many agree, how far beyond chance, and which label is taken for which.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::answer::Answer;
use crate::domain::fault::Result;
use crate::domain::figure::Figure;
use crate::domain::grouped::counted;
use crate::domain::label_set::LabelSet;
use crate::domain::label_values::{KnownAnswer, LabelValues};
use crate::domain::task::Task;
use crate::domain::task_kind::TaskKind;
use crate::stats::agreement::confusion_matrix::met;
use crate::stats::agreement::kappa::{cohen_figure, error_figure};
use crate::stats::classifier::set_scores::f1_of_sets;
use crate::stats::estimate::audit::{AuditCase, LEAST_CASES, LabelAudit, audit};

/// Rows that kappa rests on at most: its interval draws all of them a thousand times.
const MOST_DRAWN: usize = 100_000;
/// Confusions that a sentence lists.
const LISTED: usize = 8;

/// The known labels of rows and what was predicted of them, as they come.
pub struct KnownLabels {
    values: LabelValues,
    /// Stable keys, first those of the task in its order, then those of labels that it no longer has.
    keys: Vec<String>,
    /// The same by name.
    names: Vec<String>,
    /// The different sets of these labels that were met, by their places, and the number of each: rows are many, and sets few.
    sets: Vec<LabelSet>,
    numbers: BTreeMap<LabelSet, usize>,
    /// Each row's known labels and its prediction, as numbers of sets.
    pairs: Vec<(usize, usize)>,
    not_labels: usize,
    kind: TaskKind,
}

/// How far predictions agree with known labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Rows with a known label and a prediction that may be shown.
    pub rows: usize,
    /// Of these, rows where both are the same; of several labels, all of them.
    pub agreeing: usize,
    /// Cohen's kappa of both; of a scale the weighted one, of several labels the mean of the labels' kappas.
    pub kappa: Figure,
    /// Where a text may have several labels, F1 of all labels together, each label of each text counting once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_f1: Option<Figure>,
    /// The same, the mean of the labels' F1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macro_f1: Option<Figure>,
    /// Of a scale, the mean distance of both in levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute_error: Option<Figure>,
    /// How often each known label was given each prediction, the most frequent first. Where a text may have several labels, how often each is both known and
    /// predicted, and how often one is predicted in place of another: the one is known and not predicted, the other predicted and not known.
    pub confusion: Vec<Confusion>,
    /// Rows whose known label is none of the task's, or several where one is asked for; they are not counted.
    pub not_labels: usize,
    /// What stands there, in words.
    pub unknown: Option<String>,
}

/// How often one label was known and another, or the same, predicted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Confusion {
    pub known: String,
    pub predicted: String,
    pub rows: usize,
}

/// How well each label is found, by its stable key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ByLabel {
    pub recall: BTreeMap<String, Figure>,
    pub precision: BTreeMap<String, Figure>,
}

/// The share of answers that stay, from how many of each text's changed copies keep theirs and how many there are. Texts are resampled with all
/// their copies, which are no samples of their own; undefined below five texts.
pub fn staying(texts: &[(usize, usize)], seed: u64) -> Figure {
    let case = |&(kept, of): &(usize, usize)| {
        AuditCase::of_labels(1.0, 1, (0..of).map(|copy| usize::from(copy < kept)))
    };
    let cases: Vec<AuditCase> = texts.iter().filter(|(_, of)| *of > 0).map(case).collect();
    match audit(&cases, 2, TaskKind::One, seed).accuracy {
        Figure::Undefined { .. } => {
            Figure::undefined(format!("{} of the {LEAST_CASES} texts needed", cases.len()))
        }
        known @ Figure::Known { .. } => known,
    }
}

impl KnownLabels {
    /// For a column of a file.
    ///
    /// # Errors
    /// None where no label of the file is mapped.
    pub fn new(task: &Task, column: &str) -> Result<Self> {
        Ok(Self {
            values: LabelValues::new(task, column, &[])?,
            keys: task.label_ids(),
            names: task.labels.iter().map(|label| label.name.clone()).collect(),
            sets: Vec::new(),
            numbers: BTreeMap::new(),
            pairs: Vec::new(),
            not_labels: 0,
            kind: task.kind,
        })
    }

    /// Takes in a row: what its column says, and what is predicted.
    pub fn add(&mut self, known: Option<&str>, predicted: &Answer) {
        let known = match known.map_or(KnownAnswer::LeftOut, |cell| self.values.known_answer(cell)) {
            KnownAnswer::LeftOut => return,
            KnownAnswer::Not => {
                self.not_labels += 1;
                return;
            }
            KnownAnswer::Is(answer) => answer,
        };
        let pair = (self.number(&known), self.number(predicted));
        self.pairs.push(pair);
    }

    /// The number of the set of an answer's labels.
    fn number(&mut self, answer: &Answer) -> usize {
        let place = |key: &String| {
            self.keys.iter().position(|known| known == key).unwrap_or_else(|| {
                self.keys.push(key.clone());
                self.names.push(key.clone());
                self.keys.len() - 1
            })
        };
        let set: LabelSet = answer.labels().iter().map(place).collect();
        let next = self.sets.len();
        let number = *self.numbers.entry(set.clone()).or_insert(next);
        if number == next {
            self.sets.push(set);
        }
        number
    }

    /// The pairs that figures rest on.
    fn drawn(&self) -> impl Iterator<Item = (LabelSet, LabelSet)> + '_ {
        let step = self.pairs.len().div_ceil(MOST_DRAWN).max(1);
        let sets =
            |&(known, predicted): &(usize, usize)| (self.sets[known].clone(), self.sets[predicted].clone());
        self.pairs.iter().step_by(step).map(sets)
    }

    /// How well the predictions find each label, each row counting once.
    pub fn by_label(&self, seed: u64) -> ByLabel {
        let case = |(known, predicted)| AuditCase { inclusion: 1.0, predicted, answered: vec![known] };
        let cases: Vec<AuditCase> = self.drawn().map(case).collect();
        let labels = audit(&cases, self.keys.len(), self.kind, seed).labels;
        let keyed = |of: fn(&LabelAudit) -> &Figure| {
            self.keys.iter().cloned().zip(labels.iter().map(|label| of(label).clone())).collect()
        };
        ByLabel { recall: keyed(|label| &label.recall), precision: keyed(|label| &label.precision) }
    }

    /// How often each label was known and each predicted, by their places.
    fn confused(&self) -> BTreeMap<(usize, usize), usize> {
        let mut pairs: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        self.pairs.iter().for_each(|pair| *pairs.entry(*pair).or_default() += 1);
        let mut counts = BTreeMap::new();
        for ((known, predicted), rows) in pairs {
            met(&self.sets[known], &self.sets[predicted], |a, b| *counts.entry((a, b)).or_default() += rows);
        }
        counts
    }

    /// What it comes to.
    pub fn agreement(&self, seed: u64) -> Agreement {
        let mut confusion: Vec<Confusion> = self
            .confused()
            .into_iter()
            .map(|((known, predicted), rows)| Confusion {
                known: self.names[known].clone(),
                predicted: self.names[predicted].clone(),
                rows,
            })
            .collect();
        confusion.sort_by_key(|one| std::cmp::Reverse(one.rows));
        let drawn: Vec<(LabelSet, LabelSet)> = self.drawn().collect();
        let [micro_f1, macro_f1] = match self.kind {
            TaskKind::One | TaskKind::Scale => [None, None],
            TaskKind::Several => f1_of_sets(&drawn, self.keys.len(), seed).map(Some),
        };
        Agreement {
            rows: self.pairs.len(),
            agreeing: self.pairs.iter().filter(|(known, predicted)| known == predicted).count(),
            kappa: cohen_figure(&drawn, self.kind, seed),
            micro_f1,
            macro_f1,
            absolute_error: self.kind.is_scale().then(|| error_figure(&drawn, seed)),
            confusion,
            not_labels: self.not_labels,
            unknown: self.values.unknown(),
        }
    }
}

impl std::fmt::Display for Agreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows = match self.micro_f1 {
            None => counted(self.rows, "known label", "known labels"),
            Some(_) => counted(self.rows, "known answer", "known answers"),
        };
        write!(f, "the model agrees with {} of {rows}", self.agreeing)?;
        if self.rows > 0 {
            write!(f, " ({:.1} %)", 100.0 * self.agreeing as f64 / self.rows as f64)?;
        }
        if let (Some(micro), Some(macro_)) = (&self.micro_f1, &self.macro_f1) {
            write!(f, "; {} {}", TaskKind::Several.kappa(), self.kappa)?;
            write!(f, "; micro F1 {micro}; macro F1 {macro_}")?;
        }
        match &self.absolute_error {
            None if self.micro_f1.is_some() => {}
            None => write!(f, "; kappa {}", self.kappa)?,
            Some(error) => {
                let name = TaskKind::Scale.kappa();
                write!(f, "; {name} {}; mean absolute error {error}", self.kappa)?;
            }
        }
        let wrong: Vec<&Confusion> = self.confusion.iter().filter(|one| one.known != one.predicted).collect();
        let mut listed: Vec<String> = wrong
            .iter()
            .take(LISTED)
            .map(|one| {
                let rows = counted(one.rows, "row", "rows");
                format!("'{}' is called '{}' in {rows}", one.known, one.predicted)
            })
            .collect();
        if wrong.len() > LISTED {
            listed.push(format!("and {} more such pairs", wrong.len() - LISTED));
        }
        if !listed.is_empty() {
            write!(f, "; {}", listed.join(", "))?;
        }
        if self.not_labels > 0 {
            let what = self.unknown.as_ref().map(|what| format!(": {what}")).unwrap_or_default();
            let rows = counted(self.not_labels, "row is", "rows are");
            let is = match self.micro_f1 {
                None => "the known label is not one label of the task",
                Some(_) => "not every known label is one of the task",
            };
            write!(f, "; {rows} not counted, because {is}{what}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str =
        "question = \"?\"\n[[label]]\nname = \"spam\"\nkey = \"1\"\n[[label]]\nname = \"ham\"\nkey = \"2\"\n";

    #[test]
    fn agreement_kappa_and_confusions_are_those_of_the_rows_that_have_both() {
        let mut known = KnownLabels::new(&Task::from_toml(TASK, "t").unwrap(), "gold").unwrap();
        // Cohen's own arithmetic: 45 and 25 agree, 15 and 15 do not: (0.70 - 0.52) / (1 - 0.52).
        for (label, predicted, n) in
            [("spam", "spam", 45), ("Spam", "ham", 15), ("ham", "spam", 15), ("ham", "ham", 25)]
        {
            (0..n).for_each(|_| known.add(Some(label), &Answer::one(predicted)));
        }
        known.add(None, &Answer::one("ham"));
        known.add(Some(" "), &Answer::one("ham"));
        known.add(Some("eggs"), &Answer::one("ham"));
        known.add(Some("ham"), &Answer::one("gone"));
        let agreement = known.agreement(1);
        assert_eq!((agreement.rows, agreement.agreeing, agreement.not_labels), (101, 70, 1));
        let counts: Vec<usize> = agreement.confusion.iter().map(|one| one.rows).collect();
        assert_eq!(counts, [45, 25, 15, 15, 1]);
        let said = agreement.to_string();
        assert!(
            said.starts_with("the model agrees with 70 of 101 known labels (69.3 %); kappa 0.3"),
            "{said}"
        );
        assert!(
            said.ends_with(
                "'spam' is called 'ham' in 15 rows, 'ham' is called 'spam' in 15 rows, 'ham' is called 'gone' in 1 row; 1 row is not counted, because \
                 the known label is not one label of the task: 'eggs' (1 row)"
            ),
            "{said}"
        );
    }

    #[test]
    fn without_a_known_label_nothing_is_claimed() {
        let known = KnownLabels::new(&Task::from_toml(TASK, "t").unwrap(), "gold").unwrap();
        let agreement = known.agreement(1);
        assert_eq!(agreement.kappa.value(), None);
        assert!(
            agreement.to_string().starts_with("the model agrees with 0 of 0 known labels; kappa not known")
        );
    }

    #[test]
    fn of_several_labels_all_must_be_the_same_and_each_counts_for_itself() {
        let task = TASK.replace("question", "kind = \"several\"\nquestion");
        let mut known = KnownLabels::new(&Task::from_toml(&task, "t").unwrap(), "gold").unwrap();
        // spam: known in 8 rows, predicted in 7, both in 5 of 10. ham: known in 4, predicted in 6, both in 2.
        for (cell, predicted, n) in [
            (r#"["spam"]"#, &["spam"][..], 3),
            (r#"["spam", "ham"]"#, &["spam", "ham"], 2),
            (r#"["spam"]"#, &["ham"], 3),
            (r#"["ham"]"#, &["spam"], 2),
        ] {
            (0..n).for_each(|_| known.add(Some(cell), &Answer::of(predicted.iter().copied())));
        }
        known.add(Some(r#"["spam", "eggs"]"#), &Answer::one("spam"));
        known.add(None, &Answer::none());
        let agreement = known.agreement(1);
        assert_eq!((agreement.rows, agreement.agreeing, agreement.not_labels), (10, 5, 1));
        let (micro, macro_) = (agreement.micro_f1.as_ref().unwrap(), agreement.macro_f1.as_ref().unwrap());
        // 2 · 7 / 25; the mean of 10 / 15 and 4 / 9 (known 4, predicted 5).
        assert!((micro.value().unwrap() - 14.0 / 24.0).abs() < 1e-12, "{micro}");
        assert!((macro_.value().unwrap() - f64::midpoint(10.0 / 15.0, 4.0 / 9.0)).abs() < 1e-12, "{macro_}");
        let cell = |known: &str, predicted: &str, rows| Confusion {
            known: known.to_owned(),
            predicted: predicted.to_owned(),
            rows,
        };
        assert_eq!(
            agreement.confusion,
            [cell("spam", "spam", 5), cell("spam", "ham", 3), cell("ham", "spam", 2), cell("ham", "ham", 2)]
        );
        let found = known.by_label(1);
        assert_eq!(found.recall["spam"].value(), Some(5.0 / 8.0));
        assert_eq!(found.precision["ham"].value(), Some(2.0 / 5.0));
        let said = agreement.to_string();
        assert!(
            said.starts_with(
                "the model agrees with 5 of 10 known answers (50.0 %); mean kappa of the labels "
            ),
            "{said}"
        );
        assert!(said.ends_with("because not every known label is one of the task: 'eggs' (1 row)"), "{said}");
        let mut none = KnownLabels::new(&Task::from_toml(&task, "t").unwrap(), "gold").unwrap();
        none.add(Some("[]"), &Answer::none());
        assert_eq!((none.agreement(1).rows, none.agreement(1).agreeing), (1, 1), "none is an answer");
    }
}
