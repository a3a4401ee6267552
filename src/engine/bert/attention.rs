//! Multi-head self-attention, text by text: no number is ever spent on padding or on another text's tokens. And its gradient.

use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::arithmetic::{Target, product, softmax};
use super::gradient::softmax_gradient;

/// Attention of texts that lie end to end: from queries, keys and values side by side, `tokens × 3 · dimensions`, to the heads' results
/// side by side, `tokens × dimensions`. `scores` is memory to work in.
pub fn attention(
    lengths: &[usize],
    heads: usize,
    query_key_value: ArrayView2<'_, f32>,
    mut attended: ArrayViewMut2<'_, f32>,
    scores: &mut Vec<f32>,
) {
    let shape = Shape::of(query_key_value, heads);
    let mut at = 0;
    for length in lengths {
        let rows = at..at + length;
        at = rows.end;
        scores.resize(scores.len().max(length * length), 0.0);
        for head in 0..heads {
            let of = |part: usize| query_key_value.slice(s![rows.clone(), shape.columns(part, head)]);
            let Some(weights) = shape.weights(of(0), of(1), &mut scores[..length * length]) else { continue };
            let attended = attended.slice_mut(s![rows.clone(), shape.columns(0, head)]);
            product(1.0, weights, of(2), Target::Overwritten, attended);
        }
    }
}

/// The gradient of [`attention`] by its input, from that by its result; the weights are computed once more. Overwrites `to`.
pub fn attention_gradient(
    lengths: &[usize],
    heads: usize,
    query_key_value: ArrayView2<'_, f32>,
    by_result: ArrayView2<'_, f32>,
    mut to: ArrayViewMut2<'_, f32>,
) {
    let shape = Shape::of(query_key_value, heads);
    let (mut scores, mut by_scores) = (Vec::new(), Vec::new());
    let mut at = 0;
    for length in lengths {
        let rows = at..at + length;
        at = rows.end;
        scores.resize(scores.len().max(length * length), 0.0);
        by_scores.resize(scores.len(), 0.0);
        for head in 0..heads {
            let of = |part: usize| query_key_value.slice(s![rows.clone(), shape.columns(part, head)]);
            let mut give = |part: usize, scale, a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>| {
                let to = to.slice_mut(s![rows.clone(), shape.columns(part, head)]);
                product(scale, a, b, Target::Overwritten, to);
            };
            let by_result = by_result.slice(s![rows.clone(), shape.columns(0, head)]);
            let Some(weights) = shape.weights(of(0), of(1), &mut scores[..length * length]) else { continue };
            give(2, 1.0, weights.t(), by_result);
            let square = &mut by_scores[..length * length];
            let Ok(mut by_weights) = ArrayViewMut2::from_shape((*length, *length), &mut *square) else {
                continue;
            };
            product(1.0, by_result, of(2).reversed_axes(), Target::Overwritten, by_weights.view_mut());
            for (mut by_weight, weight) in by_weights.rows_mut().into_iter().zip(weights.rows()) {
                if let (Some(by_weight), Some(weight)) = (by_weight.as_slice_mut(), weight.as_slice()) {
                    softmax_gradient(weight, by_weight);
                }
            }
            give(0, shape.scale, by_weights.view(), of(1));
            give(1, shape.scale, by_weights.t(), of(0));
        }
    }
}

/// How heads lie in the matrices.
#[derive(Clone, Copy)]
struct Shape {
    dimensions: usize,
    size: usize,
    scale: f32,
}

impl Shape {
    fn of(query_key_value: ArrayView2<'_, f32>, heads: usize) -> Self {
        let dimensions = query_key_value.ncols() / 3;
        let size = dimensions / heads;
        Self { dimensions, size, scale: 1.0 / (size as f32).sqrt() }
    }

    /// Where a head's queries (part 0), keys (1) or values (2) stand.
    fn columns(self, part: usize, head: usize) -> std::ops::Range<usize> {
        let first = part * self.dimensions + head * self.size;
        first..first + self.size
    }

    /// How much each token attends to each, `length × length`, in the memory given.
    fn weights<'m>(
        self,
        queries: ArrayView2<'_, f32>,
        keys: ArrayView2<'_, f32>,
        memory: &'m mut [f32],
    ) -> Option<ArrayView2<'m, f32>> {
        let length = queries.nrows();
        let square = ArrayViewMut2::from_shape((length, length), &mut *memory).ok()?;
        product(self.scale, queries, keys.reversed_axes(), Target::Overwritten, square);
        memory.chunks_exact_mut(length).for_each(softmax);
        ArrayView2::from_shape((length, length), memory).ok()
    }
}
