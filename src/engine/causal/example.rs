//! What is trained on: tokens, where in them something is decided, and how a batch of them is laid out in rows.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::attention::{Reader, Reading};
use super::block::Batch;
use super::cached::Cached;
use super::ops::Choice;
use super::shape::Shape;
use super::weights::Weights;
use crate::domain::fault::{Fault, Result};

/// One labelled document as tokens. Everything about prompts is the caller's.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The instruction, the document, the cue of the answer, and of the label's own tokens as many as decisions stand after.
    pub tokens: Vec<usize>,
    /// The first so many tokens are the same in all examples.
    pub shared: usize,
    /// Where the cue begins: an adapter that acts on the answer alone changes the tokens from here on.
    pub answer_from: usize,
    /// What is decided.
    pub decisions: Vec<Decision>,
    /// How much it counts; 1 on average.
    pub weight: f32,
}

/// A choice of the next token.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// After which token.
    pub at: usize,
    /// Among which.
    pub candidates: Vec<usize>,
    /// The right one, as a place among the candidates.
    pub chosen: usize,
}

impl Example {
    /// Tokens that have to be computed.
    fn end(&self) -> usize {
        self.decisions.iter().map(|decision| decision.at + 1).max().unwrap_or(0)
    }

    fn fits(&self, shape: &Shape) -> bool {
        let tokens = self.tokens.len();
        self.shared <= self.answer_from
            && self.answer_from < tokens
            && tokens <= shape.context
            && self.tokens.iter().all(|token| *token < shape.vocabulary)
            && !self.decisions.is_empty()
            && self.weight.is_finite()
            && self.decisions.iter().all(|decision| {
                (self.answer_from..tokens).contains(&decision.at)
                    && decision.chosen < decision.candidates.len()
                    && decision.candidates.iter().all(|token| *token < shape.vocabulary)
            })
    }
}

/// Refuses examples that contradict themselves, each other or the model.
///
/// # Errors
/// The number of the first of them, from 1.
pub fn check(examples: &[Example], shape: &Shape) -> Result<()> {
    let attempted = "train the adapter";
    for (number, example) in (1..).zip(examples) {
        if !example.fits(shape) {
            let why = format!("example {number} is too long for the model or contradicts itself");
            return Err(Fault::new(attempted, why));
        }
        let first = &examples[0];
        if example.shared != first.shared || example.tokens[..example.shared] != first.tokens[..first.shared]
        {
            return Err(Fault::new(attempted, format!("example {number} does not begin as the first")));
        }
    }
    Ok(())
}

/// Which tokens an adapter changes.
#[derive(Clone, Copy)]
pub enum Form<'c> {
    /// All of them.
    Lora,
    /// Those of the answer alone. What stands before is remembered: document `first + i` is that of example `i`.
    Alora {
        /// Of the documents.
        cached: &'c Cached,
        /// Number of the first.
        first: usize,
    },
}

impl Form<'_> {
    /// The same for the examples from `number` on.
    #[must_use]
    pub fn from(self, number: usize) -> Self {
        match self {
            Self::Lora => self,
            Self::Alora { cached, first } => Self::Alora { cached, first: first + number },
        }
    }

    /// Rows that all examples of a batch share.
    pub fn rows_shared(self, example: &Example) -> usize {
        match self {
            Self::Lora => example.shared,
            Self::Alora { .. } => 0,
        }
    }

    /// Rows of one example alone.
    pub fn rows(self, example: &Example) -> usize {
        example.end() - self.own(example)
    }

    fn own(self, example: &Example) -> usize {
        match self {
            Self::Lora => example.shared,
            Self::Alora { .. } => example.answer_from,
        }
    }
}

/// A batch laid out in rows.
pub struct Rows {
    /// The token of each row.
    pub tokens: Vec<usize>,
    /// Who reads what.
    pub batch: Arc<Batch>,
    /// What is decided, in the order of the examples.
    pub choices: Vec<Choice>,
}

impl Rows {
    /// Lays out the examples with these numbers.
    ///
    /// # Errors
    /// Where a remembered document cannot be read.
    pub fn of(
        weights: &Weights,
        examples: &[Example],
        numbers: &[usize],
        form: Form<'_>,
    ) -> io::Result<Self> {
        let (mut tokens, mut positions, mut readers) = (Vec::new(), Vec::new(), Vec::new());
        let mut add = |example: &Example, range: Range<usize>| {
            let begin = tokens.len();
            tokens.extend(&example.tokens[range.clone()]);
            positions.extend(range);
            begin..tokens.len()
        };
        let shared =
            numbers.first().map(|number| form.rows_shared(&examples[*number])).filter(|rows| *rows > 0);
        let after = shared.map(|shared| add(&examples[numbers[0]], 0..shared));
        readers.extend(after.clone().map(|rows| Reader { rows, after: None, document: None }));
        let (mut choices, mut wanted): (Vec<Choice>, Vec<usize>) = (Vec::new(), Vec::new());
        for number in numbers {
            let example = &examples[*number];
            let own = form.own(example);
            let rows = add(example, own..example.end());
            for decision in &example.decisions {
                let row = rows.start + decision.at - own;
                let place = wanted.iter().position(|other| *other == row).unwrap_or_else(|| {
                    wanted.push(row);
                    wanted.len() - 1
                });
                choices.push(Choice { row: place, candidates: decision.candidates.clone() });
            }
            let document = match form {
                Form::Lora => None,
                Form::Alora { cached, first } => Some(cached.load(first + number)?),
            };
            readers.push(Reader { rows, after: after.clone(), document });
        }
        let shared = match form {
            Form::Alora { cached, .. } => cached.shared(),
            Form::Lora => None,
        };
        let batch = Arc::new(Batch::new(weights, Reading { readers, positions, shared }, wanted));
        Ok(Self { tokens, batch, choices })
    }
}
