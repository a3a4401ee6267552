//! The low-rank updates of a block as a trainer changes them: one row of numbers, and where in it each matrix lies.
//!
//! For each projection all `a` (`rank × in`) below each other, then all `b` (`out × rank`) below each other, so that the products with `a` of
//! the linear layers that read the same input are one.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

use super::shape::Shape;
use super::sites::{Projection, Site};

/// Rank and weight of the updates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    pub rank: usize,
    /// How often an update counts.
    pub scale: f32,
}

/// Where the matrices of one projection lie.
pub struct UpdateRanges {
    a: Range<usize>,
    b: Range<usize>,
    a_dim: (usize, usize),
    b_dim: (usize, usize),
}

impl Layout {
    /// Numbers of a whole block.
    pub fn numbers(self, shape: &Shape) -> usize {
        self.ranges(Projection::Down, shape).b.end
    }

    /// Where the matrices of a projection lie.
    pub fn ranges(self, projection: Projection, shape: &Shape) -> UpdateRanges {
        let sizes = |projection: Projection| {
            let (out, from) = shape.projection_dim(projection);
            let sites = projection.sites(shape.family.feed_forward).len();
            ((sites * self.rank, from), (out, self.rank))
        };
        let before = Projection::ALL.into_iter().take_while(|other| *other != projection);
        let begin = before.map(sizes).map(|(a, b)| a.0 * a.1 + b.0 * b.1).sum::<usize>();
        let (a_dim, b_dim) = sizes(projection);
        let middle = begin + a_dim.0 * a_dim.1;
        UpdateRanges { a: begin..middle, b: middle..middle + b_dim.0 * b_dim.1, a_dim, b_dim }
    }

    /// Where `a` and `b` of each linear layer of a block lie, in the order of the layers.
    pub fn sites(self, shape: &Shape) -> Vec<(Site, Range<usize>, Range<usize>)> {
        let mut all = Vec::new();
        for projection in Projection::ALL {
            let UpdateRanges { a, b, .. } = self.ranges(projection, shape);
            let (mut a, mut b) = (a.start, b.start);
            for site in projection.sites(shape.family.feed_forward) {
                let (out, from) = shape.dim(*site);
                all.push((*site, a..a + self.rank * from, b..b + out * self.rank));
                (a, b) = (a + self.rank * from, b + out * self.rank);
            }
        }
        all
    }
}

impl UpdateRanges {
    /// All `a` below each other, and all `b`.
    pub fn matrices<'n>(&self, numbers: &'n [f32]) -> (ArrayView2<'n, f32>, ArrayView2<'n, f32>) {
        let view = |range: &Range<usize>, dim| match ArrayView2::from_shape(dim, &numbers[range.clone()]) {
            Ok(view) => view,
            Err(_) => unreachable!("the layout has as many numbers as the matrix"),
        };
        (view(&self.a, self.a_dim), view(&self.b, self.b_dim))
    }

    /// The same, to be changed.
    pub fn matrices_mut<'n>(
        &self,
        numbers: &'n mut [f32],
    ) -> (ArrayViewMut2<'n, f32>, ArrayViewMut2<'n, f32>) {
        let (a, b) = numbers[self.a.start..self.b.end].split_at_mut(self.a.len());
        match (ArrayViewMut2::from_shape(self.a_dim, a), ArrayViewMut2::from_shape(self.b_dim, b)) {
            (Ok(a), Ok(b)) => (a, b),
            _ => unreachable!("the layout has as many numbers as the matrix"),
        }
    }
}
