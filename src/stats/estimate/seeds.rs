//! The mean of a figure over runs with different seeds, with its confidence interval.
//!
//! The interval covers the seeds only; for the cases within a run see `bootstrap`.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

use serde::Serialize;

use super::paired::Paired;

/// The mean over seeds with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub mean: f64,
    pub lo: f64,
    pub hi: f64,
    /// Number of seeds.
    pub n: usize,
}

impl Spread {
    /// From one value per seed, by Student's t. `None` for fewer than two seeds.
    pub fn of(values: &[f64]) -> Option<Self> {
        let Paired { mean, error, n } = Paired::of(values)?;
        let half = student_t(n - 1) * error;
        Some(Self { mean, lo: mean - half, hi: mean + half, n })
    }

    /// Clips the interval to the range of the figure, which Student's t does not know.
    #[must_use]
    pub fn within(self, least: f64, most: f64) -> Self {
        Self { lo: self.lo.clamp(least, most), hi: self.hi.clamp(least, most), ..self }
    }
}

/// The 97.5 % point of Student's t with this many degrees of freedom; infinite for 0.
///
/// Bisection of the exact distribution at whole degrees of freedom, M. Abramowitz and I. A. Stegun, *Handbook of Mathematical Functions*
/// (1964), 26.7.3 and 26.7.4.
pub fn student_t(degrees: usize) -> f64 {
    if degrees == 0 {
        return f64::INFINITY;
    }
    // Over the angle arctan(t / √ν), so that the search has two ends; halved until no double lies between.
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if within(middle, degrees) < 0.95 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high).tan() * (degrees as f64).sqrt()
}

/// The share of the distribution between −t and t, where `angle` = arctan(t / √degrees).
fn within(angle: f64, degrees: usize) -> f64 {
    let (sine, cosine) = angle.sin_cos();
    let odd = degrees % 2 == 1;
    // The terms are cos θ, 2/3 cos³ θ, 2/3 · 4/5 cos⁵ θ … or 1, 1/2 cos² θ, 1/2 · 3/4 cos⁴ θ …, up to the power ν − 2.
    let (mut term, mut power) = if odd { (cosine, 1) } else { (1.0, 0) };
    let mut sum = 0.0;
    while power + 2 <= degrees {
        sum += term;
        term *= cosine * cosine * (power + 1) as f64 / (power + 2) as f64;
        power += 2;
    }
    if odd { FRAC_2_PI * (angle + sine * sum) } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The 97.5 % points of the usual tables, e.g. Abramowitz and Stegun's 26.10.
    #[test]
    fn the_quantile_is_that_of_the_tables_and_goes_on_where_they_end() {
        let table = [
            (1, 12.706),
            (2, 4.303),
            (3, 3.182),
            (4, 2.776),
            (5, 2.571),
            (9, 2.262),
            (10, 2.228),
            (19, 2.093),
            (29, 2.045),
            (30, 2.042),
            (40, 2.021),
            (60, 2.000),
            (120, 1.980),
            (10_000, 1.960),
        ];
        for (degrees, t) in table {
            assert!((student_t(degrees) - t).abs() < 6e-4, "{degrees}: {}", student_t(degrees));
        }
        assert_eq!(student_t(0), f64::INFINITY);
    }

    /// By hand: mean 5.5, variance 55/6, so 5.5 ± 2.262 · √(55/60).
    #[test]
    fn the_interval_of_ten_seeds_is_that_of_students_t() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        let Spread { mean, lo, hi, n } = Spread::of(&values).unwrap();
        assert!(mean == 5.5 && n == 10);
        assert!(
            (hi - 5.5 - 2.2622 * (55.0f64 / 60.0).sqrt()).abs() < 1e-4
                && (mean - lo - hi + mean).abs() < 1e-12
        );
        assert_eq!(Spread::of(&[0.4]), None);
    }

    #[test]
    fn no_interval_goes_beyond_what_the_figure_can_be() {
        let two = Spread::of(&[0.7, 0.9]).unwrap();
        assert!(two.hi > 1.3 && two.lo < 0.0, "{two:?}");
        let Spread { mean, lo, hi, .. } = two.within(-1.0, 1.0);
        assert!(mean == two.mean && hi == 1.0 && lo == two.lo, "{lo} to {hi}");
        assert_eq!(two.within(0.0, 1.0).lo, 0.0);
    }

    proptest! {
        #[test]
        fn the_quantile_falls_towards_that_of_the_normal_distribution(degrees in 1usize..400) {
            let (here, next) = (student_t(degrees), student_t(degrees + 1));
            prop_assert!(here > next && next > 1.959_963);
        }
    }
}
