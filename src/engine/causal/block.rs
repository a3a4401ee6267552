//! One block of a language model with its low-rank updates: what comes out of it, and the gradient by what goes in and by the updates.
//!
//! The graph is that of llama.cpp. What the gradient needs is kept from the way there, or computed once more where memory is short.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2, Axis};

use super::arithmetic::{Angles, Opening, Way, add_product, multiplied, norm, norm_gradient, through};
use super::attention::{Heads, Read, Reading};
use super::shape::{Family, Shape};
use super::weights::{Block, Place, Weights};

/// Where the updates of a block lie in one row of numbers: for each place `a` (`rank × in`), then `b` (`out × rank`).
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Rank of each update.
    pub rank: usize,
    /// How often an update counts.
    pub scale: f32,
}

impl Layout {
    fn size(self, place: Place, shape: &Shape) -> usize {
        let (out, from) = place.dim(shape);
        self.rank * (out + from)
    }

    /// Where `a` and `b` of a place lie.
    pub fn of(self, place: Place, shape: &Shape) -> (Range<usize>, Range<usize>) {
        let before = Place::ALL.into_iter().take_while(|other| *other != place);
        let begin = before.map(|place| self.size(place, shape)).sum::<usize>();
        let (out, from) = place.dim(shape);
        let middle = begin + self.rank * from;
        (begin..middle, middle..middle + out * self.rank)
    }
}

/// What a batch reads, and the angles of its rows.
pub struct Batch {
    /// Who reads what.
    pub reading: Reading,
    /// The rows whose results are wanted after the last block.
    pub wanted: Vec<usize>,
    angles: Angles,
    window_angles: Option<Angles>,
}

impl Batch {
    /// A batch for a model.
    pub fn new(weights: &Weights, reading: Reading, wanted: Vec<usize>) -> Self {
        let shape = &weights.shape;
        let angles = |turn| {
            let divisors = weights.turn_divisors.as_deref();
            Angles::new(&reading.positions, shape.head_size, shape.pairs(), turn, divisors)
        };
        let window_angles = shape.window.as_ref().map(|window| angles(window.turn));
        Self { angles: angles(shape.turn), window_angles, reading, wanted }
    }
}

/// A block at work on a batch.
pub struct Pass {
    /// The model.
    pub weights: Arc<Weights>,
    /// What it works on.
    pub batch: Arc<Batch>,
    /// Which block.
    pub block: usize,
    /// Of its updates.
    pub layout: Layout,
}

/// What the gradient needs, besides the input.
pub struct Kept {
    queries: Array2<f32>,
    keys: Array2<f32>,
    values: Array2<f32>,
    /// The heads' results; of the last block in the wanted rows alone, like all that follows.
    of_heads: Array2<f32>,
    /// What attention adds, before its norm, where it has one.
    attended: Option<Array2<f32>>,
    middle: Array2<f32>,
    gate: Array2<f32>,
    up: Array2<f32>,
    /// What the wide layer adds, before its norm, where it has one.
    result: Option<Array2<f32>>,
}

impl Kept {
    /// How many numbers are kept for a row of a block.
    pub fn numbers(shape: &Shape) -> usize {
        let d = shape.dimensions;
        let normed = if shape.family.norms_results() { 2 * d } else { 0 };
        2 * (shape.queries() + shape.keys()) + 2 * shape.wide + 2 * d + normed
    }
}

impl Pass {
    fn shape(&self) -> &Shape {
        &self.weights.shape
    }

    fn frozen(&self) -> &Block {
        &self.weights.blocks[self.block]
    }

    fn heads(&self) -> Heads {
        let shape = self.shape();
        Heads {
            heads: shape.heads,
            key_heads: shape.key_heads,
            size: shape.head_size,
            scale: shape.attention_scale,
            window: shape.window_of(self.block),
        }
    }

    fn opening(&self) -> Opening {
        if self.shape().family == Family::Gemma3 { Opening::Gelu } else { Opening::Silu }
    }

    fn is_last(&self) -> bool {
        self.block + 1 == self.shape().blocks
    }

    fn turn(&self, values: &mut Array2<f32>, way: Way) {
        let windowed = self.shape().window_of(self.block).and(self.batch.window_angles.as_ref());
        windowed.unwrap_or(&self.batch.angles).turn(values, way);
    }

    fn normed(&self, x: ArrayView2<'_, f32>, weight: &[f32]) -> Array2<f32> {
        let mut normed = x.to_owned();
        if let Some(values) = normed.as_slice_mut() {
            norm(values, weight, self.shape().epsilon);
        }
        normed
    }

    /// The gradient by `x` before its norm, from that by its result.
    fn norm_gradient(
        &self,
        x: ArrayView2<'_, f32>,
        weight: &[f32],
        mut gradient: Array2<f32>,
    ) -> Array2<f32> {
        if let (Some(x), Some(gradient)) = (x.to_slice(), gradient.as_slice_mut()) {
            norm_gradient(x, weight, self.shape().epsilon, gradient);
        }
        gradient
    }

