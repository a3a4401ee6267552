//! Calibration error: of 100 texts of which a model is 80 % sure, it should be right about 80.
//!
//! The expected calibration error of the top label (Naeini et al. 2015, AAAI) over bins that hold the same number of cases each
//! (Nixon et al. 2019, arXiv 1904.01685), weighted so that the sample represents the pool. With few cases it is biased upwards: hence at least
//! ten cases to a bin. Where a text may have several labels, it is of each label that the model gives.

use crate::domain::figure::Figure;
use crate::stats::estimate::bootstrap::{figure, replicates};

const LEAST_CASES: usize = 30;
const MOST_BINS: usize = 10;
const LEAST_IN_BIN: usize = 10;

/// A label that the model gives to a text: its confidence, whether it was right, and how many texts of the pool the text represents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// The probability of the model's label, 0 to 1.
    pub confidence: f64,
    /// The share of the experts who answered for it that gave that label, 0 to 1: 0 or 1 where there is one.
    pub right: f64,
    /// One over the probability with which it was drawn.
    pub weight: f64,
}

/// The mean distance of confidence and accuracy, 0 to 1, with its 95 % bootstrap interval over texts, each with all its claims; undefined below 30 texts that
/// have any.
pub fn calibration_error(texts: &[Vec<Claim>], seed: u64) -> Figure {
    let texts: Vec<&[Claim]> = texts.iter().map(Vec::as_slice).filter(|of| !of.is_empty()).collect();
    let n = texts.len();
    if n < LEAST_CASES {
        return Figure::undefined(format!("{n} of the {LEAST_CASES} answered cases needed"));
    }
    let all: Vec<usize> = (0..n).collect();
    let value = error_over(&texts, &all);
    let drawn = replicates(n, seed, |drawn| Some(error_over(&texts, drawn)));
    figure(value, drawn, n, "too few cases")
}

fn error_over(texts: &[&[Claim]], drawn: &[usize]) -> f64 {
    let mut sorted: Vec<Claim> = drawn.iter().flat_map(|&i| texts[i]).copied().collect();
    sorted.sort_unstable_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let bins = (sorted.len() / LEAST_IN_BIN).clamp(1, MOST_BINS);
    let whole: f64 = sorted.iter().map(|claim| claim.weight).sum();
    let edge = |bin: usize| bin * sorted.len() / bins;
    (0..bins)
        .map(|bin| {
            let of = &sorted[edge(bin)..edge(bin + 1)];
            let off = |c: &Claim| c.weight * (c.confidence - c.right);
            of.iter().map(off).sum::<f64>().abs() / whole
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(confidence: impl Fn(usize) -> f64, right: impl Fn(usize) -> bool) -> Vec<Vec<Claim>> {
        let claim =
            |i| Claim { confidence: confidence(i), right: f64::from(u8::from(right(i))), weight: 1.0 };
        (0..200).map(|i| vec![claim(i)]).collect()
    }

    #[test]
    fn what_is_as_sure_as_it_is_right_has_no_error() {
        let Figure::Known { value, hi, n, .. } = calibration_error(&claims(|_| 0.8, |i| i % 5 != 0), 1)
        else {
            panic!("defined")
        };
        // Within each bin of 20 equal confidences, exactly a fifth are wrong.
        assert!(value < 1e-9 && hi < 0.2 && n == 200, "{value} {hi}");
    }

    #[test]
    fn overconfidence_is_its_own_size() {
        let Figure::Known { value, lo, hi, .. } = calibration_error(&claims(|_| 0.99, |i| i % 2 == 0), 1)
        else {
            panic!("defined")
        };
        assert!((value - 0.49).abs() < 1e-9 && lo <= value && value <= hi + 1e-9, "{lo} {value} {hi}");
    }

    #[test]
    fn a_case_counts_as_often_as_it_stands_for() {
        let mut all = claims(|i| if i < 100 { 0.6 } else { 0.9 }, |i| i >= 100);
        for claim in all[..100].iter_mut().flatten() {
            claim.weight = 9.0;
        }
        let Figure::Known { value, .. } = calibration_error(&all, 1) else { panic!("defined") };
        assert!((value - (0.9 * 0.6 + 0.1 * 0.1)).abs() < 1e-9, "{value}");
        assert!(matches!(calibration_error(&all[..29], 1), Figure::Undefined { .. }));
    }

    #[test]
    fn a_text_is_one_case_however_many_labels_the_model_gives_it() {
        let one = claims(|_| 0.8, |i| i % 2 == 0);
        let two: Vec<Vec<Claim>> = one.iter().map(|of| [of[0], of[0]].into()).collect();
        let (one, two) = (calibration_error(&one[..40], 1), calibration_error(&two[..40], 1));
        let Figure::Known { value, lo, hi, n } = two else { panic!("defined") };
        assert!(
            (value - 0.3).abs() < 1e-9
                && n == 40
                && one.value().is_some_and(|one| (one - value).abs() < 1e-9),
            "{value}"
        );
        let Figure::Known { lo: once_lo, hi: once_hi, .. } = one else { panic!("defined") };
        assert!((lo - once_lo).abs() < 1e-9 && (hi - once_hi).abs() < 1e-9, "the copies narrow nothing");
        let mut none = claims(|_| 0.8, |i| i % 2 == 0);
        none[29..].fill(Vec::new());
        assert!(calibration_error(&none, 1).to_string().contains("29 of the 30"));
    }
}
