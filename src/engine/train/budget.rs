//! How examples of a language model are computed within some memory: how many at a time, and what is kept for the gradient.

use super::example::{AdapterForm, Example};
use crate::engine::transformer::{Activations, Keep, Shape};

/// Rows of a batch that the memory allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    rows_kept: usize,
    rows_not_kept: usize,
}

impl Budget {
    /// What `memory` bytes allow.
    pub fn new(shape: &Shape, memory: u64) -> Self {
        let (kept, input) = (4 * Activations::numbers(shape), 4 * shape.dimensions);
        let blocks = shape.blocks;
        let rows = |bytes: usize| usize::try_from(memory / bytes.max(1) as u64).unwrap_or(usize::MAX);
        // On the way back one block more is in the works, in about three copies.
        Self { rows_kept: rows(kept * (blocks + 3)), rows_not_kept: rows(input * blocks + 4 * kept) }
    }

    /// The examples with these numbers in parts that are computed at once, and what is kept of them: whatever costs less.
    pub fn parts<'n>(
        self,
        examples: &[Example],
        numbers: &'n [usize],
        form: AdapterForm<'_>,
    ) -> (Vec<&'n [usize]>, Keep) {
        let kept = split(examples, numbers, form, self.rows_kept);
        let not_kept = self.parts_not_kept(examples, numbers, form);
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

    /// The examples with these numbers in parts that are computed at once where nothing is kept.
    pub fn parts_not_kept<'n>(
        self,
        examples: &[Example],
        numbers: &'n [usize],
        form: AdapterForm<'_>,
    ) -> Vec<&'n [usize]> {
        split(examples, numbers, form, self.rows_not_kept)
    }
}

/// As many examples at a time as have no more than `most` rows, but at least one.
fn split<'n>(
    examples: &[Example],
    numbers: &'n [usize],
    form: AdapterForm<'_>,
    most: usize,
) -> Vec<&'n [usize]> {
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
