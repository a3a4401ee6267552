//! Attention of texts that lie end to end in a batch: each reads its own tokens and what stands before them, either rows of the same batch that
//! all texts share or keys and values cached earlier. And its gradient, by the rows of the batch alone.
//!
//! No number is ever spent on padding or on another text's tokens. Heads of queries share heads of keys in groups; with all cores, one thread
//! computes one head of keys at a time.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, CowArray, Ix2, s};
use rayon::prelude::*;

use super::kv_cache::{BlockKv, KvCache};
use super::ops::{Cores, Target, add_product, product, softmax, softmax_gradient};

/// A weight below this is none.
const LEAST: f32 = 1e-30;

/// Some rows of a batch: a text, or what all texts share.
pub struct Segment {
    pub rows: Range<usize>,
    /// Rows of the batch that stand before them.
    pub after: Option<Range<usize>>,
    /// What is cached of the text before its rows, after what all share.
    pub document: Option<Arc<KvCache>>,
}

/// Which rows of a batch attend to what.
pub struct AttentionBatch {
    /// The texts; their rows are all rows of the batch.
    pub segments: Vec<Segment>,
    /// The position of each row in its text.
    pub positions: Vec<usize>,
    /// What is cached of the beginning that all texts share.
    pub shared: Option<Arc<KvCache>>,
}

impl AttentionBatch {
    /// Texts of these lengths end to end, each alone.
    pub fn alone(lengths: &[usize]) -> Self {
        let mut end = 0;
        let segments = lengths.iter().map(|length| {
            end += length;
            Segment { rows: end - length..end, after: None, document: None }
        });
        Self {
            segments: segments.collect(),
            positions: lengths.iter().flat_map(|length| 0..*length).collect(),
            shared: None,
        }
    }
}

/// What a token attends to of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    None,
    /// Itself and what stands before.
    Causal,
    /// Itself and the tokens just before, so many together.
    Window(usize),
}

impl Mask {
    /// Distances back from a token at which nothing is seen any more. A later token wraps round to a distance beyond them all.
    fn blind_from(self) -> Option<usize> {
        const BEYOND: usize = 1 << 32;
        match self {
            Self::None => None,
            Self::Causal => Some(BEYOND),
            Self::Window(tokens) => Some(tokens.min(BEYOND)),
        }
    }
}

/// How queries, keys and values stand side by side in a row, and how they are used.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    /// Of queries.
    pub heads: usize,
    /// Of keys and of values.
    pub key_heads: usize,
    /// Length of each.
    pub size: usize,
    /// What products of a query and a key are multiplied by.
    pub scale: f32,
    pub mask: Mask,
}

/// Some keys and values of one head that a segment reads.
struct Part<'a> {
    keys: CowArray<'a, f32, Ix2>,
    values: CowArray<'a, f32, Ix2>,
    positions: &'a [usize],
    /// The rows of the batch that they are, if so.
    rows: Option<Range<usize>>,
    /// Their columns among all that the segment reads.
    columns: Range<usize>,
}

/// One head of queries of one segment at work.
struct One<'a> {
    segment: &'a Segment,
    queries: ArrayView2<'a, f32>,
    /// The head's columns among those of its group.
    columns: Range<usize>,
}

impl Heads {
    /// Columns of all queries, and of all keys or values.
    pub fn widths(&self) -> (usize, usize) {
        (self.heads * self.size, self.key_heads * self.size)
    }

    fn group(&self) -> usize {
        self.heads / self.key_heads
    }

