//! What a screen requests of a session, and the response to each request, with the next cases.

use std::time::Duration;

use super::adjudication::{Decided, DisagreementDetail, Which};
use super::found::LabelledFound;
use super::round_end::RoundAgreement;
use super::session::{Remarks, Session};
use super::shown::{Card, Lack, NoCase, Reveal, Reverted, RoundProgress, Saved};
use super::worker::{Came, Policy, Worker};
use crate::domain::answer::SaidLabels;
use crate::domain::fault::Result;
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::task::Task;
use crate::store::rounds::reannotation::Reannotation;

/// Cases that a screen holds: the one it shows, and the next one.
const AHEAD: usize = 2;

/// How often a session that nobody asks anything looks whether its file is still there.
const LOOK: Duration = Duration::from_secs(1);

/// A request to the session.
#[derive(Clone, Debug)]
pub enum Request {
    /// Get the next cases.
    Window,
    /// Record the answer to a case.
    Answer { case: CaseId, labels: SaidLabels, remarks: Remarks },
    /// Label an item that was found.
    LabelFound { item: ItemId, labels: SaidLabels },
    /// Skip a case.
    Skip(CaseId),
    /// Flag the item of a case, or remove the flag.
    Flag(CaseId),
    /// Attach a note to the item of a case.
    Note(CaseId, String),
    /// Keep a half-written note.
    Draft(CaseId, String),
    /// Undo the last action.
    Undo,
    /// Redo what was undone last.
    Redo,
    /// Show the case answered before this one, or the last one answered.
    Earlier(Option<CaseId>),
    /// Show the case answered after this one.
    Later(CaseId),
    /// Show the case of this number.
    Jump(CaseId),
    /// Show or decide a disagreement.
    Dispute(DisputeRequest),
}

impl Request {
    /// What a person wanted to have saved, in words; none of what only looks.
    pub fn to_save(&self) -> Option<String> {
        Some(match self {
            Self::Window | Self::Earlier(_) | Self::Later(_) | Self::Jump(_) => return None,
            Self::Dispute(DisputeRequest::Show(_)) => return None,
            Self::Answer { case, labels, .. } => format!("the answer {} to case {case}", labels.in_words()),
            Self::LabelFound { labels, .. } => {
                format!("the answer {} to a text that was found", labels.in_words())
            }
            Self::Skip(case) => format!("the skip of case {case}"),
            Self::Flag(case) => format!("the flag of case {case}"),
            Self::Note(case, _) | Self::Draft(case, _) => format!("the note on case {case}"),
            Self::Undo => "an undo".into(),
            Self::Redo => "a redo".into(),
            Self::Dispute(_) => "a decision or a change of the task".into(),
        })
    }
}

/// A request about a disagreement.
#[derive(Clone, Debug)]
pub enum DisputeRequest {
    /// Show all answers to an item.
    Show(ItemId),
    /// Decide that the item has these labels, for this reason.
    Decide(ItemId, SaidLabels, String),
    /// Undo the decision on it.
    UndoDecision(ItemId),
    /// Replace the guideline.
    Revise(String),
    /// Replace the first of these tasks by the second.
    ChangeTask(Box<(Task, Task)>),
    /// Have cases annotated again.
    Reannotate(Which),
}

/// The outcome of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Nothing had to be done.
    Looked,
    /// The answer is on disk; with what was hidden until now.
    Answered {
        saved: Saved,
        reveal: Option<Box<Reveal>>,
    },
    /// The label of a text that was found is on disk, or why not.
    LabelledFound(std::result::Result<Box<LabelledFound>, String>),
    /// The case was skipped.
    Skipped,
    /// The flag is set now, or not.
    Flagged(bool),
    /// The note is on disk.
    Noted,
    /// The draft is on disk.
    Drafted,
    /// Something was undone or redone; with the case it belongs to.
    Reverted {
        what: Reverted,
        card: Option<Box<Card>>,
    },
    NothingToUndo,
    NothingToRedo,
    /// The case that was asked for.
    Found(Box<Card>),
    /// This expert has no case of that number.
    NoSuchCase(CaseId),
    /// There is no earlier case.
    AtTheStart,
    /// There is no later case: the next unanswered one follows.
    AtTheEnd,
    /// The outcome of a request about a disagreement.
    Dispute(DisputeOutcome),
}

impl Outcome {
    /// By how many the texts that this person has labelled became more.
    pub fn labelled(&self) -> i64 {
        match self {
            Self::Answered { saved, .. } => i64::from(!saved.changed),
            Self::LabelledFound(Ok(found)) => i64::from(!found.saved.changed),
            Self::Reverted { what, .. } => what.labelled,
            _ => 0,
        }
    }
}

