//! Words that are looked for in a text, in any case and with or without accents: where they are, and the passage around them.

use std::ops::Range;

use unicode_normalization::char::decompose_canonical;

/// Characters of a passage, and of a text's beginning.
pub const PASSAGE: usize = 200;
/// Characters that a passage has before what was looked for.
const LEAD: usize = 24;

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Sought {
    folded: String,
    /// The text looked at, folded; kept from one to the next.
    within: String,
}

impl Sought {
    pub fn new(words: &str) -> Self {
        let mut folded = String::new();
        fold_into(&mut folded, words);
        Self { folded, within: String::new() }
    }

    pub fn is_nothing(&self) -> bool {
        self.folded.is_empty()
    }

    /// Whether a text has it. Every text has nothing.
    pub fn is_in(&mut self, text: &str) -> bool {
        if self.folded.is_empty() {
            return true;
        }
        self.within.clear();
        fold_into(&mut self.within, text);
        self.within.contains(&self.folded)
    }

    /// Where it is in a text: byte ranges of whole characters, in order, none in another.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        if self.folded.is_empty() {
            return Vec::new();
        }
        let mut folded = String::with_capacity(text.len());
        // Where each character begins in what is folded, and in the text.
        let mut starts = Vec::new();
        for (at, c) in text.char_indices() {
            starts.push((folded.len(), at));
            fold_char_into(&mut folded, c);
        }
        let character_of = |byte: usize| starts.partition_point(|(start, _)| *start <= byte) - 1;
        let mut found: Vec<Range<usize>> = Vec::new();
        for (start, words) in folded.match_indices(&self.folded) {
            let first = starts[character_of(start)].1;
            let after =
                starts.get(character_of(start + words.len() - 1) + 1).map_or(text.len(), |next| next.1);
            if found.last().is_none_or(|last| first >= last.end) {
                found.push(first..after);
            }
        }
        found
    }
}

/// A part of a text that shows the byte range `hit`, or the text's beginning where that shows it.
pub fn passage(text: &str, hit: Option<&Range<usize>>) -> String {
    let before = hit.and_then(|hit| text.get(..hit.start)).unwrap_or_default();
    let Some((lead, _)) = before.char_indices().rev().nth(LEAD - 1).filter(|(at, _)| *at > LEAD) else {
        return text.chars().take(PASSAGE).collect();
    };
    // From the beginning of a word, where there is one.
    let word = before[lead..].find(char::is_whitespace).map_or(lead, |blank| lead + blank);
    format!("… {}", text[word..].trim_start().chars().take(PASSAGE).collect::<String>())
}

/// Adds a text without case, accents and ligatures, so that it is found as it is typed: Strauß as strauss, é as e. Marks of
/// other scripts, which make another letter, stay.
fn fold_into(folded: &mut String, text: &str) {
    if text.is_ascii() {
        folded.extend(text.chars().map(|c| c.to_ascii_lowercase()));
        return;
    }
    for c in text.chars() {
        fold_char_into(folded, c);
    }
}

/// Letter by letter: the lower case of a whole word may depend on where a letter stands in it.
fn fold_char_into(folded: &mut String, c: char) {
    let is_accent = |c: char| matches!(c, '\u{300}'..='\u{36f}');
    for c in c.to_lowercase() {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            'ı' => folded.push('i'),
            _ if c.is_ascii() => folded.push(c),
            _ => decompose_canonical(c, |part| {
                if !is_accent(part) {
                    folded.push(part);
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found<'t>(words: &str, text: &'t str) -> Vec<&'t str> {
        Sought::new(words).places(text).into_iter().map(|place| &text[place]).collect()
    }

    #[test]
    fn words_are_found_whatever_their_case_and_accents() {
        assert_eq!(found("ÄÖ", "äö, xäÖao"), ["äö", "äÖ", "ao"]);
        assert_eq!(found("strauss", "Strauß, STRAUSS"), ["Strauß", "STRAUSS"]);
        assert_eq!(found("s", "aß"), ["ß"]);
        // A letter with its accent as a mark of its own.
        assert_eq!(found("cafe n", "cafe\u{301} noir"), ["cafe\u{301} n"]);
        assert_eq!(found("σισυφος", "the ΣΊΣΥΦΟΣ hill"), Vec::<&str>::new());
        assert_eq!(found("σισυφοσ", "the ΣΊΣΥΦΟΣ hill"), ["ΣΊΣΥΦΟΣ"]);
        assert_eq!(found("aa", "aaaa"), ["aa", "aa"]);
        assert!(found("", "aaa").is_empty());
    }

    #[test]
    fn a_text_is_found_without_its_accents_and_with_ss_for_a_sharp_s() {
        let finds = |needle: &str, text: &str| Sought::new(needle).is_in(text);
        for (needle, text) in [
            ("strauss", "Herr Strauß"),
            ("STRASSE", "die Straße"),
            ("Straße", "DIE STRASSE"),
            ("cafe", "Café"),
            ("café", "CAFE"),
            ("muller", "Müller"),
            ("Jose\u{301}", "jose"),
            ("istanbul", "İstanbul"),
            ("smorrebrod", "smørrebrød"),
        ] {
            assert!(finds(needle, text), "{needle} in {text}");
        }
        assert!(!finds("strase", "Straße") && !finds("mueller", "Müller") && !finds("がき", "かき"));
        assert!(Sought::new("\u{301}").is_in("anything"), "a lone accent is no text");
    }

    #[test]
    fn a_passage_begins_with_a_word_before_what_was_found() {
        let text = format!("{}the notice of termination was sent in May.", "Dear Sir or Madam, ".repeat(20));
        let hit = Sought::new("termination").places(&text).remove(0);
        assert_eq!(passage(&text, Some(&hit)), "… Madam, the notice of termination was sent in May.");
        assert!(passage(&text, None).starts_with("Dear Sir"));
        assert!(passage(&text, Some(&(5..8))).starts_with("Dear Sir"));
        assert_eq!(passage(&text, None).chars().count(), PASSAGE);
    }

    proptest! {
        #[test]
        fn a_text_has_a_place_exactly_where_it_has_the_words(text in "[ -~äßéΣİ\u{301}]{0,40}", words in "[a-cäßs\u{301}]{1,2}") {
            let mut sought = Sought::new(&words);
            let places = sought.places(&text);
            // Words that are accents alone are nothing.
            prop_assert_eq!(places.is_empty() && !sought.is_nothing(), !sought.is_in(&text));
            for place in &places {
                prop_assert!(sought.is_in(&text[place.clone()]));
                let shown = passage(&text, Some(place));
                prop_assert!(sought.is_in(&shown), "{shown}");
            }
        }
    }
}
