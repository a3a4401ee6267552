//! The encoder's operations as candle sees them: each with its result and the gradient by its inputs.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor};
use ndarray::{Array2, ArrayView2, Axis, s};

use super::tensors::{Held, matrix, scattered, stored, tensor};
use crate::engine::bert::{
    Linear, Norm, Place, Target, Weights, attention, attention_gradient, gelu, gelu_gradient, layer_norm,
    layer_norm_gradient, linear, pool, product,
};
use crate::engine::model_file::Pooling;

/// A frozen linear with its update: of `x` (`tokens × in`), `a` and `b`, the result is `tokens × out`.
pub(super) struct Adapted {
    pub weights: Arc<Weights>,
    pub layer: usize,
    pub place: Place,
    /// How often the update counts.
    pub scale: f32,
}

/// A frozen layer norm of `x` (`tokens × dimensions`).
pub(super) struct Normed {
    pub weights: Arc<Weights>,
    pub layer: usize,
    pub after: After,
}

/// Which of a block's norms.
#[derive(Clone, Copy)]
pub(super) enum After {
    Attention,
    Wide,
}

/// GELU, element by element.
pub(super) struct Gelu;

/// Attention of texts that lie end to end, from `tokens × 3 · dimensions` to `tokens × dimensions`.
pub(super) struct Attention {
    pub lengths: Arc<[usize]>,
    pub heads: usize,
}

/// One vector a text, from `tokens × dimensions` to `texts × dimensions`.
pub(super) struct Pooled {
    pub lengths: Arc<[usize]>,
    pub pooling: Pooling,
}

impl Adapted {
    fn linear(&self) -> &Linear {
        self.weights.layers[self.layer].linear(self.place)
    }

    /// For each part its rows of `a`, and its columns of the result, which are its rows of `b`.
    fn parts(
        &self,
        rank: usize,
    ) -> impl Iterator<Item = (std::ops::Range<usize>, std::ops::Range<usize>)> + use<> {
        let parts = self.place.tensors().len();
        let out = self.linear().weight.nrows() / parts;
        (0..parts).map(move |part| (part * rank..(part + 1) * rank, part * out..(part + 1) * out))
    }
}

impl CustomOp3 for Adapted {
    fn name(&self) -> &'static str {
        "adapted-linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, a, b) = (matrix(x, x_layout)?, matrix(a, a_layout)?, matrix(b, b_layout)?);
        let mut to = Array2::zeros((x.nrows(), self.linear().weight.nrows()));
        linear(self.linear(), x, to.view_mut());
        let down = multiplied(x, a.t());
        for (ranks, out) in self.parts(b.ncols()) {
            let (down, b) = (down.slice(s![.., ranks]), b.slice(s![out.clone(), ..]));
            product(self.scale, down, b.t(), Target::AddedTo, to.slice_mut(s![.., out]));
        }
        Ok(stored(to))
    }

    fn bwd(
        &self,
        x: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _result: &Tensor,
        by_result: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let wants_x = x.track_op();
        let (held_x, held_a, held_b, held_by) =
            (Held::of(x)?, Held::of(a)?, Held::of(b)?, Held::of(by_result)?);
        let (x, a, b, by_result) = (held_x.matrix()?, held_a.matrix()?, held_b.matrix()?, held_by.matrix()?);
        let down = multiplied(x, a.t());
        let mut by_down = Array2::zeros(down.dim());
        let mut by_b = Array2::zeros(b.dim());
        for (ranks, out) in self.parts(b.ncols()) {
            let by_part = by_result.slice(s![.., out.clone()]);
            let (down, by_down) = (down.slice(s![.., ranks.clone()]), by_down.slice_mut(s![.., ranks]));
            product(self.scale, by_part.t(), down, Target::Overwritten, by_b.slice_mut(s![out.clone(), ..]));
            product(self.scale, by_part, b.slice(s![out, ..]), Target::Overwritten, by_down);
        }
        let by_a = multiplied(by_down.t(), x);
        // The first block's input is the same whatever is trained.
        let by_x = wants_x.then(|| {
            let mut by_x = multiplied(by_result, self.linear().weight.view());
            product(1.0, by_down.view(), a, Target::AddedTo, by_x.view_mut());
            by_x
        });
        Ok((by_x.map(tensor).transpose()?, Some(tensor(by_a)?), Some(tensor(by_b)?)))
    }
}

