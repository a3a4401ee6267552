//! What a judge is asked of a text, in words: the same for a model in this process, for one behind a server, and for one that is trained elsewhere.

use serde::Serialize;

use super::predictor::{PromptLayout, PromptSettings};

/// What stands before a text.
pub const TEXT: &str = "Text:";
/// How the answer begins; a label's name follows.
pub const CUE: &str = "Label:";

/// A label as the instruction names it.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    pub name: &'a str,
    /// May be empty.
    pub description: &'a str,
    pub examples: &'a [String],
}

/// What is asked of every text, and which answers there are.
pub fn instruction<'a>(question: &str, guideline: &str, labels: impl Iterator<Item = Named<'a>>) -> String {
    let mut message = question.trim().to_owned();
    if !guideline.trim().is_empty() {
        message += &format!("\n\n{}", guideline.trim());
    }
    message += "\n\nLabels:";
    for label in labels {
        message += &match folded(label.description) {
            about if about.is_empty() => format!("\n- {}", label.name),
            about => format!("\n- {}: {about}", label.name),
        };
        if !label.examples.is_empty() {
            let examples: Vec<String> =
                label.examples.iter().map(|text| format!("\u{201c}{}\u{201d}", folded(text))).collect();
            message += &format!(", for example {}", examples.join(", "));
        }
    }
    message + "\n\nAnswer with one label and nothing else."
}

/// A text as the judge sees it: on one line.
pub fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    System,
    User,
    Assistant,
}

/// One message of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    pub role: Speaker,
    pub content: String,
}

impl Message {
    pub fn of(role: Speaker, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

/// What is asked of a text, in messages. `examples`: texts with the names of their labels.
pub fn chat<'a>(
    instruction: String,
    layout: PromptLayout,
    examples: impl Iterator<Item = (&'a str, &'a str)>,
    text: &str,
) -> Vec<Message> {
    let user = |text: &str| Message::of(Speaker::User, format!("{TEXT} {text}\n{CUE}"));
    let mut messages = match layout {
        PromptLayout::TextAlone => Vec::new(),
        _ => vec![Message::of(Speaker::System, instruction)],
    };
    for (text, label) in examples {
        messages.extend([user(&folded(text)), Message::of(Speaker::Assistant, label.trim())]);
    }
    messages.push(user(text));
    if layout == PromptLayout::SystemTurn { messages } else { without_system(messages) }
}

/// Messages with what the system says at the beginning of the first that a user says.
pub fn without_system(mut messages: Vec<Message>) -> Vec<Message> {
    if let [system, user, ..] = messages.as_mut_slice()
        && system.role == Speaker::System
    {
        user.content = format!("{}\n\n{}", system.content, user.content);
        messages.remove(0);
    }
    messages
}

impl PromptSettings {
    /// What is asked of a text, in messages.
    pub fn chat(&self, text: &str) -> Vec<Message> {
        let labels = self.labels.iter().map(|label| Named {
            name: &label.name,
            description: &label.description,
            examples: &label.examples,
        });
        let name = |label: usize| self.labels.get(label).map_or("", |label| label.name.as_str());
        let shared = if self.nearest == 0 { self.examples.as_slice() } else { &[] };
        let examples = shared.iter().map(|(text, label)| (text.as_str(), name(*label)));
        chat(instruction(&self.question, &self.guideline, labels), self.layout, examples, &folded(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::predictor::PromptLabelSettings;

    #[test]
    fn a_text_is_asked_about_after_the_instruction_and_the_examples() {
        let label = |name: &str, description: &str| PromptLabelSettings {
            name: name.into(),
            description: description.into(),
            examples: Vec::new(),
        };
        let prompt = PromptSettings {
            layout: PromptLayout::SystemTurn,
            question: "Is it spam?".into(),
            guideline: String::new(),
            labels: vec![label("spam", "it sells\nsomething"), label("fine", "")],
            examples: vec![("buy\nnow".into(), 0)],
            nearest: 0,
        };
        let alone = prompt.text_alone().chat("see\n you");
        assert_eq!(alone, [Message::of(Speaker::User, "Text: see you\nLabel:")]);
        let said: Vec<(Speaker, String)> =
            prompt.chat("see\n you").into_iter().map(|message| (message.role, message.content)).collect();
        let instruction = "Is it spam?\n\nLabels:\n- spam: it sells something\n- fine\n\nAnswer with one label and nothing else.";
        assert_eq!(
            said,
            [
                (Speaker::System, instruction.to_owned()),
                (Speaker::User, "Text: buy now\nLabel:".to_owned()),
                (Speaker::Assistant, "spam".to_owned()),
                (Speaker::User, "Text: see you\nLabel:".to_owned()),
            ]
        );
        let plain = PromptSettings { layout: PromptLayout::UserTurn, nearest: 4, ..prompt }.chat("x");
        assert_eq!(plain, [Message::of(Speaker::User, format!("{instruction}\n\nText: x\nLabel:"))]);
    }
}
