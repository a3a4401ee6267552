//! The plain mode of the workstation: one case after the other as lines, each answered by a label's key or name and enter. For screen readers, dumb
//! terminals and serial lines. It asks the session what the screens ask, so the same rules hold: nothing is shown before the answer that a screen
//! hides, and a case is held while it is in view.
//!
//! Knows a [`Person`] to ask, but no terminal.

mod lines;
mod words;

pub(super) use lines::Lines;
use words::{Word, words_of};

use super::next::text_and_meta;
use super::questions::Person;
use crate::desk::jobs::JobKind;
use crate::desk::request::{Outcome, Request, Response, Window};
use crate::desk::round_end::RoundAgreement;
use crate::desk::session::{Remarks, Session};
use crate::desk::shown::{Card, Lack, NoCase, Reveal, RoundProgress, what_a_skip_does};
use crate::domain::answer::SaidLabels;
use crate::domain::fault::Result;
use crate::domain::grouped::counted;
use crate::domain::ids::CaseId;
use crate::domain::task::{Label, Task};
use crate::domain::task_change::changes;

/// So many labels are read out with each case; more only when they are asked for.
const FEW: usize = 12;
/// What every line may be instead of a label.
const HELP: &str = "\
  undo (u), redo (U)      take back what you did last, or put it back
  skip (s)                leave this case; it comes back once, after all others
  flag (f)                mark this case for a second look, or remove the mark
  note TEXT (n TEXT)      keep a note on this case
  unsure, fairly, sure    how sure you are of the next answer
  similar                 a similar text
  guideline (g), labels   how to decide, and what the labels mean
  again                   this case once more
  back, forward, case N   cases that you had before
  next                    let the model learn, and go on to the next round
  help (?), quit (q)      this list, and leave; everything is saved";

/// How a case is answered.
fn how_to_answer(task: &Task) -> &'static str {
    if task.kind.is_several() {
        "Type the keys or names of all labels that are right, with commas between them, or none, and press enter. Or one of these words:"
    } else {
        "Type a label's key, its name or the beginning of its name, and press enter. Or one of these words:"
    }
}

/// Runs jobs one after the other, and says how each ended.
pub(super) type Runner<'a> = dyn FnMut(Vec<JobKind>) -> Result<Vec<String>> + 'a;

/// What is left when a person leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// Answers that were saved, without changes of them and less those that were undone.
    labelled: i64,
}

impl Left {
    /// How many cases were answered and not undone again.
    pub fn answered(self) -> usize {
        usize::try_from(self.labelled).unwrap_or(0)
    }
}

enum Flow {
    GoesOn,
    Leaves,
}

/// What is in view.
struct InView {
    card: Box<Card>,
    /// Whether the person went to it: a label or `forward` goes back to the case that is next.
    asked: bool,
}

struct Plain<'a> {
    person: &'a mut dyn Person,
    session: &'a mut Session,
    jobs: &'a mut Runner<'a>,
    /// The task as the person knows it.
    known: Task,
    in_view: Option<InView>,
    /// What the desk said last of the cases to come.
    next: Option<Card>,
    why: Option<NoCase>,
    lack: Option<Lack>,
    progress: Option<RoundProgress>,
    agreed: Option<RoundAgreement>,
    confidence: Option<u8>,
    /// Whether it was said that cases are left before `next` goes on.
    warned: bool,
    left: Left,
}

/// Labels until the person leaves.
///
/// # Errors
/// The project was taken away, or nothing can be printed.
pub(super) fn label<'a>(
    person: &'a mut dyn Person,
    session: &'a mut Session,
    jobs: &'a mut Runner<'a>,
) -> Result<Left> {
    let known = session.task().clone();
    let mut plain = Plain {
        person,
        session,
        jobs,
        known,
        in_view: None,
        next: None,
        why: None,
        lack: None,
        progress: None,
        agreed: None,
        confidence: None,
        warned: false,
        left: Left::default(),
    };
    plain
        .person
        .say("Type a label's key or name and press enter; ? and enter lists what else you can type.")?;
    plain.ask_session(Request::Window)?;
    plain.show_next()?;
    loop {
        // A closed input means that the person leaves.
        let Ok(line) = plain.person.ask("> ") else { break };
        if let Flow::Leaves = plain.take(line.trim())? {
            break;
        }
    }
    Ok(plain.left)
}

