//! The two norms, over rows of numbers or over the heads within them.

use super::product::Cores;
use super::vector::{for_rows, sum};

/// Which norm an architecture uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormKind {
    /// Mean 0 and variance 1, then scale and shift. Ba et al., "Layer Normalization", arXiv 1607.06450.
    Layer,
    /// Mean square 1, then scale. Zhang and Sennrich, "Root Mean Square Layer Normalization", arXiv 1910.07467.
    Rms,
}

/// A norm with its learned numbers.
#[derive(Clone, Debug)]
pub struct NormWeights {
    pub kind: NormKind,
    pub scale: Vec<f32>,
    /// Empty where the kind has none.
    pub shift: Vec<f32>,
    /// What is added to the variance or to the mean square.
    pub epsilon: f32,
}

impl NormWeights {
    /// Normalises one row in place.
    pub fn apply(&self, row: &mut [f32]) {
        match self.kind {
            NormKind::Layer => {
                let (mean, root) = self.mean_and_root(row);
                for ((x, scale), shift) in row.iter_mut().zip(&self.scale).zip(&self.shift) {
                    *x = ((*x - mean) * root).mul_add(*scale, *shift);
                }
            }
            NormKind::Rms => {
                let (_, root) = self.mean_and_root(row);
                row.iter_mut().zip(&self.scale).for_each(|(x, scale)| *x *= root * scale);
            }
        }
    }

    /// From the gradient by the result to that by the input `x`, in place.
    pub fn gradient(&self, x: &[f32], gradient: &mut [f32]) {
        let (mean, root) = self.mean_and_root(x);
        let n = x.len() as f32;
        let (mut of_gradient, mut of_product) = (0.0, 0.0);
        for ((gradient, scale), x) in gradient.iter_mut().zip(&self.scale).zip(x) {
            *gradient *= scale;
            of_gradient += *gradient;
            of_product += *gradient * (x - mean) * root;
        }
        let of_gradient = if self.kind == NormKind::Layer { of_gradient / n } else { 0.0 };
        let of_product = of_product / n;
        for (gradient, x) in gradient.iter_mut().zip(x) {
            *gradient = root * (*gradient - of_gradient - (x - mean) * root * of_product);
        }
    }

    /// What is subtracted, and what the rest is multiplied by.
    fn mean_and_root(&self, row: &[f32]) -> (f32, f32) {
        let n = row.len() as f32;
        let mean = match self.kind {
            NormKind::Layer => sum(row, |x| x) / n,
            NormKind::Rms => 0.0,
        };
        let variance = sum(row, |x| (x - mean) * (x - mean)) / n;
        (mean, 1.0 / (variance + self.epsilon).sqrt())
    }
}

/// Normalises each row, or each piece of a row as long as the norm.
pub fn norm_rows(cores: Cores, norm: &NormWeights, values: &mut [f32]) {
    for_rows(cores, values, norm.scale.len(), |_, row| norm.apply(row));
}

/// From the gradients by the results of [`norm_rows`] to those by its input `x`.
pub fn norm_gradient_rows(cores: Cores, norm: &NormWeights, x: &[f32], gradient: &mut [f32]) {
    let width = norm.scale.len();
    for_rows(cores, gradient, width, |row, gradient| norm.gradient(&x[row * width..][..width], gradient));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norm(kind: NormKind, n: usize) -> NormWeights {
        let shift = if kind == NormKind::Layer { vec![3.0; n] } else { Vec::new() };
        NormWeights { kind, scale: vec![2.0; n], shift, epsilon: 1e-12 }
    }

    #[test]
    fn a_norm_gives_mean_0_and_variance_1_before_it_scales_and_shifts() {
        let mut row: Vec<f32> = (0..37).map(|i| (i * i % 11) as f32).collect();
        norm(NormKind::Layer, 37).apply(&mut row);
        let mean = row.iter().sum::<f32>() / 37.0;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 37.0;
        assert!((mean - 3.0).abs() < 1e-5 && (variance - 4.0).abs() < 1e-4, "{mean} {variance}");
    }

    #[test]
    fn the_norm_without_a_mean_gives_mean_square_1_before_it_scales() {
        let mut row: Vec<f32> = (0..37).map(|i| (i * i % 11) as f32).collect();
        norm(NormKind::Rms, 37).apply(&mut row);
        let square = row.iter().map(|x| x * x).sum::<f32>() / 37.0;
        assert!((square - 4.0).abs() < 1e-4, "{square}");
    }

    #[test]
    fn gradients_are_slopes() {
        for kind in [NormKind::Layer, NormKind::Rms] {
            let norm = norm(kind, 9);
            let x: Vec<f32> = (0..9).map(|i| (i * i % 7) as f32 / 3.0 - 0.8).collect();
            let by: Vec<f32> = (0..9).map(|i| (i * 5 % 9) as f32 / 9.0 - 0.4).collect();
            let loss = |x: &[f32]| {
                let mut y = x.to_vec();
                norm.apply(&mut y);
                y.iter().zip(&by).map(|(y, by)| f64::from(y * by)).sum::<f64>()
            };
            let mut gradient = by.clone();
            norm.gradient(&x, &mut gradient);
            for (at, gradient) in gradient.iter().enumerate() {
                let moved = |step: f32| {
                    let mut moved = x.clone();
                    moved[at] += step;
                    loss(&moved)
                };
                let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                assert!((slope - f64::from(*gradient)).abs() < 2e-3, "{kind:?} {at}: {slope} {gradient}");
            }
        }
    }
}
