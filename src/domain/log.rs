//! The label log as it travels between copies of a project: who, in which session, about which text, with what everything refers to.
//!
//! Nothing here is local to a file: what was made in a copy is named by its UUID, a text by its key, an expert by the name, a model by
//! its hash.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::answer::Answer;
use super::encoder_reading::EncoderReading;
pub use super::hex::Hex;
use super::hex::hex;
use super::item::ItemKey;
use super::overlap::Overlap;
use super::task_examples::toml_without_examples;

impl Serialize for ItemKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for ItemKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = Hex::deserialize(from)?.0;
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| serde::de::Error::custom("a text's key has 64 hexadecimal digits"))
    }
}

macro_rules! line {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $kind),+ }
    };
}

line! {
    /// Somebody who labels.
    ExpertLine {
        /// The name: one name is one expert.
        name: String,
        /// Of the earliest enrolment.
        uuid: Uuid,
        /// When, UTC milliseconds.
        created_ms: i64,
    }
}

line! {
    SessionLine {
        uuid: Uuid,
        expert: String,
        login: String,
        uid: i64,
        host: String,
        process: String,
        /// The program and its version.
        program: String,
        started_ms: i64,
        /// UTC milliseconds; none while it lasts.
        ended_ms: Option<i64>,
        /// `closed` or `lost`.
        ended_how: Option<String>,
    }
}

line! {
    /// A revision of the task.
    RevisionLine {
        uuid: Uuid,
        /// The one that stands has the largest (generation, UUID).
        generation: i64,
        /// Its number where it was set.
        number: i64,
        /// The session in which it was set.
        session: Uuid,
        created_ms: i64,
        toml: String,
    }
}

line! {
    ModelLine {
        /// Hash of the file, and of `reading` where that says something.
        sha256: Hex,
        /// The name inside the file, or the file's own.
        name: String,
        /// Where it was found; empty for the embedded one.
        path: String,
        /// llama.cpp's name of it.
        architecture: String,
        /// For example `Q8_0`.
        quantisation: String,
        /// Values of one vector.
        dimensions: i64,
        /// Size of the file.
        bytes: i64,
        /// What a person has said of how it reads texts.
        reading: EncoderReading,
    }
}

line! {
    /// What a tuning yielded, without the bytes.
    AdapterLine {
        uuid: Uuid,
        /// `head`, `lora` or `alora`.
        adapts: String,
        /// The model, by its hash.
        model: Hex,
        /// The adapter that was active before.
        parent: Option<Uuid>,
        /// The newest round whose answers it saw.
        round: Option<Uuid>,
        revision: Uuid,
        /// Stable keys of its labels, in order.
        labels: Vec<String>,
        /// JSON; items in it are keys.
        settings: String,
        /// Hash of the training set.
        training_hash: Hex,
        /// Training labels.
        training_n: i64,
        created_ms: i64,
    }
}

line! {
    /// A way of making predictions.
    PredictorLine {
        uuid: Uuid,
        /// `zero-shot`, `head`, …
        predicts: String,
        /// The model, by its hash.
        model: Hex,
        adapter: Option<Uuid>,
        revision: Uuid,
        /// The hash of a judge's prompt.
        prompt: Option<Hex>,
        /// Stable keys of its labels, in order.
        labels: Vec<String>,
        /// JSON; items in it are keys, predictors UUIDs.
        settings: String,
        created_ms: i64,
    }
}

line! {
    RoundLine {
        /// Its UUID. Round 0 is one round in all copies, whatever its UUID.
        uuid: Uuid,
        /// Its number where it was opened.
        number: i64,
        strategy: String,
        /// Cases asked for.
        budget: i64,
        seed: i64,
        /// Whose prelabels it was mined from; none for round 0.
        predictor: Option<Uuid>,
        /// For example that the strategy fell back.
        note: Option<String>,
        created_ms: i64,
        /// UTC milliseconds; none while it is open.
        closed_ms: Option<i64>,
        /// How many persons each kind of case was to be seen by; none where there was no choice yet.
        overlap: Option<Overlap>,
    }
}

line! {
    CaseLine {
        uuid: Uuid,
        round: Uuid,
        /// Its place in the round.
        position: i64,
        item: ItemKey,
        /// The text itself, for people who read the log; never taken in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        split: String,
        /// Why it was chosen.
        reason: String,
        /// The similar text that was shown with it.
        partner: Option<ItemKey>,
        /// Cosine similarity to it.
        similarity: Option<f64>,
        /// On which side of the decision boundary it lay: same or across.
        side: Option<String>,
        /// Margin when chosen.
        margin: f64,
        /// Probability that it was drawn, for audit cases.
        inclusion: Option<f64>,
        /// How many experts are to see it.
        overlap: i64,
        withdrawn_ms: Option<i64>,
        /// Whom alone it is for: of a repeat, once handed out.
        expert: Option<String>,
        /// When the model's view was shown in a repeat.
        revealed_ms: Option<i64>,
        /// For which revision of the task it was sent for re-annotation.
        reannotation: Option<Uuid>,
    }
}