impl Plain<'_> {
    /// Asks the session, and takes in what comes next. A fault is said; none is returned then.
    ///
    /// # Errors
    /// The project was taken away.
    fn ask_session(&mut self, request: Request) -> Result<Option<Outcome>> {
        let Response { outcome, window, revised, .. } = self.session.handle(request);
        match window {
            Ok(Some(Window { cards, why, progress, lack, agreed })) => {
                self.next = cards.into_iter().next();
                (self.why, self.progress, self.lack, self.agreed) = (why, progress, lack, agreed);
            }
            Ok(None) => {}
            Err(fault) => self.person.say(&fault.to_string())?,
        }
        let outcome = match outcome {
            Err(fault) if fault.is_displaced() => return Err(fault),
            Err(fault) => {
                self.person.say(&format!("Not saved: {fault}."))?;
                None
            }
            Ok(outcome) => Some(outcome),
        };
        self.left.labelled += outcome.as_ref().map_or(0, Outcome::labelled);
        if let Some(Outcome::Answered { saved, reveal }) = &outcome {
            let case = self.in_view.as_ref().map(|view| format!(", case {}", view.card.shown.case));
            let verb = if saved.changed { "Changed" } else { "Saved" };
            let thought = reveal.as_deref().map(thought).unwrap_or_default();
            self.person.say(&format!("{verb}: {}{}.{thought}", saved.label, case.unwrap_or_default()))?;
        }
        if let Some(task) = revised {
            self.tell_changes(&task)?;
        }
        Ok(outcome)
    }

    /// Says what has changed in the task, and takes no label until that was acknowledged: a key may mean something else now.
    fn tell_changes(&mut self, task: &Task) -> Result<()> {
        let says = changes(&self.known, task);
        self.known = task.clone();
        if says.is_empty() {
            return Ok(());
        }
        self.person.say(&format!("\nThe task has changed.\n{}", says.join("\n")))?;
        while let Ok(line) = self.person.ask("Press enter alone to go on. ") {
            if line.trim().is_empty() {
                break;
            }
            self.person.say("Nothing was labelled: the task has changed.")?;
        }
        Ok(())
    }

    fn show_next(&mut self) -> Result<()> {
        match self.next.clone() {
            Some(card) => self.show(InView { card: Box::new(card), asked: false }),
            None => {
                self.in_view = None;
                self.say_why()
            }
        }
    }

    fn show(&mut self, view: InView) -> Result<()> {
        let says = case_in_words(&view.card, &self.known, self.progress);
        self.in_view = Some(view);
        self.person.say(&says)
    }

    /// Why there is no case, and what goes on from here.
    fn say_why(&mut self) -> Result<()> {
        let next = " Type next to let the model learn from your answers and choose new cases, or quit.";
        let says = match &self.why {
            None => return Ok(()),
            Some(NoCase::RoundDone(round)) => format!("Round {round} is done: every case is answered.{next}"),
            Some(NoCase::WithOthers(outstanding)) => {
                format!("Your part of round {} is done; {outstanding}.{next}", outstanding.round)
            }
            Some(NoCase::NotScouted | NoCase::NoRound) => {
                "No cases have been chosen yet. Type next to have them chosen, or quit.".to_owned()
            }
            Some(other) => other.to_string(),
        };
        let agreed = self.agreed.map(|agreed| format!("\n{agreed}")).unwrap_or_default();
        self.person.say(&format!("\n{says}{agreed}"))
    }

    fn case(&self) -> Option<CaseId> {
        self.in_view.as_ref().map(|view| view.card.shown.case)
    }

    fn take(&mut self, line: &str) -> Result<Flow> {
        let word = words_of(line, &self.known);
        if !matches!(word, Word::NextRound) {
            self.warned = false;
        }
        match (word, self.case()) {
            (Word::Nothing, _) => self.person.say("Type a label, or ? for what else you can type.")?,
            (Word::Unknown(says), _) => self.person.say(&says)?,
            (Word::Quit, _) => return Ok(Flow::Leaves),
            (Word::Help, _) => {
                let how = how_to_answer(&self.known);
                self.person.say(&format!("{how}\n{HELP}\n{}", labels_in_words(&self.known)))?;
            }
            (Word::AllLabels, _) => self.person.say(&labels_in_words(&self.known))?,
            (Word::Guideline, _) => {
                let guideline = if self.known.guideline.is_empty() {
                    "There is no guideline."
                } else {
                    &self.known.guideline
                };
                self.person.say(&format!("{}\n{guideline}", self.known.question))?;
            }
            (Word::Sure(sure), _) => {
                self.confidence = Some(sure);
                self.person.say("Noted for your next answer.")?;
            }
            (Word::Undo, _) => self.revert(Request::Undo, "Nothing to undo.")?,
            (Word::Redo, _) => self.revert(Request::Redo, "Nothing to redo.")?,
            (Word::Earlier, case) => self.go(Request::Earlier(case.filter(|_| self.is_asked())))?,
            (Word::Later, Some(case)) if self.is_asked() => self.go(Request::Later(case))?,
            (Word::Later, _) => self.person.say("This is the newest case.")?,
            (Word::Case(case), _) => self.go(Request::Jump(case))?,
            (Word::NextRound, _) => self.go_on()?,
            (_, None) => self.person.say("There is no case to answer.")?,
            (Word::Labels(labels), Some(case)) => self.label(case, labels)?,
            (Word::Again, Some(_)) => {
                if let Some(view) = self.in_view.take() {
                    self.show(view)?;
                }
            }
            (Word::Similar, Some(_)) => self.say_similar()?,
            (Word::Skip, Some(_)) if self.in_view.as_ref().is_some_and(|view| view.card.label.is_some()) => {
                self.person.say("You have answered this case. Give it another label, or type undo.")?;
            }
            (Word::Skip, Some(case)) => {
                let before = self.in_view.as_ref().is_some_and(|view| view.card.skipped);
                if self.ask_session(Request::Skip(case))?.is_some() {
                    self.person.say(what_a_skip_does(before))?;
                    self.show_next()?;
                }
            }
            (Word::Flag, Some(case)) => {
                if let Some(Outcome::Flagged(flagged)) = self.ask_session(Request::Flag(case))? {
                    self.person.say(if flagged {
                        "Flagged for a second look."
                    } else {
                        "The flag is removed."
                    })?;
                }
            }
            (Word::Note(text), Some(case)) => {
                if self.ask_session(Request::Note(case, text))?.is_some() {
                    self.person.say("The note is saved.")?;
                }
            }
        }
        Ok(Flow::GoesOn)
    }

    fn is_asked(&self) -> bool {
        self.in_view.as_ref().is_some_and(|view| view.asked)
    }

    fn label(&mut self, case: CaseId, labels: SaidLabels) -> Result<()> {
        let remarks = Remarks { confidence: self.confidence, ..Remarks::default() };
        if self.ask_session(Request::Answer { case, labels, remarks })?.is_some() {
            self.confidence = None;
            self.show_next()?;
        }
        Ok(())
    }

    fn revert(&mut self, request: Request, nothing: &str) -> Result<()> {
        match self.ask_session(request)? {
            Some(Outcome::Reverted { what, card }) => {
                let place = what.place().map(|place| format!(", {place}")).unwrap_or_default();
                let says = if what.back { "Undone" } else { "Redone" };
                self.person.say(&format!("{says}: {}{place}.", what.what))?;
                match card {
                    Some(card) => {
                        let is_next =
                            self.next.as_ref().is_some_and(|next| next.shown.case == card.shown.case);
                        self.show(InView { card, asked: !is_next })
                    }
                    None => Ok(()),
                }
            }
            Some(_) => self.person.say(nothing),
            None => Ok(()),
        }
    }

    fn go(&mut self, request: Request) -> Result<()> {
        match self.ask_session(request)? {
            Some(Outcome::Found(card)) => self.show(InView { card, asked: true }),
            Some(Outcome::NoSuchCase(case)) => self.person.say(&format!("You have no case {case}.")),
            Some(Outcome::AtTheStart) => self.person.say("There is no earlier case of yours."),
            Some(Outcome::AtTheEnd) => {
                self.ask_session(Request::Window)?;
                self.show_next()
            }
            _ => Ok(()),
        }
    }

    fn say_similar(&mut self) -> Result<()> {
        let partner = self
            .in_view
            .as_ref()
            .and_then(|view| view.card.shown.partner.as_ref())
            .filter(|partner| partner.is_similar());
        let says = partner.map_or("There is no similar text.".to_owned(), |partner| {
            format!(
                "Similar text ({:.2}):\n{}",
                partner.similarity,
                text_and_meta(&partner.text, &serde_json::Value::Null)
            )
        });
        self.person.say(&says)
    }

    /// On to the next round; said first where cases of this one are left.
    fn go_on(&mut self) -> Result<()> {
        let left = self.progress.filter(|_| self.next.is_some() && self.lack.is_none()).map_or(0, |p| p.left);
        if left > 0 && !self.warned {
            self.warned = true;
            let cases = counted(left, "case is", "cases are");
            return self
                .person
                .say(&format!("{cases} not answered in this round. Type next once more to go on without."));
        }
        self.warned = false;
        let kinds = match self.lack {
            Some(Lack::Prelabels) if cfg!(feature = "engine") => vec![JobKind::Scout, JobKind::Mine],
            Some(Lack::Prelabels | Lack::Models | Lack::Texts) => {
                return self.person.say("The next round needs a full build of hardcase, and texts.");
            }
            Some(Lack::Round) => vec![JobKind::Mine],
            None => vec![JobKind::Tune, JobKind::Mine],
        };
        self.person.say("This takes a moment.")?;
        for says in (self.jobs)(kinds)? {
            self.person.say(&says)?;
        }
        self.ask_session(Request::Window)?;
        self.show_next()
    }
}

