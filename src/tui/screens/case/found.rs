//! A word looked for in the text of the case: where it is, and which of these places is in view.

use std::ops::Range;

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
    /// The places of a word in a text, whatever the case of its letters; none where it is not there.
    pub fn of(word: &str, text: &str) -> Option<Self> {
        let places = places(word, text);
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

fn places(word: &str, text: &str) -> Vec<Range<usize>> {
    let lower = |c: char| c.to_lowercase().next().unwrap_or(c);
    let word: Vec<char> = word.chars().map(lower).collect();
    let mut found: Vec<Range<usize>> = Vec::new();
    for (start, _) in text.char_indices() {
        let after_the_last = found.last().is_none_or(|last| start >= last.end);
        let mut rest = text[start..].char_indices();
        let is_here = word.iter().all(|wanted| rest.next().is_some_and(|(_, c)| lower(c) == *wanted));
        if after_the_last && is_here && !word.is_empty() {
            found.push(start..text.len() - rest.as_str().len());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_whatever_its_case_and_the_places_go_around() {
        let mut found = Found::of("ÄÖ", "äö, xäÖäö").unwrap();
        assert_eq!(found.places, [0..4, 7..11, 11..15]);
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
