//! What a screen asks of a sitting, and what it is told: one answer to each question, with the cases that come next.

use super::shown::{Card, Lack, NoCase, Place, Reveal, Saved, TakenBack};
use super::sitting::{Remarks, Sitting};
use crate::domain::fault::Result;
use crate::domain::ids::CaseId;

/// Cases that a screen has at hand: the one it shows, and the one after it.
const AHEAD: usize = 2;

/// A question to the sitting.
#[derive(Clone, Debug)]
pub enum Ask {
    /// What comes next?
    Window,
    /// This is the answer to a case, by the label's name.
    Answer {
        /// The case.
        case: CaseId,
        /// The label's name.
        label: String,
        /// What is added to it.
        remarks: Remarks,
    },
    /// Leave a case unanswered.
    Skip(CaseId),
    /// Flag the item of a case, or take the flag off.
    Flag(CaseId),
    /// Attach a note to the item of a case.
    Note(CaseId, String),
    /// Keep a half-written note.
    Draft(CaseId, String),
    /// Take back the last thing done.
    Undo,
    /// Put back what was taken back last.
    Redo,
    /// Show the case answered before this one, or the last one answered.
    Earlier(Option<CaseId>),
    /// Show the case answered after this one.
    Later(CaseId),
    /// Show the case of this number.
    Jump(CaseId),
}

/// What came of a question.
#[derive(Clone, Debug)]
pub enum Done {
    /// Nothing was to be done.
    Looked,
    /// The answer is on disk.
    Answered {
        /// What was saved.
        saved: Saved,
        /// What was hidden until now.
        reveal: Option<Reveal>,
    },
    /// The case was left unanswered.
    Skipped,
    /// The flag is set now, or not.
    Flagged(bool),
    /// The note is on disk.
    Noted,
    /// The draft is on disk.
    Drafted,
    /// Something was taken back or put back; with the case it belongs to.
    Turned {
        /// What.
        what: TakenBack,
        /// Its case.
        card: Option<Box<Card>>,
    },
    /// There was nothing to take back or put back.
    NothingToTurn,
    /// The case that was asked for.
    Found(Box<Card>),
    /// There is no such case.
    NotFound,
    /// There is no later case: the next unanswered one follows.
    AtTheEnd,
}

/// What comes next.
#[derive(Clone, Debug)]
pub struct Window {
    /// The next cases, the first to be shown first.
    pub cards: Vec<Card>,
    /// Why there is none.
    pub why: Option<NoCase>,
    /// Where this expert is in the open round.
    pub place: Option<Place>,
    /// What the project lacks; audit cases may be at hand all the same.
    pub lack: Option<Lack>,
}

/// The answer to a question.
#[derive(Debug)]
pub struct Told {
    /// What came of it.
    pub done: Result<Done>,
    /// What comes next, where it changed and could be read.
    pub window: Result<Option<Window>>,
}

impl Sitting {
    /// Does what is asked and tells what comes next.
    pub fn serve(&mut self, ask: Ask) -> Told {
        let moves = !matches!(ask, Ask::Draft(..) | Ask::Earlier(_) | Ask::Later(_) | Ask::Jump(_));
        let done = self.act(ask);
        let window = if moves { self.look_ahead().map(Some) } else { Ok(None) };
        Told { done, window }
    }

    fn act(&mut self, ask: Ask) -> Result<Done> {
        Ok(match ask {
            Ask::Window => Done::Looked,
            Ask::Answer { case, label, remarks } => {
                let (saved, reveal) = self.answer_and_reveal(case, &label, remarks)?;
                Done::Answered { saved, reveal }
            }
            Ask::Skip(case) => {
                self.skip(case)?;
                Done::Skipped
            }
            Ask::Flag(case) => Done::Flagged(self.toggle_flag(case)?),
            Ask::Note(case, text) => {
                self.note(case, &text)?;
                Done::Noted
            }
            Ask::Draft(case, text) => {
                self.keep_draft(case, &text)?;
                Done::Drafted
            }
            Ask::Undo => {
                let turned = self.undo()?;
                if let Some(case) = turned.as_ref().and_then(|t| t.case) {
                    self.bring_back(case)?;
                }
                self.turned(turned)?
            }
            Ask::Redo => {
                let turned = self.redo()?;
                self.turned(turned)?
            }
            Ask::Earlier(from) => self.beside(from, Side::Earlier)?,
            Ask::Later(from) => self.beside(Some(from), Side::Later)?,
            Ask::Jump(case) => self.go_to(case)?.map_or(Done::NotFound, |card| Done::Found(Box::new(card))),
        })
    }

    /// After an undo the case is the first to be shown, unless another answer to it still stands.
    fn bring_back(&mut self, case: CaseId) -> Result<()> {
        let open = self.look(case)?.is_some_and(|card| card.label.is_none() && !card.skipped);
        if open { self.bring_first(case) } else { Ok(()) }
    }

    fn turned(&mut self, what: Option<TakenBack>) -> Result<Done> {
        let Some(what) = what else { return Ok(Done::NothingToTurn) };
        let card = match what.case {
            Some(case) => self.look(case)?.map(Box::new),
            None => None,
        };
        Ok(Done::Turned { what, card })
    }

    fn found(&mut self, case: CaseId) -> Result<Done> {
        Ok(self.look(case)?.map_or(Done::NotFound, |card| Done::Found(Box::new(card))))
    }

    fn beside(&mut self, from: Option<CaseId>, side: Side) -> Result<Done> {
        let answered = self.answered()?;
        let at = from.and_then(|from| answered.iter().position(|(case, _)| *case == from));
        let next = match (at, side) {
            // A case that is not answered yet stands after all that are.
            (None, Side::Earlier) => answered.len().checked_sub(1),
            (Some(at), Side::Earlier) => at.checked_sub(1),
            (None, Side::Later) => None,
            (Some(at), Side::Later) => Some(at + 1).filter(|next| *next < answered.len()),
        };
        match (next, side) {
            (Some(next), _) => self.found(answered[next].0),
            (None, Side::Earlier) => Ok(Done::NotFound),
            (None, Side::Later) => Ok(Done::AtTheEnd),
        }
    }

    fn look_ahead(&mut self) -> Result<Window> {
        let mut cards = self.window(AHEAD)?;
        let lack = self.lacks()?;
        if cards.is_empty() && lack == Some(Lack::Prelabels) && self.begin_without_model()? {
            cards = self.window(AHEAD)?;
        }
        let why = if cards.is_empty() { Some(self.why_no_case()?) } else { None };
        Ok(Window { cards, why, place: self.place()?, lack })
    }
}

#[derive(Clone, Copy)]
enum Side {
    Earlier,
    Later,
}
