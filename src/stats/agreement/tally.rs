//! What Cohen's kappa needs of a table of two raters' answers: its margins, its diagonal and its total, never the whole table.
//!
//! Answers may carry weights; the sums are then over weights.
//!
//! Of a scale, kappa weighs each answer by the squared distance of the two levels: J. Cohen, "Weighted kappa: nominal scale agreement with provision
//! for scaled disagreement or partial credit", *Psychological Bulletin* 70 (1968), 213–220.
//!
//! Where a text may have several labels, each label by itself is a yes or no with a kappa of its own, and kappa is the mean of these over the labels that
//! either rater gave in some of the cases, other than to all of them. The answers tallied as wholes are then sets, by number.

use crate::domain::label_set::LabelSet;
use crate::domain::task_kind::TaskKind;

/// One label by itself: what two raters gave it, in weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::stats) struct YesOrNo {
    both: f64,
    first: f64,
    second: f64,
}

impl YesOrNo {
    /// Agreement that is expected by chance, of cases of so much weight.
    fn chance(self, total: f64) -> f64 {
        let (first, second) = (self.first / total, self.second / total);
        first * second + (1.0 - first) * (1.0 - second)
    }

    /// Cohen's kappa. `None` where both gave it to no case, or both to all.
    fn kappa(self, total: f64) -> Option<f64> {
        self.kappa_at(1.0 - (self.first + self.second - 2.0 * self.both) / total, total)
    }

    fn kappa_at(self, agreement: f64, total: f64) -> Option<f64> {
        let beyond_chance = 1.0 - self.chance(total);
        if beyond_chance > 1e-9 { Some((agreement - 1.0 + beyond_chance) / beyond_chance) } else { None }
    }
}

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
    /// Where a text may have several labels, each by itself; else empty.
    labels: Vec<YesOrNo>,
}

impl Tally {
    /// Of so many different answers; where a text may have several labels these are sets, of so many labels.
    pub(in crate::stats) fn new(answers: usize, labels: usize, kind: TaskKind) -> Self {
        let (first, second) = (vec![0.0; answers], vec![0.0; answers]);
        let labels = if kind.is_several() { vec![YesOrNo::default(); labels] } else { Vec::new() };
        Self { first, second, agreed: 0.0, total: 0.0, kind, squares: 0.0, distances: 0.0, labels }
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

    /// The labels of a pair of sets that was added.
    pub(in crate::stats) fn add_labels(&mut self, first: &LabelSet, second: &LabelSet, weight: f64) {
        for label in first.places() {
            self.labels[label].first += weight;
            if second.has(label) {
                self.labels[label].both += weight;
            }
        }
        for label in second.places() {
            self.labels[label].second += weight;
        }
    }

    /// `None` without a case, and if agreement by chance is certain.
    pub(in crate::stats) fn kappa(&self) -> Option<f64> {
        match self.kind {
            TaskKind::One => self.kappa_at(self.agreed / self.total),
            TaskKind::Several => {
                let each = self.labels.iter().filter_map(|label| label.kappa(self.total));
                let (sum, n) = each.fold((0.0, 0usize), |(sum, n), kappa| (sum + kappa, n + 1));
                (n > 0).then(|| sum / n as f64)
            }
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

    /// Where a text may have several labels, the kappa of one by itself. `None` where both gave it to no case, or both to all.
    pub(in crate::stats) fn kappa_of(&self, label: usize) -> Option<f64> {
        self.labels.get(label)?.kappa(self.total)
    }

    /// The same if the share `agreement` of the cases agreed on it.
    pub(in crate::stats) fn kappa_of_at(&self, label: usize, agreement: f64) -> Option<f64> {
        self.labels.get(label)?.kappa_at(agreement, self.total)
    }

    /// Whether no case disagrees on a label by itself.
    pub(in crate::stats) fn is_perfect_on(&self, label: usize) -> bool {
        self.labels.get(label).is_none_or(|of| of.both >= of.first.max(of.second) * (1.0 - 1e-12))
    }

    /// Kappa if the share `agreement` of the cases agreed, with the labels used as often as they were. Of a scale and of several labels, those that do not
    /// agree are taken to lie as far apart as two answers that differ by chance do, which leaves the same formula as without an order.
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
