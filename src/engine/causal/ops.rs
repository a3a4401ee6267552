//! A block and the choice among tokens as candle sees them: each with its result and the gradient by its inputs.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use ndarray::{Array1, Array2, ArrayView1, s};

use super::arithmetic::{norm, norm_gradient};
use super::block::{Kept, Pass};
use super::weights::Weights;
use crate::engine::training::{Held, matrix, numbers, scattered, stored, tensor};

/// Whether what the gradient needs is kept on the way there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All of it.
    All,
    /// Only what goes into each block; the rest is computed once more.
    Inputs,
}

/// A block, of `x` (`rows × dimensions`) and its updates in one row.
pub struct BlockOp {
    pass: Pass,
    keep: Keep,
    kept: Mutex<Option<Kept>>,
}

impl BlockOp {
    /// One at work.
    pub fn new(pass: Pass, keep: Keep) -> Self {
        Self { pass, keep, kept: Mutex::new(None) }
    }
}

impl CustomOp2 for BlockOp {
    fn name(&self) -> &'static str {
        "block"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        updates: &CpuStorage,
        updates_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (out, kept) = self.pass.forward(matrix(x, x_layout)?, numbers(updates, updates_layout)?);
        if self.keep == Keep::All {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        }
        Ok(stored(out))
    }

    fn bwd(
        &self,
        x: &Tensor,
        updates: &Tensor,
        _result: &Tensor,
        by_result: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let wants = x.track_op();
        let (held_x, held_updates, held_by) = (Held::of(x)?, Held::of(updates)?, Held::of(by_result)?);
        let (x, updates) = (held_x.matrix()?, held_updates.numbers()?);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let kept = kept.unwrap_or_else(|| self.pass.forward(x, updates).1);
        let (by_x, by_updates) = self.pass.backward(x, updates, kept, held_by.matrix()?, wants);
        let length = by_updates.len();
        let by_updates = Tensor::from_vec(by_updates, length, &candle_core::Device::Cpu)?;
        Ok((by_x.map(tensor).transpose()?, Some(by_updates)))
    }
}

/// One choice: in this row, among these tokens.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Row of what comes out of the last block.
    pub row: usize,
    /// The tokens, at least one.
    pub candidates: Vec<usize>,
}

/// The log-probabilities of the candidates of all choices, one after the other, of what comes out of the last block. No other token's score is
/// ever computed.
pub struct Choices {
    /// The model.
    pub weights: Arc<Weights>,
    /// The choices.
    pub choices: Vec<Choice>,
}

impl Choices {
    fn normed(&self, row: ArrayView1<'_, f32>) -> Array1<f32> {
        let mut normed = row.to_owned();
        if let Some(values) = normed.as_slice_mut() {
            norm(values, &self.weights.output_norm, self.weights.shape.epsilon);
        }
        normed
    }
}

fn log_softmax(scores: &mut Array1<f32>) {
    let most = scores.fold(f32::NEG_INFINITY, |most, x| most.max(*x));
    let whole = scores.iter().map(|x| f64::from(x - most).exp()).sum::<f64>().ln() as f32;
    scores.mapv_inplace(|x| x - most - whole);
}

impl CustomOp1 for Choices {
    fn name(&self) -> &'static str {
        "choices"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = matrix(x, layout)?;
        let mut all = Vec::new();
        for choice in &self.choices {
            let rows = self.weights.output().rows(&choice.candidates);
            let mut scores = rows.dot(&self.normed(x.row(choice.row)));
            log_softmax(&mut scores);
            all.extend(scores);
        }
        let length = all.len();
        Ok((CpuStorage::F32(all), Shape::from(length)))
    }

    fn bwd(&self, x: &Tensor, result: &Tensor, by_result: &Tensor) -> Result<Option<Tensor>> {
        let (held_x, held_result, held_by) = (Held::of(x)?, Held::of(result)?, Held::of(by_result)?);
        let (x, result, by_result) = (held_x.matrix()?, held_result.numbers()?, held_by.numbers()?);
        let mut by_x = Array2::zeros(x.dim());
        let mut at = 0;
        for choice in &self.choices {
            let of = at..at + choice.candidates.len();
            at = of.end;
            let rows = self.weights.output().rows(&choice.candidates);
            let whole: f32 = by_result[of.clone()].iter().sum();
            let by_scores = by_result[of.clone()].iter().zip(&result[of]).map(|(by, p)| by - p.exp() * whole);
            let mut by_state = rows.t().dot(&by_scores.collect::<Array1<f32>>());
            let state = x.slice(s![choice.row, ..]);
            let (by, state) = by_state.as_slice_mut().zip(state.to_slice()).ok_or_else(scattered)?;
            norm_gradient(state, &self.weights.output_norm, self.weights.shape.epsilon, by);
            let mut to = by_x.row_mut(choice.row);
            to += &by_state;
        }
        tensor(by_x).map(Some)
    }
}
