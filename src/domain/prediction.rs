//! A prelabel: a model's label for an item, with its probabilities.

use serde::{Deserialize, Serialize};

/// One probability per label, in the order of the task's labels, summing to one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probabilities(pub Vec<f32>);

impl Probabilities {
    /// The index of the most probable label; the earlier one on a tie.
    pub fn top(&self) -> usize {
        let mut best = 0;
        for (label, p) in self.0.iter().enumerate() {
            if *p > self.0[best] {
                best = label;
            }
        }
        best
    }

    /// The most probable label's probability minus the second's: 0 on the decision boundary, 1 when certain.
    pub fn margin(&self) -> f32 {
        let (mut first, mut second) = (0.0f32, 0.0f32);
        for &p in &self.0 {
            if p > first {
                (first, second) = (p, first);
            } else if p > second {
                second = p;
            }
        }
        first - second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top_and_margin_of_three_labels() {
        let p = Probabilities(vec![0.2, 0.5, 0.3]);
        assert_eq!(p.top(), 1);
        assert!((p.margin() - 0.2).abs() < 1e-6);
    }
}
