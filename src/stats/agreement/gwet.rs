//! Gwet's AC1 for any number of raters with any number of missing ratings. Unlike kappa, it does not collapse if nearly all cases have the same label.
//!
//! Sources: K. L. Gwet, "Computing inter-rater reliability and its variance in the presence of high agreement", *British Journal of Mathematical
//! and Statistical Psychology* 61 (2008), 29–48; the same, *Handbook of Inter-Rater Reliability*, 4th edition (2014), for missing ratings.

use super::ratings::{Parts, Sums};

/// Observed agreement, over cases with two ratings or more, and chance: Σ πₖ(1 − πₖ) / (K − 1) over all K labels of the task, used or not,
/// where πₖ is the mean share of label k over the cases with a rating.
pub fn gwet(sums: &Sums) -> Parts {
    let chance =
        sums.shares.iter().map(|sum| sum / sums.rated).map(|share| share * (1.0 - share)).sum::<f64>();
    Parts { observed: sums.raw(), chance: chance / (sums.shares.len() as f64 - 1.0) }
}

#[cfg(test)]
mod tests {
    use super::super::fleiss::tests::counted;
    use super::super::krippendorff::{tests::OBSERVERS, tests::rows};
    use super::*;

    /// Gwet (2014), the example of four raters, twelve subjects and missing ratings: percent agreement .818, chance .190, AC1 .775.
    #[test]
    fn gwets_own_example_with_missing_ratings() {
        let parts = gwet(&rows(&OBSERVERS).whole());
        assert!(
            (parts.observed - 0.81818).abs() < 5e-5 && (parts.chance - 0.19032).abs() < 5e-5,
            "{parts:?}"
        );
        assert!((parts.coefficient().unwrap() - 0.77544).abs() < 5e-5, "{parts:?}");
    }

    /// Of two raters it is what it is of two raters: Gwet (2008), 118 + 5 + 2 of 125 cases, .9408.
    #[test]
    fn of_two_raters_it_is_the_ac1_of_pairs() {
        let mut table = vec![[2, 0]; 118];
        table.extend([[1, 1]; 7]);
        let ac1 = gwet(&counted(&table).whole()).coefficient().unwrap();
        assert!((ac1 - 0.9408).abs() < 5e-5, "{ac1}");
    }
}
