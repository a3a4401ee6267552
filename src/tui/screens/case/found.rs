//! A word looked for in the text of the case: where it is, and which of these places is in view.

use std::ops::Range;

use crate::domain::sought::Sought;

/// What was looked for, with every place where it is.
#[derive(Debug)]
pub(super) struct Found {
    pub word: String,
    /// Byte ranges of the text, in order. Never empty.
    pub places: Vec<Range<usize>>,
    /// Which of them the person was led to.
    pub at: usize,
}

impl Found {
    /// The places of a word in a text, whatever the case of its letters, with or without accents; none where it is not there.
    pub fn of(word: &str, text: &str) -> Option<Self> {
        let places = Sought::new(word).places(text);
        (!places.is_empty()).then(|| Self { word: word.to_owned(), places, at: 0 })
    }

    /// Goes to the next place, after the last to the first.
    pub fn next(&mut self) {
        self.at = (self.at + 1) % self.places.len();
    }

    /// The byte at which the place in view begins.
    pub fn start(&self) -> usize {
        self.places.get(self.at).map_or(0, |place| place.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_whatever_its_case_and_the_places_go_around() {
        let mut found = Found::of("ÄÖ", "äö, xäÖao").unwrap();
        assert_eq!(found.places, [0..4, 7..11, 11..13]);
        found.next();
        assert_eq!(found.start(), 7);
        found.next();
        found.next();
        assert_eq!(found.start(), 0);
        assert!(Found::of("z", "äö").is_none());
        assert!(Found::of("", "äö").is_none());
        assert_eq!(Found::of("aa", "aaaa").unwrap().places, [0..2, 2..4]);
    }
}
