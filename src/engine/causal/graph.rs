//! The trained language model as candle differentiates it: block after block, then the choices.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor, Var};

use super::adapter::Adapter;
use super::block::{Kept, Layout, Pass};
use super::example::{Example, Form, Rows};
use super::ops::{BlockOp, Choices, Keep};
use super::shape::Shape;
use super::weights::{Place, Weights};
use crate::engine::lora::Update;
use crate::engine::training::tensor;
use ndarray::Array2;

/// Everything that is trained: the updates of each block in one row.
pub struct Trained {
    weights: Arc<Weights>,
    updates: Vec<Var>,
    layout: Layout,
    alpha: f32,
}

impl Trained {
    /// Parameters that begin at these values, which are for a model of this shape.
    pub fn begin(weights: &Arc<Weights>, adapter: &Adapter) -> Result<Self> {
        let layout = Layout { rank: adapter.rank, scale: adapter.scale() };
        let of_blocks = adapter.updates.chunks(Place::ALL.len()).map(|updates| {
            let numbers: Vec<f32> =
                updates.iter().flat_map(|update| update.a.iter().chain(&update.b)).copied().collect();
            let length = numbers.len();
            Var::from_vec(numbers, length, &Device::Cpu)
        });
        let updates = of_blocks.collect::<Result<_>>()?;
        Ok(Self { weights: Arc::clone(weights), updates, layout, alpha: adapter.alpha })
    }

    /// All parameters.
    pub fn parameters(&self) -> Vec<Var> {
        self.updates.clone()
    }

    /// Their values now.
    pub fn values(&self) -> Result<Adapter> {
        let shape = &self.weights.shape;
        let mut updates = Vec::new();
        for of_block in &self.updates {
            let numbers = of_block.to_vec1::<f32>()?;
            for place in Place::ALL {
                let (out, from) = place.dim(shape);
                let (a, b) = self.layout.of(place, shape);
                let matrix = |range, dim| {
                    let numbers: &[f32] = &numbers[range];
                    Array2::from_shape_vec(dim, numbers.to_vec()).map_err(candle_core::Error::wrap)
                };
                updates.push(Update {
                    a: matrix(a, (self.layout.rank, from))?,
                    b: matrix(b, (out, self.layout.rank))?,
                });
            }
        }
        Ok(Adapter { rank: self.layout.rank, alpha: self.alpha, updates })
    }

    /// The log-probabilities of all candidates of all decisions in a row, in the examples' order.
    pub fn log_probabilities(&self, rows: &Rows, aim: Aim) -> Result<Tensor> {
        let mut states = self.weights.tokens.rows(&rows.tokens);
        states *= self.weights.shape.embedding_scale();
        let mut x = tensor(states)?;
        for (block, updates) in self.updates.iter().enumerate() {
            let pass = Pass {
                weights: Arc::clone(&self.weights),
                batch: Arc::clone(&rows.batch),
                block,
                layout: self.layout,
            };
            x = match aim {
                Aim::Gradient(keep) => x.apply_op2(updates, BlockOp::new(pass, keep))?,
                Aim::Value => x.apply_op2(&updates.detach(), BlockOp::new(pass, Keep::Inputs))?,
            };
        }
        x.apply_op1(Choices { weights: Arc::clone(&self.weights), choices: rows.choices.clone() })
    }
}

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Its gradient, too.
    Gradient(Keep),
    /// Its result alone.
    Value,
}

/// How examples are computed within some memory: how many at a time, and what is kept.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    rows_kept: usize,
    rows_not_kept: usize,
}

impl Budget {
    /// What `memory` bytes allow.
    pub fn new(shape: &Shape, memory: u64) -> Self {
        let (kept, input) = (4 * Kept::numbers(shape), 4 * shape.dimensions);
        let blocks = shape.blocks;
        let rows = |bytes: usize| usize::try_from(memory / bytes.max(1) as u64).unwrap_or(usize::MAX);
        // On the way back one block more is in the works, in about three copies.
        Self { rows_kept: rows(kept * (blocks + 3)), rows_not_kept: rows(input * blocks + 4 * kept) }
    }

    /// The examples with these numbers in parts that are computed at once, and what is kept of them: whatever costs the least.
    pub fn parts<'n>(
        self,
        examples: &[Example],
        numbers: &'n [usize],
        form: Form<'_>,
    ) -> (Vec<&'n [usize]>, Keep) {
        let kept = split(examples, numbers, form, self.rows_kept);
        let not_kept = split(examples, numbers, form, self.rows_not_kept);
        let shared = numbers.first().map_or(0, |number| form.rows_shared(&examples[*number]));
        let own: usize = numbers.iter().map(|number| form.rows(&examples[*number])).sum();
        let cost = |parts: usize, passes: usize| passes * (parts * shared + own);
        let rows = |part: &&[usize]| part.iter().map(|n| form.rows(&examples[*n])).sum::<usize>() + shared;
        let fits = kept.iter().all(|part| rows(part) <= self.rows_kept);
        // There, back, and there once more.
        if fits && cost(kept.len(), 2) <= cost(not_kept.len(), 3) {
            (kept, Keep::All)
        } else {
            (not_kept, Keep::Inputs)
        }
    }
}

/// As many examples at a time as have no more than `most` rows, but at least one.
fn split<'n>(examples: &[Example], numbers: &'n [usize], form: Form<'_>, most: usize) -> Vec<&'n [usize]> {
    let (mut parts, mut rest) = (Vec::new(), numbers);
    while let Some(first) = rest.first() {
        let mut rows = form.rows_shared(&examples[*first]);
        let fits = rest.iter().take_while(|number| {
            rows += form.rows(&examples[**number]);
            rows <= most
        });
        let (part, after) = rest.split_at(fits.count().max(1));
        parts.push(part);
        rest = after;
    }
    parts
}

/// The log-probabilities of each decision's candidates, example by example.
pub fn evaluate(
    trained: &Trained,
    examples: &[Example],
    form: Form<'_>,
    budget: Budget,
) -> Result<Vec<Vec<Vec<f32>>>> {
    let numbers: Vec<usize> = (0..examples.len()).collect();
    let mut all = Vec::new();
    for part in split(examples, &numbers, form, budget.rows_not_kept) {
        let rows = Rows::of(&trained.weights, examples, part, form)?;
        let mut flat = trained.log_probabilities(&rows, Aim::Value)?.to_vec1::<f32>()?.into_iter();
        for number in part {
            let of = |candidates: usize| flat.by_ref().take(candidates).collect();
            all.push(examples[*number].decisions.iter().map(|d| d.candidates.len()).map(of).collect());
        }
    }
    Ok(all)
}
