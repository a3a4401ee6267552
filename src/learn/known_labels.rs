//! Predictions held against labels that are known: how many agree, how far beyond chance, and which label is taken for which.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::fault::Result;
use crate::domain::figure::Figure;
use crate::domain::grouped::counted;
use crate::domain::label_values::{LabelValues, OneLabel};
use crate::domain::task::Task;
use crate::domain::task_kind::TaskKind;
use crate::stats::agreement::kappa::{cohen_figure, error_figure};
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
    /// Each row's known label and its prediction, as places in these.
    pairs: Vec<(usize, usize)>,
    not_labels: usize,
    kind: TaskKind,
}

/// How far predictions agree with known labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Rows with a known label and a prediction that may be shown.
    pub rows: usize,
    /// Of these, rows where both are the same.
    pub agreeing: usize,
    /// Cohen's kappa of both; of a scale the weighted one.
    pub kappa: Figure,
    /// Of a scale, the mean distance of both in levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute_error: Option<Figure>,
    /// How often each known label was given each prediction, the most frequent first.
    pub confusion: Vec<Confusion>,
    /// Rows whose known label is none of the task's, or several; they are not counted.
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
    let case = |&(kept, of): &(usize, usize)| AuditCase {
        inclusion: 1.0,
        predicted: 1,
        answered: (0..of).map(|copy| usize::from(copy < kept)).collect(),
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
            pairs: Vec::new(),
            not_labels: 0,
            kind: task.kind,
        })
    }

    /// Takes in a row: what its column says, and the stable key of the label that is predicted.
    pub fn add(&mut self, known: Option<&str>, predicted: &str) {
        match known.map_or(OneLabel::LeftOut, |cell| self.values.one_label(cell)) {
            OneLabel::LeftOut => {}
            OneLabel::Unknown | OneLabel::Several => self.not_labels += 1,
            OneLabel::Label(known) => {
                let at = self.keys.iter().position(|key| key == predicted).unwrap_or_else(|| {
                    self.keys.push(predicted.to_owned());
                    self.names.push(predicted.to_owned());
                    self.keys.len() - 1
                });
                self.pairs.push((known, at));
            }
        }
    }

    /// How well the predictions find each label, each row counting once.
    pub fn by_label(&self, seed: u64) -> ByLabel {
        let case = |&(known, predicted): &(usize, usize)| AuditCase {
            inclusion: 1.0,
            predicted,
            answered: vec![known],
        };
        let step = self.pairs.len().div_ceil(MOST_DRAWN).max(1);
        let cases: Vec<AuditCase> = self.pairs.iter().step_by(step).map(case).collect();
        let labels = audit(&cases, self.keys.len(), self.kind, seed).labels;
        let keyed = |of: fn(&LabelAudit) -> &Figure| {
            self.keys.iter().cloned().zip(labels.iter().map(|label| of(label).clone())).collect()
        };
        ByLabel { recall: keyed(|label| &label.recall), precision: keyed(|label| &label.precision) }
    }

    /// What it comes to.
    pub fn agreement(&self, seed: u64) -> Agreement {
        let mut counts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        self.pairs.iter().for_each(|pair| *counts.entry(*pair).or_default() += 1);
        let mut confusion: Vec<Confusion> = counts
            .into_iter()
            .map(|((known, predicted), rows)| Confusion {
                known: self.names[known].clone(),
                predicted: self.names[predicted].clone(),
                rows,
            })
            .collect();
        confusion.sort_by_key(|one| std::cmp::Reverse(one.rows));
        let step = self.pairs.len().div_ceil(MOST_DRAWN).max(1);
        let drawn: Vec<(usize, usize)> = self.pairs.iter().copied().step_by(step).collect();
        Agreement {
            rows: self.pairs.len(),
            agreeing: self.pairs.iter().filter(|(known, predicted)| known == predicted).count(),
            kappa: cohen_figure(&drawn, self.kind, seed),
            absolute_error: self.kind.is_scale().then(|| error_figure(&drawn, seed)),
            confusion,
            not_labels: self.not_labels,
            unknown: self.values.unknown(),
        }
    }
}

impl std::fmt::Display for Agreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows = counted(self.rows, "known label", "known labels");
        write!(f, "the model agrees with {} of {rows}", self.agreeing)?;
        if self.rows > 0 {
            write!(f, " ({:.1} %)", 100.0 * self.agreeing as f64 / self.rows as f64)?;
        }
        match &self.absolute_error {
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
                format!(
                    "'{}' is called '{}' in {}",
                    one.known,
                    one.predicted,
                    counted(one.rows, "row", "rows")
                )
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
            write!(f, "; {rows} not counted, because the known label is not one label of the task{what}")?;
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
            (0..n).for_each(|_| known.add(Some(label), predicted));
        }
        known.add(None, "ham");
        known.add(Some(" "), "ham");
        known.add(Some("eggs"), "ham");
        known.add(Some("ham"), "gone");
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
}
