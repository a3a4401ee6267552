//! What is trained on: tokens, where in them something is decided, and how a batch of them is laid out in rows.

use std::ops::Range;

use crate::domain::fault::{Fault, Result, io_reason};
use crate::engine::transformer::{AttentionBatch, Batch, Choice, KvStore, Segment, Shape, Weights};

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
pub enum AdapterForm<'c> {
    /// All of them.
    Lora,
    /// Those of the answer alone. The keys and values of what stands before are cached: document `first + i` is that of example `i`.
    Alora {
        /// Of the documents.
        cached: &'c KvStore,
        /// Number of the first.
        first: usize,
    },
}

impl AdapterForm<'_> {
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
pub struct BatchRows {
    /// The token of each row.
    pub tokens: Vec<usize>,
    /// What they attend to.
    pub batch: Batch,
    /// What is decided, in the order of the examples.
    pub choices: Vec<Choice>,
}

impl BatchRows {
    /// Lays out the examples with these numbers.
    ///
    /// # Errors
    /// Where a cached document cannot be read.
    pub fn of(
        weights: &Weights,
        examples: &[Example],
        numbers: &[usize],
        form: AdapterForm<'_>,
    ) -> Result<Self> {
        let (mut tokens, mut positions, mut segments) = (Vec::new(), Vec::new(), Vec::new());
        let mut add = |example: &Example, range: Range<usize>| {
            let begin = tokens.len();
            tokens.extend(&example.tokens[range.clone()]);
            positions.extend(range);
            begin..tokens.len()
        };
        let shared =
            numbers.first().map(|number| form.rows_shared(&examples[*number])).filter(|rows| *rows > 0);
        let after = shared.map(|shared| add(&examples[numbers[0]], 0..shared));
        segments.extend(after.clone().map(|rows| Segment { rows, after: None, document: None }));
        let unread = |e: std::io::Error| Fault::new("read a cached text", io_reason(&e)).because(e);
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
                AdapterForm::Lora => None,
                AdapterForm::Alora { cached, first } => Some(cached.load(first + number).map_err(unread)?),
            };
            segments.push(Segment { rows, after: after.clone(), document });
        }
        let shared = match form {
            AdapterForm::Alora { cached, .. } => cached.shared(),
            AdapterForm::Lora => None,
        };
        let attention = AttentionBatch { segments, positions, shared };
        let batch = Batch::new(weights, attention, Some(wanted));
        Ok(Self { tokens, batch, choices })
    }
}