/// The outcome of a request about a disagreement.
#[derive(Clone, Debug)]
pub enum DisputeOutcome {
    /// All answers to an item.
    Shown(Box<DisagreementDetail>),
    /// The decision is on disk.
    Decided(Decided),
    /// The decision for this label was undone. `None` if there was no decision.
    DecisionUndone(Option<String>),
    /// The number of the task's new revision.
    Revised(i64),
    /// The number of the task's new revision, or why there is none.
    TaskChanged(std::result::Result<i64, String>),
    /// Cases were sent to be annotated again.
    Reannotating(Reannotation),
}

/// The next cases, or why there are none.
#[derive(Clone, Debug)]
pub struct Window {
    /// The next cases in order.
    pub cards: Vec<Card>,
    /// Why there is none.
    pub why: Option<NoCase>,
    /// How far this expert is in the open round.
    pub progress: Option<RoundProgress>,
    /// What the project lacks; there may be audit cases nevertheless.
    pub lack: Option<Lack>,
    /// Where this expert has answered a whole round: how often the model agreed.
    pub agreed: Option<RoundAgreement>,
}

/// What a response is to: a screen that waits for one thing must not take what another request came to for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyTo {
    /// The answer to a case.
    Answer,
    /// A half-written note.
    Draft,
    /// Something else that a case's keys do: a skip, a flag, a note, undo, redo.
    Action,
    /// A look at cases, or what other screens ask.
    Other,
}

impl Request {
    fn reply_to(&self) -> ReplyTo {
        match self {
            Self::Answer { .. } => ReplyTo::Answer,
            Self::Draft(..) => ReplyTo::Draft,
            Self::Skip(_) | Self::Flag(_) | Self::Note(..) | Self::Undo | Self::Redo => ReplyTo::Action,
            Self::Window
            | Self::Earlier(_)
            | Self::Later(_)
            | Self::Jump(_)
            | Self::LabelFound { .. }
            | Self::Dispute(_) => ReplyTo::Other,
        }
    }
}

/// The response to a request.
#[derive(Debug)]
pub struct Response {
    pub reply_to: ReplyTo,
    pub outcome: Result<Outcome>,
    /// The next cases, if they changed and could be read.
    pub window: Result<Option<Window>>,
    /// The current task, if it was changed since the last response.
    pub revised: Option<Box<Task>>,
}

#[cfg(any(test, feature = "fuzz"))]
impl Response {
    /// One that came of a request with this outcome.
    pub fn of(outcome: Outcome) -> Self {
        let reply_to = match outcome {
            Outcome::Answered { .. } => ReplyTo::Answer,
            Outcome::Drafted => ReplyTo::Draft,
            Outcome::Skipped | Outcome::Flagged(_) | Outcome::Noted | Outcome::Reverted { .. } => {
                ReplyTo::Action
            }
            _ => ReplyTo::Other,
        };
        Self { reply_to, outcome: Ok(outcome), window: Ok(None), revised: None }
    }
}

/// A session on a thread of its own; `respond` is called on it with each response. Dropped, it finishes what was requested, then the session
/// ends in order.
///
/// # Errors
/// The system gives no more threads.
pub fn start(mut session: Session, respond: impl Fn(Response) + Send + 'static) -> Result<Worker<Request>> {
    Worker::start("desk", Policy::Every, move |inbox| {
        let failed = |fault| Response {
            reply_to: ReplyTo::Other,
            outcome: Err(fault),
            window: Ok(None),
            revised: None,
        };
        loop {
            match inbox.next_within(LOOK) {
                Came::Request(request) => respond(session.handle(request)),
                Came::Nothing => {
                    if let Err(fault) = session.look_after_file() {
                        respond(failed(fault));
                    }
                }
                Came::Closed => break,
            }
        }
        // The next opening finds a session that did not end properly; of a file that is gone, this is the last word.
        if let Err(fault) = session.close()
            && fault.is_displaced()
        {
            respond(failed(fault));
        }
    })
}

