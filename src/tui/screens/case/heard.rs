//! What the desk answered, and which case is in view then.

use super::screen::{Answered, CaseScreen, Pending, Showing};
use super::shown::Shown;
use crate::desk::request::{Outcome, ReplyTo, Response, Window};
use crate::desk::shown::{Card, what_a_skip_does};
use crate::domain::fault::Result;
use crate::tui::screen::Then;
use crate::tui::widgets::frame::Notice;
use crate::tui::widgets::text_layout::drawable;

/// What the person sees once a response is taken.
enum Turn {
    Stays,
    To(Box<Card>),
    ToNext,
}

impl CaseScreen {
    pub(super) fn take_response(&mut self, response: Response) -> Vec<Then> {
        let drafted = response.reply_to == ReplyTo::Draft;
        let (notice, turn) = self.take_outcome(response.reply_to, response.outcome);
        let mut failed = None;
        match response.window {
            Ok(Some(window)) => self.look_ahead(window),
            Ok(None) => {}
            Err(fault) => failed = Some(Notice::bad(fault.to_string())),
        }
        match turn {
            Turn::Stays => {}
            Turn::To(card) => {
                let is_next = self.ahead.first().is_some_and(|next| next.shown.case == card.shown.case);
                let shown = Shown::new(*card);
                self.show(if is_next { Showing::Next(shown) } else { Showing::Asked(shown) });
            }
            Turn::ToNext => self.show_next(),
        }
        let mut then: Vec<Then> = notice.or(failed).map(Then::Say).into_iter().collect();
        if drafted {
            self.drafts.under_way = false;
            then.extend(self.drafts.send_next().into_iter().map(Then::Do));
        }
        then
    }

    fn take_outcome(&mut self, about: ReplyTo, outcome: Result<Outcome>) -> (Option<Notice>, Turn) {
        // Only what it waits for ends a wait: what was asked before that may come in between.
        let is_awaited = match self.pending {
            Some(Pending::Answer { .. }) => about == ReplyTo::Answer,
            Some(Pending::Other) => about != ReplyTo::Draft && !matches!(outcome, Ok(Outcome::Looked)),
            None => false,
        };
        let pending = if is_awaited { self.pending.take() } else { None };
        let outcome = match (outcome, pending) {
            (Ok(Outcome::Answered { saved, reveal }), Some(Pending::Answer { shown, labels, key })) => {
                let case = shown.card.shown.case;
                for label in labels.0 {
                    *self.uses.entry(label).or_default() += 1;
                }
                let label = saved.label;
                // Of a text that was not shown as similar nothing is said.
                let mut reveal = reveal.map(|reveal| *reveal);
                if let Some(reveal) = reveal.as_mut().filter(|_| shown.partner.is_none()) {
                    reveal.partner = None;
                }
                let told = shown.card.label.is_none() && shown.card.shown.revealed.is_some();
                self.last = Some(Answered { label, key, case, changed: saved.changed, reveal, told });
                return (None, Turn::Stays);
            }
            // Nothing was saved: the case is there again, with what was chosen for it.
            (Err(fault), Some(Pending::Answer { shown, labels, .. })) => {
                self.unsaved = Some((shown.card.shown.case, labels));
                return (Some(Notice::bad(fault.to_string())), Turn::To(Box::new(shown.card)));
            }
            (Err(fault), _) => return (Some(Notice::bad(fault.to_string())), Turn::Stays),
            (Ok(outcome), _) => outcome,
        };
        let good = |says: &str| (Some(Notice::good(says.into())), Turn::Stays);
        let quiet = |says: &str| (Some(Notice::quiet(says.into())), Turn::Stays);
        match outcome {
            // The Agree screen takes what is said of disagreements, the Items screen what was found.
            Outcome::Looked
            | Outcome::Drafted
            | Outcome::Answered { .. }
            | Outcome::LabelledFound(_)
            | Outcome::Dispute(_) => (None, Turn::Stays),
            Outcome::Skipped => {
                self.last = None;
                good(what_a_skip_does(self.shown().is_some_and(|shown| shown.card.skipped)))
            }
            Outcome::Flagged(flagged) => {
                if let Showing::Next(shown) | Showing::Asked(shown) = &mut self.showing {
                    shown.card.flagged = flagged;
                }
                good(if flagged { "Flagged for a second look." } else { "The flag is removed." })
            }
            Outcome::Noted => good("The note is saved."),
            Outcome::Reverted { what, card } => {
                self.last = None;
                let place = what.place().map(|place| format!(" on {}", drawable(&place))).unwrap_or_default();
                let says = if what.back { "undone" } else { "redone" };
                let notice = Notice::good(format!("{says}: {}{place}", what.what));
                (Some(notice), card.map_or(Turn::Stays, Turn::To))
            }
            Outcome::NothingToUndo => quiet("Nothing to undo."),
            Outcome::NothingToRedo => quiet("Nothing to redo."),
            Outcome::Found(card) => (None, Turn::To(card)),
            Outcome::NoSuchCase(case) if case.0 == i64::MAX => quiet("You have no case of that number."),
            Outcome::NoSuchCase(case) => quiet(&format!("You have no case {case}.")),
            Outcome::AtTheStart => quiet("There is no earlier case of yours."),
            Outcome::AtTheEnd => (None, Turn::ToNext),
        }
    }

    /// Takes the next cases. The case being read stays, unless it is no longer this person's.
    fn look_ahead(&mut self, window: Window) {
        let Window { cards, why, .. } = window;
        self.ahead = cards;
        let first = self.ahead.first().map(|card| card.shown.case);
        match (&mut self.showing, why) {
            (Showing::Asked(shown), _) if first != Some(shown.card.shown.case) => {}
            (Showing::Next(shown), _) if first == Some(shown.card.shown.case) => {
                if let Some(card) = self.ahead.first() {
                    shown.card = card.clone();
                }
            }
            (_, Some(why)) => self.show(Showing::None(why)),
            (_, None) => self.show_next(),
        }
    }
}
