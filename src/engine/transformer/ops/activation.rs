//! What stands between the two linears of a feed-forward layer, with or without a gate.

use super::vector::exp;

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x / (1 + e^-x)`.
    Silu,
    /// GELU in its tanh form, as ggml computes it: `x / (1 + e^(-2u))` with `u = √(2/π) (x + 0.044715 x³)`.
    Gelu,
}

const SQRT_2_OVER_PI: f32 = 0.797_884_6;

impl Activation {
    /// Number by number, in place.
    pub fn apply(self, values: &mut [f32]) {
        match self {
            Self::Silu => values.iter_mut().for_each(|x| *x /= 1.0 + exp(-*x)),
            Self::Gelu => {
                for x in values {
                    let u = SQRT_2_OVER_PI * *x * (0.044_715 * *x).mul_add(*x, 1.0);
                    *x /= 1.0 + exp(-2.0 * u);
                }
            }
        }
    }

    /// Multiplies a gradient by the slope at `x`.
    pub fn gradient(self, x: &[f32], gradient: &mut [f32]) {
        match self {
            Self::Silu => {
                for (x, gradient) in x.iter().zip(gradient) {
                    let open = 1.0 / (1.0 + exp(-x));
                    *gradient *= open * (1.0 - open).mul_add(*x, 1.0);
                }
            }
            Self::Gelu => {
                for (x, gradient) in x.iter().zip(gradient) {
                    let square = x * x;
                    let u = SQRT_2_OVER_PI * x * (0.044_715f32).mul_add(square, 1.0);
                    let slope = SQRT_2_OVER_PI * (3.0 * 0.044_715f32).mul_add(square, 1.0);
                    let open = 1.0 / (1.0 + exp(-2.0 * u));
                    *gradient *= (2.0 * x * slope * (1.0 - open)).mul_add(open, open);
                }
            }
        }
    }

    /// `to = activation(gate) · up`.
    ///
    /// Shazeer, "GLU Variants Improve Transformer", arXiv 2002.05202.
    pub fn gate(self, gate: &[f32], up: &[f32], to: &mut [f32]) {
        to.copy_from_slice(gate);
        self.apply(to);
        to.iter_mut().zip(up).for_each(|(to, up)| *to *= up);
    }

    /// From the gradient by the result of [`Self::gate`] to those by `gate` and `up`.
    pub fn gate_gradient(
        self,
        (gate, up): (&[f32], &[f32]),
        by_result: &[f32],
        (by_gate, by_up): (&mut [f32], &mut [f32]),
    ) {
        by_up.copy_from_slice(gate);
        self.apply(by_up);
        for ((by_gate, by_up), (by, up)) in by_gate.iter_mut().zip(by_up).zip(by_result.iter().zip(up)) {
            *by_gate = by * up;
            *by_up *= by;
        }
        self.gradient(gate, by_gate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gelu_is_its_tanh_form() {
        for step in -2_000..2_000 {
            let x = f64::from(step) / 100.0;
            let mut ours = [x as f32];
            Activation::Gelu.apply(&mut ours);
            let theirs = 0.5 * x * (1.0 + (0.797_884_560_802_865_4 * (x + 0.044_715 * x.powi(3))).tanh());
            assert!(
                (f64::from(ours[0]) - theirs).abs() < 2e-6 * x.abs().max(1.0),
                "{x}: {} {theirs}",
                ours[0]
            );
        }
    }

    #[test]
    fn gradients_are_slopes() {
        for activation in [Activation::Silu, Activation::Gelu] {
            let at = |x: f32| {
                let mut y = [x];
                activation.apply(&mut y);
                f64::from(y[0])
            };
            for step in -40..40 {
                let x = step as f32 / 8.0;
                let mut slope = [1.0];
                activation.gradient(&[x], &mut slope);
                let measured = (at(x + 0.01) - at(x - 0.01)) / 0.02;
                assert!((f64::from(slope[0]) - measured).abs() < 1e-3, "{activation:?} at {x}");
                let (up, by) = (1.7, 0.3);
                let (mut by_gate, mut by_up) = ([0.0], [0.0]);
                activation.gate_gradient((&[x], &[up]), &[by], (&mut by_gate, &mut by_up));
                assert!((by_gate[0] - by * up * slope[0]).abs() < 1e-6);
                assert!((f64::from(by_up[0]) - f64::from(by) * at(x)).abs() < 1e-6);
            }
        }
    }
}
