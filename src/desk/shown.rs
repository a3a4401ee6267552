//! What an expert is shown: a case, blind until answered, or the reason why there is none.

use std::path::PathBuf;

use serde::Serialize;

use crate::domain::grouped::{counted, probable};
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::outstanding::Outstanding;
use crate::domain::turn::Turn;

/// Why a session is over whose project was taken away, and where its labels are.
#[derive(Clone, Debug)]
pub struct Over {
    pub(super) why: String,
    pub(super) hint: String,
    /// The file in which they are kept.
    pub(super) kept_in: Option<PathBuf>,
}

/// A case as an expert may see it before answering.
#[derive(Clone, Debug, Serialize)]
pub struct ShownCase {
    pub case: CaseId,
    pub item: ItemId,
    /// The file's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The text exactly as imported.
    pub text: String,
    /// The parts of the text, if it is a conversation or of several columns.
    #[serde(skip)]
    pub turns: Vec<Turn>,
    /// Which of them the task asks about.
    #[serde(skip)]
    pub asked: Option<usize>,
    /// About how many bytes of the text the model in use has read, where it has not read all of it.
    #[serde(skip)]
    pub read_up_to: Option<usize>,
    /// Metadata columns; never the gold label.
    pub meta: serde_json::Value,
    /// The similar text, from either side of the decision boundary.
    pub partner: Option<ShownPartner>,
    /// The labels, in the order of the task.
    pub labels: Vec<ShownLabel>,
    /// What is hidden until an answer; set only after a reveal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revealed: Option<Reveal>,
}

/// A similar text. It does not say on which side of the decision boundary it lies: that is hidden until the answer.
#[derive(Clone, Debug, Serialize)]
pub struct ShownPartner {
    pub text: String,
    /// Cosine similarity to the case.
    pub similarity: f32,
}

/// A label to choose.
#[derive(Clone, Debug, Serialize)]
pub struct ShownLabel {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<char>,
}

/// What an answer to a text that was not drawn means.
pub const FOUND: &str = "You found this text yourself: its label is kept and exported, but it does not count as a test of the model.";

/// What becomes of a case that was just skipped; of one that was skipped before, too.
pub fn what_a_skip_does(skipped_before: bool) -> &'static str {
    match skipped_before {
        false => "Skipped: this case comes back once, after all others.",
        true => "Skipped again: it does not come back. To find it, search the texts for: skipped",
    }
}

/// What is hidden until an answer.
#[derive(Clone, Debug, Serialize)]
pub struct Reveal {
    pub split: &'static str,
    /// Why it was chosen, as stored.
    pub reason: &'static str,
    /// The reason in plain words, to complete "chosen because".
    pub in_words: &'static str,
    /// Whether the model gave the similar text the same label or another one when the case was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner: Option<&'static str>,
    /// The model's label; of several, as a person reads them.
    pub prelabel: Option<String>,
    /// The model's labels, where a text may have several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prelabels: Option<Vec<String>>,
    /// The model's probabilities by label name.
    pub probabilities: serde_json::Map<String, serde_json::Value>,
    /// The judge's probabilities, if it has scored the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judge: Option<serde_json::Map<String, serde_json::Value>>,
    /// What the judge says.
    #[serde(skip)]
    pub judge_label: Option<String>,
}

/// A text that is less alike than this is not called similar. 0 is as alike as any two texts of the pool; of pairs drawn at random 95 in 100 are below
/// 0.26 to 0.27 (400 bank queries, two pools of 120 short messages).
const SIMILAR: f32 = 0.3;

impl ShownPartner {
    /// Whether it is worth reading beside the case.
    pub fn is_similar(&self) -> bool {
        self.similarity >= SIMILAR
    }
}

impl Reverted {
    /// `case 7`, or `the text K-0010` where it was found and is not a case; none where the text has no id.
    pub fn place(&self) -> Option<String> {
        let text = || self.id.as_ref().map(|id| format!("the text {id}"));
        self.case.map(|case| format!("case {case}")).or_else(text)
    }
}

impl Reveal {
    /// The probability of the model's own label.
    pub fn certainty(&self) -> Option<f64> {
        self.probabilities.get(self.prelabel.as_ref()?)?.as_f64()
    }

    /// What the model says as a person reads it: a label with its probability, or each of several.
    pub fn said(&self) -> Option<String> {
        let label = self.prelabel.as_ref()?;
        let Some(labels) = &self.prelabels else {
            return Some(format!("{label} ({})", probable(self.certainty()?)));
        };
        let each = labels.iter().map(|label| match self.probabilities.get(label).and_then(|p| p.as_f64()) {
            Some(p) => format!("{label} ({})", probable(p)),
            None => label.clone(),
        });
        Some(if labels.is_empty() { label.clone() } else { each.collect::<Vec<_>>().join(", ") })
    }

