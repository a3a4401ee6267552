//! A predictor: one way of giving every text a probability for each label, and what it needs to do so again.
//!
//! The only place that knows the kinds of predictor, what each refers to, and where the ids of items and predictors stand in its settings. Computes
//! nothing: fitting and scoring are `learn`'s.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::adapter::AdapterKind;
use super::ids::{AdapterId, ItemId, ModelId, PredictorId, RevisionId};
use super::settings::{IdMap, LEFT_OUT, Stored, write};

mod prompt;

pub use prompt::{PromptLabelSettings, PromptLayout, PromptSettings, PromptTrial};

/// A kind of predictor, as columns and people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PredictorKind {
    /// Similarity to the labels' descriptions and examples; no answer has a part in it but those of the audit.
    ZeroShot,
    /// A classifier on the encoder's vectors.
    Head,
    /// The encoder with a low-rank adapter, and a head on its vectors.
    Lora,
    /// A language model that reads some of the texts, or predictions of some of them that were made elsewhere.
    Judge,
    /// A classifier on the hidden states of a judge.
    States,
    /// A scout's probabilities and those of others that have read some of the texts, weighed against each other.
    Combined,
}

impl PredictorKind {
    pub const ALL: [Self; 6] =
        [Self::ZeroShot, Self::Head, Self::Lora, Self::Judge, Self::States, Self::Combined];

    /// The name of each, in the order of [`Self::ALL`].
    pub const NAMES: [&str; 6] = ["zero-shot", "head", "lora", "judge", "states", "combined"];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::ZeroShot => "zero-shot",
            Self::Head => "head",
            Self::Lora => "lora",
            Self::Judge => "judge",
            Self::States => "states",
            Self::Combined => "combined",
        }
    }
}

impl std::str::FromStr for PredictorKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| format!("there is no predictor of the kind '{name}'"))
    }
}

impl std::fmt::Display for PredictorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A way of making predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictor {
    pub id: PredictorId,
    pub method: Method,
    /// The model underneath; of a combination its scout's.
    pub model: ModelId,
    /// The task revision that it was made for.
    pub revision: RevisionId,
    /// Stable keys of the labels, in the order of its probabilities.
    pub labels: Vec<String>,
    /// When it was made, UTC milliseconds; of a judge, when it was last activated.
    pub created_ms: i64,
}

/// How the probabilities come about, with what that refers to.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    ZeroShot(Stored<ZeroShotSettings>),
    Head(AdapterId),
    Lora(AdapterId),
    Judge(JudgeMethod),
    States(StatesMethod),
    Combined {
        /// The predictor over vectors that is combined with what others have read.
        scout: Scout,
        settings: Stored<CombinedSettings>,
    },
}

/// A language model with a prompt, or predictions that were made elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgeMethod {
    /// Its low-rank adapter and which tokens that changes; none for the model as it is.
    pub adapter: Option<(AdapterId, AdapterKind)>,
    /// The hash of the prompt; empty where the predictions were made elsewhere, so that nothing was asked here.
    pub prompt: Vec<u8>,
    pub settings: Stored<JudgeSettings>,
}

/// A head on the hidden states of a language model. It is fitted anew whenever there are new labels or newly read texts: what it says is kept,
/// of training labels by a fit that has not seen them.
#[derive(Clone, Debug, PartialEq)]
pub struct StatesMethod {
    /// The hash of the prompt behind which the texts were read.
    pub prompt: Vec<u8>,
    pub settings: Stored<StatesSettings>,
}

/// A predictor that needs nothing but vectors, so that it can score every text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scout {
    ZeroShot,
    Head(AdapterId),
    Lora(AdapterId),
}

impl Scout {
    pub fn adapter(self) -> Option<AdapterId> {
        match self {
            Self::ZeroShot => None,
            Self::Head(adapter) | Self::Lora(adapter) => Some(adapter),
        }
    }

    pub fn kind(self) -> PredictorKind {
        match self {
            Self::ZeroShot => PredictorKind::ZeroShot,
            Self::Head(_) => PredictorKind::Head,
            Self::Lora(_) => PredictorKind::Lora,
        }
    }
}

impl Predictor {
    pub fn kind(&self) -> PredictorKind {
        match self.method {
            Method::ZeroShot(_) => PredictorKind::ZeroShot,
            Method::Head(_) => PredictorKind::Head,
            Method::Lora(_) => PredictorKind::Lora,
            Method::Judge(_) => PredictorKind::Judge,
            Method::States(_) => PredictorKind::States,
            Method::Combined { .. } => PredictorKind::Combined,
        }
    }

