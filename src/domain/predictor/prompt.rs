//! A judge's prompt as the project keeps it, and what others were worth that were tried.

use serde::{Deserialize, Serialize};

use crate::domain::settings::write;

/// Where the parts of a judge's prompt stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptLayout {
    /// In the turns of the model's own chat template: the instruction in the system turn, a text in the user's, an example's label in the
    /// assistant's.
    SystemTurn,
    /// The same, with the instruction at the beginning of the first user turn.
    UserTurn,
    /// One below the other, without a chat template.
    Plain,
    /// A text and nothing else, for an adapter that has learned from labels what the instruction says.
    TextAlone,
    /// There is no prompt: the predictions were made elsewhere and came in a file.
    NoPrompt,
}

impl PromptLayout {
    /// It, and what is the nearest to it where it cannot be had, in this order.
    pub fn or_nearest(self) -> &'static [Self] {
        match self {
            Self::SystemTurn => &[Self::SystemTurn, Self::UserTurn, Self::Plain],
            Self::UserTurn => &[Self::UserTurn, Self::Plain],
            Self::Plain => &[Self::Plain],
            Self::TextAlone => &[Self::TextAlone],
            Self::NoPrompt => &[Self::NoPrompt],
        }
    }

    /// Whether the model's chat template writes what stands around the parts.
    pub fn is_in_turns(self) -> bool {
        matches!(self, Self::SystemTurn | Self::UserTurn)
    }
}

impl std::fmt::Display for PromptLayout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SystemTurn => "the chat template, with the instruction in the system turn",
            Self::UserTurn => "the chat template, with the instruction in the user turn",
            Self::Plain => "no chat template",
            Self::TextAlone => "the text alone",
            Self::NoPrompt => "no prompt",
        })
    }
}

/// A judge's prompt: everything that comes before a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptSettings {
    /// Where its parts stand.
    pub layout: PromptLayout,
    pub question: String,
    pub guideline: String,
    /// In the order of the probabilities.
    pub labels: Vec<PromptLabelSettings>,
    /// Texts with the index of their label, the same before every text.
    pub examples: Vec<(String, usize)>,
    /// How many labelled texts each text has before it that are chosen for it alone.
    pub nearest: usize,
}

impl PromptSettings {
    /// The same labels without an instruction.
    #[must_use]
    pub fn text_alone(&self) -> Self {
        let bare = |label: &PromptLabelSettings| PromptLabelSettings {
            name: label.name.clone(),
            description: String::new(),
            examples: Vec::new(),
        };
        Self {
            layout: PromptLayout::TextAlone,
            question: String::new(),
            guideline: String::new(),
            labels: self.labels.iter().map(bare).collect(),
            examples: Vec::new(),
            nearest: 0,
        }
    }

    /// What tells one prompt from another.
    pub fn hash(&self) -> Vec<u8> {
        blake3::hash(write(self).as_bytes()).as_bytes().to_vec()
    }
}

/// What a prompt was worth on the few texts that several were tried on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptTrial {
    pub layout: PromptLayout,
    /// Labelled examples before every text.
    pub examples: usize,
    /// Labelled examples that each text has for itself.
    pub nearest: usize,
    /// Class-weighted log-loss on held-out folds, in nats.
    pub loss: f64,
    /// Texts that it was tried on.
    pub n: usize,
    /// Whether their labels are experts'; else they are the scout's, of texts of which it is sure.
    pub labelled: bool,
    /// Training labels that there were.
    pub of: usize,
}

/// A label as a prompt describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptLabelSettings {
    pub name: String,
    pub description: String,
    pub examples: Vec<String>,
}