    /// What the judge says, as a person reads it.
    pub fn judge_said(&self) -> Option<String> {
        match self.judged() {
            Some((label, p)) => Some(format!("{label} ({})", probable(p))),
            None => self.judge_label.clone().filter(|_| self.prelabels.is_some()),
        }
    }

    /// The judge's label and its probability.
    pub fn judged(&self) -> Option<(&str, f64)> {
        let label = self.judge_label.as_deref()?;
        Some((label, self.judge.as_ref()?.get(label)?.as_f64()?))
    }
}

/// A recorded answer.
#[derive(Clone, Debug, Serialize)]
pub struct Saved {
    pub item: ItemId,
    /// By name; of several, as a person reads them.
    pub label: String,
    /// By name, where a text may have several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Whether the answer replaces another.
    pub changed: bool,
    /// Whether the text was found rather than drawn: the answer is in no figure.
    pub found: bool,
}

/// A recorded answer with the expert's progress, for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct Acknowledged {
    #[serde(flatten)]
    pub saved: Saved,
    /// All labels of this expert, including those of repeats: if the count stood still, it would give a repeat away.
    pub labels: usize,
}

impl std::fmt::Display for Acknowledged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { saved: Saved { item, label, changed, found, .. }, labels } = self;
        let verb = if *changed { "Changed" } else { "Saved" };
        write!(f, "{verb}: item {item} is {label}. You have given {}.", counted(*labels, "label", "labels"))?;
        if *found { write!(f, " {FOUND}") } else { Ok(()) }
    }
}

/// The outcome of an undo or redo.
#[derive(Clone, Debug, Serialize)]
pub struct Reverted {
    pub item: ItemId,
    /// The id that its file gives the text, where it has one.
    pub id: Option<String>,
    /// The case, to return to it.
    pub case: Option<CaseId>,
    /// What was undone or redone: `label spam`, `skip`, `note`, …
    pub what: String,
    /// True for an undo, false for a redo.
    pub back: bool,
    /// By how many this expert's labelled texts became more.
    #[serde(skip)]
    pub labelled: i64,
}

/// A case with what this expert has done to it so far.
#[derive(Clone, Debug)]
pub struct Card {
    /// The case; revealed only if this expert has seen the reveal before.
    pub shown: ShownCase,
    /// This expert's current answer, by name.
    pub label: Option<String>,
    /// Its labels, by name.
    pub labels: Vec<String>,
    pub skipped: bool,
    pub flagged: bool,
    /// This expert's last note.
    pub note: Option<String>,
    /// An unsaved note.
    pub draft: Option<String>,
}

/// How far an expert is in the open round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundProgress {
    /// The round's number.
    pub round: i64,
    pub cases: usize,
    /// Cases with a label by anybody.
    pub answered: usize,
    /// Cases with a label by this expert.
    pub mine: usize,
    /// Cases that this expert can still answer.
    pub left: usize,
}

/// What a project needs before cases can be mined and labelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Vectors and adapters: a part without them can only be labelled and returned.
    Models,
    Texts,
    Prelabels,
    Round,
}

/// Why there is no case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoCase {
    NoTexts,
    /// No text has a prelabel.
    NotScouted,
    /// No round is open.
    NoRound,
    /// Every case of the round has all the answers it needs.
    RoundDone(i64),
    /// The remaining cases of a round are for others to answer.
    WithOthers(Outstanding),
    /// Every assigned case of a part is answered; it can only be returned.
    PartDone,
}

impl NoCase {
    /// For scripts: whether this person has answered all there is for now, or something else has to come first.
    pub fn state(&self) -> &'static str {
        match self {
            Self::RoundDone(_) | Self::PartDone => "none_left",
            Self::NoTexts | Self::NotScouted | Self::NoRound | Self::WithOthers(_) => "not_yet",
        }
    }
}

impl std::fmt::Display for NoCase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoTexts => {
                f.write_str("This project has no texts yet. Add some with `hardcase import FILE DATA`.")
            }
            Self::NotScouted => f.write_str(
                "No text has a prelabel yet. Run `hardcase scout FILE`, then `hardcase mine FILE`.",
            ),
            Self::NoRound => f.write_str("No round is open. Run `hardcase mine FILE`."),
            Self::RoundDone(round) => {
                write!(f, "Round {round} is done. Run `hardcase tune FILE`, then `hardcase mine FILE`.")
            }
            Self::WithOthers(outstanding) => write!(
                f,
                "You have answered all your cases in round {}: {outstanding}. `hardcase mine FILE --keep-open` opens the next round meanwhile.",
                outstanding.round
            ),
            Self::PartDone => f.write_str(
                "All assigned cases are done. Return this copy, to be merged with `hardcase merge PROJECT COPY`.",
            ),
        }
    }
}
