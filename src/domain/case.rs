//! A case: an item that experts are asked to label, with the reason why it was chosen.

use serde::{Deserialize, Serialize};

use super::ids::ItemId;
use super::split::Split;

/// The similar text shown next to a case: the nearest item on one side of the decision boundary. A coin chose the side, so that the text says
/// nothing about the prediction for the case.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Partner {
    pub item: ItemId,
    /// Cosine similarity to the case.
    pub similarity: f32,
    /// Never shown before the answer.
    pub side: Side,
}

/// Where a similar text lies, seen from its case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// It had the same predicted label when the case was chosen.
    Same,
    /// It had another predicted label.
    Across,
}

impl Side {
    /// The name in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Across => "across",
        }
    }

    /// To complete "to the model, the similar text has".
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Same => "the same label",
            Self::Across => "another label",
        }
    }
}

impl std::str::FromStr for Side {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        [Self::Same, Self::Across]
            .into_iter()
            .find(|side| side.as_str() == s)
            .ok_or_else(|| format!("'{s}' is not a known side"))
    }
}

/// Why a case was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Round 1: nearest the zero-shot boundary.
    NearBoundary,
    /// Round 1: among the most confident for a rare label.
    ConfidentRare,
    /// The middle of a cluster, for coverage.
    Medoid,
    /// One of a nearest pair with different predictions, where clusters overlap.
    Overlap,
    /// The model is undecided: smallest margin, largest entropy, or least confidence.
    Margin,
    /// Farthest from everything labelled or chosen before.
    Farthest,
    /// Its prediction differs from those of labelled items nearby.
    Contrast,
    /// A large gradient of the head, different from those of earlier choices.
    Gradient,
    /// Drawn at random by the strategy `random`.
    Random,
    /// Drawn at random for the audit, whatever the strategy.
    Audit,
    /// An evaluation case that an expert has answered before, shown again to the same expert.
    Repeat,
    /// Answered under an older revision of the task, and sent out for re-annotation. In the file it is a repeat with a revision.
    Reannotate,
}

impl Reason {
    /// Those that are stored in the file: all except `Reannotate`.
    pub const STORED: [Self; 11] = [
        Self::NearBoundary,
        Self::ConfidentRare,
        Self::Medoid,
        Self::Overlap,
        Self::Margin,
        Self::Farthest,
        Self::Contrast,
        Self::Gradient,
        Self::Random,
        Self::Audit,
        Self::Repeat,
    ];

    /// The name used in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NearBoundary => "near-boundary",
            Self::ConfidentRare => "confident-rare",
            Self::Medoid => "medoid",
            Self::Overlap => "overlap",
            Self::Margin => "margin",
            Self::Farthest => "farthest",
            Self::Contrast => "contrast",
            Self::Gradient => "gradient",
            Self::Random => "random",
            Self::Audit => "audit",
            Self::Repeat => "repeat",
            Self::Reannotate => "reannotate",
        }
    }

    /// The reason in plain words, to complete "chosen because". Shown after an answer.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::NearBoundary => "few texts were closer calls for the model's first guess",
            Self::ConfidentRare => "it is among the likeliest texts for one of the labels",
            Self::Medoid => "many other texts resemble it",
            Self::Overlap => "the model labels a very similar text differently",
            Self::Margin => "few texts were closer calls for the model",
            Self::Farthest => "it is unlike every text chosen before it",
            Self::Contrast => "the model disagrees with the labels of similar texts",
            Self::Gradient => "its label would teach the model a lot",
            Self::Random => "it was drawn at random",
            Self::Audit => "it was drawn at random, to test the model",
            Self::Repeat => "you had it before: it shows how consistent you are",
            Self::Reannotate => "you had it before, and the guideline has changed since",
        }
    }
}

impl std::str::FromStr for Reason {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::STORED
            .into_iter()
            .find(|r| r.as_str() == s)
            .ok_or_else(|| format!("'{s}' is not a known reason"))
    }
}

/// A case as a round proposes it, before it has an id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    pub item: ItemId,
    pub split: Split,
    pub reason: Reason,
    /// `None` only if there is no other item.
    pub partner: Option<Partner>,
    /// Margin of the prelabel when chosen, 0 to 1.
    pub margin: f32,
    /// Probability that this item was drawn, for audit cases only.
    pub inclusion: Option<f64>,
}
