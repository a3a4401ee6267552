//! The prompt as training data: tokens, and at which of them the model decides between labels.

use super::prompt::JudgePrompt;
use super::served::{Asked, Judge};
use crate::domain::fault::Result;
use crate::engine::train::{Decision, Example};

/// An instruction in tokens, from which labelled texts become examples.
pub struct PromptEncoder<'judge> {
    judge: &'judge Judge,
    asked: Asked,
}

impl Judge {
    /// Prepares examples of an instruction.
    ///
    /// # Errors
    /// Where it leaves no room for a text, or the model writes two labels alike.
    pub fn prompt_encoder(&self, instruction: &JudgePrompt) -> Result<PromptEncoder<'_>> {
        Ok(PromptEncoder { judge: self, asked: self.ask(instruction)? })
    }
}

impl PromptEncoder<'_> {
    /// The answer cue, which an adapter that acts on answers alone is invoked by.
    pub fn cue(&self) -> &[u32] {
        &self.asked.cue
    }

    /// How many times the model is looked at for a text's probabilities: once where the labels differ in their first token.
    pub fn looks(&self) -> usize {
        self.asked.answers.paths().len()
    }

    /// A text with its label, to train on.
    pub fn example(&self, text: &str, label: usize, weight: f32) -> Example {
        let (mut example, cue_end) = self.begun(text, weight);
        example.tokens.extend(numbers(self.asked.answers.path_to(label)));
        let decision = |d: super::Decision| Decision {
            at: cue_end + d.after,
            candidates: numbers(&d.candidates).collect(),
            chosen: d.chosen,
        };
        example.decisions = self.asked.answers.decisions(label).into_iter().map(decision).collect();
        example
    }

    /// A text whose label is asked for: [`Self::looks`] examples, whose choices are what [`Self::log_probabilities`] takes.
    pub fn probes(&self, text: &str) -> Vec<Example> {
        let (begun, cue_end) = self.begun(text, 1.0);
        let probe = |(at, path): (usize, &[u32])| {
            let mut probe = begun.clone();
            probe.tokens.extend(numbers(path));
            let candidates = numbers(self.asked.answers.candidates(at)).collect();
            probe.decisions = vec![Decision { at: cue_end + path.len(), candidates, chosen: 0 }];
            probe
        };
        self.asked.answers.paths().enumerate().map(probe).collect()
    }

    /// Each label's log-probability, from the choices of a text's probes.
    pub fn log_probabilities(&self, choices: &[Vec<f32>]) -> Vec<f32> {
        self.asked.answers.log_probabilities(choices)
    }

    /// Prompt, text and cue; and where the cue's last token stands.
    fn begun(&self, text: &str, weight: f32) -> (Example, usize) {
        let (text, _) = self.judge.text(text, self.asked.longest_text);
        let (shared, answer_from) = (self.asked.prefix.len(), self.asked.prefix.len() + text.len());
        let tokens: Vec<usize> =
            [&self.asked.prefix, &text, &self.asked.cue].into_iter().flat_map(|part| numbers(part)).collect();
        let cue_end = tokens.len() - 1;
        (Example { tokens, shared, answer_from, decisions: Vec::new(), weight }, cue_end)
    }
}

fn numbers(tokens: &[u32]) -> impl Iterator<Item = usize> {
    tokens.iter().map(|token| *token as usize)
}
