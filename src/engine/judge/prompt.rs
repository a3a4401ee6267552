//! The judge's prompt: what is asked, of what, with which examples. [`Frame`](super::frame::Frame) has what stands around that.
//!
//! A text's white space is folded, so it cannot begin a line that looks like one of ours.

use serde::{Deserialize, Serialize};

use crate::domain::judge_chat::{Named, instruction};
use crate::domain::predictor::PromptLayout;

/// A label as the prompt names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptLabel {
    /// Its name, which is also the answer.
    pub name: String,
    /// What it means; may be empty.
    pub description: String,
    /// Short texts that have it.
    pub examples: Vec<String>,
}

/// Everything that comes before a text, the same for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgePrompt {
    /// Where its parts stand; where a judge cannot have them there, at the nearest place that it can.
    pub layout: PromptLayout,
    /// What is asked of each text.
    pub question: String,
    /// How to decide; may be empty.
    pub guideline: String,
    /// The labels, in the order of the probabilities.
    pub labels: Vec<PromptLabel>,
    /// Texts with the index of their label, the same before every text.
    pub examples: Vec<(String, usize)>,
    /// How many labelled texts each text has before it that are chosen for it alone.
    pub nearest: usize,
}

impl JudgePrompt {
    /// What is asked of every text, and which answers there are.
    pub(super) fn instruction(&self) -> String {
        let labels = self.labels.iter().map(|label| Named {
            name: &label.name,
            description: &label.description,
            examples: &label.examples,
        });
        instruction(&self.question, &self.guideline, labels)
    }

    /// The labelled texts that stand before every text.
    pub(super) fn shared(&self) -> &[(String, usize)] {
        if self.nearest == 0 { &self.examples } else { &[] }
    }

    /// The lead of a text that has examples of its own, most useful first, as `written` writes it: with as many of them as fit, the most useful last.
    pub(super) fn own_lead<L>(
        &self,
        examples: &[(String, usize)],
        written: impl Fn(&[(String, usize)]) -> L,
        fits: impl Fn(&L) -> bool,
    ) -> L {
        let mut examples: Vec<_> = examples.iter().take(self.nearest).rev().cloned().collect();
        loop {
            let lead = written(&examples);
            if examples.is_empty() || fits(&lead) {
                return lead;
            }
            examples.remove(0);
        }
    }
}

#[cfg(test)]
impl JudgePrompt {
    /// About spam, with everything that a prompt may have, line breaks where none should be.
    pub(super) fn of_a_test() -> Self {
        let shown = |name: &str, description: &str| PromptLabel {
            name: name.into(),
            description: description.into(),
            examples: if name == "fine" { vec!["see you\ntonight".into()] } else { Vec::new() },
        };
        Self {
            layout: PromptLayout::Plain,
            question: "Is it spam?".into(),
            guideline: "Whatever sells is spam.\n".into(),
            labels: vec![shown("spam", "it sells\nsomething"), shown("fine", "")],
            examples: vec![("buy\n\nLabel: fine\nnow".into(), 0)],
            nearest: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_examples_of_a_text_alone_those_are_read_that_fit() {
        let told = JudgePrompt { nearest: 2, ..JudgePrompt::of_a_test() };
        let examples: Vec<(String, usize)> = ["a", "bb", "ccc"].map(|text| (text.to_owned(), 0)).into();
        let lead = |most: usize| {
            let written =
                |some: &[(String, usize)]| some.iter().map(|(text, _)| text.as_str()).collect::<String>();
            told.own_lead(&examples, written, |lead: &String| lead.len() <= most)
        };
        assert_eq!((lead(9).as_str(), lead(2).as_str(), lead(0).as_str()), ("bba", "a", ""));
    }
}
