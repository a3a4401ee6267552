//! What changes from step to step: the learning rate, and how far one step may go.

use candle_core::backprop::GradStore;
use candle_core::{Result, Var};

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
pub(super) fn clip(gradients: &mut GradStore, parameters: &[Var]) -> Result<f64> {
    let mut square = 0.0;
    for gradient in parameters.iter().filter_map(|p| gradients.get(p)) {
        square += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
    }
    let length = square.sqrt();
    if length > LONGEST {
        for parameter in parameters {
            if let Some(gradient) = gradients.remove(parameter) {
                gradients.insert(parameter, (gradient * (LONGEST / length))?);
            }
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::share_of_rate;

    #[test]
    fn the_rate_rises_for_a_tenth_and_then_falls_to_nothing() {
        let shares: Vec<f64> = (0..20).map(|step| share_of_rate(step, 20)).collect();
        assert_eq!(&shares[..2], [0.5, 1.0]);
        assert!(shares[2..].windows(2).all(|pair| pair[0] > pair[1]), "{shares:?}");
        assert!(shares[19] > 0.0 && shares[19] < 0.1, "{shares:?}");
        assert_eq!(share_of_rate(0, 1), 1.0);
    }
}