    /// The wanted rows, in the last block.
    fn wanted(&self, x: Array2<f32>) -> Array2<f32> {
        if self.is_last() { x.select(Axis(0), &self.batch.wanted) } else { x }
    }

    /// All rows again, in the last block: nothing comes back to those that are not wanted.
    fn all(&self, gradient: Array2<f32>) -> Array2<f32> {
        if !self.is_last() {
            return gradient;
        }
        let mut all = Array2::zeros((self.batch.reading.positions.len(), gradient.ncols()));
        for (row, gradient) in self.batch.wanted.iter().zip(gradient.rows()) {
            let mut to = all.row_mut(*row);
            to += &gradient;
        }
        all
    }

    /// Norms and turns what queries or keys are before.
    fn turned(&self, before: &Array2<f32>, norm_of_heads: Option<&[f32]>) -> Array2<f32> {
        let mut turned = match norm_of_heads {
            Some(weight) => self.normed(before.view(), weight),
            None => before.clone(),
        };
        self.turn(&mut turned, Way::On);
        turned
    }

    /// The way back through [`Self::turned`].
    fn turned_back(
        &self,
        before: &Array2<f32>,
        norm_of_heads: Option<&[f32]>,
        mut gradient: Array2<f32>,
    ) -> Array2<f32> {
        self.turn(&mut gradient, Way::Back);
        match norm_of_heads {
            Some(weight) => self.norm_gradient(before.view(), weight, gradient),
            None => gradient,
        }
    }

    fn norms_of_heads(&self) -> (Option<&[f32]>, Option<&[f32]>) {
        let norms = self.frozen().head_norms.as_ref();
        (norms.map(|(queries, _)| &queries[..]), norms.map(|(_, keys)| &keys[..]))
    }

    /// What comes out for `x` (`rows × dimensions`), and what the gradient needs.
    pub fn forward(&self, x: ArrayView2<'_, f32>, updates: &[f32]) -> (Array2<f32>, Kept) {
        let frozen = self.frozen();
        let linear = |place, x: &Array2<f32>| self.linear(place, x.view(), updates);
        let entered = self.normed(x, &frozen.attention_norm);
        let (queries, keys) = (linear(Place::Query, &entered), linear(Place::Key, &entered));
        let values = linear(Place::Value, &entered);
        drop(entered);
        let (query_norm, key_norm) = self.norms_of_heads();
        let (turned_queries, turned_keys) = (self.turned(&queries, query_norm), self.turned(&keys, key_norm));
        let read = Read { queries: turned_queries.view(), keys: turned_keys.view(), values: values.view() };
        let of_heads = self.wanted(self.heads().attend(&self.batch.reading, self.block, read));
        let x = self.wanted(x.to_owned());

        let attended = linear(Place::Attended, &of_heads);
        let (middle, attended) = self.added(x, attended, frozen.attended_norm.as_deref());
        let entered = self.normed(middle.view(), &frozen.wide_norm);
        let (gate, up) = (linear(Place::Gate, &entered), linear(Place::Up, &entered));
        drop(entered);
        let result = linear(Place::Down, &self.opened(&gate, &up));
        let (out, result) = self.added(middle.clone(), result, frozen.result_norm.as_deref());
        (out, Kept { queries, keys, values, of_heads, attended, middle, gate, up, result })
    }

    fn opened(&self, gate: &Array2<f32>, up: &Array2<f32>) -> Array2<f32> {
        let mut opened = up.clone();
        if let (Some(gate), Some(opened)) = (gate.as_slice(), opened.as_slice_mut()) {
            self.opening().open(gate, opened);
        }
        opened
    }

    /// `x` with what is added to it, and that itself where it went through a norm.
    fn added(
        &self,
        mut x: Array2<f32>,
        added: Array2<f32>,
        weight: Option<&[f32]>,
    ) -> (Array2<f32>, Option<Array2<f32>>) {
        match weight {
            Some(weight) => {
                x += &self.normed(added.view(), weight);
                (x, Some(added))
            }
            None => {
                x += &added;
                (x, None)
            }
        }
    }

