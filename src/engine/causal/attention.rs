//! Attention of texts that lie end to end: each reads its own tokens and what stands before them, rows of the same batch that all texts share
//! or keys and values remembered from before. And its gradient, by the rows of the batch alone.
//!
//! Heads of queries share heads of keys in groups. One thread computes one head of keys at a time.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use super::remembered::{OfBlock, Remembered};
use crate::engine::bert::{Target, product, softmax, softmax_gradient};

/// A weight below this is none.
const LEAST: f32 = 1e-30;

/// Some rows of a batch: a text, or what all texts share.
pub struct Reader {
    /// Its rows.
    pub rows: Range<usize>,
    /// Rows of the batch that stand before them.
    pub after: Option<Range<usize>>,
    /// What is remembered of the text before its rows, after what all share.
    pub document: Option<Arc<Remembered>>,
}

/// Who reads what in a batch.
pub struct Reading {
    /// The texts; their rows are all rows of the batch.
    pub readers: Vec<Reader>,
    /// The position of each row.
    pub positions: Vec<usize>,
    /// What is remembered of the beginning that all texts share.
    pub shared: Option<Arc<Remembered>>,
}

/// How queries, keys and values are divided into heads, and what they see.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    /// Of queries.
    pub heads: usize,
    /// Of keys and of values.
    pub key_heads: usize,
    /// Length of each.
    pub size: usize,
    /// What products are multiplied with.
    pub scale: f32,
    /// How many tokens are seen, where not all are.
    pub window: Option<usize>,
}

/// Queries (`rows × heads · size`), keys and values (`rows × key heads · size`) of a batch, keys and queries turned.
#[derive(Clone, Copy)]
pub struct Read<'a> {
    /// Queries.
    pub queries: ArrayView2<'a, f32>,
    /// Keys.
    pub keys: ArrayView2<'a, f32>,
    /// Values.
    pub values: ArrayView2<'a, f32>,
}

impl Heads {
    fn group(&self) -> usize {
        self.heads / self.key_heads
    }

    /// The heads' results side by side, `rows × heads · size`, in block number `block`.
    pub fn attend(&self, reading: &Reading, block: usize, read: Read<'_>) -> Array2<f32> {
        let mut results = Array2::zeros(read.queries.dim());
        let width = self.group() * self.size;
        let heads: Vec<_> = results.axis_chunks_iter_mut(Axis(1), width).enumerate().collect();
        heads.into_par_iter().for_each(|(head, mut results)| {
            let mut scores = Vec::new();
            self.each(reading, block, head, read, |one, queries, parts, columns| {
                let Some(weights) = self.weights(reading, one, queries, parts, &mut scores) else { return };
                let mut to = results.slice_mut(s![one.rows.clone(), columns]);
                for part in parts {
                    let weights = weights.slice(s![.., part.columns.clone()]);
                    product(1.0, weights, part.values.view(), Target::AddedTo, to.view_mut());
                }
            });
        });
        results
    }

    /// The gradients by queries, keys and values, from that by the result of [`Self::attend`]; the weights are computed once more.
    pub fn gradient(
        &self,
        reading: &Reading,
        block: usize,
        read: Read<'_>,
        by_result: ArrayView2<'_, f32>,
    ) -> [Array2<f32>; 3] {
        let zeros = |of: ArrayView2<'_, f32>| Array2::zeros(of.dim());
        let (mut by_queries, mut by_keys, mut by_values) =
            (zeros(read.queries), zeros(read.keys), zeros(read.values));
        let (width, size) = (self.group() * self.size, self.size);
        let heads: Vec<_> = by_queries
            .axis_chunks_iter_mut(Axis(1), width)
            .zip(
                by_keys
                    .axis_chunks_iter_mut(Axis(1), size)
                    .zip(by_values.axis_chunks_iter_mut(Axis(1), size)),
            )
            .enumerate()
            .collect();
        heads.into_par_iter().for_each(|(head, (mut by_queries, (mut by_keys, mut by_values)))| {
            let (mut scores, mut by_scores) = (Vec::new(), Vec::new());
            let by_result = by_result.slice(s![.., head * width..(head + 1) * width]);
            self.each(reading, block, head, read, |one, queries, parts, columns| {
                let Some(weights) = self.weights(reading, one, queries, parts, &mut scores) else { return };
                let by_result = by_result.slice(s![one.rows.clone(), columns.clone()]);
                by_scores.resize(by_scores.len().max(weights.len()), 0.0);
                let memory = &mut by_scores[..weights.len()];
                let Ok(mut by_weights) = ArrayViewMut2::from_shape(weights.dim(), memory) else { return };
                for part in parts {
                    let to = by_weights.slice_mut(s![.., part.columns.clone()]);
                    product(1.0, by_result, part.values.view().reversed_axes(), Target::Overwritten, to);
                }
                for (mut by_weight, weight) in by_weights.rows_mut().into_iter().zip(weights.rows()) {
                    if let (Some(by_weight), Some(weight)) = (by_weight.as_slice_mut(), weight.to_slice()) {
                        softmax_gradient(weight, by_weight);
                    }
                }
                let mut to_queries = by_queries.slice_mut(s![one.rows.clone(), columns]);
                for part in parts {
                    let of_part = by_weights.slice(s![.., part.columns.clone()]);
                    product(self.scale, of_part, part.keys.view(), Target::AddedTo, to_queries.view_mut());
                    let Some(rows) = part.rows.clone() else { continue };
                    let weights = weights.slice(s![.., part.columns.clone()]);
                    let to = by_values.slice_mut(s![rows.clone(), ..]);
                    product(1.0, weights.t(), by_result, Target::AddedTo, to);
                    let to = by_keys.slice_mut(s![rows, ..]);
                    product(self.scale, of_part.t(), queries, Target::AddedTo, to);
                }
            });
        });
        [by_queries, by_keys, by_values]
    }

