//! Krippendorff's alpha for nominal and ordinal data: agreement beyond chance of any number of raters with any number of missing ratings.
//!
//! Chance agreement is the probability that two random ratings drawn without replacement are the same, which makes it differ from Fleiss' kappa on
//! few ratings. Each case is weighted by its number of ratings.
//! Source: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), University of Pennsylvania.

use super::ratings::{Parts, Sums};

/// Observed agreement and chance, both over coincidences.
pub fn krippendorff(sums: &Sums) -> Parts {
    let all: f64 = sums.ratings.iter().sum();
    let chance = sums.ratings.iter().map(|n| n * (n - 1.0)).sum::<f64>() / (all * (all - 1.0));
    Parts { observed: sums.coincidences / all, chance }
}

/// The same of levels in order. Two levels differ by the square of the ratings that lie from the one to the other, those at both ends counted half, so
/// that levels that nobody gives between them set nothing apart.
pub fn ordinal(sums: &Sums) -> Parts {
    let levels = sums.ratings.len();
    let all: f64 = sums.ratings.iter().sum();
    let (mut observed, mut chance, mut differing) = (0.0, 0.0, 0.0);
    for a in 0..levels {
        for b in 0..levels {
            let (low, high) = (a.min(b), a.max(b));
            let between: f64 = sums.ratings[low..=high].iter().sum();
            let apart = (between - f64::midpoint(sums.ratings[a], sums.ratings[b])).powi(2);
            let by_chance = if a == b { 0.0 } else { sums.ratings[a] * sums.ratings[b] };
            observed += sums.matrix[a * levels + b] * apart;
            chance += by_chance * apart;
            differing += by_chance;
        }
    }
    let (observed, chance, differing) =
        (observed / all, chance / (all * (all - 1.0)), differing / (all * (all - 1.0)));
    // Brought to the scale on which two ratings that differ by chance differ by 1: the coefficient is the same, and its parts are shares.
    Parts { observed: 1.0 - observed * differing / chance, chance: 1.0 - differing }
}

#[cfg(test)]
pub(in crate::stats) mod tests {
    use super::super::ratings::Ratings;
    use super::*;
    use crate::domain::task_kind::TaskKind;

    /// A row a rater: a digit or letter a case, `.` where there is none.
    pub(in crate::stats) fn rows(rows: &[&str]) -> Ratings {
        let known: std::collections::BTreeSet<char> =
            rows.iter().flat_map(|r| r.chars()).filter(|c| *c != '.').collect();
        let label = |c: char| known.iter().position(|k| *k == c);
        let experts: Vec<Vec<_>> = rows.iter().map(|row| row.chars().map(label).collect()).collect();
        Ratings::of(&experts, known.len(), TaskKind::Scale)
    }

    /// Krippendorff (2011), section C: four observers, twelve units, seven ratings missing.
    pub(in crate::stats) const OBSERVERS: [&str; 4] =
        ["123321412...", "1233224125.3", ".3332342251.", "12332441251."];

    fn alpha(of: &[&str]) -> f64 {
        krippendorff(&rows(of).whole()).coefficient().unwrap()
    }

    /// The three worked nominal examples: binary, five values, and with missing data.
    #[test]
    fn krippendorffs_own_examples() {
        assert!((alpha(&["0100000010", "1110010000"]) - 0.095).abs() < 5e-4);
        assert!((alpha(&["aabbdcccedda", "babbbccceddd"]) - 0.692).abs() < 5e-4);
        assert!((alpha(&OBSERVERS) - 0.743).abs() < 5e-4, "{}", alpha(&OBSERVERS));
    }

    /// The ordinal example of section D on the same observers; and the two values of the binary one, of which neither is farther than the other.
    #[test]
    fn krippendorffs_ordinal_example() {
        let ordinal = |of: &[&str]| ordinal(&rows(of).whole()).coefficient().unwrap();
        assert!((ordinal(&OBSERVERS) - 0.815).abs() < 5e-4, "{}", ordinal(&OBSERVERS));
        let binary = ["0100000010", "1110010000"];
        assert!((ordinal(&binary) - alpha(&binary)).abs() < 1e-12);
    }

    #[test]
    fn a_single_rating_moves_nothing() {
        assert!((alpha(&["00110", "01110"]) - alpha(&["001101", "01110."])).abs() < 1e-12);
    }
}
