//! The head of a language model: choices among a few tokens. No other token's score is ever computed.

use ndarray::{Array1, Array2, ArrayView2, s};

use super::ops::{Cores, log_softmax, multiplied};
use super::weights::Weights;

/// One choice: in this row, among these tokens.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Row of what comes out of the last block.
    pub row: usize,
    /// At least one.
    pub candidates: Vec<usize>,
}

/// The log-probabilities of the candidates of all choices, choice by choice, from what comes out of the last block.
pub fn choose(weights: &Weights, choices: &[Choice], states: ArrayView2<'_, f32>) -> Vec<Vec<f32>> {
    let of = |choice: &Choice| {
        let mut state = states.row(choice.row).to_vec();
        if let Some(norm) = &weights.final_norm {
            norm.apply(&mut state);
        }
        let mut scores = weights.output().rows(&choice.candidates).dot(&Array1::from(state)).to_vec();
        log_softmax(&mut scores);
        scores
    };
    choices.iter().map(of).collect()
}

/// The gradient by what comes out of the last block, from that by the results of [`choose`].
pub fn choose_gradient(
    weights: &Weights,
    choices: &[Choice],
    states: ArrayView2<'_, f32>,
    results: &[Vec<f32>],
    by_results: &[Vec<f32>],
) -> Array2<f32> {
    let mut by_states = Array2::zeros(states.dim());
    for (choice, (result, by_result)) in choices.iter().zip(results.iter().zip(by_results)) {
        let whole: f32 = by_result.iter().sum();
        let by_scores: Vec<f32> = by_result.iter().zip(result).map(|(by, p)| by - p.exp() * whole).collect();
        let rows = weights.output().rows(&choice.candidates);
        let by_scores = ArrayView2::from_shape((1, by_scores.len()), &by_scores);
        let Ok(by_scores) = by_scores else { continue };
        let mut by_state = multiplied(Cores::One, by_scores, rows.view());
        let state = states.slice(s![choice.row, ..]).to_vec();
        if let (Some(norm), Some(by_state)) = (&weights.final_norm, by_state.as_slice_mut()) {
            norm.gradient(&state, by_state);
        }
        let mut to = by_states.row_mut(choice.row);
        to += &by_state.row(0);
    }
    by_states
}
