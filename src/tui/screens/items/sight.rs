//! What the person can have seen of the text that is shown in full.

use std::time::Instant;

use crate::domain::ids::ItemId;
use crate::tui::effect::Effect;
use crate::tui::screens::case::attention::Attention;

/// What the person can have seen of the text in full, and what is being saved of it.
#[derive(Debug)]
pub(super) struct Labelling {
    pub attention: Attention,
    /// The text that the last drawing showed in full, at least its first row.
    pub drawn: Option<ItemId>,
    /// The text that `attention` speaks of.
    pub seen: Option<ItemId>,
    pub pending: bool,
    /// The text for which a label is being looked for.
    pub finding: Option<ItemId>,
    /// Where a text may have several labels: those that are chosen for a text so far.
    pub chosen: Option<(ItemId, Vec<String>)>,
}

impl Default for Labelling {
    fn default() -> Self {
        Self {
            attention: Attention::with_nonces_apart(),
            drawn: None,
            seen: None,
            pending: false,
            finding: None,
            chosen: None,
        }
    }
}

impl Labelling {
    /// Nothing that was drawn so far is on the screen any more.
    pub fn forget(&mut self) {
        self.drawn = None;
        self.seen = None;
        self.attention.another_case();
    }

    /// The screen was drawn. Returns what the terminal must be asked now.
    pub fn after_drawing(&mut self, now: Instant) -> Option<Effect> {
        if self.seen != self.drawn {
            self.seen = self.drawn;
            self.attention.another_case();
        }
        self.seen?;
        self.attention.drawn(now).map(Effect::AskCursor)
    }
}
