//! Undo and redo, and one person in two terminals: what was done in another terminal since is never changed in silence.

use super::session::Session;
use super::shown::Reverted;
use crate::domain::event::{Action, LabelEvent, NewEvent};
use crate::domain::fault::{Fault, Result};
use crate::domain::history::History;
use crate::domain::ids::{CaseId, ItemId};
use crate::store::log::events::{Appended, Known, Reveals};

impl Session {
    /// Appends an event to the log. One that speaks of a case which was shown here is refused, once, if the same person has done something to
    /// its item in another terminal since.
    pub(super) fn log(&mut self, event: NewEvent, reveals: Reveals) -> Result<LabelEvent> {
        let shown =
            event.case.filter(|_| event.action != Action::Adjudicate).and_then(|case| self.shown.get(&case));
        let known = shown.map_or(Known::Anything, |last| Known::OnItem(*last));
        self.log_knowing(event, reveals, known)
    }

    fn log_knowing(&mut self, event: NewEvent, reveals: Reveals, known: Known) -> Result<LabelEvent> {
        let case = event.case;
        match self.append_safely(event, reveals, known)? {
            Appended::Written(event) => Ok(event),
            Appended::Overtaken(event) => Err(self.done_elsewhere(event, case)),
        }
    }

    /// Says what this person did in another terminal. From here on it is known, in the case that was acted on.
    fn done_elsewhere(&mut self, event: LabelEvent, case: Option<CaseId>) -> Fault {
        self.last_known = Some(event.uuid);
        if let Some(shown) = case.and_then(|case| self.shown.get_mut(&case)) {
            *shown = Some(event.uuid);
        }
        let what = match (&event.event.answer, event.event.action) {
            (Some(answer), _) => {
                format!("answered this case in another terminal meanwhile: {}", self.task().in_words(answer))
            }
            (None, action) => format!(
                "{} in another terminal meanwhile",
                match action {
                    Action::Skip => "skipped this case",
                    Action::Flag | Action::Unflag => "changed the flag of this case",
                    Action::Note => "wrote a note on this case",
                    _ => "took something back on this case",
                }
            ),
        };
        Fault::usage("do this", format!("you {what}"))
            .hint("Nothing was changed. If you still want to, go to the case and press the key again")
    }

    /// Undoes this expert's last event.
    pub fn undo(&mut self) -> Result<Option<Reverted>> {
        self.undo_or_redo(Action::Retract)
    }

    /// Redoes what was last undone, if nothing was done since.
    pub fn redo(&mut self) -> Result<Option<Reverted>> {
        self.undo_or_redo(Action::Restore)
    }

    fn undo_or_redo(&mut self, action: Action) -> Result<Option<Reverted>> {
        let events = self.store.events_of(self.expert)?;
        let history = History::replay(&events);
        let target = if action == Action::Retract { history.to_undo() } else { history.to_redo() };
        let Some(about) = target.and_then(|t| events.iter().find(|e| e.uuid == t)) else {
            return Ok(None);
        };
        // What was done in another terminal since is not what this one was asked to take back.
        if let Some(last) =
            events.last().filter(|last| last.session != self.session && Some(last.uuid) != self.last_known)
        {
            return Err(self.done_elsewhere(last.clone(), None));
        }
        let event = NewEvent {
            target: Some(about.uuid),
            ..self.new_event(about.event.item, about.event.case, action)?
        };
        let last = events.last().map(|event| event.uuid);
        let before = self.is_labelled(about.event.item, about.event.case)?;
        self.log_knowing(event, Reveals::No, Known::Last(last))?;
        let after = self.is_labelled(about.event.item, about.event.case)?;
        let decision = about.event.action == Action::Adjudicate;
        let what = match &about.event.answer {
            Some(answer) if decision => format!("decision {}", self.task().in_words(answer)),
            Some(answer) if self.task().kind.is_several() => {
                format!("answer {}", self.task().in_words(answer))
            }
            Some(answer) => format!("label {}", self.task().in_words(answer)),
            None => about.event.action.as_str().to_owned(),
        };
        let back = action == Action::Retract;
        // A decision was not made on the Case screen, so undoing it does not go there.
        let case = about.event.case.filter(|_| !decision);
        let labelled = i64::from(after) - i64::from(before);
        let id = self.store.own_id(about.event.item)?;
        Ok(Some(Reverted { item: about.event.item, id, case, what, back, labelled }))
    }

    /// Whether a label of this expert stands in the case, or on the item where there is none.
    fn is_labelled(&self, item: ItemId, case: Option<CaseId>) -> Result<bool> {
        let answer = match case.map(|case| self.store.case(case)).transpose()?.flatten() {
            Some(case) => self.answer_in(&case)?,
            None => self.store.current_answer(self.expert, item)?,
        };
        Ok(answer.is_some_and(|answer| answer.event.answer.is_some()))
    }
}
