//! Fleiss' kappa: agreement beyond chance of any number of raters, who need not be the same for all cases.
//!
//! Chance agreement is the probability that two random ratings are the same. If cases have unequal numbers of ratings, each case with two or more
//! counts once in the observed agreement, and each of its ratings counts once in chance agreement.
//! Source: J. L. Fleiss, "Measuring nominal scale agreement among many raters", *Psychological Bulletin* 76 (1971), 378–382.

use super::ratings::{Parts, Sums};

/// Observed agreement and chance.
pub fn fleiss(sums: &Sums) -> Parts {
    let all: f64 = sums.ratings.iter().sum();
    let chance = sums.ratings.iter().map(|n| (n / all).powi(2)).sum();
    Parts { observed: sums.raw(), chance }
}

#[cfg(test)]
pub(in crate::stats) mod tests {
    use super::super::ratings::Ratings;
    use super::*;

    /// A row a case: how many raters gave each label.
    pub(in crate::stats) fn counted<const N: usize>(table: &[[usize; N]]) -> Ratings {
        let raters = table.iter().map(|row| row.iter().sum()).max().unwrap_or(0);
        let mut experts = vec![vec![None; table.len()]; raters];
        for (case, row) in table.iter().enumerate() {
            let given = row.iter().enumerate().flat_map(|(label, n)| std::iter::repeat_n(label, *n));
            given.enumerate().for_each(|(rater, label)| experts[rater][case] = Some(label));
        }
        Ratings::of(&experts, N, crate::domain::task_kind::TaskKind::One)
    }

    /// Fleiss (1971), table 1: 30 patients, each diagnosed by six psychiatrists: depression, personality disorder, schizophrenia, neurosis,
    /// other.
    pub(in crate::stats) const DIAGNOSES: [[usize; 5]; 30] = [
        [0, 0, 0, 6, 0],
        [0, 3, 0, 0, 3],
        [0, 1, 4, 0, 1],
        [0, 0, 0, 0, 6],
        [0, 3, 0, 3, 0],
        [2, 0, 4, 0, 0],
        [0, 0, 4, 0, 2],
        [2, 0, 3, 1, 0],
        [2, 0, 0, 4, 0],
        [0, 0, 0, 0, 6],
        [1, 0, 0, 5, 0],
        [1, 1, 0, 4, 0],
        [0, 3, 3, 0, 0],
        [1, 0, 0, 5, 0],
        [0, 2, 0, 3, 1],
        [0, 0, 5, 0, 1],
        [3, 0, 0, 1, 2],
        [5, 1, 0, 0, 0],
        [0, 2, 0, 4, 0],
        [1, 0, 2, 0, 3],
        [0, 0, 0, 0, 6],
        [0, 1, 0, 5, 0],
        [0, 2, 0, 1, 3],
        [2, 0, 0, 4, 0],
        [1, 0, 0, 4, 1],
        [0, 5, 0, 1, 0],
        [4, 0, 0, 0, 2],
        [0, 2, 0, 4, 0],
        [1, 0, 5, 0, 0],
        [0, 0, 0, 0, 6],
    ];

    /// Fleiss' own example: observed agreement .555, chance .220, kappa .430.
    #[test]
    fn fleiss_own_example() {
        let parts = fleiss(&counted(&DIAGNOSES).whole());
        assert!((parts.observed - 0.555).abs() < 1e-3 && (parts.chance - 0.220).abs() < 1e-3, "{parts:?}");
        assert!((parts.coefficient().unwrap() - 0.430).abs() < 5e-4, "{parts:?}");
    }

    /// The example of the encyclopedia's "Fleiss' kappa": 10 subjects, 14 raters, 5 categories, .210.
    #[test]
    fn the_example_of_the_encyclopedia() {
        let table = [
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7],
        ];
        let kappa = fleiss(&counted(&table).whole()).coefficient().unwrap();
        assert!((kappa - 0.210).abs() < 5e-4, "{kappa}");
    }

    #[test]
    fn one_label_alone_and_no_shared_case_have_no_kappa() {
        assert_eq!(fleiss(&counted(&[[3, 0], [2, 0]]).whole()).coefficient(), None);
        assert_eq!(fleiss(&counted(&[[1, 0], [0, 1]]).whole()).coefficient(), None);
    }
}
