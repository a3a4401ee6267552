//! Copies of a text that mean the same to a person: with typing errors, in other capitals, with other spaces, with letters of another script
//! that look alike, and with a link. A model that answers otherwise for one of them is easily misled.
//!
//! The changes of a text follow from the seed and the text alone.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// One letter in this many is changed, and at least one.
const ONE_IN: usize = 12;
/// What a link looks like; no such site exists (RFC 2606).
const LINK: &str = "https://www.example.com/a1b2";
/// Latin letters and the Cyrillic ones that look the same.
const LOOK_ALIKE: [(char, char); 12] = [
    ('a', 'а'),
    ('c', 'с'),
    ('e', 'е'),
    ('i', 'і'),
    ('o', 'о'),
    ('p', 'р'),
    ('x', 'х'),
    ('y', 'у'),
    ('A', 'А'),
    ('E', 'Е'),
    ('O', 'О'),
    ('C', 'С'),
];

/// How a copy differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Letters that are swapped, doubled or missing.
    Typing,
    /// All in capitals, or all without.
    Case,
    /// More spaces between some words.
    Spacing,
    /// Letters of another script that look alike.
    Homoglyphs,
    /// A link at the end.
    Link,
}

/// Every kind of change, in the order of reports.
pub const CHANGES: [Change; 5] =
    [Change::Typing, Change::Case, Change::Spacing, Change::Homoglyphs, Change::Link];

impl Change {
    /// What a report calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Typing => "typing errors",
            Self::Case => "capitals",
            Self::Spacing => "spaces",
            Self::Homoglyphs => "look-alike letters",
            Self::Link => "a link",
        }
    }
}

/// A copy of `text` for each kind of change that changes it.
pub fn perturbed(text: &str, seed: u64) -> Vec<(Change, String)> {
    let hash = blake3::hash(text.as_bytes());
    let mut own = [0u8; 8];
    own.copy_from_slice(&hash.as_bytes()[..8]);
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ u64::from_le_bytes(own));
    let copies = CHANGES.map(|change| (change, changed(text, change, &mut rng)));
    copies.into_iter().filter(|(_, copy)| copy != text).collect()
}

fn changed(text: &str, change: Change, rng: &mut ChaCha8Rng) -> String {
    match change {
        Change::Typing => typing(text, rng),
        Change::Case => {
            let upper = text.to_uppercase();
            if upper == text { text.to_lowercase() } else { upper }
        }
        Change::Spacing => spacing(text, rng),
        Change::Homoglyphs => homoglyphs(text, rng),
        Change::Link => format!("{} {LINK}", text.trim_end()),
    }
}

/// Some of these places, at least one where there is any, ascending.
fn some(mut places: Vec<usize>, of: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    places.shuffle(rng);
    places.truncate(of.max(1));
    places.sort_unstable();
    places
}

fn typing(text: &str, rng: &mut ChaCha8Rng) -> String {
    let signs: Vec<char> = text.chars().collect();
    // Inside a word, so that the word stays one.
    let inside = |i: &usize| signs[*i - 1].is_alphabetic() && signs[*i].is_alphabetic();
    let places: Vec<usize> = (1..signs.len()).filter(inside).collect();
    let chosen = some(places, signs.len() / ONE_IN, rng);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < signs.len() {
        if chosen.binary_search(&(at + 1)).is_ok() && at + 1 < signs.len() {
            let (a, b) = (signs[at], signs[at + 1]);
            match rng.gen_range(0..3) {
                // Swapping two that are the same would change nothing.
                0 if a != b => out.extend([b, a]),
                1 => out.extend([a, b, b]),
                _ => out.push(a),
            }
            at += 2;
        } else {
            out.push(signs[at]);
            at += 1;
        }
    }
    out
}

fn spacing(text: &str, rng: &mut ChaCha8Rng) -> String {
    let spaces: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
    if spaces.is_empty() {
        return format!("  {text} ");
    }
    let half = spaces.len().div_ceil(2);
    let chosen = some(spaces, half, rng);
    let mut out = String::with_capacity(text.len() + 2 * half);
    let mut from = 0;
    for at in chosen {
        out.push_str(&text[from..at]);
        out.push_str(if rng.gen_bool(0.5) { "  " } else { " \n" });
        from = at;
    }
    out.push_str(&text[from..]);
    out
}

fn homoglyphs(text: &str, rng: &mut ChaCha8Rng) -> String {
    let signs: Vec<char> = text.chars().collect();
    let alike = |sign: char| LOOK_ALIKE.iter().find(|(latin, _)| *latin == sign).map(|(_, other)| *other);
    let places: Vec<usize> = (0..signs.len()).filter(|i| alike(signs[*i]).is_some()).collect();
    let chosen = some(places, signs.len() / ONE_IN, rng);
    let sign = |(i, sign): (usize, &char)| {
        if chosen.binary_search(&i).is_ok() { alike(*sign).unwrap_or(*sign) } else { *sign }
    };
    signs.iter().enumerate().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "You have won a prize, call now to claim it before Monday";

    #[test]
    fn each_kind_changes_only_what_it_is_named_after() {
        let copies = perturbed(TEXT, 1);
        let of = |change| &copies.iter().find(|(kind, _)| *kind == change).unwrap().1;
        assert_eq!(copies.len(), CHANGES.len());
        assert_eq!(*of(Change::Case), TEXT.to_uppercase());
        assert_eq!(*of(Change::Link), format!("{TEXT} {LINK}"));
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(of(Change::Spacing)), words(TEXT));
        assert_eq!(words(of(Change::Typing)).len(), words(TEXT).len());
        let back: String = of(Change::Homoglyphs)
            .chars()
            .map(|sign| LOOK_ALIKE.iter().find(|(_, other)| *other == sign).map_or(sign, |(latin, _)| *latin))
            .collect();
        assert_eq!(back, TEXT);
        assert!(of(Change::Homoglyphs).chars().filter(|sign| !sign.is_ascii()).count() >= 2);
    }

    #[test]
    fn the_same_seed_changes_a_text_in_the_same_way_and_capitals_become_small() {
        assert_eq!(perturbed(TEXT, 7), perturbed(TEXT, 7));
        assert_ne!(perturbed(TEXT, 7), perturbed(TEXT, 8));
        assert!(perturbed("WIN", 1).contains(&(Change::Case, "win".to_owned())));
    }

    proptest! {
        #[test]
        fn any_text_is_changed_without_a_panic_and_never_into_itself(text in any::<String>(), seed: u64) {
            for (change, copy) in perturbed(&text, seed) {
                prop_assert!(copy != text, "{:?}", change);
            }
        }
    }
}
