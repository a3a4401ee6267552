//! An adapter: what a tuning learned, and how it was trained. The bytes themselves are the store's, what they compute is `learn`'s.
//!
//! The only place that knows the kinds of adapter and where the ids of items stand in their settings.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ids::ItemId;
use super::progress::Epoch;
use super::settings::{IdMap, Stored, write};

/// A kind of adapter, as columns and people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdapterKind {
    /// A classifier on vectors.
    Head,
    /// A low-rank adapter that changes every token; of the encoder with a head on its vectors, or of a judge.
    Lora,
    /// A low-rank adapter of a judge that changes the tokens of the answer's cue alone.
    Alora,
}

impl AdapterKind {
    pub const ALL: [Self; 3] = [Self::Head, Self::Lora, Self::Alora];

    /// The name of each, in the order of [`Self::ALL`].
    pub const NAMES: [&str; 3] = ["head", "lora", "alora"];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Lora => "lora",
            Self::Alora => "alora",
        }
    }

    /// Settings as text with every id in them mapped. What the other file does not know is dropped, and what cannot be read is left out.
    pub fn map_settings<I, J, P, Q>(self, json: &str, ids: &mut IdMap<'_, I, J, P, Q>) -> String
    where
        I: DeserializeOwned,
        J: Serialize,
    {
        AdapterSettings::<I>::read(self, json)
            .and_then(|settings| Some(settings.map_ids(ids)))
            .known()
            .map_or_else(|| super::settings::LEFT_OUT.into(), AdapterSettings::write)
    }

    /// Settings as text for a part of the project, which tells nobody what others answered.
    pub fn settings_without_answers(self, json: &str) -> String {
        match AdapterSettings::<ItemId>::read(self, json) {
            Stored::Known(settings) => settings.without_answers().write(),
            Stored::LeftOut | Stored::Unreadable(_) => super::settings::LEFT_OUT.into(),
        }
    }
}

impl std::str::FromStr for AdapterKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| format!("there is no adapter of the kind '{name}'"))
    }
}

impl std::fmt::Display for AdapterKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How an adapter was trained, and what was measured while training.
#[derive(Clone, Debug, PartialEq)]
pub enum AdapterSettings<I = ItemId> {
    Head(HeadFit<I>),
    Lora(LoraTraining<I>),
}

/// How a low-rank adapter was trained, by what it was compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "against", rename_all = "kebab-case")]
pub enum LoraTraining<I = ItemId> {
    /// The encoder's, against a head without it.
    #[serde(rename = "head")]
    Encoder(EncoderLora<I>),
    /// A judge's, against the judge without it.
    Judge(JudgeLora),
}

impl<I> AdapterSettings<I> {
    pub fn head(&self) -> Option<&HeadFit<I>> {
        match self {
            Self::Head(head) => Some(head),
            Self::Lora(_) => None,
        }
    }

    /// Those of an adapter of the encoder.
    pub fn encoder_lora(&self) -> Option<&EncoderLora<I>> {
        match self {
            Self::Lora(LoraTraining::Encoder(lora)) => Some(lora),
            _ => None,
        }
    }

    /// Those of an adapter of a judge.
    pub fn judge_lora(&self) -> Option<&JudgeLora> {
        match self {
            Self::Lora(LoraTraining::Judge(lora)) => Some(lora),
            _ => None,
        }
    }

    /// A low-rank adapter against what there was without it.
    pub fn comparison(&self) -> Option<&Comparison> {
        match self {
            Self::Head(_) => None,
            Self::Lora(LoraTraining::Encoder(lora)) => Some(&lora.comparison),
            Self::Lora(LoraTraining::Judge(lora)) => Some(&lora.comparison),
        }
    }

    /// The same without what it says of single answers.
    pub fn without_answers(self) -> Self {
        match self {
            Self::Head(head) => Self::Head(HeadFit { label_issues: Vec::new(), ..head }),
            Self::Lora(LoraTraining::Encoder(lora)) => {
                Self::Lora(LoraTraining::Encoder(EncoderLora { held_out: Vec::new(), ..lora }))
            }
            Self::Lora(LoraTraining::Judge(lora)) => Self::Lora(LoraTraining::Judge(lora)),
        }
    }

    pub fn map_ids<J, P, Q>(self, ids: &mut IdMap<'_, I, J, P, Q>) -> AdapterSettings<J> {
        match self {
            Self::Head(head) => AdapterSettings::Head(head.map_ids(ids)),
            Self::Lora(LoraTraining::Encoder(lora)) => {
                AdapterSettings::Lora(LoraTraining::Encoder(lora.map_ids(ids)))
            }
            Self::Lora(LoraTraining::Judge(lora)) => AdapterSettings::Lora(LoraTraining::Judge(lora)),
        }
    }
}

