//! A prelabel: a model's label for an item, with its probabilities.

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::label_set::LabelSet;
use super::predictor::Predictor;
use super::task_kind::TaskKind;

/// One probability per label, in the order of the task's labels: summing to one, or each between 0 and 1 where a text may have several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probabilities(pub Vec<f32>);

impl Probabilities {
    /// The index of the label that a task of this kind takes for the prelabel ([`TaskKind::decide`]).
    pub fn top(&self, kind: TaskKind) -> usize {
        kind.decide(&self.0)
    }

    /// How far it is from the nearest boundary, 0 to 1 ([`TaskKind::margin`]).
    pub fn margin(&self, kind: TaskKind) -> f32 {
        kind.margin(&self.0)
    }
}

impl Predictor {
    /// From which probability on each label is given, where a text may have several and that was fitted; else empty, and it is one half.
    pub fn thresholds(&self) -> &[f32] {
        &[]
    }

    /// What it says of a text with these probabilities, by the places of its labels.
    pub fn decide(&self, kind: TaskKind, probabilities: &[f32]) -> LabelSet {
        kind.decide_set(probabilities, self.thresholds())
    }

    /// The same as an answer.
    pub fn answer(&self, kind: TaskKind, probabilities: &[f32]) -> Answer {
        let places = self.decide(kind, probabilities);
        Answer::of(places.places().filter_map(|at| self.labels.get(at).map(String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top_and_margin_of_three_labels() {
        let p = Probabilities(vec![0.2, 0.5, 0.3]);
        assert_eq!(p.top(TaskKind::One), 1);
        assert!((p.margin(TaskKind::One) - 0.2).abs() < 1e-6);
    }
}