    /// The scout that it is, or that it combines with others; none of what reads texts itself.
    pub fn scout(&self) -> Option<Scout> {
        match self.method {
            Method::ZeroShot(_) => Some(Scout::ZeroShot),
            Method::Head(adapter) => Some(Scout::Head(adapter)),
            Method::Lora(adapter) => Some(Scout::Lora(adapter)),
            Method::Combined { scout, .. } => Some(scout),
            Method::Judge(_) | Method::States(_) => None,
        }
    }

    /// Its adapter; of a combination its scout's.
    pub fn adapter(&self) -> Option<AdapterId> {
        match &self.method {
            Method::Judge(judge) => judge.adapter.map(|(adapter, _)| adapter),
            _ => self.scout().and_then(Scout::adapter),
        }
    }

    /// The encoder's low-rank adapter whose vectors it is computed from; none where these are the encoder's own.
    pub fn lora(&self) -> Option<AdapterId> {
        match self.scout() {
            Some(Scout::Lora(adapter)) => Some(adapter),
            _ => None,
        }
    }

    pub fn judge(&self) -> Option<&JudgeMethod> {
        match &self.method {
            Method::Judge(judge) => Some(judge),
            _ => None,
        }
    }

    /// Whether its predictions were made elsewhere and came in a file: there is no language model that could read a text or learn.
    pub fn is_imported(&self) -> bool {
        self.judge().is_some_and(|judge| judge.prompt.is_empty())
    }

    /// Whether it has read texts by itself and cannot score others by their vectors.
    pub fn is_reader(&self) -> bool {
        matches!(self.method, Method::Judge(_) | Method::States(_))
    }

    /// Whether it gives no text a label: it is zero-shot, and there is no vector of a label that a text could be near.
    pub fn guesses_nothing(&self) -> bool {
        self.zero_shot().is_some_and(|settings| settings.anchors.iter().all(Vec::is_empty))
    }

    pub fn is_combined(&self) -> bool {
        self.kind() == PredictorKind::Combined
    }

    /// The settings of a zero-shot predictor; none of any other, and none where they cannot be read.
    pub fn zero_shot(&self) -> Option<&ZeroShotSettings> {
        match &self.method {
            Method::ZeroShot(settings) => settings.known(),
            _ => None,
        }
    }
}

/// A predictor's method as a row has it.
pub struct MethodColumns {
    pub kind: PredictorKind,
    pub adapter: Option<(AdapterId, AdapterKind)>,
    pub prompt: Option<Vec<u8>>,
    pub settings: String,
}

impl Method {
    /// Reads the columns; none where the adapter is missing that the kind refers to.
    pub fn read(columns: MethodColumns) -> Option<Self> {
        let MethodColumns { kind, adapter, prompt, settings } = columns;
        let adapter_id = adapter.map(|(adapter, _)| adapter);
        Some(match kind {
            PredictorKind::ZeroShot => Self::ZeroShot(Stored::read(&settings)),
            PredictorKind::Head => Self::Head(adapter_id?),
            PredictorKind::Lora => Self::Lora(adapter_id?),
            PredictorKind::Judge => Self::Judge(JudgeMethod {
                adapter,
                prompt: prompt.unwrap_or_default(),
                settings: Stored::read(&settings),
            }),
            PredictorKind::States => Self::States(StatesMethod {
                prompt: prompt.unwrap_or_default(),
                settings: Stored::read(&settings),
            }),
            PredictorKind::Combined => {
                let scout = match adapter {
                    None => Scout::ZeroShot,
                    Some((adapter, AdapterKind::Head)) => Scout::Head(adapter),
                    Some((adapter, AdapterKind::Lora | AdapterKind::Alora)) => Scout::Lora(adapter),
                };
                Self::Combined { scout, settings: Stored::read(&settings) }
            }
        })
    }

    /// The settings as a column keeps them.
    pub fn settings_json(&self) -> String {
        match self {
            Self::ZeroShot(settings) => settings.write(),
            Self::Head(_) | Self::Lora(_) => write(&NoSettings {}),
            Self::Judge(judge) => judge.settings.write(),
            Self::States(states) => states.settings.write(),
            Self::Combined { settings, .. } => settings.write(),
        }
    }

