//! The four operations of an encoder's forward pass: matrix product, layer norm, GELU, softmax.
//!
//! Products go to the `gemm` crate, which picks its kernel for the processor at run time. The others are written so
//! that the compiler can turn them into vector instructions: sums in lanes, an exponential without a call.

use ndarray::{ArrayView2, ArrayViewMut2};

/// Lanes of a sum: one AVX-512 register, two of AVX2, four of NEON.
const LANES: usize = 16;

/// What happens to what a product's target held before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// It is overwritten.
    Overwritten,
    /// The product is added to it.
    AddedTo,
}

/// Who computes a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// The thread that asks.
    One,
    /// All threads of rayon's pool.
    All,
}

/// `target (+)= scale · a · b`, for `a` of shape `m × k`, `b` of `k × n` and `target` of `m × n`, in any strides.
///
/// # Panics
/// Where the shapes do not fit.
pub fn product(
    scale: f32,
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    mode: Target,
    target: ArrayViewMut2<'_, f32>,
) {
    product_by(Cores::One, scale, a, b, mode, target);
}

/// Columns, in units of the kernel's six, from which `gemm` copies its left side into the kernel's order before all cores read it. Its own
/// choice of 16 leaves products of 96 rows at less than half the speed (29 against 64 GFLOP/s of a core).
const COPIED_FROM: usize = 1;

/// [`product`], by one core or by all.
///
/// # Panics
/// Where the shapes do not fit.
pub fn product_by(
    cores: Cores,
    scale: f32,
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    mode: Target,
    mut target: ArrayViewMut2<'_, f32>,
) {
    let ((m, k), n) = (a.dim(), b.ncols());
    assert!(b.nrows() == k && target.dim() == (m, n), "a product of shapes that do not fit");
    let &[a_row, a_column] = a.strides() else { return };
    let &[b_row, b_column] = b.strides() else { return };
    let &[to_row, to_column] = target.strides() else { return };
    let read_target = mode == Target::AddedTo;
    if cores == Cores::All {
        gemm::set_lhs_packing_threshold_multi_thread(COPIED_FROM);
    }
    #[expect(
        unsafe_code,
        reason = "the shapes fit, each pointer comes with the strides of its view, and the target is borrowed alone"
    )]
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            target.as_mut_ptr(),
            to_column,
            to_row,
            read_target,
            a.as_ptr(),
            a_column,
            a_row,
            b.as_ptr(),
            b_column,
            b_row,
            1.0,
            scale,
            false,
            false,
            false,
            match cores {
                Cores::One => gemm::Parallelism::None,
                Cores::All => gemm::Parallelism::Rayon(0),
            },
        );
    }
}

/// `e^x` within 3 units of the last place, for `x` up to 88; below -87 it stays at `e^-87`.
///
/// The power of two goes to the exponent's bits, the rest to a polynomial (Cephes `expf`).
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 · 2^23: adding it leaves the nearest integer in the low bits
    let x = x.clamp(-87.0, 88.0);
    let power = x * std::f32::consts::LOG2_E + ROUND;
    let whole = power - ROUND;
    let rest = whole.mul_add(-0.693_359_4, x);
    let rest = whole.mul_add(2.121_944_4e-4, rest);
    let p = rest.mul_add(1.987_569_1e-4, 1.398_2e-3);
    let p = rest.mul_add(p, 8.333_452e-3);
    let p = rest.mul_add(p, 4.166_579_6e-2);
    let p = rest.mul_add(p, 1.666_666_5e-1);
    let p = rest.mul_add(p, 0.5);
    let p = (rest * rest).mul_add(p, rest) + 1.0;
    let exponent = power.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    p * f32::from_bits(exponent)
}

/// GELU in its tanh form, as ggml computes it: `x / (1 + e^(-2u))` with `u = √(2/π) (x + 0.044715 x³)`.
pub fn gelu(values: &mut [f32]) {
    const SQRT_2_OVER_PI: f32 = 0.797_884_6;
    for x in values {
        let u = SQRT_2_OVER_PI * *x * (0.044_715 * *x).mul_add(*x, 1.0);
        *x /= 1.0 + exp(-2.0 * u);
    }
}

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

/// Gives a row mean 0 and variance 1, then scales and shifts it.
pub fn layer_norm(row: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    let n = row.len() as f32;
    let mean = sum(row, |x| x) / n;
    let variance = sum(row, |x| (x - mean) * (x - mean)) / n;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for ((x, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
        *x = ((*x - mean) * scale).mul_add(*weight, *bias);
    }
}

/// The sum of `f` over the values, in lanes.
#[inline(always)]
pub fn sum(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += f(*x);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|x| f(*x)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, s};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_exponential_is_that_of_the_standard_library() {
        for step in -8_700..8_800 {
            let x = step as f32 / 100.0;
            let (ours, theirs) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((ours / theirs - 1.0).abs() < 4e-7, "{x}: {ours} {theirs}");
        }
        assert_eq!(exp(f32::NEG_INFINITY), exp(-87.0));
    }

    #[test]
    fn gelu_is_its_tanh_form() {
        for step in -2_000..2_000 {
            let x = f64::from(step) / 100.0;
            let mut ours = [x as f32];
            gelu(&mut ours);
            let theirs = 0.5 * x * (1.0 + (0.797_884_560_802_865_4 * (x + 0.044_715 * x.powi(3))).tanh());
            assert!(
                (f64::from(ours[0]) - theirs).abs() < 2e-6 * x.abs().max(1.0),
                "{x}: {} {theirs}",
                ours[0]
            );
        }
    }

    #[test]
    fn a_norm_gives_mean_0_and_variance_1_before_it_scales_and_shifts() {
        let mut row: Vec<f32> = (0..37).map(|i| (i * i % 11) as f32).collect();
        layer_norm(&mut row, &[2.0; 37], &[3.0; 37], 1e-12);
        let mean = row.iter().sum::<f32>() / 37.0;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 37.0;
        assert!((mean - 3.0).abs() < 1e-5 && (variance - 4.0).abs() < 1e-4, "{mean} {variance}");
    }

    proptest! {
        #[test]
        fn a_product_is_that_of_ndarray_in_any_strides(m in 1usize..20, n in 1usize..20, k in 1usize..20, seed in 0u32..99) {
            let filled = |rows, columns| {
                Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 31 + j * 17 + seed as usize) % 13) as f32 - 6.0)
            };
            let (a, b, before) = (filled(m, 2 * k), filled(n, k), filled(m, n + 3));
            let mut target = before.clone();
            let a = a.slice(s![.., k..]);
            product(0.5, a, b.t(), Target::AddedTo, target.slice_mut(s![.., 2..n + 2]));
            let mut expected = before;
            expected.slice_mut(s![.., 2..n + 2]).scaled_add(0.5, &a.dot(&b.t()));
            prop_assert!(target.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-3));
            product(1.0, a, b.t(), Target::Overwritten, target.slice_mut(s![.., 2..n + 2]));
            let (got, expected) = (target.slice(s![.., 2..n + 2]), a.dot(&b.t()));
            prop_assert!(got.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-3));
        }

        #[test]
        fn softmax_sums_to_one_and_keeps_ratios(mut row in proptest::collection::vec(-30f32..30.0, 1..70)) {
            let ratio = (row[0] - row[row.len() - 1]).exp();
            softmax(&mut row);
            prop_assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let last = row[row.len() - 1];
            prop_assert!((row[0] - ratio * last).abs() <= 1e-5 * row[0].max(ratio * last).max(1e-30));
        }
    }
}
