//! What a job needs of a judge, whether a model on this machine or a server.

use std::ops::ControlFlow;

use ndarray::Array2;

use super::prompt::JudgePrompt;
use crate::domain::fault::{Fault, Result};
use crate::domain::predictor::PromptLayout;

/// Prompt, text and answer are at most so many tokens even where the model allows more, unless asked otherwise: a second a text is long enough.
pub(super) const LONGEST: usize = 2_048;
/// A text must keep at least so many tokens next to the instruction.
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
    /// The same by each variant that scores along with the judge.
    pub variants: Vec<Vec<f32>>,
    /// What the model without an adapter makes of the text inside: depths × dimensions, each depth's mean over the text's tokens, with a root
    /// mean square of 1. None where it cannot be seen.
    pub states: Option<Array2<f32>>,
    /// Tokens of the text that it read; 0 where that is not known.
    pub tokens: usize,
    /// Whether the middle of the text was left out.
    pub cut: bool,
    /// Whether nothing that was to be seen of its answer led to a label, so that all have the same probability.
    pub unlisted: bool,
}

/// Takes verdicts as they come, each with the place of its text; now and then none, to be asked whether to go on.
pub type OnVerdicts<'t> = dyn FnMut(&[(usize, Verdict)]) -> ControlFlow<()> + 't;

/// A judge that can be given an instruction.
pub trait JudgeBackend {
    /// The model's name.
    fn name(&self) -> &str;

    /// The most tokens of instruction, text and answer together.
    fn context(&self) -> usize;

    /// The most tokens of a text next to this instruction.
    ///
    /// # Errors
    /// Where there is no room for one, or two labels cannot be told apart.
    fn text_room(&self, instruction: &JudgePrompt) -> Result<usize>;

    /// How long a text is that just fits so many tokens, in words.
    fn longest(&self, room: usize) -> String;

    /// How a prompt is laid out for which `wanted` is asked: that, or the nearest that can be had.
    fn layout(&self, wanted: PromptLayout) -> PromptLayout;

    /// Whether texts may be read only to see what a prompt is worth.
    fn may_be_tried(&self) -> bool {
        true
    }

    /// Why the model's chat template is not used although there is one, in words.
    fn caveat(&self) -> Option<String> {
        None
    }

    /// Loads the adapter whose file these bytes are.
    ///
    /// # Errors
    /// Where it cannot be used.
    fn adapt(&mut self, bytes: &[u8]) -> Result<()>;

    /// Adds a variant that scores on the same pass over the texts: the model with an earlier adapter, or without one.
    ///
    /// # Errors
    /// Where that cannot be used, or does not read a text as the judge does.
    fn add_variant(&mut self, adapter: Option<&[u8]>) -> Result<()>;

    /// What keeps it from reading now and may pass, in words.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Takes in the instruction.
    ///
    /// # Errors
    /// Where it leaves no room for a text, or two labels cannot be told apart.
    fn prepare<'r>(&'r self, instruction: &JudgePrompt) -> Result<Box<dyn TextScorer + 'r>>;
}

/// A judge that has taken in its instruction.
pub trait TextScorer {
    /// Tokens of the instruction, which all texts share, where that is known.
    fn instruction_tokens(&self) -> Option<usize>;

    /// How many of the likeliest tokens are seen at a time; none where all are.
    fn seen(&self) -> Option<usize>;

    /// Scores `texts`, in any order. Verdicts handed over before a break are not lost.
    ///
    /// # Errors
    /// Where a text cannot be read. What was handed over before stays good.
    fn score(&mut self, texts: &[Question<'_>], on_some: &mut OnVerdicts<'_>) -> Result<()>;
}
