//! Half-written notes on their way to the desk: one at a time, and of those that wait only the newest.

use crate::desk::request::Request;
use crate::tui::effect::Effect;

/// Drafts go to the desk one at a time; of those that wait only the newest counts.
#[derive(Debug, Default)]
pub(in crate::tui) struct Drafts {
    pub under_way: bool,
    pub waiting: Option<Request>,
}

impl Drafts {
    /// What goes to the desk now.
    pub fn send_next(&mut self) -> Vec<Effect> {
        if self.under_way {
            return Vec::new();
        }
        let next = self.waiting.take();
        self.under_way = next.is_some();
        next.map(Effect::Session).into_iter().collect()
    }
}
