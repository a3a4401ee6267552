//! Gradients of the operations in `arithmetic.rs`, each from the gradient by its result. Products need none of their own: theirs are
//! products.

use super::arithmetic::{exp, sum};

/// Multiplies the gradient by GELU's result into the gradient by its input `x`.
pub fn gelu_gradient(x: &[f32], gradient: &mut [f32]) {
    const SQRT_2_OVER_PI: f32 = 0.797_884_6;
    for (x, gradient) in x.iter().zip(gradient) {
        let square = x * x;
        let u = SQRT_2_OVER_PI * x * (0.044_715f32).mul_add(square, 1.0);
        let slope = SQRT_2_OVER_PI * (3.0 * 0.044_715f32).mul_add(square, 1.0);
        let open = 1.0 / (1.0 + exp(-2.0 * u));
        *gradient *= (2.0 * x * slope * (1.0 - open)).mul_add(open, open);
    }
}

/// From the gradient by the weights of a softmax to that by its scores.
pub fn softmax_gradient(weights: &[f32], gradient: &mut [f32]) {
    let mean = weights.iter().zip(&*gradient).map(|(w, g)| w * g).sum::<f32>();
    for (gradient, weight) in gradient.iter_mut().zip(weights) {
        *gradient = weight * (*gradient - mean);
    }
}

/// From the gradient by a layer norm's result to that by its input `x`; the norm's own scale is `weight`.
pub fn layer_norm_gradient(x: &[f32], weight: &[f32], epsilon: f32, gradient: &mut [f32]) {
    let n = x.len() as f32;
    let mean = sum(x, |x| x) / n;
    let variance = sum(x, |x| (x - mean) * (x - mean)) / n;
    let scale = 1.0 / (variance + epsilon).sqrt();
    let (mut of_gradient, mut of_product) = (0.0, 0.0);
    for ((gradient, weight), x) in gradient.iter_mut().zip(weight).zip(x) {
        *gradient *= weight;
        of_gradient += *gradient;
        of_product += *gradient * (x - mean) * scale;
    }
    let (of_gradient, of_product) = (of_gradient / n, of_product / n);
    for (gradient, x) in gradient.iter_mut().zip(x) {
        *gradient = scale * (*gradient - of_gradient - (x - mean) * scale * of_product);
    }
}
