//! Specific agreement: of the pairs of raters of whom one gave a label, the share in which the other gave it, too.
//!
//! Raw, not beyond chance: a label that nobody tells from another shows here, while every overall coefficient may be high.
//! Sources: Fleiss (1971), where it is P̄ⱼ; D. V. Cicchetti and A. R. Feinstein, "High agreement but low kappa: II. Resolving the paradoxes",
//! *Journal of Clinical Epidemiology* 43 (1990), 551–558, for two raters.

use super::ratings::Sums;

/// The specific agreement of a label. `None` if no pair of raters has it.
pub fn specific(sums: &Sums, label: usize) -> Option<f64> {
    let pairs = sums.pairs[label];
    if pairs > 0.0 { Some(sums.pairs_alike[label] / pairs) } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::fleiss::{tests::DIAGNOSES, tests::counted};
    use super::*;

    /// Fleiss (1971), table 2: of each category the kappa (P̄ⱼ − p̄ⱼ) / (1 − p̄ⱼ): .245, .245, .520, .471, .566.
    #[test]
    fn each_category_of_fleiss_own_example() {
        let sums = counted(&DIAGNOSES).whole();
        for (label, kappa) in [0.245, 0.245, 0.520, 0.471, 0.566].into_iter().enumerate() {
            let share = sums.ratings[label] / sums.ratings.iter().sum::<f64>();
            let found = (specific(&sums, label).unwrap() - share) / (1.0 - share);
            assert!((found - kappa).abs() < 5e-4, "{label}: {found}");
        }
    }

    /// Cicchetti and Feinstein's pₚₒₛ = 2a / (2a + b + c) and pₙₑ₉ = 2d / (2d + b + c), for a = 40, b + c = 15, d = 45.
    #[test]
    fn of_two_raters_it_is_positive_and_negative_agreement() {
        let mut table = vec![[2, 0]; 40];
        table.extend([[1, 1]; 15]);
        table.extend([[0, 2]; 45]);
        let sums = counted(&table).whole();
        assert!((specific(&sums, 0).unwrap() - 80.0 / 95.0).abs() < 1e-12);
        assert!((specific(&sums, 1).unwrap() - 90.0 / 105.0).abs() < 1e-12);
    }
}