impl<I: DeserializeOwned> AdapterSettings<I> {
    pub fn read(kind: AdapterKind, json: &str) -> Stored<Self> {
        match kind {
            AdapterKind::Head => Stored::read(json).and_then(|head| Some(Self::Head(head))),
            AdapterKind::Lora | AdapterKind::Alora => {
                Stored::read(json).and_then(|lora| Some(Self::Lora(lora)))
            }
        }
    }
}

impl<I: Serialize> AdapterSettings<I> {
    /// As a column keeps them.
    pub fn write(&self) -> String {
        match self {
            Self::Head(head) => write(head),
            Self::Lora(lora) => write(lora),
        }
    }
}

/// How a head was fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadFit<I = ItemId> {
    /// The penalty's inverse strength.
    pub c: f64,
    /// Class-weighted log-loss on held-out folds, in nats.
    pub cv_log_loss: Option<f64>,
    pub folds: usize,
    pub seed: u64,
    /// By what factor labels that no expert gave counted less than they were said to; none where nobody gave such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor_of_others: Option<f64>,
    /// Training labels that look like mistakes, the surest first.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub label_issues: Vec<LabelIssue<I>>,
}

impl<I> HeadFit<I> {
    fn map_ids<J, P, Q>(self, ids: &mut IdMap<'_, I, J, P, Q>) -> HeadFit<J> {
        let Self { c, cv_log_loss, folds, seed, factor_of_others, label_issues } = self;
        let label_issues = label_issues
            .into_iter()
            .filter_map(|LabelIssue { item, label }| Some(LabelIssue { item: (ids.item)(&item)?, label }))
            .collect();
        HeadFit { c, cv_log_loss, folds, seed, factor_of_others, label_issues }
    }
}

/// A training label that looks like a mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelIssue<I = ItemId> {
    pub item: I,
    /// The label's stable key.
    pub label: String,
}

/// How the encoder's adapter was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncoderLora<I = ItemId> {
    pub training: LoraHyperparameters,
    pub comparison: Comparison,
    /// llama.cpp against the trainer.
    pub verified: ServingCheck,
    pub epochs_ended: Vec<Epoch>,
    /// The probabilities of each training label by the fold's adapter that had not seen it.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub held_out: Vec<(I, Vec<f32>)>,
    /// What it learned from beside the labels; its comparison is then with the scout that it was to replace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distilled: Option<Distilled>,
}

/// Texts of the pool that taught an adapter what a slower model says of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distilled {
    /// How many there were.
    pub texts: usize,
    /// What tells one such lesson from another: blake3 of the texts and of what was said of them, in hexadecimal digits.
    pub hash: String,
}

impl<I> EncoderLora<I> {
    fn map_ids<J, P, Q>(self, ids: &mut IdMap<'_, I, J, P, Q>) -> EncoderLora<J> {
        let Self { training, comparison, verified, epochs_ended, held_out, distilled } = self;
        let held_out = held_out.into_iter().filter_map(|(item, p)| Some(((ids.item)(&item)?, p))).collect();
        EncoderLora { training, comparison, verified, epochs_ended, held_out, distilled }
    }
}

/// How a judge's adapter was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgeLora {
    /// As asked: it may see each text `epochs` times.
    pub training: LoraHyperparameters,
    /// The number of epochs that cross-validation chose.
    pub trained_for: usize,
    pub comparison: Comparison,
    /// llama.cpp against the trainer.
    pub verified: ServingCheck,
    pub epochs_ended: Vec<Epoch>,
}

/// How a low-rank adapter is trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoraHyperparameters {
    pub rank: usize,
    /// An update counts `alpha / rank` times.
    pub alpha: f32,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// How often each text is seen.
    pub epochs: usize,
    /// Texts a step.
    pub batch: usize,
    /// AdamW's decay.
    pub weight_decay: f64,
    /// Of the first values and of the order.
    pub seed: u64,
}

/// How far llama.cpp with an adapter is from the trainer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServingCheck {
    /// Texts both read.
    pub texts: usize,
    /// The largest difference between two probabilities of the same label and text.
    pub largest: f32,
    /// The mean over the texts of each text's largest difference.
    pub mean: f32,
    /// The share of the texts that both give the same label.
    pub same_label: f32,
}

/// An adapter against what there was without it, on labels that neither has seen: class-weighted log-loss in nats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The log-loss without the adapter: the head's, or the judge's as it is.
    pub head: f64,
    /// The log-loss with it.
    pub lora: f64,
    /// The mean of the paired differences, with it less without it.
    pub difference: f64,
    /// Its standard error.
    pub error: f64,
    /// Labels.
    pub n: usize,
    /// Whether the adapter is worse by more than one standard error.
    pub worse: bool,
}

impl Comparison {
    /// Whether the adapter is better by more than one standard error.
    pub fn better(&self) -> bool {
        self.difference < -self.error
    }
}
