//! All blocks of a model one after the other, and back.

use ndarray::Array2;

use super::block::{Activations, Batch, BlockPass, Keep};
use super::ops::Cores;
use super::projection::{Updates, Wanted};
use super::updates::Layout;
use super::weights::Weights;

/// The blocks of a model at work on a batch.
#[derive(Clone, Copy)]
pub struct Graph<'m> {
    pub weights: &'m Weights,
    pub batch: &'m Batch,
    pub cores: Cores,
    /// Where the updates of a block lie, and their numbers block by block; none where the model is as it is.
    pub updates: Option<(Layout, &'m [Vec<f32>])>,
}

impl<'m> Graph<'m> {
    fn block(&self, block: usize) -> BlockPass<'m> {
        let Self { weights, batch, cores, updates } = *self;
        let updates = updates.map(|(layout, blocks)| Updates { layout, numbers: &blocks[block] });
        BlockPass { weights, batch, block, cores, updates }
    }

    /// What comes out of the last block for `x` (`rows × dimensions`) takes its place. Nothing is kept; `memory` is used from block to block.
    pub fn run(&self, x: &mut Array2<f32>, memory: &mut Activations) {
        for block in 0..self.weights.shape.blocks {
            self.block(block).forward(x, memory, Keep::Nothing);
        }
    }

    /// The same, keeping what [`Self::backward`] needs.
    pub fn forward(&self, mut x: Array2<f32>, keep: Keep) -> (Array2<f32>, Vec<Activations>) {
        let (mut all, mut memory) = (Vec::new(), Activations::default());
        for block in 0..self.weights.shape.blocks {
            if keep == Keep::All {
                let mut kept = Activations::default();
                self.block(block).forward(&mut x, &mut kept, Keep::All);
                all.push(kept);
            } else {
                all.push(Activations::of_input(x.clone()));
                self.block(block).forward(&mut x, &mut memory, keep);
            }
        }
        (x, all)
    }

    /// Adds the gradient by the updates, block by block, to `by_updates`, from that by what comes out of the last block.
    pub fn backward(
        &self,
        kept: Vec<Activations>,
        keep: Keep,
        by_result: Array2<f32>,
        by_updates: &mut [Vec<f32>],
    ) {
        let mut by = by_result;
        for (block, mut kept) in kept.into_iter().enumerate().rev() {
            let pass = self.block(block);
            if keep != Keep::All {
                let mut x = kept.take_input();
                pass.forward(&mut x, &mut kept, Keep::All);
            }
            let wanted = if block > 0 { Wanted::Input } else { Wanted::UpdatesAlone };
            let Some(by_input) = pass.backward(kept, by, &mut by_updates[block], wanted) else { return };
            by = by_input;
        }
    }
}
