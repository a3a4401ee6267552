//! Half-written notes on their way to the desk: one at a time, and of those that wait only the newest.

use super::effect::Effect;
use crate::desk::request::Request;

/// Drafts go to the desk one at a time; of those that wait only the newest counts.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    pub under_way: bool,
    pub waiting: Option<Request>,
}

impl Drafts {
    /// What goes to the desk now.
    pub fn next(&mut self) -> Vec<Effect> {
        if self.under_way {
            return Vec::new();
        }
        let next = self.waiting.take();
        self.under_way = next.is_some();
        next.map(Effect::Desk).into_iter().collect()
    }
}
