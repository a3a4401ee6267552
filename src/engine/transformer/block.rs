//! One block of any family, with or without low-rank updates: what comes out of it, and the gradient by what goes in and by the updates.
//!
//! Both halves of a block are `output_norm(x + result_norm(body(input_norm(x))))`, each norm where the family has it; the body is attention or the
//! feed-forward layer. What the gradient needs is kept on the way there, or computed once more where memory is short.

use ndarray::{Array2, ArrayView2, Axis, s};

use super::attention::{AttentionBatch, Heads, Mask};
use super::family::{FeedForward, Positions, Role, Sublayer};
use super::ops::{
    Cores, Direction, NormWeights, RopeAngles, Target, for_rows, norm_gradient_rows, norm_rows,
};
use super::projection::{Projected, Updates, Wanted};
use super::shape::Shape;
use super::sites::Projection;
use super::weights::{Block, Weights};

/// The rows of a batch, what they attend to and how their positions turn.
pub struct Batch {
    pub attention: AttentionBatch,
    /// The rows whose results are wanted after the last block; all of them where none are named.
    pub wanted: Option<Vec<usize>>,
    angles: Option<RopeAngles>,
    window_angles: Option<RopeAngles>,
}

impl Batch {
    /// A batch for a model.
    pub fn new(weights: &Weights, attention: AttentionBatch, wanted: Option<Vec<usize>>) -> Self {
        let shape = &weights.shape;
        let (angles, window_angles) = match shape.family.positions {
            Positions::Learned => (None, None),
            Positions::Rotary(style, _) => {
                let divisors = weights.rope_divisors.as_deref();
                let angles =
                    |rope| RopeAngles::new(&attention.positions, shape.head_size, style, rope, divisors);
                (Some(angles(shape.rope)), shape.window.as_ref().map(|window| angles(window.rope)))
            }
        };
        Self { attention, wanted, angles, window_angles }
    }
}

/// Whether a pass keeps what its gradient needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Nothing,
    /// Only what goes into each block; the rest is computed once more on the way back.
    Inputs,
    All,
}

/// What a block computes on its way. Kept, it is what the gradient needs; else it is memory for the next block.
#[derive(Default)]
pub struct Activations {
    /// What goes in.
    input: Array2<f32>,
    /// Queries, keys and values side by side, before their norms and turns.
    qkv: Array2<f32>,
    /// The heads' results; of the last block in the wanted rows alone, like all that follows.
    heads: Array2<f32>,
    attention: Sums,
    /// Between the halves.
    middle: Array2<f32>,
    /// Gate and up side by side, or up alone, before the activation.
    up: Array2<f32>,
    opened: Array2<f32>,
    ffn: Sums,
}

/// What goes into the norms behind one half of a block, where it has them.
#[derive(Default)]
struct Sums {
    result: Array2<f32>,
    output: Array2<f32>,
}

impl Activations {
    /// Of a block that is computed once more on the way back.
    pub(super) fn of_input(input: Array2<f32>) -> Self {
        Self { input, ..Self::default() }
    }

    /// What went in; it is kept no longer.
    pub(super) fn take_input(&mut self) -> Array2<f32> {
        std::mem::take(&mut self.input)
    }

    /// Numbers that are kept for a row of a block.
    pub fn numbers(shape: &Shape) -> usize {
        let (d, family) = (shape.dimensions, shape.family);
        let norms = [&family.attention, &family.ffn].map(|s| [s.result, s.output].iter().flatten().count());
        2 * (shape.queries() + shape.keys()) + shape.up_dim() + (2 + norms[0] + norms[1]) * d
    }
}

/// A block at work on a batch.
#[derive(Clone, Copy)]
pub struct BlockPass<'m> {
    pub weights: &'m Weights,
    pub batch: &'m Batch,
    pub block: usize,
    pub cores: Cores,
    pub updates: Option<Updates<'m>>,
}

