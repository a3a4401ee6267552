//! An adapter in memory: a low-rank update of every linear of an encoder.

use ndarray::{Array2, s};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::engine::bert::{Place, Target, Weights, product};

/// The update of one linear, `scale · b · a`. A linear that stands for several tensors of the file, one below the other, has an update of the
/// same rank for each: `a` and `b` hold them one below the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// `parts · rank × in`.
    pub a: Array2<f32>,
    /// `out × rank`.
    pub b: Array2<f32>,
}

impl Update {
    /// How many tensors of the file it updates.
    pub fn parts(&self) -> usize {
        self.a.nrows() / self.b.ncols().max(1)
    }
}

/// Updates of all linears, block by block, each in the order of [`Place::ALL`].
#[derive(Clone, Debug, PartialEq)]
pub struct Lora {
    /// Rank of each update.
    pub rank: usize,
    /// An update counts `alpha / rank` times.
    pub alpha: f32,
    /// The updates.
    pub updates: Vec<Update>,
}

impl Lora {
    /// An adapter that changes nothing yet: `b` is zero, `a` uniform within `±1/√in`, as PEFT begins.
    pub fn untrained(weights: &Weights, rank: usize, alpha: f32, rng: &mut ChaCha8Rng) -> Self {
        let updates = sites(weights)
            .map(|(layer, place)| {
                let (out, from) = weights.layers[layer].linear(place).weight.dim();
                let most = 1.0 / (from as f32).sqrt();
                let rows = place.tensors().len() * rank;
                Update {
                    a: Array2::from_shape_simple_fn((rows, from), || rng.gen_range(-most..most)),
                    b: Array2::zeros((out, rank)),
                }
            })
            .collect();
        Self { rank, alpha, updates }
    }

    /// How often an update counts.
    pub fn scale(&self) -> f32 {
        self.alpha / self.rank as f32
    }

    /// Whether it was made for an encoder of this shape.
    pub fn fits(&self, weights: &Weights) -> bool {
        let shapes = sites(weights).map(|(layer, place)| {
            let (out, from) = weights.layers[layer].linear(place).weight.dim();
            ((place.tensors().len() * self.rank, from), (out, self.rank))
        });
        self.rank > 0 && self.updates.iter().map(|u| (u.a.dim(), u.b.dim())).eq(shapes)
    }

    /// The weights with the updates in them, for an encoder that it [`Self::fits`].
    pub fn merged(&self, weights: &Weights) -> Weights {
        let mut merged = weights.clone();
        for ((layer, place), update) in sites(weights).zip(&self.updates) {
            let weight = &mut merged.layers[layer].linear_mut(place).weight;
            let (out, parts) = (weight.nrows() / update.parts(), update.parts());
            for part in 0..parts {
                let (rows, ranks) = (part * out..(part + 1) * out, part * self.rank..(part + 1) * self.rank);
                let (a, b) = (update.a.slice(s![ranks, ..]), update.b.slice(s![rows.clone(), ..]));
                product(self.scale(), b, a, Target::AddedTo, weight.slice_mut(s![rows, ..]));
            }
        }
        merged
    }
}

/// Every linear of an encoder: the number of its block and its place there.
pub(crate) fn sites(weights: &Weights) -> impl Iterator<Item = (usize, Place)> {
    (0..weights.layers.len()).flat_map(|layer| Place::ALL.map(|place| (layer, place)))
}