impl Session {
    /// Does what is requested and looks ahead to what comes next.
    pub fn handle(&mut self, request: Request) -> Response {
        let moves = !matches!(
            request,
            Request::Draft(..)
                | Request::Earlier(_)
                | Request::Later(_)
                | Request::Jump(_)
                | Request::LabelFound { .. }
                | Request::Dispute(_)
        );
        let (reply_to, revision) = (request.reply_to(), self.revision.id);
        let acted = self.act(request);
        let outcome = self.keep_safe(acted);
        let window = if moves { self.look_ahead().map(Some) } else { Ok(None) };
        // Whatever else was done, a file that was taken away ends the session.
        let (outcome, window) = match window {
            Err(fault) if fault.is_displaced() => (Err(fault), Ok(None)),
            window => (outcome, window),
        };
        // A newer revision counts from the next answer on: this one was given under what was on the screen.
        // Where it cannot be read, what was done stays done, and the next answer looks again.
        let _ = self.take_up_revision();
        let revised = (self.revision.id != revision).then(|| Box::new(self.task().clone()));
        Response { reply_to, outcome, window, revised }
    }

    fn act(&mut self, request: Request) -> Result<Outcome> {
        Ok(match request {
            Request::Window => Outcome::Looked,
            Request::Answer { case, labels, remarks } => {
                let (saved, reveal) = self.answer_and_reveal(case, labels, remarks)?;
                Outcome::Answered { saved, reveal: reveal.map(Box::new) }
            }
            Request::LabelFound { item, labels } => {
                let labelled = self.label_found(item, labels);
                match self.keep_safe(labelled) {
                    Err(fault) if fault.is_displaced() => return Err(fault),
                    labelled => {
                        Outcome::LabelledFound(labelled.map(Box::new).map_err(|fault| fault.to_string()))
                    }
                }
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
            Request::Undo => match self.undo()? {
                Some(what) => {
                    if let Some(case) = what.case {
                        self.bring_back(case)?;
                    }
                    self.reverted(what)?
                }
                None => Outcome::NothingToUndo,
            },
            Request::Redo => match self.redo()? {
                Some(what) => self.reverted(what)?,
                None => Outcome::NothingToRedo,
            },
            Request::Earlier(from) => self.neighbour(from, Side::Earlier)?,
            Request::Later(from) => self.neighbour(Some(from), Side::Later)?,
            Request::Jump(case) => {
                self.go_to(case)?.map_or(Outcome::NoSuchCase(case), |card| Outcome::Found(Box::new(card)))
            }
            Request::Dispute(request) => Outcome::Dispute(self.dispute(request)?),
        })
    }

    fn dispute(&mut self, request: DisputeRequest) -> Result<DisputeOutcome> {
        Ok(match request {
            DisputeRequest::Show(item) => DisputeOutcome::Shown(Box::new(self.disagreement_detail(item)?)),
            DisputeRequest::Decide(item, labels, reason) => {
                DisputeOutcome::Decided(self.decide(item, labels, &reason)?)
            }
            DisputeRequest::UndoDecision(item) => DisputeOutcome::DecisionUndone(self.undo_decision(item)?),
            DisputeRequest::Revise(guideline) => DisputeOutcome::Revised(self.revise_guideline(&guideline)?),
            DisputeRequest::ChangeTask(tasks) => {
                let (before, after) = *tasks;
                let changed = self.change_task(&before, after);
                DisputeOutcome::TaskChanged(changed.map_err(|fault| fault.to_string()))
            }
            DisputeRequest::Reannotate(which) => DisputeOutcome::Reannotating(self.reannotate(which)?),
        })
    }

    /// After an undo the case is the first to be shown, unless another answer to it still stands.
    fn bring_back(&mut self, case: CaseId) -> Result<()> {
        let open = self.look(case)?.is_some_and(|card| card.label.is_none() && !card.skipped);
        if open { self.bring_first(case) } else { Ok(()) }
    }

    fn reverted(&mut self, what: Reverted) -> Result<Outcome> {
        let card = match what.case {
            Some(case) => self.look(case)?.map(Box::new),
            None => None,
        };
        Ok(Outcome::Reverted { what, card })
    }

    fn found(&mut self, case: CaseId) -> Result<Outcome> {
        Ok(self.look(case)?.map_or(Outcome::NoSuchCase(case), |card| Outcome::Found(Box::new(card))))
    }

    fn neighbour(&mut self, from: Option<CaseId>, side: Side) -> Result<Outcome> {
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
            (None, Side::Earlier) => Ok(Outcome::AtTheStart),
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
        let agreed = match &why {
            Some(NoCase::RoundDone(round)) => self.round_agreement(*round)?,
            Some(NoCase::WithOthers(outstanding)) => self.round_agreement(outstanding.round)?,
            _ => None,
        };
        Ok(Window { cards, why, progress: self.round_progress()?, lack, agreed })
    }
}

#[derive(Clone, Copy)]
enum Side {
    Earlier,
    Later,
}
