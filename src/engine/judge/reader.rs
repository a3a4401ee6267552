//! Whoever reads texts for a judge, a model on this machine or a server, as a job sees it.

use std::ops::ControlFlow;

use super::prompt::JudgePrompt;
use crate::domain::fault::{Fault, Result};

/// JudgePrompt, text and answer are at most so many tokens even where the model allows more, unless asked otherwise: a second a text is long enough.
pub(super) const LONGEST: usize = 2_048;
/// A text must keep at least so many tokens beside the instruction.
pub(super) const LEAST_TEXT: usize = 32;

/// An instruction that takes `taken` of the `most` tokens that are read at a time leaves no room for a text.
pub(super) fn no_room(taken: usize, most: usize) -> Fault {
    let why = format!(
        "question, guideline, labels and examples take {taken} of the {most} tokens that the model reads at a time, which leaves no room \
         for a text"
    );
    Fault::new("prepare the instruction", why).hint(
        "Shorten the guideline, give fewer examples (--examples 0), or take a model with a longer context",
    )
}

/// A text that is asked about.
#[derive(Clone, Debug)]
pub struct Question<'t> {
    /// The text.
    pub text: &'t str,
    /// Labelled texts that it alone has before it, the most useful first, with the index of their label.
    pub examples: Vec<(String, usize)>,
}

impl<'t> From<&'t str> for Question<'t> {
    fn from(text: &'t str) -> Self {
        Self { text, examples: Vec::new() }
    }
}

/// What the judge makes of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Each label's log-probability after the cue, in nats; their exponentials sum to 1.
    pub log_probabilities: Vec<f32>,
    /// The same by each of those who are listened to beside the judge.
    pub beside: Vec<Vec<f32>>,
    /// Tokens of the text that it read; 0 where that is not known.
    pub tokens: usize,
    /// Whether the middle of the text was left out.
    pub cut: bool,
    /// Whether nothing that was to be seen of its answer led to a label, so that all have the same probability.
    pub unlisted: bool,
}

/// Takes verdicts as they come, each with the place of its text; now and then none, to be asked whether to go on.
pub type Taker<'t> = dyn FnMut(&[(usize, Verdict)]) -> ControlFlow<()> + 't;

/// Who can be told an instruction.
pub trait Reader {
    /// The model's name.
    fn name(&self) -> &str;

    /// The most tokens of instruction, text and answer together.
    fn context(&self) -> usize;

    /// The most tokens of a text beside this instruction.
    ///
    /// # Errors
    /// Where there is no room for one, or two labels cannot be told apart.
    fn room_beside(&self, instruction: &JudgePrompt) -> Result<usize>;

    /// How long a text is that just fits so many tokens, in words.
    fn longest(&self, room: usize) -> String;

    /// Whether the model's own chat template is around the instruction.
    fn is_templated(&self) -> bool;

    /// Loads the adapter whose file these bytes are.
    ///
    /// # Errors
    /// Where it cannot be used.
    fn adapt(&mut self, bytes: &[u8]) -> Result<()>;

    /// Lets another speak beside it on the same pass over the texts: the model with an earlier adapter, or as it is.
    ///
    /// # Errors
    /// Where that cannot be used, or does not read a text as the judge does.
    fn beside(&mut self, adapter: Option<&[u8]>) -> Result<()>;

    /// What keeps it from reading now and may pass, in words.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Takes in the instruction.
    ///
    /// # Errors
    /// Where it leaves no room for a text, or two labels cannot be told apart.
    fn prepare<'r>(&'r self, instruction: &JudgePrompt) -> Result<Box<dyn Scoring + 'r>>;
}

/// Somebody who has been told an instruction.
pub trait Scoring {
    /// Tokens of the instruction, which all texts share, where that is known.
    fn instruction_tokens(&self) -> Option<usize>;

    /// How many of the likeliest tokens are seen at a time; none where all are.
    fn seen(&self) -> Option<usize>;

    /// What the judge makes of `texts`, in any order. Nothing that was told is lost when it breaks.
    ///
    /// # Errors
    /// Where a text cannot be read. What was handed over before stays good.
    fn score(&mut self, texts: &[Question<'_>], on_some: &mut Taker<'_>) -> Result<()>;
}
