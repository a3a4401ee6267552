//! An adapter of a language model in memory: a low-rank update of every linear of every block.

use ndarray::Array2;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::shape::Shape;
use super::weights::Place;
use crate::engine::lora::Update;

/// Updates of all linears, block by block, each in the order of [`Place::ALL`].
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// Rank of each update.
    pub rank: usize,
    /// An update counts `alpha / rank` times.
    pub alpha: f32,
    /// The updates.
    pub updates: Vec<Update>,
}

impl Adapter {
    /// One that changes nothing yet: `b` is zero, `a` uniform within `±1/√in`, as PEFT begins.
    pub fn untrained(shape: &Shape, rank: usize, alpha: f32, rng: &mut ChaCha8Rng) -> Self {
        let updates = sites(shape)
            .map(|place| {
                let (out, from) = place.dim(shape);
                let most = 1.0 / (from as f32).sqrt();
                Update {
                    a: Array2::from_shape_simple_fn((rank, from), || rng.gen_range(-most..most)),
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

    /// Whether it was made for a model of this shape.
    pub fn fits(&self, shape: &Shape) -> bool {
        let shapes = sites(shape).map(|place| {
            let (out, from) = place.dim(shape);
            ((self.rank, from), (out, self.rank))
        });
        self.rank > 0 && self.updates.iter().map(|u| (u.a.dim(), u.b.dim())).eq(shapes)
    }
}

fn sites(shape: &Shape) -> impl Iterator<Item = Place> {
    (0..shape.blocks).flat_map(|_| Place::ALL)
}
