//! Softmax, its logarithm and its gradient.

use super::vector::{exp, sum};

/// Turns a row of scores into weights that sum to 1.
pub fn softmax(row: &mut [f32]) {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for x in row.iter_mut() {
        *x = exp(*x - top);
    }
    let whole = 1.0 / sum(row, |x| x);
    for x in row {
        *x *= whole;
    }
}

/// From the gradient by the weights of a softmax to that by its scores.
pub fn softmax_gradient(weights: &[f32], gradient: &mut [f32]) {
    let mean = weights.iter().zip(&*gradient).map(|(w, g)| w * g).sum::<f32>();
    for (gradient, weight) in gradient.iter_mut().zip(weights) {
        *gradient = weight * (*gradient - mean);
    }
}

/// Turns a short row of scores into log-probabilities.
pub fn log_softmax(row: &mut [f32]) {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let whole = row.iter().map(|x| f64::from(x - top).exp()).sum::<f64>().ln() as f32;
    row.iter_mut().for_each(|x| *x -= top + whole);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn softmax_sums_to_one_and_keeps_ratios(mut row in proptest::collection::vec(-30f32..30.0, 1..70)) {
            let ratio = (row[0] - row[row.len() - 1]).exp();
            let mut logs = row.clone();
            softmax(&mut row);
            prop_assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let last = row[row.len() - 1];
            prop_assert!((row[0] - ratio * last).abs() <= 1e-5 * row[0].max(ratio * last).max(1e-30));
            log_softmax(&mut logs);
            prop_assert!(logs.iter().zip(&row).all(|(log, p)| (log.exp() - p).abs() < 1e-5));
        }
    }
}