    /// The heads' results side by side, `rows × heads · size`, in block number `block`, from queries, keys and values side by side. Overwrites
    /// `results`.
    pub fn attend(
        &self,
        cores: Cores,
        (batch, block): (&AttentionBatch, usize),
        qkv: ArrayView2<'_, f32>,
        mut results: ArrayViewMut2<'_, f32>,
    ) {
        let width = self.group() * self.size;
        let heads = results.axis_chunks_iter_mut(Axis(1), width).enumerate();
        let work = |(head, mut results): (usize, ArrayViewMut2<'_, f32>), scores: &mut Vec<f32>| {
            self.each((batch, block), head, qkv, |one, parts| {
                let Some(weights) = self.weights(batch, &one, parts, scores) else { return };
                let mut to = results.slice_mut(s![one.segment.rows.clone(), one.columns]);
                let mut mode = Target::Overwritten;
                for part in parts {
                    let weights = weights.slice(s![.., part.columns.clone()]);
                    product(Cores::One, 1.0, (weights, part.values.view()), mode, to.view_mut());
                    mode = Target::AddedTo;
                }
            });
        };
        match cores {
            Cores::One => {
                let mut scores = Vec::new();
                heads.for_each(|head| work(head, &mut scores));
            }
            Cores::All => {
                let heads: Vec<_> = heads.collect();
                heads.into_par_iter().for_each(|head| work(head, &mut Vec::new()));
            }
        }
    }

