//! Choosing several labels for a case: keys and clicks put a label in and take it out, and enter gives those that are chosen, or says that it is none of
//! them. Where a label has no key, enter opens the list of the labels first, and gives them there on an empty line.

use std::time::Instant;

use super::attention::{Press, Verdict};
use super::choosing::{needs_list, toggle};
use super::screen::{CaseScreen, not_in_view, warns};
use crate::domain::answer::SaidLabels;
use crate::tui::effect::Effect;
use crate::tui::screen::Then;
use crate::tui::shared::Shared;

impl CaseScreen {
    /// Another case is in view: chosen is what it was answered with, or what could not be saved.
    pub(super) fn choose_anew(&mut self) {
        self.gives = false;
        let unsaved = self.unsaved.take();
        self.chosen = match self.shown() {
            Some(shown) => match unsaved.filter(|(case, _)| *case == shown.card.shown.case) {
                Some((_, labels)) => labels.0,
                None => shown.card.labels.clone(),
            },
            None => Vec::new(),
        };
    }

    /// A key or a click that counts.
    pub(super) fn press_of_several(&mut self, press: Press, shared: &Shared, now: Instant) -> Vec<Then> {
        let task = &shared.about.task;
        let seen = self.shown().is_some_and(|shown| self.in_view.seen(shown.card.shown.case).is_some());
        match press {
            _ if !seen => not_in_view(),
            Press::Enter if needs_list(task) && !std::mem::take(&mut self.gives) => self.open_list(shared),
            Press::Enter | Press::Save => {
                self.give_chosen(now).map_or_else(not_in_view, |effect| vec![effect.into()])
            }
            Press::Key(_) | Press::Click(_) => {
                if let Some(label) = press.label(task) {
                    toggle(&mut self.chosen, &label.name);
                }
                Vec::new()
            }
        }
    }

    fn give_chosen(&mut self, now: Instant) -> Option<Effect> {
        self.gives = false;
        let labels = SaidLabels(self.chosen.clone());
        self.give(labels, None, now)
    }

    /// In the list a label was put in or taken out, with enter as far as anybody can tell.
    pub(super) fn ticked(&mut self, labels: &SaidLabels, now: Instant) {
        self.chosen.clone_from(&labels.0);
        self.attention.also_pressed(Press::Enter, now);
    }

    /// In the list enter was pressed on an empty line, which must not be the same press that opened it or chose the last label.
    pub(super) fn give_ticked(&mut self, labels: &SaidLabels, shared: &Shared, now: Instant) -> Vec<Then> {
        self.chosen.clone_from(&labels.0);
        self.gives = true;
        match self.attention.label_key(Press::Enter, false, now) {
            Verdict::Counts => self.press_of_several(Press::Enter, shared, now),
            Verdict::Wait(_) => Vec::new(),
            Verdict::Held => {
                self.gives = false;
                warns("enter is held down: nothing was saved")
            }
            Verdict::TooEarly => {
                self.gives = false;
                warns("Nothing was labelled: this case was not on your screen yet.")
            }
        }
    }
}