    /// The hash of the prompt behind which it reads.
    pub fn prompt(&self) -> Option<&[u8]> {
        match self {
            Self::Judge(judge) => Some(&judge.prompt),
            Self::States(states) => Some(&states.prompt),
            _ => None,
        }
    }
}

impl PredictorKind {
    /// Settings as text with every id in them mapped. What the other file does not know is dropped, and settings that cannot be carried over, or read,
    /// are left out.
    pub fn map_settings<I, J, P, Q>(self, json: &str, ids: &mut IdMap<'_, I, J, P, Q>) -> String
    where
        I: DeserializeOwned,
        J: Serialize,
        P: DeserializeOwned,
        Q: Serialize,
    {
        match self {
            Self::ZeroShot => {
                Stored::<ZeroShotSettings<I>>::read(json).and_then(|s| Some(s.map_ids(ids))).write()
            }
            Self::Head | Self::Lora => Stored::<NoSettings>::read(json).write(),
            Self::Judge => Stored::<JudgeSettings<I>>::read(json).and_then(|s| Some(s.map_ids(ids))).write(),
            Self::States => Stored::<StatesSettings>::read(json).write(),
            Self::Combined => Stored::<CombinedSettings<P>>::read(json).and_then(|s| s.map_ids(ids)).write(),
        }
    }

    /// Settings as text for a part of the project, which tells nobody what others answered.
    pub fn settings_without_answers(self, json: &str) -> String {
        match self {
            Self::ZeroShot => {
                let settings = Stored::<ZeroShotSettings>::read(json);
                settings.and_then(|s| Some(ZeroShotSettings { shares_from: SharesFrom::Pool, ..s })).write()
            }
            Self::Head | Self::Lora => json.to_owned(),
            Self::Judge | Self::States | Self::Combined => LEFT_OUT.to_owned(),
        }
    }
}

/// A head's and a LoRA's settings are those of its adapter.
#[derive(Serialize, Deserialize)]
struct NoSettings {}

/// What a zero-shot predictor needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZeroShotSettings<I = ItemId> {
    /// Each label's mean anchor vector, labels × dimensions: a text's score is its cosine to it, both seen from `mean`. Empty vectors where the model
    /// that made the texts' is not here: nothing is guessed then.
    pub anchors: Vec<Vec<f32>>,
    /// The mean of the pool's vectors: an encoder may put all texts into a narrow cone. None, and a score is the plain product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mean: Vec<f32>,
    /// From scores to probabilities.
    pub calibration: ZeroShot,
    /// Where the calibration's shares come from.
    pub shares_from: SharesFrom<I>,
}

impl<I> ZeroShotSettings<I> {
    pub fn map_ids<J, P, Q>(self, ids: &mut IdMap<'_, I, J, P, Q>) -> ZeroShotSettings<J> {
        let Self { anchors, mean, calibration, shares_from } = self;
        ZeroShotSettings { anchors, mean, calibration, shares_from: shares_from.map_ids(ids) }
    }
}

/// A calibration fitted on the pool: probabilities are softmax((score + bias) / temperature). Where a text may have several labels, that of each is
/// σ((score + bias) / its own temperature).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZeroShot {
    /// In units of the scores, above 0.
    pub temperature: f32,
    /// One per label, in units of the scores.
    pub bias: Vec<f32>,
    /// The expected share of each label, summing to one; where a text may have several labels, each by itself.
    pub shares: Vec<f64>,
    /// The temperature of each label where a text may have several; else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<f32>,
}

/// Where expected shares come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SharesFrom<I = ItemId> {
    /// The task gives them.
    Task,
    /// The task does not give them all; the scores of the pool were asked.
    #[default]
    Pool,
    /// One of these, moved by audit answers.
    Audit(FromAudit<I>),
}

impl<I> SharesFrom<I> {
    fn map_ids<J, P, Q>(self, ids: &mut IdMap<'_, I, J, P, Q>) -> SharesFrom<J> {
        match self {
            Self::Task => SharesFrom::Task,
            Self::Pool => SharesFrom::Pool,
            Self::Audit(FromAudit { n, prior, strength, held_out }) => {
                let held_out = held_out.into_iter().map(|fold| fold.map_ids(ids)).collect();
                SharesFrom::Audit(FromAudit { n, prior, strength, held_out })
            }
        }
    }
}

