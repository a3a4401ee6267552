//! An encoder from tokens to one pooled vector a text.
//!
//! Texts lie end to end, so the products of all of them are one, and no number is spent on padding. Each thread has a pass of its own.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, Axis, s};

use super::attention::AttentionBatch;
use super::block::{Activations, Batch, sized};
use super::graph::Graph;
use super::ops::{Cores, norm_gradient_rows, norm_rows};
use super::weights::Weights;
use crate::engine::model_file::Pooling;

/// A forward pass on one core, with the memory it works in.
pub struct EncoderPass {
    weights: Arc<Weights>,
    states: Array2<f32>,
    memory: Activations,
}

impl EncoderPass {
    /// A pass over shared weights.
    pub fn new(weights: Arc<Weights>) -> Self {
        Self { weights, states: Array2::default((0, 0)), memory: Activations::default() }
    }

    /// The pooled vectors of texts given as token ids, `texts × dimensions`, not yet of length 1. Every text must
    /// have a token, and none more than there are positions; ids beyond the vocabulary count as the first.
    pub fn vectors(&mut self, texts: &[Vec<usize>]) -> Array2<f32> {
        let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
        let batch = Batch::new(&self.weights, AttentionBatch::alone(&lengths), None);
        embed(&self.weights, texts.iter().map(Vec::as_slice), &mut self.states);
        let graph = Graph { weights: &self.weights, batch: &batch, cores: Cores::One, updates: None };
        graph.run(&mut self.states, &mut self.memory);
        final_norm(&self.weights, &mut self.states);
        pool(self.weights.pooling, &lengths, self.states.view())
    }
}

/// What goes into the first block for texts given as token ids: `tokens × dimensions`.
pub fn embed<'t>(
    weights: &Weights,
    texts: impl Iterator<Item = &'t [usize]> + Clone,
    states: &mut Array2<f32>,
) {
    let tokens = texts.clone().map(<[usize]>::len).sum();
    sized(states, (tokens, weights.shape.dimensions));
    let scale = weights.shape.embedding_scale();
    let places = texts.flat_map(|text| text.iter().enumerate());
    for (mut state, (position, token)) in states.rows_mut().into_iter().zip(places) {
        let Some(values) = state.as_slice_mut() else { continue };
        weights.tokens.row(if *token < weights.shape.vocabulary { *token } else { 0 }, values);
        if scale != 1.0 {
            values.iter_mut().for_each(|x| *x *= scale);
        }
        if let Some(positions) = &weights.positions {
            let position = positions.row(position.min(positions.nrows() - 1));
            values.iter_mut().zip(position).for_each(|(x, position)| *x += position);
        }
        if let Some(norm) = &weights.embedding_norm {
            norm.apply(values);
        }
    }
}

/// What comes out of the last block goes through the last norm, in families that have one.
pub fn final_norm(weights: &Weights, states: &mut Array2<f32>) {
    if let (Some(norm), Some(values)) = (&weights.final_norm, states.as_slice_mut()) {
        norm_rows(Cores::One, norm, values);
    }
}

/// From the gradient by the result of [`final_norm`] to that by its input.
pub fn final_norm_gradient(weights: &Weights, states: &Array2<f32>, by_result: &mut Array2<f32>) {
    if let (Some(norm), Some(states), Some(by)) =
        (&weights.final_norm, states.as_slice(), by_result.as_slice_mut())
    {
        norm_gradient_rows(Cores::One, norm, states, by);
    }
}

/// One vector a text from those of its tokens, `texts × dimensions`.
pub fn pool(pooling: Pooling, lengths: &[usize], states: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut pooled = Array2::zeros((lengths.len(), states.ncols()));
    let mut at = 0;
    for (length, mut vector) in lengths.iter().zip(pooled.rows_mut()) {
        let states = states.slice(s![at..at + length, ..]);
        at += length;
        if pooling == Pooling::Cls {
            vector.assign(&states.row(0));
        } else if let Some(mean) = states.mean_axis(Axis(0)) {
            vector.assign(&mean);
        }
    }
    pooled
}

/// From the gradient by the result of [`pool`] to that by the tokens' vectors.
pub fn pool_gradient(pooling: Pooling, lengths: &[usize], by_pooled: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut to = Array2::zeros((lengths.iter().sum(), by_pooled.ncols()));
    let mut at = 0;
    for (length, by_vector) in lengths.iter().zip(by_pooled.rows()) {
        let mut rows = to.slice_mut(s![at..at + length, ..]);
        at += length;
        if pooling == Pooling::Cls {
            rows.index_axis_mut(Axis(0), 0).assign(&by_vector);
        } else {
            rows.assign(&(&by_vector / *length as f32));
        }
    }
    to
}