    /// The gradient by `x`, unless nobody `wants` it, and that by the updates, from that by the result.
    pub fn backward(
        &self,
        x: ArrayView2<'_, f32>,
        updates: &[f32],
        kept: Kept,
        by_result: ArrayView2<'_, f32>,
        wants: bool,
    ) -> (Option<Array2<f32>>, Vec<f32>) {
        let frozen = self.frozen();
        let mut by_updates = vec![0.0; updates.len()];
        let mut back = |place, x: ArrayView2<'_, f32>, by: &Array2<f32>, to: Option<&mut Array2<f32>>| {
            self.linear_gradient(place, x, updates, by, &mut by_updates, to);
        };
        let through = |norm_of: Option<&[f32]>, before: &Option<Array2<f32>>, by: Array2<f32>| match (
            norm_of, before,
        ) {
            (Some(weight), Some(before)) => self.norm_gradient(before.view(), weight, by),
            _ => by,
        };
        let Kept { queries, keys, values, of_heads, attended, middle, gate, mut up, result } = kept;
        let by = through(frozen.result_norm.as_deref(), &result, by_result.to_owned());
        let opened = self.opened(&gate, &up);
        let mut by_opened = Array2::zeros(opened.dim());
        back(Place::Down, opened.view(), &by, Some(&mut by_opened));
        drop(opened);
        let mut by_gate = Array2::zeros(gate.dim());
        if let (Some(gate), Some(up), Some(by), Some(by_gate)) =
            (gate.as_slice(), up.as_slice_mut(), by_opened.as_slice_mut(), by_gate.as_slice_mut())
        {
            self.opening().gradient(gate, up, by, by_gate);
        }
        drop((gate, up));
        let entered = self.normed(middle.view(), &frozen.wide_norm);
        let mut by_entered = Array2::zeros(entered.dim());
        back(Place::Gate, entered.view(), &by_gate, Some(&mut by_entered));
        back(Place::Up, entered.view(), &by_opened, Some(&mut by_entered));
        drop((by_gate, by_opened, entered));
        let mut by_middle = self.norm_gradient(middle.view(), &frozen.wide_norm, by_entered);
        by_middle += &by_result;

        let by = through(frozen.attended_norm.as_deref(), &attended, by_middle.clone());
        let mut by_heads = Array2::zeros(of_heads.dim());
        back(Place::Attended, of_heads.view(), &by, Some(&mut by_heads));
        drop((of_heads, by));
        let (query_norm, key_norm) = self.norms_of_heads();
        let (turned_queries, turned_keys) = (self.turned(&queries, query_norm), self.turned(&keys, key_norm));
        let read = Read { queries: turned_queries.view(), keys: turned_keys.view(), values: values.view() };
        let [by_queries, by_keys, by_values] =
            self.heads().gradient(&self.batch.reading, self.block, read, self.all(by_heads).view());
        let by_queries = self.turned_back(&queries, query_norm, by_queries);
        let by_keys = self.turned_back(&keys, key_norm, by_keys);
        let entered = self.normed(x, &frozen.attention_norm);
        let mut by_entered = wants.then(|| Array2::zeros(entered.dim()));
        back(Place::Query, entered.view(), &by_queries, by_entered.as_mut());
        back(Place::Key, entered.view(), &by_keys, by_entered.as_mut());
        back(Place::Value, entered.view(), &by_values, by_entered.as_mut());
        let by_x = by_entered.map(|by_entered| {
            let mut by_x = self.norm_gradient(x, &frozen.attention_norm, by_entered);
            by_x += &self.all(by_middle);
            by_x
        });
        (by_x, by_updates)
    }

    /// The updates of a place: `a` and `b`.
    fn update<'u>(&self, place: Place, updates: &'u [f32]) -> (ArrayView2<'u, f32>, ArrayView2<'u, f32>) {
        let (out, from) = place.dim(self.shape());
        let (a, b) = self.layout.of(place, self.shape());
        let view = |range: Range<usize>, dim| match ArrayView2::from_shape(dim, &updates[range]) {
            Ok(view) => view,
            Err(_) => unreachable!("the layout has as many numbers as the matrix"),
        };
        (view(a, (self.layout.rank, from)), view(b, (out, self.layout.rank)))
    }

    fn linear(&self, place: Place, x: ArrayView2<'_, f32>, updates: &[f32]) -> Array2<f32> {
        let frozen = self.frozen().linear(place);
        let mut to = frozen.matrix.with(&mut self.weights.scratch(), |matrix| through(x, matrix));
        if let Some(bias) = &frozen.bias {
            to += bias;
        }
        let (a, b) = self.update(place, updates);
        add_product(self.layout.scale, multiplied(x, a.t()).view(), b.t(), to.view_mut());
        to
    }

    /// Adds the gradient by `x` to `by_x`, and writes that by the place's updates.
    fn linear_gradient(
        &self,
        place: Place,
        x: ArrayView2<'_, f32>,
        updates: &[f32],
        by_result: &Array2<f32>,
        by_updates: &mut [f32],
        by_x: Option<&mut Array2<f32>>,
    ) {
        let scale = self.layout.scale;
        let (a, b) = self.update(place, updates);
        let (of_a, of_b) = self.layout.of(place, self.shape());
        let down = multiplied(x, a.t());
        let mut by_down = multiplied(by_result.view(), b);
        by_down *= scale;
        let mut by_b = multiplied(by_result.t(), down.view());
        by_b *= scale;
        let by_a = multiplied(by_down.t(), x);
        by_updates[of_a].iter_mut().zip(&by_a).for_each(|(to, from)| *to += from);
        by_updates[of_b].iter_mut().zip(&by_b).for_each(|(to, from)| *to += from);
        if let Some(by_x) = by_x {
            add_product(1.0, by_down.view(), a, by_x.view_mut());
            let matrix = &self.frozen().linear(place).matrix;
            matrix.with(&mut self.weights.scratch(), |matrix| {
                add_product(1.0, by_result.view(), matrix, by_x.view_mut());
            });
        }
    }
}
