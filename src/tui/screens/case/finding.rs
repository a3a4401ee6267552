//! Looking for a word in the text of the case.

use super::found::Found;
use super::screen::{CaseScreen, Showing, warns};
use crate::tui::screen::Then;
use crate::tui::widgets::text_layout::drawable;

impl CaseScreen {
    /// Leads to the next place of the word, or of the one looked for before where none is given.
    pub(super) fn find(&mut self, word: &str) -> Vec<Then> {
        let (Showing::Next(shown) | Showing::Asked(shown)) = &self.showing else { return Vec::new() };
        match &mut self.found {
            Some(found) if word.is_empty() || found.word == word => found.next(),
            _ if word.is_empty() => return Vec::new(),
            found => *found = Found::of(word, &shown.text),
        }
        match &self.found {
            Some(found) => {
                self.panes.show_byte(found.start());
                Vec::new()
            }
            None => warns(&format!("This text has no '{}'.", drawable(word))),
        }
    }
}
