//! The pool as mining sees it: unit vectors, prelabels, splits, and which items may still be chosen.
//!
//! Checks shapes and numbers once, so that no strategy has to handle a missing row or a NaN. Labelled items stay in it
//! as points. It never holds a text or an expert's label.

use std::borrow::Cow;

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
    /// Prelabels, n × labels, rows summing to one; where a text may have several labels, each by itself, one half being its threshold.
    pub probabilities: ArrayView2<'a, f32>,
    pub splits: &'a [Split],
    /// Whether the item has no label and is in no case yet.
    pub open: &'a [bool],
}

/// A checked pool, with predicted labels and margins.
pub struct Pool<'a> {
    parts: PoolParts<'a>,
    predicted: Vec<u32>,
    /// Where a text may have several labels, the one of which it is least sure; else empty.
    doubted: Vec<u32>,
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
        let (predicted, margins): (Vec<u32>, Vec<f32>) =
            parts.probabilities.outer_iter().map(|row| top_and_margin(parts.kind, row)).unzip();
        let (predicted, doubted) = match parts.kind.is_several() {
            true => (rarest_given(parts.probabilities), predicted),
            false => (predicted, Vec::new()),
        };
        let candidates = (0..n).filter(|&i| parts.open[i] && parts.splits[i] != Split::Audit).collect();
        Ok(Self { parts, predicted, doubted, margins, candidates, eligible: Vec::new() })
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

    /// The prelabel's group, below [`groups`](Self::groups): its label ([`TaskKind::decide`]); where a text may have several, the one of them that is
    /// rarest in the pool, or the last group where it has none.
    pub fn predicted(&self, index: usize) -> usize {
        self.predicted[index] as usize
    }

    /// Number of groups of prelabels.
    pub fn groups(&self) -> usize {
        self.labels() + usize::from(self.parts.kind.is_several())
    }

    /// Whether the prelabel gives the label.
    pub fn gives(&self, index: usize, label: usize) -> bool {
        match self.parts.kind.is_several() {
            true => self.parts.probabilities[[index, label]] >= HALF,
            false => self.predicted(index) == label,
        }
    }

    /// Whether two prelabels are the same; where a text may have several labels, in the label of which the first is least sure.
    pub fn is_same(&self, a: usize, b: usize) -> bool {
        match self.doubted.get(a) {
            Some(&label) => self.gives(a, label as usize) == self.gives(b, label as usize),
            None => self.predicted[a] == self.predicted[b],
        }
    }

    /// Whether a boundary lies between the prelabels of two items: of a scale, only between neighbouring levels; where a text may have several labels, that
    /// of the label of which the first is least sure.
    pub fn is_across(&self, a: usize, b: usize) -> bool {
        match self.doubted.is_empty() {
            true => self.parts.kind.is_boundary(self.predicted(a), self.predicted(b)),
            false => !self.is_same(a, b),
        }
    }

    /// How sure the prelabel is of what it decides: the probability of its label; where a text may have several, that of the decision of which it is least
    /// sure.
    pub fn confidence(&self, index: usize) -> f32 {
        match self.parts.kind.is_several() {
            true => f32::midpoint(1.0, self.margins[index]),
            false => self.parts.probabilities[[index, self.predicted(index)]],
        }
    }

    /// The prelabel as a distribution; where a text may have several labels, as one of two outcomes for each label, all yes before all no.
    pub fn distribution(&self, index: usize) -> Cow<'a, [f32]> {
        let row = self.probabilities(index);
        if self.parts.kind.is_several() {
            return row.iter().copied().chain(row.iter().map(|p| 1.0 - p)).collect();
        }
        row.to_slice().map_or_else(|| Cow::Owned(row.to_vec()), Cow::Borrowed)
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

    /// The items of each group of prelabels, including labelled and audit items.
    pub fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.groups()];
        for (i, &label) in self.predicted.iter().enumerate() {
            members[label as usize].push(i);
        }
        members
    }

    /// Cosine similarity of two items.
    pub fn similarity(&self, a: usize, b: usize) -> f32 {
        self.parts.vectors.row(a).dot(&self.parts.vectors.row(b))
    }

    /// The `count` candidates of smallest margin, smallest first; the earlier item on a tie. Where a text may have several labels, those nearest to the
    /// threshold of each label in turn, the rarest label first.
    pub fn nearest_the_boundary(&self, count: usize) -> Vec<usize> {
        match self.parts.kind.is_several() {
            true => self.nearest_each_threshold(count),
            false => smallest(self.candidates.clone(), count, |i| self.margins[i]),
        }
    }

    /// Rarest first, because it is the one of which there is least to learn from: on ConvAbuse with six labels (10 seeds) that found 70 % of the rarest label's
    /// texts within 360 answers by `hybrid`, against 61 % by the smallest margin of any label, and the area under the mean kappa was .381 against .370.
    fn nearest_each_threshold(&self, count: usize) -> Vec<usize> {
        let given = |label: usize| (0..self.len()).filter(|&i| self.gives(i, label)).count();
        let mut labels: Vec<(usize, usize)> = (0..self.labels()).map(|label| (given(label), label)).collect();
        labels.sort_unstable();
        let most = count.div_ceil(labels.len().max(1));
        let distance = |i: usize, label: usize| (2.0 * self.parts.probabilities[[i, label]] - 1.0).abs();
        let mut queues: Vec<_> = labels
            .into_iter()
            .map(|(_, label)| {
                // As many as all labels before it may have taken, so that it is left with enough.
                smallest(self.candidates.clone(), count.min(most * 4), |i| distance(i, label)).into_iter()
            })
            .collect();
        let mut taken = vec![false; self.len()];
        let mut chosen = Vec::with_capacity(count);
        loop {
            let before = chosen.len();
            for queue in &mut queues {
                if chosen.len() < count
                    && let Some(next) = queue.find(|&i| !std::mem::replace(&mut taken[i], true))
                {
                    chosen.push(next);
                }
            }
            if chosen.len() == before || chosen.len() == count {
                break;
            }
        }
        if chosen.len() < count {
            let rest: Vec<usize> = self.candidates.iter().copied().filter(|&i| !taken[i]).collect();
            let missing = count - chosen.len();
            chosen.extend(smallest(rest, missing, |i| self.margins[i]));
        }
        chosen
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

/// From here on a prelabel gives a label, where a text may have several: thresholds lie there ([`TaskKind::decide_set`]).
const HALF: f32 = 0.5;

/// Of prelabels that may give several labels, the rarest that each gives; the number of labels where it gives none.
fn rarest_given(probabilities: ArrayView2<'_, f32>) -> Vec<u32> {
    let labels = probabilities.ncols();
    let given =
        |row: ArrayView1<'_, f32>| -> Vec<usize> { (0..labels).filter(|&l| row[l] >= HALF).collect() };
    let mut counts = vec![0usize; labels];
    probabilities.outer_iter().for_each(|row| given(row).into_iter().for_each(|label| counts[label] += 1));
    let rarest = |row| given(row).into_iter().min_by_key(|&label| (counts[label], label)).unwrap_or(labels);
    probabilities.outer_iter().map(|row| rarest(row) as u32).collect()
}

/// The prelabel's label and margin; where a text may have several, the label of which it is least sure.
fn top_and_margin(kind: TaskKind, row: ArrayView1<f32>) -> (u32, f32) {
    if kind.is_several() {
        let doubts = row.iter().map(|p| (2.0 * p - 1.0).abs()).zip(0u32..);
        let nearest = doubts.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((1.0, 0));
        return (nearest.1, nearest.0.min(1.0));
    }
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
