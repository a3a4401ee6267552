//! The linear layers of a block that read the same input, with their low-rank updates: their results side by side, and the gradients.
//!
//! Frozen weights get no gradient: it is not needed, and it would cost another product of their size.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

use super::ops::{Cores, Target, add_product, multiplied, product, through};
use super::sites::Projection;
use super::updates::Layout;
use super::weights::Weights;

/// The updates of a block: where they lie, and their numbers.
#[derive(Clone, Copy)]
pub struct Updates<'u> {
    pub layout: Layout,
    pub numbers: &'u [f32],
}

/// The linear layers of a projection in one block of a model.
#[derive(Clone, Copy)]
pub struct Projected<'m> {
    pub weights: &'m Weights,
    pub block: usize,
    pub projection: Projection,
    pub cores: Cores,
    pub updates: Option<Updates<'m>>,
}

impl Projected<'_> {
    /// Numbers of a row of the result.
    pub fn width(&self) -> usize {
        self.weights.shape.projection_dim(self.projection).0
    }

    /// The result for `x` (`rows × in`) goes into `to` (`rows × out`), or is added to it.
    pub fn forward(&self, x: ArrayView2<'_, f32>, mode: Target, mut to: ArrayViewMut2<'_, f32>) {
        let linears = self.weights.blocks[self.block].linears(self.projection);
        let mut first = 0;
        for linear in linears {
            let columns = first..first + linear.matrix.dim().0;
            first = columns.end;
            let mut to = to.slice_mut(s![.., columns]);
            match (&linear.bias, mode) {
                (Some(bias), Target::Overwritten) => to.assign(bias),
                (Some(bias), Target::AddedTo) => to += bias,
                (None, Target::Overwritten) => to.fill(0.0),
                (None, Target::AddedTo) => {}
            }
            self.weights.with_matrix(linear, |matrix| through(self.cores, x, matrix, to));
        }
        let Some(Updates { layout, numbers }) = self.updates else { return };
        let (a, b) = layout.ranges(self.projection, &self.weights.shape).matrices(numbers);
        let down = multiplied(self.cores, x, a.reversed_axes());
        for (ranks, out) in self.parts(layout.rank) {
            let (down, b) = (down.slice(s![.., ranks]), b.slice(s![out.clone(), ..]));
            add_product(self.cores, layout.scale, down, b.reversed_axes(), to.slice_mut(s![.., out]));
        }
    }

    /// Adds the gradient by the updates to `by_updates`, the row of the whole block; returns the gradient by `x`, where it is wanted.
    pub fn backward(
        &self,
        x: ArrayView2<'_, f32>,
        by_result: ArrayView2<'_, f32>,
        by_updates: &mut [f32],
        wanted: Wanted,
    ) -> Option<Array2<f32>> {
        let mut by_x = None;
        if wanted == Wanted::Input {
            let mut to = Array2::zeros(x.dim());
            let (mut first, mut mode) = (0, Target::Overwritten);
            for linear in self.weights.blocks[self.block].linears(self.projection) {
                let by_result = by_result.slice(s![.., first..first + linear.matrix.dim().0]);
                first += linear.matrix.dim().0;
                self.weights.with_matrix(linear, |matrix| {
                    product(self.cores, 1.0, (by_result, matrix), mode, to.view_mut());
                });
                mode = Target::AddedTo;
            }
            by_x = Some(to);
        }
        let Some(Updates { layout, numbers }) = self.updates else { return by_x };
        let ranges = layout.ranges(self.projection, &self.weights.shape);
        let (a, b) = ranges.matrices(numbers);
        let (by_a, mut by_b) = ranges.matrices_mut(by_updates);
        let down = multiplied(self.cores, x, a.reversed_axes());
        let mut by_down = Array2::zeros(down.dim());
        for (ranks, out) in self.parts(layout.rank) {
            let by_part = by_result.slice(s![.., out.clone()]);
            let to = by_b.slice_mut(s![out.clone(), ..]);
            let of_rank = down.slice(s![.., ranks.clone()]);
            add_product(self.cores, layout.scale, by_part.reversed_axes(), of_rank, to);
            let (b, to) = (b.slice(s![out, ..]), by_down.slice_mut(s![.., ranks]));
            product(self.cores, layout.scale, (by_part, b), Target::Overwritten, to);
        }
        add_product(self.cores, 1.0, by_down.t(), x, by_a);
        if let Some(by_x) = &mut by_x {
            add_product(self.cores, 1.0, by_down.view(), a, by_x.view_mut());
        }
        by_x
    }

    /// For each linear layer its rows of `a`, and its columns of the result, which are its rows of `b`.
    fn parts(&self, rank: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + use<> {
        let shape = &self.weights.shape;
        let mut end = 0;
        let outs: Vec<Range<usize>> = (self.projection.sites(shape.family.feed_forward).iter())
            .map(|site| {
                let out = shape.dim(*site).0;
                end += out;
                end - out..end
            })
            .collect();
        outs.into_iter().enumerate().map(move |(part, out)| (part * rank..(part + 1) * rank, out))
    }
}

/// Which gradients somebody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// By the updates and by the input.
    Input,
    /// By the updates alone: the input of the first block is the same whatever is trained.
    UpdatesAlone,
}