impl<'m> BlockPass<'m> {
    fn shape(&self) -> &'m Shape {
        &self.weights.shape
    }

    fn frozen(&self) -> &'m Block {
        &self.weights.blocks[self.block]
    }

    fn projected(&self, projection: Projection) -> Projected<'m> {
        let Self { weights, block, cores, updates, .. } = *self;
        Projected { weights, block, projection, cores, updates }
    }

    fn heads(&self) -> Heads {
        let shape = self.shape();
        let mask = match (shape.family.role, shape.window_of(self.block)) {
            (Role::Encoder, _) => Mask::None,
            (Role::LanguageModel, None) => Mask::Causal,
            (Role::LanguageModel, Some(tokens)) => Mask::Window(tokens),
        };
        let Shape { heads, key_heads, head_size, attention_scale, .. } = *shape;
        Heads { heads, key_heads, size: head_size, scale: attention_scale, mask }
    }

    /// The rows whose results are wanted, in the last block.
    fn wanted(&self) -> Option<&'m [usize]> {
        self.batch.wanted.as_deref().filter(|_| self.block + 1 == self.shape().blocks)
    }

    /// What comes out for `x` (`rows × dimensions`) takes its place.
    pub fn forward(&self, x: &mut Array2<f32>, memory: &mut Activations, keep: Keep) {
        let (frozen, rows) = (self.frozen(), x.nrows());
        let keeps = keep == Keep::All;
        if keeps {
            memory.input = x.clone();
        }
        self.project_normed(&frozen.attention, Projection::QueryKeyValue, x, &mut memory.qkv);
        let turned = if keeps { self.turned(&memory.qkv) } else { None };
        if !keeps {
            self.turn(&mut memory.qkv);
        }
        let qkv = turned.as_ref().unwrap_or(&memory.qkv).view();
        sized(&mut memory.heads, (rows, self.shape().queries()));
        let batch = (&self.batch.attention, self.block);
        self.heads().attend(self.cores, batch, qkv, memory.heads.view_mut());
        drop(turned);
        if let Some(wanted) = self.wanted() {
            memory.heads = memory.heads.select(Axis(0), wanted);
            *x = x.select(Axis(0), wanted);
        }
        let heads = memory.heads.view();
        self.add(Projection::AttnOutput, heads, x, &frozen.attention, keeps.then_some(&mut memory.attention));

        if keeps {
            memory.middle = x.clone();
        }
        self.project_normed(&frozen.ffn, Projection::Up, x, &mut memory.up);
        let opened = match (keep, self.shape().family.feed_forward) {
            (Keep::Nothing | Keep::Inputs, FeedForward::Plain) => {
                self.activate(&mut memory.up);
                &memory.up
            }
            _ => {
                self.open(&memory.up, &mut memory.opened);
                &memory.opened
            }
        };
        self.add(Projection::Down, opened.view(), x, &frozen.ffn, keeps.then_some(&mut memory.ffn));
        if keeps {
            memory.opened = Array2::default((0, 0));
        }
    }

    /// From the gradient by the result to that by the input, where it is wanted; that by the updates is added to `by_updates`.
    pub fn backward(
        &self,
        kept: Activations,
        by_result: Array2<f32>,
        by_updates: &mut [f32],
        wanted: Wanted,
    ) -> Option<Array2<f32>> {
        let frozen = self.frozen();
        let Activations { input, qkv, heads, attention, middle, up, mut opened, ffn } = kept;

        let (by_sum, by_added) = self.add_gradient(&frozen.ffn, &ffn, by_result);
        self.open(&up, &mut opened);
        let by_added = by_added.as_ref().unwrap_or(&by_sum);
        let down = self.projected(Projection::Down);
        let by_opened = down.backward(opened.view(), by_added.view(), by_updates, Wanted::Input)?;
        drop(opened);
        let by_up = self.open_gradient(up, by_opened);
        let entered = self.normed(frozen.ffn.input.as_ref(), &middle);
        let of_up = self.projected(Projection::Up);
        let by_entered = of_up.backward(
            entered.as_ref().unwrap_or(&middle).view(),
            by_up.view(),
            by_updates,
            Wanted::Input,
        )?;
        drop((by_up, entered));
        let mut by_middle = self.norm_gradient(frozen.ffn.input.as_ref(), &middle, by_entered);
        by_middle += &by_sum;
        drop((by_sum, middle));

        let (by_sum, by_added) = self.add_gradient(&frozen.attention, &attention, by_middle);
        let by_added = by_added.as_ref().unwrap_or(&by_sum);
        let output = self.projected(Projection::AttnOutput);
        let by_heads = output.backward(heads.view(), by_added.view(), by_updates, Wanted::Input)?;
        drop(heads);
        let turned = self.turned(&qkv);
        let batch = (&self.batch.attention, self.block);
        let mut by_qkv = self.heads().gradient(
            self.cores,
            batch,
            turned.as_ref().unwrap_or(&qkv).view(),
            self.all_rows(by_heads).view(),
        );
        drop(turned);
        self.turn_gradient(&qkv, &mut by_qkv);
        let entered = self.normed(frozen.attention.input.as_ref(), &input);
        let of_qkv = self.projected(Projection::QueryKeyValue);
        let by_entered =
            of_qkv.backward(entered.as_ref().unwrap_or(&input).view(), by_qkv.view(), by_updates, wanted)?;
        let mut by_input = self.norm_gradient(frozen.attention.input.as_ref(), &input, by_entered);
        by_input += &self.all_rows(by_sum);
        Some(by_input)
    }

    /// The results of a projection of `x` behind the norm of its half, where there is one.
    fn project_normed(
        &self,
        norms: &Sublayer<Option<NormWeights>>,
        projection: Projection,
        x: &Array2<f32>,
        to: &mut Array2<f32>,
    ) {
        let projected = self.projected(projection);
        sized(to, (x.nrows(), projected.width()));
        let entered = self.normed(norms.input.as_ref(), x);
        projected.forward(entered.as_ref().unwrap_or(x).view(), Target::Overwritten, to.view_mut());
    }

    /// Adds the results of a projection to `x`, through the norms of its half.
    fn add(
        &self,
        projection: Projection,
        from: ArrayView2<'_, f32>,
        x: &mut Array2<f32>,
        norms: &Sublayer<Option<NormWeights>>,
        kept: Option<&mut Sums>,
    ) {
        let projected = self.projected(projection);
        let mut sums = Sums::default();
        match &norms.result {
            None => projected.forward(from, Target::AddedTo, x.view_mut()),
            Some(norm) => {
                let mut added = Array2::zeros(x.dim());
                projected.forward(from, Target::Overwritten, added.view_mut());
                if kept.is_some() {
                    sums.result = added.clone();
                }
                self.norm(norm, &mut added);
                *x += &added;
            }
        }
        if let Some(norm) = &norms.output {
            if kept.is_some() {
                sums.output = x.clone();
            }
            self.norm(norm, x);
        }
        if let Some(kept) = kept {
            *kept = sums;
        }
    }

    /// From the gradient by the result of [`Self::add`] to that by the sum, and that by what was added, where it is another.
    fn add_gradient(
        &self,
        norms: &Sublayer<Option<NormWeights>>,
        sums: &Sums,
        by_result: Array2<f32>,
    ) -> (Array2<f32>, Option<Array2<f32>>) {
        let by_sum = self.norm_gradient(norms.output.as_ref(), &sums.output, by_result);
        let by_added = norms.result.as_ref();
        let by_added = by_added.map(|norm| self.norm_gradient(Some(norm), &sums.result, by_sum.clone()));
        (by_sum, by_added)
    }

    fn norm(&self, norm: &NormWeights, x: &mut Array2<f32>) {
        if let Some(values) = x.as_slice_mut() {
            norm_rows(self.cores, norm, values);
        }
    }

    /// `x` behind a norm, where there is one.
    fn normed(&self, norm: Option<&NormWeights>, x: &Array2<f32>) -> Option<Array2<f32>> {
        norm.map(|norm| {
            let mut normed = x.clone();
            self.norm(norm, &mut normed);
            normed
        })
    }

    /// The gradient by `x` before its norm, where it has one.
    fn norm_gradient(
        &self,
        norm: Option<&NormWeights>,
        x: &Array2<f32>,
        mut gradient: Array2<f32>,
    ) -> Array2<f32> {
        if let (Some(norm), Some(x), Some(gradient)) = (norm, x.as_slice(), gradient.as_slice_mut()) {
            norm_gradient_rows(self.cores, norm, x, gradient);
        }
        gradient
    }

    /// How positions turn in this block.
    fn angles(&self) -> Option<&'m RopeAngles> {
        let windowed = self.shape().window_of(self.block).and(self.batch.window_angles.as_ref());
        windowed.or(self.batch.angles.as_ref())
    }

    /// Norms and turns each head of queries and keys.
    fn turn(&self, qkv: &mut Array2<f32>) {
        let (angles, norms) = (self.angles(), self.frozen().head_norms.as_ref());
        let (queries, size) = (self.shape().queries(), self.shape().head_size);
        let (turned, width) = (queries + self.shape().keys(), qkv.ncols());
        let (Some(values), true) = (qkv.as_slice_mut(), angles.is_some() || norms.is_some()) else { return };
        for_rows(self.cores, values, width, |row, values| {
            for (number, head) in values[..turned].chunks_exact_mut(size).enumerate() {
                if let Some([of_queries, of_keys]) = norms {
                    if number * size < queries { of_queries } else { of_keys }.apply(head);
                }
                if let Some(angles) = angles {
                    angles.turn(row, head, Direction::Forward);
                }
            }
        });
    }

    /// Queries, keys and values after [`Self::turn`], where that changes them.
    fn turned(&self, qkv: &Array2<f32>) -> Option<Array2<f32>> {
        if self.angles().is_none() && self.frozen().head_norms.is_none() {
            return None;
        }
        let mut turned = qkv.clone();
        self.turn(&mut turned);
        Some(turned)
    }

    /// The way back through [`Self::turn`].
    fn turn_gradient(&self, qkv: &Array2<f32>, gradient: &mut Array2<f32>) {
        let (angles, norms) = (self.angles(), self.frozen().head_norms.as_ref());
        let (queries, size) = (self.shape().queries(), self.shape().head_size);
        let (turned, width) = (queries + self.shape().keys(), qkv.ncols());
        let (Some(before), Some(gradient)) = (qkv.as_slice(), gradient.as_slice_mut()) else { return };
        for_rows(self.cores, gradient, width, |row, gradient| {
            let before = &before[row * width..][..turned];
            let heads = gradient[..turned].chunks_exact_mut(size).zip(before.chunks_exact(size));
            for (number, (gradient, before)) in heads.enumerate() {
                if let Some(angles) = angles {
                    angles.turn(row, gradient, Direction::Inverse);
                }
                if let Some([of_queries, of_keys]) = norms {
                    if number * size < queries { of_queries } else { of_keys }.gradient(before, gradient);
                }
            }
        });
    }

    /// The activation without a gate, in place.
    fn activate(&self, up: &mut Array2<f32>) {
        let (activation, width) = (self.shape().family.activation, up.ncols());
        if let Some(values) = up.as_slice_mut() {
            for_rows(self.cores, values, width, |_, row| activation.apply(row));
        }
    }

    /// What goes through the linear layer down.
    fn open(&self, up: &Array2<f32>, to: &mut Array2<f32>) {
        let (activation, width, from_width) =
            (self.shape().family.activation, self.shape().ffn_dim, up.ncols());
        sized(to, (up.nrows(), width));
        let (Some(up), Some(to)) = (up.as_slice(), to.as_slice_mut()) else { return };
        for_rows(self.cores, to, width, |row, to| {
            let from = &up[row * from_width..][..from_width];
            match self.shape().family.feed_forward {
                FeedForward::Plain => {
                    to.copy_from_slice(from);
                    activation.apply(to);
                }
                FeedForward::Gated => activation.gate(&from[..width], &from[width..], to),
            }
        });
    }

    /// From the gradient by the result of [`Self::open`] to that by `up`.
    fn open_gradient(&self, up: Array2<f32>, by_opened: Array2<f32>) -> Array2<f32> {
        let (activation, width, up_width) =
            (self.shape().family.activation, self.shape().ffn_dim, up.ncols());
        let mut by_up = match self.shape().family.feed_forward {
            FeedForward::Plain => {
                let mut by_up = by_opened;
                if let (Some(by_up), Some(up)) = (by_up.as_slice_mut(), up.as_slice()) {
                    for_rows(self.cores, by_up, width, |row, by_up| {
                        activation.gradient(&up[row * width..][..width], by_up);
                    });
                }
                return by_up;
            }
            FeedForward::Gated => Array2::zeros(up.dim()),
        };
        if let (Some(to), Some(up), Some(by_opened)) =
            (by_up.as_slice_mut(), up.as_slice(), by_opened.as_slice())
        {
            for_rows(self.cores, to, up_width, |row, to| {
                let gate_and_up = up[row * up_width..][..up_width].split_at(width);
                let by_result = &by_opened[row * width..][..width];
                activation.gate_gradient(gate_and_up, by_result, to.split_at_mut(width));
            });
        }
        by_up
    }

    /// All rows again, in the last block: nothing comes back to those that are not wanted.
    fn all_rows(&self, gradient: Array2<f32>) -> Array2<f32> {
        let Some(wanted) = self.wanted() else { return gradient };
        let mut all = Array2::zeros((self.batch.attention.positions.len(), gradient.ncols()));
        for (row, gradient) in wanted.iter().zip(gradient.rows()) {
            let mut to = all.slice_mut(s![*row, ..]);
            to += &gradient;
        }
        all
    }
}

/// Gives a matrix another size; what stands in it afterwards is of no meaning.
pub(super) fn sized(matrix: &mut Array2<f32>, dim: (usize, usize)) {
    if matrix.dim() == dim {
        return;
    }
    let mut values = std::mem::take(matrix).into_raw_vec_and_offset().0;
    values.resize(dim.0 * dim.1, 0.0);
    if let Ok(again) = Array2::from_shape_vec(dim, values) {
        *matrix = again;
    }
}