impl Normed {
    fn norm(&self) -> &Norm {
        let layer = &self.weights.layers[self.layer];
        match self.after {
            After::Attention => &layer.attention_norm,
            After::Wide => &layer.output_norm,
        }
    }

    fn scale_and_shift(&self) -> Result<(&[f32], &[f32])> {
        let norm = self.norm();
        norm.weight.as_slice().zip(norm.bias.as_slice()).ok_or_else(scattered)
    }
}

impl CustomOp1 for Normed {
    fn name(&self) -> &'static str {
        "frozen-layer-norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut to = matrix(x, layout)?.to_owned();
        let (scale, shift) = self.scale_and_shift()?;
        for mut row in to.rows_mut() {
            layer_norm(row.as_slice_mut().ok_or_else(scattered)?, scale, shift, self.weights.epsilon);
        }
        Ok(stored(to))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, by_result: &Tensor) -> Result<Option<Tensor>> {
        let (held_x, held_by) = (Held::of(x)?, Held::of(by_result)?);
        let x = held_x.matrix()?;
        let mut gradient = held_by.matrix()?.to_owned();
        let (scale, _) = self.scale_and_shift()?;
        for (mut gradient, x) in gradient.rows_mut().into_iter().zip(x.rows()) {
            let (gradient, x) = gradient.as_slice_mut().zip(x.to_slice()).ok_or_else(scattered)?;
            layer_norm_gradient(x, scale, self.weights.epsilon, gradient);
        }
        tensor(gradient).map(Some)
    }
}

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut to = matrix(x, layout)?.to_owned();
        gelu(to.as_slice_mut().ok_or_else(scattered)?);
        Ok(stored(to))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, by_result: &Tensor) -> Result<Option<Tensor>> {
        let (held_x, held_by) = (Held::of(x)?, Held::of(by_result)?);
        let x = held_x.matrix()?;
        let mut gradient = held_by.matrix()?.to_owned();
        gelu_gradient(x.to_slice().ok_or_else(scattered)?, gradient.as_slice_mut().ok_or_else(scattered)?);
        tensor(gradient).map(Some)
    }
}

impl CustomOp1 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = matrix(x, layout)?;
        let mut to = Array2::zeros((x.nrows(), x.ncols() / 3));
        attention(&self.lengths, self.heads, x, to.view_mut(), &mut Vec::new());
        Ok(stored(to))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, by_result: &Tensor) -> Result<Option<Tensor>> {
        let (held_x, held_by) = (Held::of(x)?, Held::of(by_result)?);
        let x = held_x.matrix()?;
        let mut to = Array2::zeros(x.dim());
        attention_gradient(&self.lengths, self.heads, x, held_by.matrix()?, to.view_mut());
        tensor(to).map(Some)
    }
}

impl CustomOp1 for Pooled {
    fn name(&self) -> &'static str {
        "pooling"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok(stored(pool(self.pooling, &self.lengths, matrix(x, layout)?)))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, by_result: &Tensor) -> Result<Option<Tensor>> {
        let held_by = Held::of(by_result)?;
        let by_result = held_by.matrix()?;
        let mut to = Array2::zeros(x.dims2()?);
        let mut at = 0;
        for (length, by_vector) in self.lengths.iter().zip(by_result.rows()) {
            let mut rows = to.slice_mut(s![at..at + length, ..]);
            at += length;
            if self.pooling == Pooling::Cls {
                rows.index_axis_mut(Axis(0), 0).assign(&by_vector);
            } else {
                rows.assign(&(&by_vector / *length as f32));
            }
        }
        tensor(to).map(Some)
    }
}

fn multiplied(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut to = Array2::zeros((a.nrows(), b.ncols()));
    product(1.0, a, b, Target::Overwritten, to.view_mut());
    to
}
