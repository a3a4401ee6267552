//! A mean with its standard error, mostly of the differences of two models' losses on the same examples.

/// The mean of differences, or of any repeated values, with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paired {
    pub mean: f64,
    /// The standard error of the mean.
    pub error: f64,
    pub n: usize,
}

impl Paired {
    /// `None` for fewer than two differences.
    pub fn of(differences: &[f64]) -> Option<Self> {
        let n = differences.len();
        if n < 2 {
            return None;
        }
        let mean = differences.iter().sum::<f64>() / n as f64;
        let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
        Some(Self { mean, error: (variance / n as f64).sqrt(), n })
    }

    /// Whether the mean is above zero by more than one standard error.
    pub fn is_worse(&self) -> bool {
        self.mean > self.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_the_error_of_its_mean() {
        let paired = Paired::of(&[1.0, 3.0, 2.0, 2.0]).unwrap();
        // Variance 2/3 with three degrees of freedom, over four.
        assert!((paired.mean - 2.0).abs() < 1e-12 && (paired.error - (2.0f64 / 12.0).sqrt()).abs() < 1e-12);
        assert!(paired.is_worse());
        assert!(!Paired::of(&[-1.0, 3.0, -2.0, 2.0]).unwrap().is_worse());
        assert_eq!(Paired::of(&[1.0]), None);
    }
}
