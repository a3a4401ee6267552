//! An adapter in memory: a low-rank update of every linear layer of a model.

use ndarray::{Array2, s};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::domain::fault::{Fault, Result};
use crate::engine::transformer::{Cores, Layout, Projection, Shape, Target, Weights, product};

/// The update of one linear layer, `scale · b · a`.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// `rank × in`.
    pub a: Array2<f32>,
    /// `out × rank`.
    pub b: Array2<f32>,
}

/// Updates of all linear layers, block by block, each in the order of [`Shape::sites`].
#[derive(Clone, Debug, PartialEq)]
pub struct Lora {
    /// Rank of each update.
    pub rank: usize,
    /// An update counts `alpha / rank` times.
    pub alpha: f32,
    pub updates: Vec<Update>,
}

impl Lora {
    /// An adapter that changes nothing yet: `b` is zero, `a` uniform within `±1/√in`, as PEFT begins.
    pub fn untrained(shape: &Shape, rank: usize, alpha: f32, rng: &mut ChaCha8Rng) -> Self {
        let updates = dims(shape)
            .map(|(out, from)| {
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
        let wanted = dims(shape).map(|(out, from)| ((self.rank, from), (out, self.rank)));
        self.rank > 0 && self.updates.iter().map(|u| (u.a.dim(), u.b.dim())).eq(wanted)
    }

    /// The weights with the updates in them, for a model that it [`Self::fits`].
    ///
    /// # Errors
    /// Weights that are not held as F32.
    pub fn merged(&self, weights: &Weights) -> Result<Weights> {
        let mut merged = weights.clone();
        let mut updates = self.updates.iter();
        for block in &mut merged.blocks {
            for projection in Projection::ALL {
                for linear in block.linears_mut(projection) {
                    let plain = linear.matrix.as_plain_mut().ok_or_else(|| {
                        Fault::new(
                            "use the adapter",
                            "the model's weights are not held as single-precision numbers",
                        )
                    })?;
                    // A matrix may hold several linear layers below each other.
                    let mut first = 0;
                    while first < plain.nrows() {
                        let Some(Update { a, b }) = updates.next() else { break };
                        let rows = plain.slice_mut(s![first..first + b.nrows(), ..]);
                        product(Cores::One, self.scale(), (b.view(), a.view()), Target::AddedTo, rows);
                        first += b.nrows();
                    }
                }
            }
        }
        Ok(merged)
    }

    /// Where a trainer keeps the updates of a block in a row of numbers.
    pub(in crate::engine) fn layout(&self) -> Layout {
        Layout { rank: self.rank, scale: self.scale() }
    }

    /// The updates block by block, each in a row of numbers, for a model that it [`Self::fits`].
    pub(in crate::engine) fn to_rows(&self, shape: &Shape) -> Vec<Vec<f32>> {
        let sites = self.layout().sites(shape);
        let of_block = |updates: &[Update]| {
            let mut numbers = vec![0.0; self.layout().numbers(shape)];
            for (update, (_, a, b)) in updates.iter().zip(&sites) {
                numbers[a.clone()].iter_mut().zip(&update.a).for_each(|(to, from)| *to = *from);
                numbers[b.clone()].iter_mut().zip(&update.b).for_each(|(to, from)| *to = *from);
            }
            numbers
        };
        self.updates.chunks(sites.len()).map(of_block).collect()
    }

    /// The adapter that [`Self::to_rows`] of one of this rank gave, or a trainer has changed since.
    #[must_use]
    pub(in crate::engine) fn with_rows(&self, shape: &Shape, rows: &[Vec<f32>]) -> Self {
        let sites = self.layout().sites(shape);
        let mut updates = Vec::new();
        for numbers in rows {
            for (site, a, b) in &sites {
                let (out, from) = shape.dim(*site);
                let matrix = |range: &std::ops::Range<usize>, dim| {
                    Array2::from_shape_vec(dim, numbers[range.clone()].to_vec()).unwrap_or_default()
                };
                updates.push(Update { a: matrix(a, (self.rank, from)), b: matrix(b, (out, self.rank)) });
            }
        }
        Self { rank: self.rank, alpha: self.alpha, updates }
    }
}

/// Rows and columns of all linear layers, block by block.
fn dims(shape: &Shape) -> impl Iterator<Item = (usize, usize)> {
    (0..shape.blocks).flat_map(|_| shape.family.sites().map(|site| shape.dim(site)))
}