    /// Calls `work` for each reader and each head of queries of head `head` of keys: with the queries, the parts that they read, and the head's
    /// columns among those of the group.
    fn each(
        &self,
        reading: &Reading,
        block: usize,
        head: usize,
        read: Read<'_>,
        mut work: impl FnMut(&Reader, ArrayView2<'_, f32>, &[Part<'_>], Range<usize>),
    ) {
        let own = head * self.size..(head + 1) * self.size;
        let remembered = |of: &OfBlock| {
            let width = self.key_heads * self.size;
            (of.keys.head(width, head, self.size), of.values.head(width, head, self.size))
        };
        let shared = reading.shared.as_ref().map(|shared| &shared.blocks[block]);
        let of_shared = shared.map(remembered);
        for one in &reading.readers {
            let document = one.document.as_ref().map(|document| &document.blocks[block]);
            let of_document = document.map(remembered);
            let mut parts: Vec<Part<'_>> = Vec::new();
            for (of, numbers) in [(shared, &of_shared), (document, &of_document)] {
                if let (Some(of), Some((keys, values))) = (of, numbers) {
                    push(&mut parts, keys.view(), values.view(), &of.positions, None);
                }
            }
            for rows in one.after.iter().chain([&one.rows]) {
                let keys = read.keys.slice(s![rows.clone(), own.clone()]);
                let values = read.values.slice(s![rows.clone(), own.clone()]);
                push(&mut parts, keys, values, &reading.positions[rows.clone()], Some(rows.clone()));
            }
            for member in 0..self.group() {
                let first = (head * self.group() + member) * self.size;
                let queries = read.queries.slice(s![one.rows.clone(), first..first + self.size]);
                work(one, queries, &parts, member * self.size..(member + 1) * self.size);
            }
        }
    }

    /// How much each row attends to each column of the parts, in the memory given.
    fn weights<'m>(
        &self,
        reading: &Reading,
        one: &Reader,
        queries: ArrayView2<'_, f32>,
        parts: &[Part<'_>],
        memory: &'m mut Vec<f32>,
    ) -> Option<ArrayView2<'m, f32>> {
        let columns = parts.last().map_or(0, |part| part.columns.end);
        let rows = queries.nrows();
        memory.resize(memory.len().max(rows * columns), 0.0);
        let memory = &mut memory[..rows * columns];
        let mut scores = ArrayViewMut2::from_shape((rows, columns), &mut *memory).ok()?;
        for part in parts {
            let to = scores.slice_mut(s![.., part.columns.clone()]);
            product(self.scale, queries, part.keys.view().reversed_axes(), Target::Overwritten, to);
        }
        for (row, position) in memory.chunks_exact_mut(columns).zip(&reading.positions[one.rows.clone()]) {
            let window = self.window.unwrap_or(usize::MAX);
            for part in parts {
                for (score, seen) in row[part.columns.clone()].iter_mut().zip(part.positions) {
                    // A later token wraps round to a distance beyond every window.
                    if position.wrapping_sub(*seen) >= window.min(1 << 32) {
                        *score = f32::NEG_INFINITY;
                    }
                }
            }
            softmax(row);
            // The exponential ends at e^-87: what is not seen must weigh nothing, and numbers that small take a processor a hundred times as long.
            row.iter_mut().filter(|weight| **weight < LEAST).for_each(|weight| *weight = 0.0);
        }
        ArrayView2::from_shape((rows, columns), memory).ok()
    }
}

/// Some keys and values that a reader reads, of one head.
struct Part<'a> {
    keys: ArrayView2<'a, f32>,
    values: ArrayView2<'a, f32>,
    positions: &'a [usize],
    /// The rows of the batch that they are, if so.
    rows: Option<Range<usize>>,
    /// Their columns among all that the reader reads.
    columns: Range<usize>,
}

fn push<'a>(
    parts: &mut Vec<Part<'a>>,
    keys: ArrayView2<'a, f32>,
    values: ArrayView2<'a, f32>,
    positions: &'a [usize],
    rows: Option<Range<usize>>,
) {
    let begin = parts.last().map_or(0, |part| part.columns.end);
    parts.push(Part { columns: begin..begin + keys.nrows(), keys, values, positions, rows });
}
