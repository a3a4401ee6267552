//! The pool as mining sees it: unit vectors, prelabels, splits, and which items may still be chosen.
//!
//! Checks shapes and numbers once, so that no strategy has to handle a missing row or a NaN. Labelled items stay in it
//! as points. It never holds a text or an expert's label.

use ndarray::{ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::split::Split;
use crate::domain::task_kind::TaskKind;

/// The unchecked parts of a pool; row `i` of every part is about the same item.
#[derive(Clone, Copy)]
pub struct PoolParts<'a> {
    /// What is asked for: where boundaries between labels lie.
    pub kind: TaskKind,
    /// n items.
    pub items: &'a [ItemId],
    /// Embeddings of one model and adapter as directions from their mean ([`super::centre`]), n × d, rows of unit length, or zero.
    pub vectors: ArrayView2<'a, f32>,
    /// Prelabels, n × labels, rows summing to one.
    pub probabilities: ArrayView2<'a, f32>,
    pub splits: &'a [Split],
    /// Whether the item has no label and is in no case yet.
    pub open: &'a [bool],
}

/// A checked pool, with predicted labels and margins.
pub struct Pool<'a> {
    parts: PoolParts<'a>,
    predicted: Vec<u32>,
    margins: Vec<f32>,
    candidates: Vec<usize>,
    /// Whether a strategy may choose the item; where it is empty, it may choose any.
    eligible: Vec<bool>,
}

impl<'a> Pool<'a> {
    /// Checks the parts and derives predicted labels and margins.
    ///
    /// # Errors
    /// The parts differ in length, or an embedding or probability is not finite.
    pub fn new(parts: PoolParts<'a>) -> Result<Self> {
        let attempted = "read the pool for mining";
        let n = parts.items.len();
        let rows = [parts.vectors.nrows(), parts.probabilities.nrows(), parts.splits.len(), parts.open.len()];
        if let Some(other) = rows.into_iter().find(|r| *r != n) {
            return Err(Fault::new(
                attempted,
                format!("it has {n} texts, but {other} embeddings or prelabels"),
            )
            .hint("Run `hardcase scout FILE`, so that every text has both"));
        }
        let unusable = (0..n)
            .into_par_iter()
            .find_first(|&i| !(finite(parts.vectors.row(i)) && finite(parts.probabilities.row(i))));
        if let Some(i) = unusable {
            let why = format!(
                "the embedding or prelabel of item {} contains a value that is not a number",
                parts.items[i]
            );
            return Err(Fault::new(attempted, why)
                .hint("Run `hardcase doctor FILE` to see whether the file is damaged"));
        }
        let (predicted, margins) =
            parts.probabilities.outer_iter().map(|row| top_and_margin(parts.kind, row)).unzip();
        let candidates = (0..n).filter(|&i| parts.open[i] && parts.splits[i] != Split::Audit).collect();
        Ok(Self { parts, predicted, margins, candidates, eligible: Vec::new() })
    }

    /// The same pool, of which a strategy may choose only the items at which `eligible` is true. The audit is still drawn from all.
    #[must_use]
    pub fn only(mut self, eligible: Vec<bool>) -> Self {
        self.candidates.retain(|i| eligible.get(*i).copied().unwrap_or(false));
        self.eligible = eligible;
        self
    }

    /// Number of items, n.
    pub fn len(&self) -> usize {
        self.parts.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.parts.items.is_empty()
    }

    /// Number of labels of the task.
    pub fn labels(&self) -> usize {
        self.parts.probabilities.ncols()
    }

