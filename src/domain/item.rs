//! A text of the pool, and the three forms in which it is compared: as imported, normalised, and as a split key.

use unicode_normalization::UnicodeNormalization;

/// blake3 of the normalised text: two texts with one key are one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey(pub [u8; 32]);

impl ItemKey {
    /// The key of a text as imported.
    pub fn of(text: &str) -> Self {
        Self::of_normalised(&normalise(text))
    }

    /// The key of a text that [`normalise`] returned.
    pub fn of_normalised(normalised: &str) -> Self {
        Self(*blake3::hash(normalised.as_bytes()).as_bytes())
    }
}

/// NFC, with each run of white space folded to one space and none at the ends. Case is kept.
pub fn normalise(text: &str) -> String {
    // Most text is ASCII, and so already NFC; this check saves most of an import's hashing time.
    if text.is_ascii() { fold_space(text.chars(), text.len()) } else { fold_space(text.nfc(), text.len()) }
}

fn fold_space(chars: impl Iterator<Item = char>, capacity: usize) -> String {
    let mut out = String::with_capacity(capacity);
    let mut gap = false;
    for c in chars {
        if c.is_whitespace() {
            gap = !out.is_empty();
        } else {
            if gap {
                out.push(' ');
                gap = false;
            }
            out.push(c);
        }
    }
    out
}

/// A text that [`normalise`] returned in lower case, every digit as `0`, links and @names removed.
pub fn split_key(normalised: &str) -> String {
    let lower: String =
        normalised.to_lowercase().chars().map(|c| if c.is_numeric() { '0' } else { c }).collect();
    let mut out = String::with_capacity(lower.len());
    for word in lower.split_whitespace() {
        if is_link(word) || is_mention(word) {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    // A text that consists only of links and names still needs a key.
    if out.is_empty() { lower } else { out }
}

fn is_link(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| c.is_ascii_punctuation() && c != '@');
    word.starts_with("http://") || word.starts_with("https://") || word.starts_with("www.")
}

fn is_mention(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| c.is_ascii_punctuation() && c != '@');
    word.strip_prefix('@').is_some_and(|name| name.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_folds_and_case_stays() {
        assert_eq!(normalise("  Free \t\n Entry "), "Free Entry");
        assert_ne!(ItemKey::of("Free"), ItemKey::of("free"));
        assert_eq!(ItemKey::of("a  b"), ItemKey::of(" a b\r\n"));
    }

    #[test]
    fn composed_and_decomposed_letters_are_one_item() {
        assert_eq!(ItemKey::of("caf\u{e9}"), ItemKey::of("cafe\u{301}"));
    }

    #[test]
    fn a_split_key_drops_links_and_names_and_flattens_digits() {
        assert_eq!(split_key("Call 0800 now! (http://x.y) @ana_1: ok"), "call 0000 now! ok");
        assert_eq!(split_key("www.only.example"), "www.only.example");
        assert_eq!(split_key("@ana_1"), split_key("@ana_2"), "also where nothing else is left");
    }
}
