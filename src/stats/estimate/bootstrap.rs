//! Intervals by resampling cases: the bootstrap, and exact bounds where it has no spread.
//!
//! Knows no statistic itself. Percentile intervals, not BCa: BCa needs a jackknife, which would have to be
//! derived for every weighted or averaged figure, and is undefined where only one case has a second label.
//! The price is small: over 1,500 simulated samples each of kappas of .49 to .81, percentile
//! intervals held the true value in 92 to 97 % at 30 cases, 93 to 94 % at 50, 94 to 96 % at 200; BCa in 94 to
//! 97, 94 to 98, 95 to 96 %.
//! Source: Efron and Tibshirani, *An Introduction to the Bootstrap* (1993), chapters 13 and 14.

use rand::SeedableRng;
use rand::distributions::{Distribution, Uniform};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::domain::figure::Figure;

/// Resamples behind every interval.
pub const RESAMPLES: usize = 2_000;
/// A figure is not shown if more than this share of the resamples leaves it undefined.
const MOST_UNDEFINED: f64 = 0.10;
/// Both tails of a 95 % interval together.
const ALPHA: f64 = 0.05;

/// `statistic` of each of the 2,000 resamples of `cases` cases, given as the indices drawn.
///
/// Each resample has a random stream of its own, so the result depends on the seed alone, not on the cores.
/// Empty without cases, and with more than 2³².
pub fn replicates<T: Send>(cases: usize, seed: u64, statistic: impl Fn(&[usize]) -> T + Sync) -> Vec<T> {
    let Some(last) = u32::try_from(cases).ok().and_then(|cases| cases.checked_sub(1)) else {
        return Vec::new();
    };
    let any = Uniform::new_inclusive(0, last);
    let origin = ChaCha8Rng::seed_from_u64(seed);
    (0..RESAMPLES as u64)
        .into_par_iter()
        .map_init(
            || vec![0; cases],
            |drawn, resample| {
                let mut rng = origin.clone();
                rng.set_stream(resample);
                drawn.fill_with(|| any.sample(&mut rng) as usize);
                statistic(drawn)
            },
        )
        .collect()
}

/// The figure `value` over `n` cases with its 95 % percentile interval.
///
/// Resamples in which the statistic is undefined are left out; if they are more than a tenth, the figure is
/// undefined because of `why`.
pub fn figure(value: f64, replicates: impl IntoIterator<Item = Option<f64>>, n: usize, why: &str) -> Figure {
    let replicates: Vec<Option<f64>> = replicates.into_iter().collect();
    let mut defined: Vec<f64> = replicates.iter().copied().flatten().collect();
    let missing = replicates.len() - defined.len();
    if defined.is_empty() || missing as f64 > MOST_UNDEFINED * replicates.len() as f64 {
        return Figure::undefined(why);
    }
    defined.sort_unstable_by(f64::total_cmp);
    let (lo, hi) = (quantile(&defined, ALPHA / 2.0), quantile(&defined, 1.0 - ALPHA / 2.0));
    Figure::Known { value, lo: lo.min(value), hi: hi.max(value), n }
}

/// The smallest share of successes that is still credible after `n` successes in `n` trials (`n` may be an
/// effective number), at the same 2.5 % a tail: Clopper and Pearson's bound, 0.025^(1/n).
///
/// The bootstrap of a sample without a failure has no spread and would claim certainty; use this bound instead.
pub fn floor_without_failure(n: f64) -> f64 {
    (ALPHA / 2.0).powf(1.0 / n)
}

/// Replaces the lower end of a coefficient's interval, if `low` is given; never below -1.
pub fn with_low(found: Figure, low: Option<f64>) -> Figure {
    match (found, low) {
        (Figure::Known { value, hi, n, .. }, Some(low)) => {
            Figure::Known { value, lo: low.max(-1.0).min(value), hi, n }
        }
        (found, _) => found,
    }
}

/// Linear interpolation between order statistics (Hyndman and Fan's type 7).
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_coefficient_ends_below_its_least() {
        let found = Figure::Known { value: 1.0, lo: 1.0, hi: 1.0, n: 6 };
        let with = |low| with_low(found.clone(), low);
        assert_eq!(with(Some(-1.11)), Figure::Known { value: 1.0, lo: -1.0, hi: 1.0, n: 6 });
        assert_eq!(with(Some(0.3)), Figure::Known { value: 1.0, lo: 0.3, hi: 1.0, n: 6 });
        assert_eq!(with(None), found);
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_the_central_limit() {
        let cases: Vec<f64> = (0..400).map(|i| f64::from(i % 5)).collect();
        let mean = |drawn: &[usize]| Some(drawn.iter().map(|&i| cases[i]).sum::<f64>() / drawn.len() as f64);
        // Variance 2 over 400 cases: a standard error of 0.0707.
        let Figure::Known { lo, hi, n, .. } = figure(2.0, replicates(400, 1, mean), 400, "") else {
            unreachable!("defined in every resample")
        };
        assert!((lo - (2.0 - 0.1386)).abs() < 0.015 && (hi - (2.0 + 0.1386)).abs() < 0.015, "{lo} {hi}");
        assert_eq!(n, 400);
    }

    #[test]
    fn the_seed_alone_decides_and_resamples_differ() {
        let draw = |seed| replicates(50, seed, <[usize]>::to_vec);
        let first = draw(7);
        assert_eq!(first, draw(7));
        assert_ne!(first, draw(8));
        assert_eq!(first.len(), RESAMPLES);
        assert_ne!(first[0], first[1]);
    }

    #[test]
    fn a_statistic_that_many_resamples_leave_undefined_is_undefined_itself() {
        let defined = |share: usize| (0..100).map(move |i| (i >= share).then_some(0.5));
        assert_eq!(figure(0.5, defined(11), 9, "too few"), Figure::undefined("too few"));
        assert!(figure(0.5, defined(10), 9, "too few").value().is_some());
        assert_eq!(figure(0.5, replicates(0, 1, |_| Some(1.0)), 0, "no case"), Figure::undefined("no case"));
    }

    /// Clopper and Pearson (1934) for 10 of 10: 0.6915 to 1.
    #[test]
    fn ten_successes_in_ten_leave_room_for_a_share_of_0_69() {
        assert!((floor_without_failure(10.0) - 0.6915).abs() < 1e-4);
    }
}