    /// The embeddings, n × d.
    pub fn vectors(&self) -> ArrayView2<'a, f32> {
        self.parts.vectors
    }

    pub fn item(&self, index: usize) -> ItemId {
        self.parts.items[index]
    }

    pub fn split(&self, index: usize) -> Split {
        self.parts.splits[index]
    }

    /// The prelabel's probabilities, one per label.
    pub fn probabilities(&self, index: usize) -> ArrayView1<'a, f32> {
        self.parts.probabilities.index_axis_move(Axis(0), index)
    }

    /// The label of the prelabel ([`TaskKind::decide`]).
    pub fn predicted(&self, index: usize) -> usize {
        self.predicted[index] as usize
    }

    /// Whether a boundary lies between the predicted labels of two items: of a scale, only between neighbouring levels.
    pub fn is_across(&self, a: usize, b: usize) -> bool {
        self.parts.kind.is_boundary(self.predicted(a), self.predicted(b))
    }

    /// Whether a boundary lies between two labels.
    pub fn is_boundary(&self, a: usize, b: usize) -> bool {
        self.parts.kind.is_boundary(a, b)
    }

    /// How far the prelabel is from the nearest boundary, 0 to 1 ([`TaskKind::margin`]).
    pub fn margin(&self, index: usize) -> f32 {
        self.margins[index]
    }

    /// What a strategy may choose from: open items of train and eval, in pool order.
    pub fn candidates(&self) -> &[usize] {
        &self.candidates
    }

    /// Whether a strategy may choose the item at `index`.
    pub fn is_candidate(&self, index: usize) -> bool {
        self.parts.open[index]
            && self.parts.splits[index] != Split::Audit
            && self.eligible.get(index).copied().unwrap_or(self.eligible.is_empty())
    }

    /// Items that are labelled or in a case, without audit items, in pool order: what a strategy may treat as already
    /// asked about.
    pub fn closed(&self) -> Vec<usize> {
        (0..self.len()).filter(|&i| !self.parts.open[i] && self.split(i) != Split::Audit).collect()
    }

    /// Open items of the audit split, in pool order.
    pub fn open_audit(&self) -> Vec<usize> {
        (0..self.len()).filter(|&i| self.parts.open[i] && self.split(i) == Split::Audit).collect()
    }

    /// The items of each predicted label, including labelled and audit items.
    pub fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.labels()];
        for (i, &label) in self.predicted.iter().enumerate() {
            members[label as usize].push(i);
        }
        members
    }

    /// Cosine similarity of two items.
    pub fn similarity(&self, a: usize, b: usize) -> f32 {
        self.parts.vectors.row(a).dot(&self.parts.vectors.row(b))
    }

    /// The `count` candidates of smallest margin, smallest first; the earlier item on a tie.
    pub fn nearest_the_boundary(&self, count: usize) -> Vec<usize> {
        smallest(self.candidates.clone(), count, |i| self.margins[i])
    }

    /// The `count` candidates of largest score, largest first; the earlier item on a tie. `scores` has one value for
    /// each of [`Pool::candidates`].
    pub fn highest_scoring(&self, scores: &[f32], count: usize) -> Vec<usize> {
        let places = smallest((0..scores.len()).collect(), count, |at| -scores[at]);
        places.into_iter().map(|at| self.candidates[at]).collect()
    }
}

/// The `count` indices of smallest value, smallest first, the smaller index on a tie. O(n + count log count).
pub fn smallest(mut indices: Vec<usize>, count: usize, value: impl Fn(usize) -> f32) -> Vec<usize> {
    let order = |a: &usize, b: &usize| value(*a).total_cmp(&value(*b)).then(a.cmp(b));
    if count == 0 {
        return Vec::new();
    }
    if count < indices.len() {
        indices.select_nth_unstable_by(count - 1, order);
        indices.truncate(count);
        indices.shrink_to_fit();
    }
    indices.sort_unstable_by(order);
    indices
}

fn finite(row: ArrayView1<f32>) -> bool {
    // A sum is finite only if every value is; it is several times faster than testing each.
    row.sum().is_finite()
}

fn top_and_margin(kind: TaskKind, row: ArrayView1<f32>) -> (u32, f32) {
    if kind.is_scale() {
        let row = row.to_vec();
        return (kind.decide(&row) as u32, kind.margin(&row));
    }
    let (mut top, mut first, mut second) = (0, 0.0f32, 0.0f32);
    for (label, &p) in (0u32..).zip(row) {
        if p > first {
            (top, first, second) = (label, p, first);
        } else if p > second {
            second = p;
        }
    }
    (top, first - second)
}
