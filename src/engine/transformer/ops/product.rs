//! Matrix products, by the `gemm` crate, which picks its kernel for the processor at run time.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

/// What happens to what a product's target held before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
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

/// Columns, in units of the kernel's six, from which `gemm` copies its left side into the kernel's order before all cores read it. Its own
/// choice of 16 leaves products of 96 rows at less than half the speed (29 against 64 GFLOP/s of a core).
const COPIED_FROM: usize = 1;

/// `target (+)= scale · a · b`, for `a` of shape `m × k`, `b` of `k × n` and `target` of `m × n`, in any strides.
///
/// # Panics
/// Where the shapes do not fit.
pub fn product(
    cores: Cores,
    scale: f32,
    (a, b): (ArrayView2<'_, f32>, ArrayView2<'_, f32>),
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

/// `a · b`.
pub fn multiplied(cores: Cores, a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut to = Array2::zeros((a.nrows(), b.ncols()));
    product(cores, 1.0, (a, b), Target::Overwritten, to.view_mut());
    to
}

/// `to += scale · a · b`.
pub fn add_product(
    cores: Cores,
    scale: f32,
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    to: ArrayViewMut2<'_, f32>,
) {
    product(cores, scale, (a, b), Target::AddedTo, to);
}

/// Rows up to which a product with a matrix in rows is fastest on all cores where its result lies in columns: the matrix is then read as it
/// lies, where it would else be copied (at 96 rows 85 against 33 GFLOP/s of a core, at 1,048 rows 48 against 78).
const FEW_ROWS: usize = 256;

/// `to += x · matrixᵀ`.
pub fn through(
    cores: Cores,
    x: ArrayView2<'_, f32>,
    matrix: ArrayView2<'_, f32>,
    mut to: ArrayViewMut2<'_, f32>,
) {
    if cores == Cores::One || x.nrows() > FEW_ROWS {
        return add_product(cores, 1.0, x, matrix.reversed_axes(), to);
    }
    let mut columns = Array2::zeros((matrix.nrows(), x.nrows()));
    let result = columns.view_mut().reversed_axes();
    product(cores, 1.0, (x, matrix.reversed_axes()), Target::Overwritten, result);
    to += &columns.t();
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, s};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_product_is_that_of_ndarray_in_any_strides(m in 1usize..20, n in 1usize..20, k in 1usize..20, seed in 0u32..99) {
            let filled = |rows, columns| {
                Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 31 + j * 17 + seed as usize) % 13) as f32 - 6.0)
            };
            let (a, b, before) = (filled(m, 2 * k), filled(n, k), filled(m, n + 3));
            let a = a.slice(s![.., k..]);
            for cores in [Cores::One, Cores::All] {
                let mut target = before.clone();
                add_product(cores, 0.5, a, b.t(), target.slice_mut(s![.., 2..n + 2]));
                let mut expected = before.clone();
                expected.slice_mut(s![.., 2..n + 2]).scaled_add(0.5, &a.dot(&b.t()));
                prop_assert!(target.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-3));
                through(cores, a, b.view(), target.slice_mut(s![.., 2..n + 2]));
                expected.slice_mut(s![.., 2..n + 2]).scaled_add(1.0, &a.dot(&b.t()));
                prop_assert!(target.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-3));
                let got = multiplied(cores, a, b.t());
                prop_assert!(got.iter().zip(&a.dot(&b.t())).all(|(x, y)| (x - y).abs() < 1e-3));
            }
        }
    }
}