impl CaseLine {
    /// Whether it is a place kept for a repeat that nobody has come to yet.
    pub fn is_kept_place(&self) -> bool {
        self.reason == "repeat" && self.expert.is_none() && self.reannotation.is_none()
    }
}

line! {
    /// A label event.
    EventLine {
        uuid: Uuid,
        /// Order is by (Lamport number, UUID).
        lamport: i64,
        session: Uuid,
        /// Its number in that session.
        seq: i64,
        expert: String,
        item: ItemKey,
        /// The case in which it was given.
        case: Option<Uuid>,
        /// What it does.
        action: String,
        /// The event that it speaks of.
        target: Option<Uuid>,
        /// The labels of the answer, by their stable keys.
        labels: Option<Answer>,
        /// 1 to 3.
        confidence: Option<i64>,
        note: Option<String>,
        revision: Uuid,
        /// The prelabel that could be seen before.
        seen_prelabel: Option<Answer>,
        /// Whether the model's view had been revealed.
        revealed: bool,
        duration_ms: Option<i64>,
        at_ms: i64,
    }
}

impl EventLine {
    /// The label that is given, where it is one.
    pub fn label(&self) -> Option<&str> {
        self.labels.as_ref().and_then(Answer::single)
    }
}

line! {
    /// Who leads, and which names are one person.
    ExpertEventLine {
        uuid: Uuid,
        /// Counted with the label events.
        lamport: i64,
        session: Uuid,
        /// What it does.
        action: String,
        /// Whom it speaks of.
        expert: String,
        /// The other name.
        other: Option<String>,
        at_ms: i64,
    }
}

line! {
    /// That the model's view of a text was shown to an expert.
    RevealLine {
        /// To whom.
        expert: String,
        item: ItemKey,
        /// When first, UTC milliseconds.
        at_ms: i64,
    }
}

line! {
    /// Who gave labels that were imported.
    LabelSourceLine {
        /// The name: one name is one source.
        name: String,
        /// Of the earliest import.
        uuid: Uuid,
        /// What a label of it counts in training, 0 to 1.
        weight: f64,
        /// How often the weight was changed: of two copies the one with more says it.
        changes: i64,
        created_ms: i64,
    }
}

line! {
    /// A label that existed before the project. It is no answer of an expert.
    ImportedLabelLine {
        /// The name of its source.
        source: String,
        item: ItemKey,
        /// Hash of the name of the data file.
        file: i64,
        /// Which of the text's labels in that file.
        place: i64,
        /// The label, by its stable key.
        labels: Answer,
        /// When it was given, or else imported, UTC milliseconds.
        at_ms: i64,
    }
}

line! {
    /// A text that was removed on demand: no copy brings it back.
    ForgottenLine {
        item: ItemKey,
        /// The split of its item, which cannot be computed without the text.
        split: String,
        /// When first, UTC milliseconds.
        at_ms: i64,
    }
}

/// The log of a file, each kind after those that it refers to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    pub project: Uuid,
    /// The largest Lamport number known to the file besides those of its events.
    pub lamport_heard: i64,
    /// By their enrolment.
    pub experts: Vec<ExpertLine>,
    /// By their beginning.
    pub sessions: Vec<SessionLine>,
    /// By (generation, UUID).
    pub revisions: Vec<RevisionLine>,
    /// As the file met them.
    pub models: Vec<ModelLine>,
    /// Oldest first.
    pub adapters: Vec<AdapterLine>,
    /// Oldest first.
    pub predictors: Vec<PredictorLine>,
    /// By number.
    pub rounds: Vec<RoundLine>,
    /// By round and position.
    pub cases: Vec<CaseLine>,
    /// In order.
    pub events: Vec<EventLine>,
    /// In order.
    pub expert_events: Vec<ExpertEventLine>,
    /// By expert and item.
    pub reveals: Vec<RevealLine>,
    /// By their first import.
    pub label_sources: Vec<LabelSourceLine>,
    /// By source and text.
    pub imported_labels: Vec<ImportedLabelLine>,
    /// By text.
    pub forgotten: Vec<ForgottenLine>,
}

impl Log {
    /// Takes out what these texts' events, cases and examples say in words, and the labels that were imported for them.
    pub fn forget(&mut self, texts: &HashSet<ItemKey>) {
        if texts.is_empty() {
            return;
        }
        let is_of = |item: &ItemKey| texts.contains(item);
        self.events.iter_mut().filter(|event| is_of(&event.item)).for_each(|event| event.note = None);
        self.cases.iter_mut().filter(|case| is_of(&case.item)).for_each(|case| case.text = None);
        self.imported_labels.retain(|label| !is_of(&label.item));
        for revision in &mut self.revisions {
            if let Some(toml) = toml_without_examples(&revision.toml, texts) {
                revision.toml = toml;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_as_digits_and_a_short_one_is_refused() {
        let key: ItemKey = serde_json::from_str(&format!("\"{}\"", "aF".repeat(32))).unwrap();
        assert_eq!(key.0, [0xAF; 32]);
        assert_eq!(serde_json::to_string(&key).unwrap(), format!("\"{}\"", "af".repeat(32)));
        assert!(serde_json::from_str::<ItemKey>("\"af\"").is_err());
    }
}