/// A case as lines: which one it is, the text with its other columns, what this person did to it, the question, the labels.
fn case_in_words(card: &Card, task: &Task, progress: Option<RoundProgress>) -> String {
    let shown = &card.shown;
    let round = progress
        .map(|p| match p.round {
            0 => format!(", test cases before round 1: {} of {} by you", p.mine, p.cases),
            round => format!(", round {round}: {} of {} by you", p.mine, p.cases),
        })
        .unwrap_or_default();
    let id = shown.id.as_deref().map(|id| format!(", {id}")).unwrap_or_default();
    let mut says = format!("\nCase {}{id}{round}\n{}", shown.case, text_and_meta(&shown.text, &shown.meta));
    if let Some(reveal) = &shown.revealed {
        says.push_str(&format!("{}\n", thought(reveal).trim_start()));
    }
    if let Some(label) = &card.label {
        says.push_str(&format!("You said {label}.\n"));
    } else if card.skipped {
        says.push_str("You skipped it.\n");
    }
    if let Some(note) = &card.note {
        says.push_str(&format!("Your note: {note}\n"));
    }
    let labels: Vec<String> = match task.labels.len() {
        n if n > FEW => vec![format!("{n} labels; type labels to hear them")],
        _ => task.labels.iter().map(by_key).collect(),
    };
    let none = if task.kind.is_several() { "; several with commas between them, or none" } else { "" };
    says + &format!("{} {}{none}", task.question, labels.join(", "))
}

/// A label behind its key, if it has one.
fn by_key(label: &Label) -> String {
    label.key.map_or_else(|| label.name.clone(), |key| format!("{key} {}", label.name))
}

fn labels_in_words(task: &Task) -> String {
    let line = |label: &Label| match label.description.as_str() {
        "" => format!("  {}", by_key(label)),
        means => format!("  {}: {means}", by_key(label)),
    };
    task.labels.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What was hidden until the answer.
fn thought(reveal: &Reveal) -> String {
    let similar =
        reveal.partner.map(|label| format!(" The model gave the similar text {label}.")).unwrap_or_default();
    match reveal.said() {
        Some(said) => format!(" The model thought {said}. Chosen because {}.{similar}", reveal.in_words),
        None => format!(" Chosen because {}.", reveal.in_words),
    }
}

#[cfg(test)]
mod tests;
