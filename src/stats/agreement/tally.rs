//! What Cohen's kappa needs of a table of two raters' answers: its margins, its diagonal and its total, never the whole table.
//!
//! Answers may carry weights; the sums are then over weights.

#[derive(Clone, Debug)]
pub(in crate::stats) struct Tally {
    first: Vec<f64>,
    second: Vec<f64>,
    pub(in crate::stats) agreed: f64,
    pub(in crate::stats) total: f64,
}

impl Tally {
    pub(in crate::stats) fn new(labels: usize) -> Self {
        Self { first: vec![0.0; labels], second: vec![0.0; labels], agreed: 0.0, total: 0.0 }
    }

    pub(in crate::stats) fn add(&mut self, first: usize, second: usize, weight: f64) {
        self.first[first] += weight;
        self.second[second] += weight;
        self.total += weight;
        if first == second {
            self.agreed += weight;
        }
    }

    /// `None` without a case, and if agreement by chance is certain.
    pub(in crate::stats) fn kappa(&self) -> Option<f64> {
        self.kappa_at(self.agreed / self.total)
    }

    /// Kappa if the share `agreement` of the cases agreed, with the labels used as often as they were.
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
