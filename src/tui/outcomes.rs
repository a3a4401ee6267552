//! What is done about what comes of a popup.

use std::time::Instant;

use ratatui::crossterm::event::KeyEvent;

use super::app::App;
use super::effect::Effect;
use super::keys::Stroke;
use super::widgets::outcome::Outcome;
use super::widgets::popup::Popup;
use super::widgets::results_form::ResultsForm;
use crate::desk::request::Request;
use crate::domain::ids::CaseId;

impl App {
    pub(super) fn take_outcome(&mut self, outcome: Outcome, now: Instant) -> Vec<Effect> {
        match &outcome {
            Outcome::Stays | Outcome::Drafts(_) | Outcome::Counts(_) => {}
            Outcome::WritesResults(_) | Outcome::ShowsKeys(_) | Outcome::Ticks(_) => {}
            Outcome::Closes | Outcome::Replaces(_) | Outcome::PassesOn(_) => self.popups.close(),
            _ => self.popups.close_all(),
        }
        match outcome {
            Outcome::Stays | Outcome::Closes => Vec::new(),
            Outcome::ShowsKeys(help) => {
                self.popups.lay_over(Popup::Help(help));
                Vec::new()
            }
            Outcome::PassesOn(key) => self.pass_on(&key, now),
            Outcome::Counts(results) => vec![Effect::CountResults(results)],
            Outcome::WritesResults(wanted) => vec![Effect::WriteResults(wanted)],
            Outcome::Replaces(wanted) => {
                self.popups.results().into_iter().for_each(ResultsForm::writes);
                vec![Effect::WriteResults(wanted)]
            }
            Outcome::Drafts(written) | Outcome::Writes(written) => {
                let then = self.in_view().written(written);
                self.follow(then)
            }
            Outcome::Finds(labels) => {
                let then = self.screens[self.at].1.labels_found(&labels, &self.shared, now);
                self.follow(then)
            }
            Outcome::Ticks(labels) => {
                self.screens[self.at].1.labels_ticked(&labels, &self.shared, now);
                Vec::new()
            }
            Outcome::Acts(action) => self.act(action),
            Outcome::GoesToCase(case) => self.go_to_case(CaseId(case)),
            Outcome::Starts(kinds) => self.start(kinds),
            Outcome::Acknowledges(task) => {
                self.known = *task;
                Vec::new()
            }
            Outcome::Quits => self.leave(),
            Outcome::QuitsAndStops => {
                let mut effects = self.leave();
                effects.push(Effect::Stop);
                effects
            }
        }
    }

    pub(super) fn go_to_case(&mut self, case: CaseId) -> Vec<Effect> {
        let mut effects = self.go_home();
        effects.push(Effect::Session(Request::Jump(case)));
        effects
    }

    /// A key that was kept from the line below the help.
    fn pass_on(&mut self, key: &KeyEvent, now: Instant) -> Vec<Effect> {
        let stroke = Stroke::of(key);
        if let Some(popup) = self.popups.top() {
            let outcome = popup.take(key, stroke, &self.settings.keys);
            return self.take_outcome(outcome, now);
        }
        let typed = stroke.and_then(Stroke::character).map(String::from);
        let then = typed.and_then(|typed| self.in_view().paste(&typed));
        then.map_or_else(Vec::new, |then| self.follow(then))
    }
}
