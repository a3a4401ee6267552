//! How long an answer takes: the median, which a coffee break does not move.
//!
//! The ends of its interval are two of the values themselves, so it assumes no distribution.
//! Source: David and Nagaraja, *Order Statistics* (2003), section 7.1.

use crate::domain::figure::Figure;

/// The least number of values whose smallest and largest hold the median in 95 % of samples.
pub const LEAST: usize = 6;

/// The median of `values` with its 95 % interval; undefined below [`LEAST`] values. For up to some hundred values: above a thousand, the terms
/// of the binomial distribution underflow.
pub fn median(values: &[f64]) -> Figure {
    let n = values.len();
    if n < LEAST {
        return Figure::undefined(format!("{n} of the {LEAST} timed answers needed"));
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let value = f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]);
    let out = left_out(n);
    Figure::Known { value, lo: sorted[out], hi: sorted[n - 1 - out], n }
}

/// How many of `n` values can be left out at either end: the chance that so few or fewer lie below the median is at most 2.5 %.
fn left_out(n: usize) -> usize {
    // Terms of the binomial distribution with a chance of one half, from none on.
    let mut term = 0.5f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let mut below = term;
    let mut out = 0;
    loop {
        term *= (n - out) as f64 / (out + 1) as f64;
        below += term;
        if below > 0.025 || 2 * (out + 1) >= n {
            return out;
        }
        out += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_are_those_of_the_sign_test() {
        // Ranks from 1, as tables of the two-sided sign test at 5 % have them.
        for (n, lower) in [(6, 1), (9, 2), (12, 3), (20, 6), (50, 18)] {
            assert_eq!(left_out(n) + 1, lower, "n = {n}");
        }
    }

    #[test]
    fn five_answers_are_too_few_and_one_long_pause_moves_nothing() {
        assert_eq!(median(&[1.0; 5]), Figure::undefined("5 of the 6 timed answers needed"));
        let Figure::Known { value, hi, n, .. } =
            median(&[2.0, 3.0, 4.0, 2.0, 3.0, 4.0, 3.0, 2.0, 4.0, 3_600.0])
        else {
            panic!("ten answers are enough");
        };
        assert_eq!((value, hi, n), (3.0, 4.0, 10));
    }

    proptest! {
        #[test]
        fn the_median_lies_in_its_interval(values in prop::collection::vec(0.0f64..1e6, LEAST..200)) {
            let Figure::Known { value, lo, hi, .. } = median(&values) else { return Err(TestCaseError::fail("undefined")) };
            prop_assert!(lo <= value && value <= hi);
        }
    }
}
