//! What a screen asks of a session, and what it is told: one answer to each question, with the cases that come next.

use super::adjudication::{Decided, DisagreementDetail, Which};
use super::session::{Remarks, Session};
use super::shown::{Card, Lack, NoCase, Place, Reveal, Saved, TakenBack};
use crate::domain::fault::Result;
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::task::Task;
use crate::store::rounds::reannotation::Reannotation;

/// Cases that a screen has at hand: the one it shows, and the one after it.
const AHEAD: usize = 2;

/// A question to the session.
#[derive(Clone, Debug)]
pub enum Request {
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
    /// Something of a disagreement.
    Dispute(AskDispute),
}

/// What is asked of a disagreement.
#[derive(Clone, Debug)]
pub enum AskDispute {
    /// Show all that was said of an item.
    Show(ItemId),
    /// The item has this label, by name, for this reason.
    Decide(ItemId, String, String),
    /// Take back the decision on it.
    TakeBack(ItemId),
    /// This is how to decide from now on.
    Revise(String),
    /// Send cases round again.
    Send(Which),
}

/// What came of a question.
#[derive(Clone, Debug)]
pub enum Outcome {
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
    /// Something of a disagreement.
    Disputed(Disputed),
}

/// What came of a question about a disagreement.
#[derive(Clone, Debug)]
pub enum Disputed {
    /// All that was said of an item.
    Shown(Box<DisagreementDetail>),
    /// The decision is on disk.
    Decided(Decided),
    /// The decision for this label was taken back; none where none stood.
    TakenBack(Option<String>),
    /// The task has this revision now.
    Revised(i64),
    /// Cases were sent round.
    Sent(Reannotation),
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
pub struct Response {
    /// What came of it.
    pub done: Result<Outcome>,
    /// What comes next, where it changed and could be read.
    pub window: Result<Option<Window>>,
    /// The task as it stands, where it was changed since the last answer.
    pub revised: Option<Box<Task>>,
}

impl Session {
    /// Does what is asked and tells what comes next.
    pub fn handle(&mut self, ask: Request) -> Response {
        let moves = !matches!(
            ask,
            Request::Draft(..)
                | Request::Earlier(_)
                | Request::Later(_)
                | Request::Jump(_)
                | Request::Dispute(_)
        );
        let revision = self.revision.id;
        let done = self.act(ask);
        let window = if moves { self.look_ahead().map(Some) } else { Ok(None) };
        // A newer revision counts from the next answer on: this one was given under what was on the screen.
        // Where it cannot be read, what was done stays done, and the next answer looks again.
        let _ = self.take_up_revision();
        let revised = (self.revision.id != revision).then(|| Box::new(self.task().clone()));
        Response { done, window, revised }
    }

    fn act(&mut self, ask: Request) -> Result<Outcome> {
        Ok(match ask {
            Request::Window => Outcome::Looked,
            Request::Answer { case, label, remarks } => {
                let (saved, reveal) = self.answer_and_reveal(case, &label, remarks)?;
                Outcome::Answered { saved, reveal }
            }
            Request::Skip(case) => {
                self.skip(case)?;
                Outcome::Skipped
            }
            Request::Flag(case) => Outcome::Flagged(self.toggle_flag(case)?),
            Request::Note(case, text) => {
                self.note(case, &text)?;
                Outcome::Noted
            }
            Request::Draft(case, text) => {
                self.keep_draft(case, &text)?;
                Outcome::Drafted
            }
            Request::Undo => {
                let turned = self.undo()?;
                if let Some(case) = turned.as_ref().and_then(|t| t.case) {
                    self.bring_back(case)?;
                }
                self.turned(turned)?
            }
            Request::Redo => {
                let turned = self.redo()?;
                self.turned(turned)?
            }
            Request::Earlier(from) => self.beside(from, Side::Earlier)?,
            Request::Later(from) => self.beside(Some(from), Side::Later)?,
            Request::Jump(case) => {
                self.go_to(case)?.map_or(Outcome::NotFound, |card| Outcome::Found(Box::new(card)))
            }
            Request::Dispute(ask) => Outcome::Disputed(self.dispute(ask)?),
        })
    }

    fn dispute(&mut self, ask: AskDispute) -> Result<Disputed> {
        Ok(match ask {
            AskDispute::Show(item) => Disputed::Shown(Box::new(self.disagreement_detail(item)?)),
            AskDispute::Decide(item, label, reason) => Disputed::Decided(self.decide(item, &label, &reason)?),
            AskDispute::TakeBack(item) => Disputed::TakenBack(self.take_back_decision(item)?),
            AskDispute::Revise(guideline) => Disputed::Revised(self.revise_guideline(&guideline)?),
            AskDispute::Send(which) => Disputed::Sent(self.send_round(which)?),
        })
    }

    /// After an undo the case is the first to be shown, unless another answer to it still stands.
    fn bring_back(&mut self, case: CaseId) -> Result<()> {
        let open = self.look(case)?.is_some_and(|card| card.label.is_none() && !card.skipped);
        if open { self.bring_first(case) } else { Ok(()) }
    }

    fn turned(&mut self, what: Option<TakenBack>) -> Result<Outcome> {
        let Some(what) = what else { return Ok(Outcome::NothingToTurn) };
        let card = match what.case {
            Some(case) => self.look(case)?.map(Box::new),
            None => None,
        };
        Ok(Outcome::Turned { what, card })
    }

    fn found(&mut self, case: CaseId) -> Result<Outcome> {
        Ok(self.look(case)?.map_or(Outcome::NotFound, |card| Outcome::Found(Box::new(card))))
    }

    fn beside(&mut self, from: Option<CaseId>, side: Side) -> Result<Outcome> {
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
            (None, Side::Earlier) => Ok(Outcome::NotFound),
            (None, Side::Later) => Ok(Outcome::AtTheEnd),
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
