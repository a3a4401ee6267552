//! The popups that lie over a screen, each over the one it was opened from: keys go to the topmost.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::hits::Hits;
use super::widgets::frame::Look;
use super::widgets::outcome::Outcome;
use super::widgets::popup::Popup;
use super::widgets::results_form::ResultsForm;
use crate::domain::local_model::LocalModel;

#[derive(Debug, Default)]
pub(super) struct Popups(Vec<Popup>);

impl Popups {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn top(&mut self) -> Option<&mut Popup> {
        self.0.last_mut()
    }

    /// Opens one instead of all that are there.
    pub fn open(&mut self, popup: Popup) {
        self.0.clear();
        self.0.push(popup);
    }

    /// Lays one over the topmost.
    pub fn lay_over(&mut self, popup: Popup) {
        self.0.push(popup);
    }

    /// Closes the topmost.
    pub fn close(&mut self) {
        self.0.pop();
    }

    pub fn close_all(&mut self) {
        self.0.clear();
    }

    /// The one that asks which results to write.
    pub fn results(&mut self) -> Option<&mut ResultsForm> {
        self.0.iter_mut().find_map(|popup| match popup {
            Popup::Results(form) => Some(form),
            _ => None,
        })
    }

    /// Puts another question in the place of the one whether to leave.
    pub fn ask_otherwise_whether_to_leave(&mut self, question: impl FnOnce() -> Popup) {
        let asks = |popup: &&mut Popup| matches!(popup, Popup::Choice(choice) if choice.options.iter().any(|o| o.outcome == Outcome::Quits));
        if let Some(popup) = self.0.iter_mut().find(asks) {
            *popup = question();
        }
    }

    /// Takes the models to choose from, where one asks for a model.
    pub fn offer(&mut self, models: &[LocalModel]) {
        self.0.iter_mut().for_each(|popup| popup.offer(models));
    }

    /// Draws them. Returns whether the top of the screen below can still be read.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) -> bool {
        for popup in &mut self.0 {
            // What lies below it cannot be clicked.
            look.hits.into_iter().for_each(Hits::clear);
            popup.draw(frame, area, look);
        }
        self.0.iter().all(Popup::leaves_text_in_view)
    }
}