    /// The gradient by queries, keys and values side by side, from that by the result of [`Self::attend`]; the weights are computed once more.
    pub fn gradient(
        &self,
        cores: Cores,
        (batch, block): (&AttentionBatch, usize),
        qkv: ArrayView2<'_, f32>,
        by_result: ArrayView2<'_, f32>,
    ) -> Array2<f32> {
        let (width, size) = (self.group() * self.size, self.size);
        let (queries, keys) = self.widths();
        let mut by_qkv = Array2::zeros(qkv.dim());
        let (by_queries, by_rest) = by_qkv.view_mut().split_at(Axis(1), queries);
        let (by_keys, by_values) = by_rest.split_at(Axis(1), keys);
        let (mut by_queries, mut by_keys, mut by_values) = (by_queries, by_keys, by_values);
        let of_keys =
            by_keys.axis_chunks_iter_mut(Axis(1), size).zip(by_values.axis_chunks_iter_mut(Axis(1), size));
        let heads = by_queries.axis_chunks_iter_mut(Axis(1), width).zip(of_keys).enumerate();
        type ByHead<'g> = (ArrayViewMut2<'g, f32>, (ArrayViewMut2<'g, f32>, ArrayViewMut2<'g, f32>));
        let work = |(head, (mut by_queries, (mut by_keys, mut by_values))): (usize, ByHead<'_>)| {
            let (mut scores, mut by_scores) = (Vec::new(), Vec::new());
            let by_result = by_result.slice(s![.., head * width..(head + 1) * width]);
            self.each((batch, block), head, qkv, |one, parts| {
                let Some(weights) = self.weights(batch, &one, parts, &mut scores) else { return };
                let rows = one.segment.rows.clone();
                let by_result = by_result.slice(s![rows.clone(), one.columns.clone()]);
                by_scores.resize(by_scores.len().max(weights.len()), 0.0);
                let memory = &mut by_scores[..weights.len()];
                let Ok(mut by_weights) = ArrayViewMut2::from_shape(weights.dim(), memory) else { return };
                for part in parts {
                    let to = by_weights.slice_mut(s![.., part.columns.clone()]);
                    let values = part.values.view().reversed_axes();
                    product(Cores::One, 1.0, (by_result, values), Target::Overwritten, to);
                }
                for (mut by_weight, weight) in by_weights.rows_mut().into_iter().zip(weights.rows()) {
                    if let (Some(by_weight), Some(weight)) = (by_weight.as_slice_mut(), weight.to_slice()) {
                        softmax_gradient(weight, by_weight);
                    }
                }
                let mut to_queries = by_queries.slice_mut(s![rows, one.columns]);
                for part in parts {
                    let of_part = by_weights.slice(s![.., part.columns.clone()]);
                    add_product(Cores::One, self.scale, of_part, part.keys.view(), to_queries.view_mut());
                    let Some(rows) = part.rows.clone() else { continue };
                    let weights = weights.slice(s![.., part.columns.clone()]);
                    let to = by_values.slice_mut(s![rows.clone(), ..]);
                    add_product(Cores::One, 1.0, weights.reversed_axes(), by_result, to);
                    let to = by_keys.slice_mut(s![rows, ..]);
                    add_product(Cores::One, self.scale, of_part.reversed_axes(), one.queries, to);
                }
            });
        };
        match cores {
            Cores::One => heads.for_each(work),
            Cores::All => heads.collect::<Vec<_>>().into_par_iter().for_each(work),
        }
        by_qkv
    }

    /// Calls `work` for each segment and each head of queries of head `head` of keys, with what they read.
    fn each(
        &self,
        (batch, block): (&AttentionBatch, usize),
        head: usize,
        qkv: ArrayView2<'_, f32>,
        mut work: impl FnMut(One<'_>, &[Part<'_>]),
    ) {
        let (queries, keys) = self.widths();
        let of_keys = queries + head * self.size..queries + (head + 1) * self.size;
        let of_values = of_keys.start + keys..of_keys.end + keys;
        let cached =
            |of: &BlockKv| (of.keys.head(keys, head, self.size), of.values.head(keys, head, self.size));
        let shared = batch.shared.as_ref().map(|shared| &shared.blocks[block]);
        let of_shared = shared.map(cached);
        for segment in &batch.segments {
            let mut parts: Vec<Part<'_>> = Vec::with_capacity(4);
            if let (Some(of), Some((keys, values))) = (shared, &of_shared) {
                push(&mut parts, (keys.view().into(), values.view().into()), &of.positions, None);
            }
            if let Some(of) = segment.document.as_ref().map(|document| &document.blocks[block]) {
                let (keys, values) = cached(of);
                push(&mut parts, (keys.into(), values.into()), &of.positions, None);
            }
            for rows in segment.after.iter().chain([&segment.rows]) {
                let keys = qkv.slice(s![rows.clone(), of_keys.clone()]);
                let values = qkv.slice(s![rows.clone(), of_values.clone()]);
                let positions = &batch.positions[rows.clone()];
                push(&mut parts, (keys.into(), values.into()), positions, Some(rows.clone()));
            }
            for member in 0..self.group() {
                let first = (head * self.group() + member) * self.size;
                let queries = qkv.slice(s![segment.rows.clone(), first..first + self.size]);
                work(One { segment, queries, columns: member * self.size..(member + 1) * self.size }, &parts);
            }
        }
    }

    /// How much each row attends to each column of the parts, in the memory given.
    fn weights<'m>(
        &self,
        batch: &AttentionBatch,
        one: &One<'_>,
        parts: &[Part<'_>],
        memory: &'m mut Vec<f32>,
    ) -> Option<ArrayView2<'m, f32>> {
        let columns = parts.last().map_or(0, |part| part.columns.end);
        let rows = one.queries.nrows();
        memory.resize(memory.len().max(rows * columns), 0.0);
        let memory = &mut memory[..rows * columns];
        let mut scores = ArrayViewMut2::from_shape((rows, columns), &mut *memory).ok()?;
        for part in parts {
            let to = scores.slice_mut(s![.., part.columns.clone()]);
            let keys = part.keys.view().reversed_axes();
            product(Cores::One, self.scale, (one.queries, keys), Target::Overwritten, to);
        }
        let Some(blind_from) = self.mask.blind_from() else {
            memory.chunks_exact_mut(columns).for_each(softmax);
            return ArrayView2::from_shape((rows, columns), memory).ok();
        };
        let positions = &batch.positions[one.segment.rows.clone()];
        for (row, position) in memory.chunks_exact_mut(columns).zip(positions) {
            for part in parts {
                for (score, seen) in row[part.columns.clone()].iter_mut().zip(part.positions) {
                    if position.wrapping_sub(*seen) >= blind_from {
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

fn push<'a>(
    parts: &mut Vec<Part<'a>>,
    (keys, values): (CowArray<'a, f32, Ix2>, CowArray<'a, f32, Ix2>),
    positions: &'a [usize],
    rows: Option<Range<usize>>,
) {
    let begin = parts.last().map_or(0, |part| part.columns.end);
    let columns = begin..begin + keys.nrows();
    parts.push(Part { keys, values, positions, rows, columns });
}
