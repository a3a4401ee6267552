//! A case: an item put before experts, with the reason why it was chosen.

use serde::{Deserialize, Serialize};

use super::ids::ItemId;
use super::split::Split;

/// The item across the boundary that is shown beside a case.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Partner {
    /// The nearest item of another predicted label.
    pub item: ItemId,
    /// Cosine similarity to it.
    pub similarity: f32,
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
    /// One end of a nearest pair of opposite prediction in an overlap of clusters.
    Overlap,
    /// The model is undecided: smallest margin, largest entropy, or least confidence.
    Margin,
    /// Farthest from what was labelled or chosen before it.
    Farthest,
    /// Prelabelled otherwise than the labelled items near it.
    Contrast,
    /// A large step of the head, and another one than those of the choices before it.
    Gradient,
    /// Drawn at random by the strategy `random`.
    Random,
    /// Drawn at random from the audit range, whatever the strategy thinks.
    Audit,
    /// An evaluation case that one expert has answered before, shown to the same expert again.
    Repeat,
    /// Answered under an older revision of the task, and sent round again. In the file it is a repeat with a revision.
    Again,
}

impl Reason {
    /// Those that stand in a file: all but `Again`.
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
            Self::Again => "again",
        }
    }

    /// The reason in plain words, for the reveal after an answer.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::NearBoundary => "it lies near the line between two labels",
            Self::ConfidentRare => "the model is sure it is a rare one",
            Self::Medoid => "many other texts resemble it",
            Self::Overlap => "the model labels a very similar text differently",
            Self::Margin => "the model could hardly decide",
            Self::Farthest => "it is unlike every text chosen before it",
            Self::Contrast => "the model disagrees with the labels of similar texts",
            Self::Gradient => "its label would teach the model a lot",
            Self::Random => "it was drawn at random",
            Self::Audit => "it was drawn at random, to test the model",
            Self::Repeat => "you had it before: it shows how steady your answers are",
            Self::Again => "you had it before, and the guideline has changed since",
        }
    }
}

impl std::str::FromStr for Reason {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::STORED.into_iter().find(|r| r.as_str() == s).ok_or_else(|| format!("'{s}' is no reason"))
    }
}

/// A case as a round proposes it, before it has an id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The item to be labelled.
    pub item: ItemId,
    /// Its split.
    pub split: Split,
    /// Why it was chosen.
    pub reason: Reason,
    /// The nearest item of another predicted label; none where the pool has one predicted label only.
    pub partner: Option<Partner>,
    /// Margin of the prelabel when chosen, 0 to 1.
    pub margin: f32,
    /// Probability that this item was drawn, for audit cases; none for mined ones.
    pub inclusion: Option<f64>,
}
