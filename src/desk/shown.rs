//! What an expert is shown: a case, blind until answered, and what there is to say where there is none.

use serde::Serialize;

use crate::domain::grouped::counted;
use crate::domain::ids::{CaseId, ItemId};
pub use crate::store::rounds::annotations_needed::Outstanding;

/// A case as an expert may see it before answering.
#[derive(Clone, Debug, Serialize)]
pub struct ShownCase {
    /// Its number.
    pub case: CaseId,
    /// The item's number.
    pub item: ItemId,
    /// The text exactly as imported.
    pub text: String,
    /// Columns beside the text; never the gold.
    pub meta: serde_json::Value,
    /// The text across the boundary.
    pub partner: Option<ShownPartner>,
    /// The labels, in the order of the task.
    pub labels: Vec<ShownLabel>,
    /// What is hidden until an answer; only after a reveal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revealed: Option<Reveal>,
}

/// The text across the boundary.
#[derive(Clone, Debug, Serialize)]
pub struct ShownPartner {
    /// Its text.
    pub text: String,
    /// Cosine similarity to the case.
    pub similarity: f32,
}

/// A label to choose.
#[derive(Clone, Debug, Serialize)]
pub struct ShownLabel {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: char,
}

/// What is hidden until an answer.
#[derive(Clone, Debug, Serialize)]
pub struct Reveal {
    /// The item's split.
    pub split: &'static str,
    /// Why it was chosen, in the field's terms.
    pub reason: &'static str,
    /// The same in plain words.
    pub in_words: &'static str,
    /// The model's label.
    pub prelabel: Option<String>,
    /// The model's probabilities by label name.
    pub probabilities: serde_json::Map<String, serde_json::Value>,
    /// The judge's, where a language model has read the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judge: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Reveal {
    /// The probability of the model's own label.
    pub fn certainty(&self) -> Option<f64> {
        self.probabilities.get(self.prelabel.as_ref()?)?.as_f64()
    }

    /// The judge's label, and the probability of it.
    pub fn judged(&self) -> Option<(&str, f64)> {
        let judged = self.judge.as_ref()?.iter();
        judged.filter_map(|(name, p)| Some((name.as_str(), p.as_f64()?))).max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// What an answer did.
#[derive(Clone, Debug, Serialize)]
pub struct Saved {
    /// The item.
    pub item: ItemId,
    /// The label's name.
    pub label: String,
    /// True where the answer replaces an earlier one.
    pub changed: bool,
}

/// The same for a script, which sees nothing else of how far it is.
#[derive(Clone, Debug, Serialize)]
pub struct Acknowledged {
    /// What the answer did.
    #[serde(flatten)]
    pub saved: Saved,
    /// Labels of this expert in all, those of repeats included: a count that stood still would tell one.
    pub labels: usize,
}

impl std::fmt::Display for Acknowledged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { saved: Saved { item, label, changed }, labels } = self;
        let verb = if *changed { "changed" } else { "saved" };
        write!(f, "{verb}: {label} on item {item}; {} by you", counted(*labels, "label", "labels"))
    }
}

/// What an undo or redo did.
#[derive(Clone, Debug, Serialize)]
pub struct TakenBack {
    /// The item.
    pub item: ItemId,
    /// The case, to return to it.
    pub case: Option<CaseId>,
    /// What was taken back or put back: `label spam`, `skip`, `note`, …
    pub what: String,
    /// True where it was taken back, false where it was put back.
    pub back: bool,
}

/// A case with what this expert has done to it so far.
#[derive(Clone, Debug)]
pub struct Card {
    /// The case; revealed only where this expert has seen the reveal before.
    pub shown: ShownCase,
    /// This expert's standing label, by name.
    pub label: Option<String>,
    /// Whether this expert left it unanswered.
    pub skipped: bool,
    /// Whether this expert flagged it.
    pub flagged: bool,
    /// This expert's last note.
    pub note: Option<String>,
    /// A note that was begun and not saved.
    pub draft: Option<String>,
}

/// Where an expert is in the open round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The round's number.
    pub round: i64,
    /// Its cases.
    pub cases: usize,
    /// Of these with a label by anybody.
    pub answered: usize,
    /// Of these with a label by this expert.
    pub mine: usize,
    /// Cases that wait for this expert.
    pub left: usize,
}

/// What a project lacks before cases can be mined and labelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// What the models compute with, in a part that was given without it: it can be labelled, and no more.
    Models,
    /// Texts.
    Texts,
    /// A scout's prelabels.
    Prelabels,
    /// A round.
    Round,
}

/// Why there is no case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoCase {
    /// The pool is empty.
    NoTexts,
    /// No text has a prelabel.
    NotScouted,
    /// No round is open.
    NoRound,
    /// Every case of the round has what it wants.
    RoundDone(i64),
    /// What is left of a round is for others to answer.
    WithOthers(Outstanding),
    /// Every assigned case is answered, in a part of a project that can do nothing but go back.
    PartDone,
}

impl std::fmt::Display for NoCase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoTexts => f.write_str("the pool is empty: run `hardcase import FILE DATA`"),
            Self::NotScouted => f.write_str(
                "nothing has been scouted yet: run `hardcase scout FILE`, then `hardcase mine FILE`",
            ),
            Self::NoRound => f.write_str("no round is open: run `hardcase mine FILE`"),
            Self::RoundDone(round) => {
                write!(f, "round {round} is done: run `hardcase tune FILE`, then `hardcase mine FILE`")
            }
            Self::WithOthers(owed) => write!(
                f,
                "what was yours in round {} is done; {owed}: `hardcase mine FILE --keep-open` opens the next round beside it",
                owed.round
            ),
            Self::PartDone => {
                f.write_str("all assigned cases are done: give this copy back, where `hardcase merge PROJECT COPY` takes it in")
            }
        }
    }
}
