//! A case, ready to be drawn.

use std::ops::Range;

use crate::desk::shown::Card;
use crate::domain::turn;
use crate::tui::widgets::text_layout::{differences, drawable};

/// Blanks before a text's first word that may stand there; with more the first row could be empty.
const INDENT: usize = 8;
/// Stands before the part that the task asks about.
const ASKED: &str = "▶ ";

/// A case with its texts, sanitized.
#[derive(Debug)]
pub(super) struct Shown {
    pub card: Card,
    /// Its text and that of its partner. The text's first row is not empty.
    pub text: String,
    pub partner: Option<String>,
    /// Where the names of who speaks, or of the columns, are in the text.
    pub headings: Vec<Range<usize>>,
    /// About where the model has stopped reading the text, in bytes of it as it is drawn.
    pub read_up_to: Option<usize>,
    /// The ranges in which each text differs from the other.
    pub differs: (Vec<Range<usize>>, Vec<Range<usize>>),
}

impl Shown {
    pub fn new(card: Card) -> Box<Self> {
        let (text, headings) = text_of(&card);
        let partner = card.shown.partner.as_ref().filter(|p| p.is_similar()).map(|p| drawable(&p.text));
        let differs = partner.as_deref().map(|p| differences(&text, p)).unwrap_or_default();
        let stored = card.shown.text.len().max(1);
        let of_drawn = |read: usize| (read as f64 / stored as f64 * text.len() as f64) as usize;
        let read_up_to = card.shown.read_up_to.map(of_drawn);
        Box::new(Self { card, text, partner, headings, read_up_to, differs })
    }
}

fn text_of(card: &Card) -> (String, Vec<Range<usize>>) {
    let shown = &card.shown;
    if shown.turns.is_empty() {
        return (without_empty_rows(&drawable(&shown.text)).to_owned(), Vec::new());
    }
    let mut turns = shown.turns.clone();
    if let Some(asked) = shown.asked.and_then(|at| turns.get_mut(at)) {
        asked.speaker = Some(format!("{ASKED}{}", asked.speaker.take().unwrap_or_default()));
    }
    turn::with_headings(&turns, drawable)
}

/// The text from its first word on; blanks before it stay, if they are few.
fn without_empty_rows(text: &str) -> &str {
    let word = text.len() - text.trim_start().len();
    let row = text[..word].rfind('\n').map_or(0, |end| end + 1);
    if text[row..word].chars().count() <= INDENT { &text[row..] } else { &text[word..] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_of_a_text_has_a_word_in_it() {
        assert_eq!(without_empty_rows("\n \n  if x {\n    y"), "  if x {\n    y");
        assert_eq!(without_empty_rows(&format!("{}word", " ".repeat(100))), "word");
        assert_eq!(without_empty_rows("word\n"), "word\n");
        assert_eq!(without_empty_rows(""), "");
    }
}
