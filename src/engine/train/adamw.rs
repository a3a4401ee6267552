//! AdamW: Adam with bias correction and a decay that does not pass through the moments.
//!
//! Loshchilov and Hutter, "Decoupled Weight Decay Regularization", arXiv 1711.05101.

/// What is trained, or its gradient: some rows of numbers.
pub type Rows = Vec<Vec<f32>>;

/// How fast the moments forget, as everywhere.
const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The optimiser with its moments.
pub struct AdamW {
    decay: f64,
    steps: i32,
    first: Rows,
    second: Rows,
}

impl AdamW {
    /// One that begins, for parameters of these sizes.
    pub fn new(parameters: &Rows, decay: f64) -> Self {
        Self { decay, steps: 0, first: zeros(parameters), second: zeros(parameters) }
    }

    /// Moves the parameters against their gradient.
    pub fn step(&mut self, parameters: &mut Rows, gradient: &Rows, rate: f64) {
        self.steps += 1;
        let correct_first = (1.0 / (1.0 - BETA_1.powi(self.steps))) as f32;
        let correct_second = (1.0 / (1.0 - BETA_2.powi(self.steps))) as f32;
        let (beta_1, beta_2, epsilon) = (BETA_1 as f32, BETA_2 as f32, EPSILON as f32);
        let (rate, kept) = (rate as f32, (1.0 - rate * self.decay) as f32);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((parameters, gradient), (first, second)) in parameters.iter_mut().zip(gradient).zip(moments) {
            let moments = first.iter_mut().zip(second);
            for ((x, g), (first, second)) in parameters.iter_mut().zip(gradient).zip(moments) {
                *first = beta_1 * *first + (1.0 - beta_1) * g;
                *second = beta_2 * *second + (1.0 - beta_2) * g * g;
                let step = *first * correct_first / ((*second * correct_second).sqrt() + epsilon);
                *x = *x * kept - rate * step;
            }
        }
    }
}

/// Rows of the same lengths, all zero.
pub fn zeros(of: &Rows) -> Rows {
    of.iter().map(|row| vec![0.0; row.len()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_steps_are_those_of_pytorch() {
        // torch.optim.AdamW([1.0, -2.0], lr=0.1, weight_decay=0.01), gradients [0.5, -3.0] and then [0.25, 1.0].
        let (mut x, mut optimiser) = (vec![vec![1.0, -2.0]], AdamW::new(&vec![vec![0.0; 2]], 0.01));
        optimiser.step(&mut x, &vec![vec![0.5, -3.0]], 0.1);
        assert!((x[0][0] - 0.899).abs() < 1e-6 && (x[0][1] + 1.898).abs() < 1e-6, "{x:?}");
        optimiser.step(&mut x, &vec![vec![0.25, 1.0]], 0.1);
        // m = (0.07, -0.17) / 0.19, v = (0.00031225, 0.009991) / 0.001999.
        let by_hand = |x: f64, m: f64, v: f64| x * 0.999 - 0.1 * (m / 0.19) / ((v / 0.001_999).sqrt() + 1e-8);
        let expected = [by_hand(0.899, 0.07, 0.000_312_25), by_hand(-1.898, -0.17, 0.009_991)];
        assert!((f64::from(x[0][0]) - expected[0]).abs() < 1e-5, "{x:?} {expected:?}");
        assert!((f64::from(x[0][1]) - expected[1]).abs() < 1e-5, "{x:?} {expected:?}");
    }

    #[test]
    fn without_a_gradient_only_the_decay_acts() {
        let mut x = vec![vec![2.0]];
        AdamW::new(&vec![vec![0.0]], 0.5).step(&mut x, &vec![vec![0.0]], 0.1);
        assert!((x[0][0] - 1.9).abs() < 1e-6, "{x:?}");
    }

    #[test]
    fn it_finds_the_bottom_of_a_bowl() {
        let mut x = vec![vec![3.0, -4.0]];
        let mut optimiser = AdamW::new(&x, 0.0);
        for _ in 0..500 {
            let gradient = vec![vec![2.0 * (x[0][0] - 1.0), 20.0 * (x[0][1] - 0.5)]];
            optimiser.step(&mut x, &gradient, 0.05);
        }
        assert!((x[0][0] - 1.0).abs() < 0.01 && (x[0][1] - 0.5).abs() < 0.01, "{x:?}");
    }
}
