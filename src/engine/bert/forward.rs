//! One thread's forward pass: tokens in, one pooled vector a text out. The graph is that of llama.cpp's `bert.cpp`.
//!
//! Texts lie end to end in the matrices, so the products of all of them are one; attention is computed text by text,
//! and no number is ever spent on padding or on another text's tokens.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};

use super::arithmetic::{Target, gelu, layer_norm, product};
use super::attention::attention;
use super::weights::{Layer, Linear, Norm, Weights};
use crate::engine::model_file::Pooling;

/// A forward pass with the memory it works in.
pub struct Pass {
    weights: Arc<Weights>,
    memory: Memory,
}

/// What a pass writes on its way, each `tokens × width`, grown to the largest batch so far.
#[derive(Default)]
struct Memory {
    state: Array2<f32>,
    query_key_value: Array2<f32>,
    attended: Array2<f32>,
    wide: Array2<f32>,
    scores: Vec<f32>,
}

impl Pass {
    /// A pass over shared weights.
    pub fn new(weights: Arc<Weights>) -> Self {
        Self { weights, memory: Memory::default() }
    }

    /// The pooled vectors of texts given as token ids, `texts × dimensions`, not yet of length 1. Every text must
    /// have a token, and none more than there are positions; ids beyond the vocabulary count as the first.
    pub fn vectors(&mut self, texts: &[Vec<usize>]) -> Array2<f32> {
        let weights = Arc::clone(&self.weights);
        let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
        let tokens = lengths.iter().sum();
        self.memory.make_room(tokens, &weights);
        embed(&weights, texts, self.memory.state.slice_mut(s![..tokens, ..]));
        for layer in &weights.layers {
            self.memory.attend(&lengths, layer, &weights, tokens);
            self.memory.feed_forward(layer, &weights, tokens);
        }
        pool(weights.pooling, &lengths, self.memory.state.slice(s![..tokens, ..]))
    }
}

impl Memory {
    fn make_room(&mut self, tokens: usize, weights: &Weights) {
        if self.state.nrows() >= tokens {
            return;
        }
        let d = weights.dimensions;
        let wide = weights.layers.first().map_or(d, |layer| layer.up.bias.len());
        self.state = Array2::zeros((tokens, d));
        self.query_key_value = Array2::zeros((tokens, 3 * d));
        self.attended = Array2::zeros((tokens, d));
        self.wide = Array2::zeros((tokens, wide));
    }

    /// Multi-head self-attention, its residual and its norm.
    fn attend(&mut self, lengths: &[usize], layer: &Layer, weights: &Weights, tokens: usize) {
        let all = ..tokens;
        linear(
            &layer.query_key_value,
            self.state.slice(s![all, ..]),
            self.query_key_value.slice_mut(s![all, ..]),
        );
        attention(
            lengths,
            weights.heads,
            self.query_key_value.slice(s![all, ..]),
            self.attended.slice_mut(s![all, ..]),
            &mut self.scores,
        );
        residual(&layer.attended, self.attended.slice(s![all, ..]), self.state.slice_mut(s![all, ..]));
        self.normalise(&layer.attention_norm, weights.epsilon, tokens);
    }

    /// The wide layer, its residual and its norm.
    fn feed_forward(&mut self, layer: &Layer, weights: &Weights, tokens: usize) {
        let all = ..tokens;
        linear(&layer.up, self.state.slice(s![all, ..]), self.wide.slice_mut(s![all, ..]));
        if let Some(wide) = self.wide.slice_mut(s![all, ..]).into_slice() {
            gelu(wide);
        }
        residual(&layer.down, self.wide.slice(s![all, ..]), self.state.slice_mut(s![all, ..]));
        self.normalise(&layer.output_norm, weights.epsilon, tokens);
    }

    fn normalise(&mut self, norm: &Norm, epsilon: f32, tokens: usize) {
        for row in self.state.slice_mut(s![..tokens, ..]).rows_mut() {
            normalise(row.into_slice(), norm, epsilon);
        }
    }
}

/// What goes into the first block for texts given as token ids: `tokens × dimensions`.
pub fn embed<T: AsRef<[usize]>>(weights: &Weights, texts: &[T], mut states: ArrayViewMut2<'_, f32>) {
    let places = texts.iter().flat_map(|text| text.as_ref().iter().enumerate());
    for (mut state, (position, token)) in states.rows_mut().into_iter().zip(places) {
        let token = if *token < weights.tokens.nrows() { *token } else { 0 };
        let position = position.min(weights.positions.nrows() - 1);
        state.assign(&weights.tokens.row(token));
        state += &weights.positions.row(position);
        normalise(state.into_slice(), &weights.norm, weights.epsilon);
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

fn normalise(row: Option<&mut [f32]>, norm: &Norm, epsilon: f32) {
    if let (Some(row), Some(weight), Some(bias)) = (row, norm.weight.as_slice(), norm.bias.as_slice()) {
        layer_norm(row, weight, bias, epsilon);
    }
}

/// `to = from · weightᵀ + bias`.
pub fn linear(linear: &Linear, from: ArrayView2<'_, f32>, mut to: ArrayViewMut2<'_, f32>) {
    to.assign(&linear.bias);
    product(1.0, from, linear.weight.t(), Target::AddedTo, to);
}

/// `to += from · weightᵀ + bias`.
fn residual(linear: &Linear, from: ArrayView2<'_, f32>, mut to: ArrayViewMut2<'_, f32>) {
    to += &linear.bias;
    product(1.0, from, linear.weight.t(), Target::AddedTo, to);
}
