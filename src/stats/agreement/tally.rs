//! What Cohen's kappa needs of a table of two raters' answers: its margins, its diagonal and its total, never the whole table.
//!
//! Answers may carry weights; the sums are then over weights.
//!
//! Of a scale, kappa weighs each answer by the squared distance of the two levels: J. Cohen, "Weighted kappa: nominal scale agreement with provision
//! for scaled disagreement or partial credit", *Psychological Bulletin* 70 (1968), 213–220.

use crate::domain::task_kind::TaskKind;

#[derive(Clone, Debug)]
pub(in crate::stats) struct Tally {
    first: Vec<f64>,
    second: Vec<f64>,
    pub(in crate::stats) agreed: f64,
    pub(in crate::stats) total: f64,
    kind: TaskKind,
    /// The sum of squared distances of levels, and of distances. Of labels without an order they stay 0.
    squares: f64,
    distances: f64,
}

impl Tally {
    pub(in crate::stats) fn new(labels: usize, kind: TaskKind) -> Self {
        let (first, second) = (vec![0.0; labels], vec![0.0; labels]);
        Self { first, second, agreed: 0.0, total: 0.0, kind, squares: 0.0, distances: 0.0 }
    }

    pub(in crate::stats) fn add(&mut self, first: usize, second: usize, weight: f64) {
        self.first[first] += weight;
        self.second[second] += weight;
        self.total += weight;
        if first == second {
            self.agreed += weight;
        } else if self.kind.is_scale() {
            self.squares += weight * self.kind.difference(first, second);
            self.distances += weight * first.abs_diff(second) as f64;
        }
    }

    /// `None` without a case, and if agreement by chance is certain.
    pub(in crate::stats) fn kappa(&self) -> Option<f64> {
        match self.kind {
            TaskKind::One | TaskKind::Several => self.kappa_at(self.agreed / self.total),
            TaskKind::Scale => {
                let chance = self.squares_by_chance();
                (chance > 1e-9).then(|| 1.0 - self.squares / self.total / chance)
            }
        }
    }

    /// The mean squared distance of two answers that are given as often as these and have nothing to do with each other. No number without a case.
    fn squares_by_chance(&self) -> f64 {
        let mut sum = 0.0;
        for (a, first) in self.first.iter().enumerate() {
            for (b, second) in self.second.iter().enumerate() {
                sum += first * second * self.kind.difference(a, b);
            }
        }
        sum / (self.total * self.total)
    }

    /// The mean distance of two levels. `None` without a case.
    pub(in crate::stats) fn absolute_error(&self) -> Option<f64> {
        (self.total > 0.0).then(|| self.distances / self.total)
    }

    /// Kappa if the share `agreement` of the cases agreed, with the labels used as often as they were. Of a scale, those that do not agree are taken to
    /// lie as far apart as two answers that differ by chance do, which leaves the same formula as without an order.
    pub(in crate::stats) fn kappa_at(&self, agreement: f64) -> Option<f64> {
        let products: f64 = self.first.iter().zip(&self.second).map(|(a, b)| a * b).sum();
        let beyond_chance = 1.0 - products / (self.total * self.total);
        // Written so that the 0/0 of no cases ends here too.
        if beyond_chance > 1e-9 { Some((agreement - 1.0 + beyond_chance) / beyond_chance) } else { None }
    }

    /// True where no case disagrees.
    pub(in crate::stats) fn is_perfect(&self) -> bool {
        self.agreed >= self.total * (1.0 - 1e-12)
    }
}