/// Shares that follow audit answers: all that is needed to predict any item again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FromAudit<I = ItemId> {
    /// Audit items they rest on.
    pub n: usize,
    /// The shares before, one per label.
    pub prior: Vec<f64>,
    /// Cases that the prior counts as.
    pub strength: f64,
    /// The folds; each of the items is in one of them.
    pub held_out: Vec<AuditFold<I>>,
}

/// One fold of the audit items, and the calibration that has not seen it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditFold<I = ItemId> {
    /// Items, and the index of the label of each answer.
    pub answers: Vec<(I, usize)>,
    /// From the answers of all other folds.
    pub calibration: ZeroShot,
}

impl<I> AuditFold<I> {
    fn map_ids<J, P, Q>(self, ids: &mut IdMap<'_, I, J, P, Q>) -> AuditFold<J> {
        let Self { answers, calibration } = self;
        let answers = answers.into_iter().filter_map(|(item, label)| Some(((ids.item)(&item)?, label)));
        AuditFold { answers: answers.collect(), calibration }
    }
}

/// What a judge needs. Its predictions are what the model says, uncalibrated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgeSettings<I = ItemId> {
    pub prompt: PromptSettings,
    /// The items that the prompt gives as examples.
    pub examples: Vec<I>,
    /// How a text that is too long was cut.
    pub cut: String,
    /// Prompts that competed for its place, itself among them; empty where it was asked for.
    pub tried: Vec<PromptTrial>,
    /// From what the model says to probabilities.
    pub calibration: Option<Stack>,
    /// What it is worth next to the scout; none where there are too few labels to say.
    pub worth: Option<Worth>,
}

impl<I> JudgeSettings<I> {
    pub fn map_ids<J, P, Q>(self, ids: &mut IdMap<'_, I, J, P, Q>) -> JudgeSettings<J> {
        let Self { prompt, examples, cut, tried, calibration, worth } = self;
        let examples = examples.iter().filter_map(|item| (ids.item)(item)).collect();
        JudgeSettings { prompt, examples, cut, tried, calibration, worth }
    }
}

/// Depths at which a language model's hidden states of a text are kept.
pub const DEPTHS: usize = 4;

/// What tells how a head on hidden states was fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatesSettings {
    /// Which of the depths that are kept, from 0.
    pub depth: usize,
    /// The penalty's inverse strength.
    pub c: f64,
    /// Class-weighted log-loss on held-out folds, in nats.
    pub cv_log_loss: f64,
    /// Training labels that it was fitted on.
    pub n: usize,
    /// What tells one set of labels and read texts from another.
    pub fitted_on: String,
    /// What it is worth; none where there are too few labels to say.
    pub worth: Option<Worth>,
}

/// What a combination needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CombinedSettings<P = PredictorId> {
    /// What has read some of the texts, in the order in which it joins the scout. A text is decided by as many of the first as have all read it.
    pub readers: Vec<P>,
    /// One more than there are readers: of texts that the scout alone, the scout and the first, the scout and the first two have read.
    pub stacks: Vec<Stack>,
}

impl<P> CombinedSettings<P> {
    /// With the readers that are known there before the first that is not; none where that is none of them.
    pub fn map_ids<I, J, Q>(self, ids: &mut IdMap<'_, I, J, P, Q>) -> Option<CombinedSettings<Q>> {
        let Self { readers, mut stacks } = self;
        let readers: Vec<Q> = readers.iter().map_while(|reader| (ids.predictor)(reader)).collect();
        stacks.truncate(readers.len() + 1);
        (!readers.is_empty()).then_some(CombinedSettings { readers, stacks })
    }
}

/// Several models' opinions as one: the log-odds of a label are the weighted sum of their log-probabilities, plus its bias.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// One for each model, the scout first.
    pub weights: Vec<f64>,
    /// Added to each label's log-odds.
    pub bias: Vec<f64>,
}

/// What a reader is worth next to the scout, on labels that no fit has seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Worth {
    /// Weighted log-loss of the scout alone, in nats: all labels count the same, and cases as much as there are texts like them in the pool.
    pub scout: f64,
    /// That of both.
    pub both: f64,
    /// Both less the scout: negative where the reader helps.
    pub difference: f64,
    /// Its standard error.
    pub error: f64,
    /// Labels that it rests on.
    pub n: usize,
    /// Whether the combination listens to it.
    pub helps: bool,
}

#[cfg(test)]
mod tests;
