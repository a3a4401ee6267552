//! The operations of language models that encoders do not have, each with its gradient: the norm without a mean, SiLU, and the turning of
//! queries and keys by their position.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use rayon::prelude::*;

use super::shape::{Pairs, Turn};
use crate::engine::bert::{Cores, Target, exp, gelu, gelu_gradient, product_by, sum};

/// `a · b`, by all cores.
pub fn multiplied(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut to = Array2::zeros((a.nrows(), b.ncols()));
    product_by(Cores::All, 1.0, a, b, Target::Overwritten, to.view_mut());
    to
}

/// Rows up to which a product with a matrix in rows is fastest where its result lies in columns: the matrix is then read as it lies, where it
/// would else be copied (at 96 rows 85 against 33 GFLOP/s of a core, at 1,048 rows 48 against 78).
const FEW_ROWS: usize = 256;

/// `x · matrixᵀ`, by all cores.
pub fn through(x: ArrayView2<'_, f32>, matrix: ArrayView2<'_, f32>) -> Array2<f32> {
    if x.nrows() > FEW_ROWS {
        return multiplied(x, matrix.reversed_axes());
    }
    let mut columns = Array2::zeros((matrix.nrows(), x.nrows()));
    let to = columns.view_mut().reversed_axes();
    product_by(Cores::All, 1.0, x, matrix.reversed_axes(), Target::Overwritten, to);
    columns.t().as_standard_layout().into_owned()
}

/// `to += scale · a · b`, by all cores.
pub fn add_product(scale: f32, a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>, to: ArrayViewMut2<'_, f32>) {
    product_by(Cores::All, scale, a, b, Target::AddedTo, to);
}

/// Divides each piece of `values`, as long as `weight`, by the root of its mean square, then scales it.
///
/// Zhang and Sennrich, "Root Mean Square Layer Normalization", arXiv 1910.07467.
pub fn norm(values: &mut [f32], weight: &[f32], epsilon: f32) {
    values.par_chunks_mut(weight.len()).with_min_len(min_len(weight.len())).for_each(|piece| {
        let scale = inverse_root(piece, epsilon);
        for (x, weight) in piece.iter_mut().zip(weight) {
            *x *= scale * weight;
        }
    });
}

/// From the gradient by the result of [`norm`] to that by its input `x`.
pub fn norm_gradient(x: &[f32], weight: &[f32], epsilon: f32, gradient: &mut [f32]) {
    let n = weight.len();
    let pieces = gradient.par_chunks_mut(n).zip(x.par_chunks(n));
    pieces.with_min_len(min_len(n)).for_each(|(gradient, x)| {
        let scale = inverse_root(x, epsilon);
        let mut product = 0.0;
        for ((gradient, weight), x) in gradient.iter_mut().zip(weight).zip(x) {
            *gradient *= weight;
            product += *gradient * x;
        }
        let product = product * scale * scale / n as f32;
        for (gradient, x) in gradient.iter_mut().zip(x) {
            *gradient = scale * (*gradient - x * product);
        }
    });
}

fn inverse_root(piece: &[f32], epsilon: f32) -> f32 {
    1.0 / (sum(piece, |x| x * x) / piece.len() as f32 + epsilon).sqrt()
}

/// How many pieces of this length are worth a thread.
fn min_len(length: usize) -> usize {
    (1 << 14) / length.max(1) + 1
}

/// What opens the wide layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// `x / (1 + e^-x)`.
    Silu,
    /// GELU in its tanh form.
    Gelu,
}

/// Numbers that one thread works on at a time.
const CHUNK: usize = 1 << 13;

impl Opening {
    /// Multiplies what comes through the wide layer by how far `gate` opens it: into `up`.
    pub fn open(self, gate: &[f32], up: &mut [f32]) {
        up.par_chunks_mut(CHUNK).zip(gate.par_chunks(CHUNK)).for_each(|(up, gate)| {
            let mut open = [0.0; CHUNK];
            let open = &mut open[..gate.len()];
            open.copy_from_slice(gate);
            self.apply(open);
            for (up, open) in up.iter_mut().zip(open) {
                *up *= *open;
            }
        });
    }

