//! What raters give, so that one set of coefficients serves all kinds of task: one label by its place, or a set of labels.

use std::collections::BTreeMap;

use super::tally::Tally;
use crate::domain::label_set::LabelSet;
use crate::domain::task_kind::TaskKind;

/// An answer as coefficients take it.
pub trait Given: Clone + PartialEq + Sync {
    /// The place of its label, where it gives exactly one.
    fn place(&self) -> Option<usize>;
    /// All its labels.
    fn set(&self) -> LabelSet;
}

impl Given for usize {
    fn place(&self) -> Option<usize> {
        Some(*self)
    }

    fn set(&self) -> LabelSet {
        [*self].into_iter().collect()
    }
}

impl Given for LabelSet {
    fn place(&self) -> Option<usize> {
        self.single()
    }

    fn set(&self) -> LabelSet {
        self.clone()
    }
}

/// Answers by number: a label's own place; where a text may have several, the number of a set in the order in which the sets were met.
#[derive(Clone, Debug)]
pub(in crate::stats) struct Numbered {
    kind: TaskKind,
    known: BTreeMap<LabelSet, usize>,
    /// The sets by number; of one label each, empty.
    sets: Vec<LabelSet>,
    answers: usize,
    labels: usize,
}

impl Numbered {
    pub(in crate::stats) fn new(kind: TaskKind) -> Self {
        Self { kind, known: BTreeMap::new(), sets: Vec::new(), answers: 0, labels: 0 }
    }

    /// The number of an answer; none where it is no answer of such a task.
    pub(in crate::stats) fn number(&mut self, answer: &impl Given) -> Option<usize> {
        if self.kind.gives_one() {
            let place = answer.place()?;
            self.answers = self.answers.max(place + 1);
            return Some(place);
        }
        let set = answer.set();
        self.labels = self.labels.max(set.places().last().map_or(0, |last| last + 1));
        let next = self.sets.len();
        let number = *self.known.entry(set.clone()).or_insert(next);
        if number == next {
            self.sets.push(set);
            self.answers += 1;
        }
        Some(number)
    }

    /// A tally with room for these answers.
    pub(in crate::stats) fn tally(&self) -> Tally {
        Tally::new(self.answers, self.labels, self.kind)
    }

    /// Adds a pair of answers by their numbers.
    pub(in crate::stats) fn add(&self, tally: &mut Tally, (first, second): (usize, usize), weight: f64) {
        tally.add(first, second, weight);
        if self.kind.is_several() {
            tally.add_labels(&self.sets[first], &self.sets[second], weight);
        }
    }

    pub(in crate::stats) fn kind(&self) -> TaskKind {
        self.kind
    }
}
