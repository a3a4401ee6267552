//! What changes from step to step: the learning rate, and how far one step may go.

use super::adamw::Rows;

/// Of all steps, those in which the learning rate rises.
const WARM_UP: f64 = 0.1;
/// The longest gradient, over all parameters, that a step follows as it is.
const LONGEST: f64 = 1.0;

/// The share of the learning rate in step `step` of `steps`, counted from 0: it rises in a line, and falls in a line to 0 after the last.
pub(super) fn share_of_rate(step: usize, steps: usize) -> f64 {
    let rising = (WARM_UP * steps as f64).max(1.0);
    let (step, steps) = (step as f64, steps as f64);
    if step + 1.0 <= rising {
        (step + 1.0) / rising
    } else {
        ((steps - step) / (steps - rising + 1.0)).clamp(0.0, 1.0)
    }
}

/// Shortens the gradient to [`LONGEST`] where it is longer. Returns how long it was.
pub(super) fn clip(gradient: &mut Rows) -> f64 {
    let square = |row: &Vec<f32>| row.iter().map(|g| f64::from(g * g)).sum::<f64>();
    let length = gradient.iter().map(square).sum::<f64>().sqrt();
    if length > LONGEST {
        let scale = (LONGEST / length) as f32;
        gradient.iter_mut().flatten().for_each(|g| *g *= scale);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_for_a_tenth_and_then_falls_to_nothing() {
        let shares: Vec<f64> = (0..20).map(|step| share_of_rate(step, 20)).collect();
        assert_eq!(&shares[..2], [0.5, 1.0]);
        assert!(shares[2..].windows(2).all(|pair| pair[0] > pair[1]), "{shares:?}");
        assert!(shares[19] > 0.0 && shares[19] < 0.1, "{shares:?}");
        assert_eq!(share_of_rate(0, 1), 1.0);
    }

    #[test]
    fn only_a_long_gradient_is_shortened() {
        let mut short = vec![vec![0.3], vec![0.4]];
        assert!((clip(&mut short) - 0.5).abs() < 1e-6);
        assert_eq!(short, [[0.3], [0.4]]);
        let mut long = vec![vec![3.0], vec![4.0]];
        assert!((clip(&mut long) - 5.0).abs() < 1e-6);
        assert!((long[0][0] - 0.6).abs() < 1e-6 && (long[1][0] - 0.8).abs() < 1e-6);
        assert!(clip(&mut vec![vec![f32::NAN]]).is_nan());
    }
}
