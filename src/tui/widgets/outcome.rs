//! What comes of a popup: what was written in it, and what is to be done.

use ratatui::crossterm::event::KeyEvent;

use super::help::{KeyLine, KeysHelp, key_list};
use crate::desk::adjudication::Which;
use crate::desk::jobs::JobKind;
use crate::desk::results::{Results, Wanted};
use crate::domain::answer::SaidLabels;
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::task::Task;
use crate::tui::keys::Action;

/// What an editor's text is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Subject {
    /// A note on a case. What is not saved stays as a draft.
    Note(CaseId),
    /// Why an item has these labels.
    Reason(ItemId, SaidLabels),
    /// How to decide.
    Guideline,
}

impl Subject {
    /// The keys of its editor.
    pub fn keys(&self) -> Vec<KeyLine> {
        let [saves, closes] = match self {
            Self::Note(_) => ["save the note", "close; what you wrote is kept as a draft"],
            Self::Reason(..) => ["decide, with this reason", "close without a decision"],
            Self::Guideline => {
                ["save it as a new version, for everybody", "close and leave the guideline as it was"]
            }
        };
        key_list(&[
            ("ctrl-s", saves),
            ("esc", closes),
            ("enter", "a new line"),
            ("arrows, home, end", "move in the text"),
            ("ctrl-u, ctrl-r", "undo and redo what you typed"),
        ])
    }
}

/// What was written, for the screen in view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Written {
    /// An editor's text, finished.
    Text(Subject, String),
    /// The name or the path of a language model; empty for the one that judged before.
    Model(String),
    /// Have these cases annotated again.
    LabelAgain(Which),
    /// A note as it stands, before it is finished.
    Draft(CaseId, String),
    /// A word to look for in the text.
    Word(String),
}

/// What came of a key.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum Outcome {
    /// The popup stays.
    Stays,
    /// It stays, and this may be kept.
    Drafts(Written),
    /// It closes; so with all that follow.
    Closes,
    Acts(Action),
    Writes(Written),
    /// The label of this name was found, or these are to be given.
    Finds(SaidLabels),
    /// It stays, and these labels are ticked now.
    Ticks(SaidLabels),
    GoesToCase(i64),
    Starts(Vec<JobKind>),
    /// It stays, and says how much these are once that is known.
    Counts(Results),
    /// It stays until these are written.
    WritesResults(Box<Wanted>),
    /// It closes, and the one below it waits until these are written.
    Replaces(Box<Wanted>),
    /// It stays, and its keys lie over it.
    ShowsKeys(KeysHelp),
    /// It closes, and this key is for what lies below it.
    PassesOn(KeyEvent),
    Quits,
    QuitsAndStops,
    /// The changes of the task were read.
    Acknowledges(Box<Task>),
}
