//! A prelabel: a model's label for an item, with its probabilities.

use serde::{Deserialize, Serialize};

use super::task_kind::TaskKind;

/// One probability per label, in the order of the task's labels, summing to one.
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