    /// From the gradient by the result of [`Self::open`]: that by `gate` goes into `by_gate`, and `gradient` becomes that by `up`.
    pub fn gradient(self, gate: &[f32], up: &[f32], gradient: &mut [f32], by_gate: &mut [f32]) {
        let of = gradient.par_chunks_mut(CHUNK).zip(by_gate.par_chunks_mut(CHUNK));
        of.zip(gate.par_chunks(CHUNK).zip(up.par_chunks(CHUNK))).for_each(
            |((gradient, by_gate), (gate, up))| {
                let mut open = [0.0; CHUNK];
                let open = &mut open[..gate.len()];
                open.copy_from_slice(gate);
                self.apply(open);
                for ((by_gate, gradient), up) in by_gate.iter_mut().zip(&*gradient).zip(up) {
                    *by_gate = gradient * up;
                }
                self.slope(gate, by_gate);
                for (gradient, open) in gradient.iter_mut().zip(open) {
                    *gradient *= *open;
                }
            },
        );
    }

    fn apply(self, values: &mut [f32]) {
        match self {
            Self::Silu => values.iter_mut().for_each(|x| *x /= 1.0 + exp(-*x)),
            Self::Gelu => gelu(values),
        }
    }

    /// Multiplies a gradient by the slope at `x`.
    fn slope(self, x: &[f32], gradient: &mut [f32]) {
        match self {
            Self::Silu => {
                for (x, gradient) in x.iter().zip(gradient) {
                    let open = 1.0 / (1.0 + exp(-x));
                    *gradient *= open * (1.0 - open).mul_add(*x, 1.0);
                }
            }
            Self::Gelu => gelu_gradient(x, gradient),
        }
    }
}

/// Cosine and sine for each row and pair of a head: how queries and keys turn.
pub struct Angles {
    /// `rows × head size`: of each pair its cosine and its sine.
    table: Array2<f32>,
    pairs: Pairs,
}

/// Which way something is turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As queries and keys are.
    On,
    /// As their gradients are.
    Back,
}

impl Angles {
    /// Those of rows at these positions, for heads of `size`. As ggml computes them: the angle is multiplied on from pair to pair in single
    /// precision.
    pub fn new(positions: &[usize], size: usize, pairs: Pairs, turn: Turn, divisors: Option<&[f32]>) -> Self {
        let step = turn.base.powf(-2.0 / size as f32);
        let mut table = Array2::zeros((positions.len(), size));
        for (position, mut row) in positions.iter().zip(table.rows_mut()) {
            let mut angle = *position as f32;
            for pair in 0..size / 2 {
                let (sine, cosine) =
                    (turn.scale * angle / divisors.map_or(1.0, |divisors| divisors[pair])).sin_cos();
                row[2 * pair] = cosine;
                row[2 * pair + 1] = sine;
                angle *= step;
            }
        }
        Self { table, pairs }
    }

    /// Turns every head of `values`, whose rows are those of the positions.
    pub fn turn(&self, values: &mut Array2<f32>, way: Way) {
        let (rows, width) = values.dim();
        let size = self.table.ncols();
        let (Some(values), Some(table)) = (values.as_slice_mut(), self.table.as_slice()) else { return };
        let back = if way == Way::Back { -1.0 } else { 1.0 };
        let turned = values.par_chunks_mut(width).zip(table.par_chunks(size)).take(rows);
        turned.with_min_len(min_len(width)).for_each(|(row, angles)| {
            for head in row.chunks_exact_mut(size) {
                for (pair, [cosine, sine]) in angles.as_chunks::<2>().0.iter().enumerate() {
                    let (one, other) = match self.pairs {
                        Pairs::Neighbours => (2 * pair, 2 * pair + 1),
                        Pairs::Halves => (pair, pair + size / 2),
                    };
                    let (x, y, sine) = (head[one], head[other], back * sine);
                    head[one] = x * cosine - y * sine;
                    head[other] = x * sine + y * cosine;
                }
            }
        });
    }
}
