//! Tokens with a meaning of their own: where they stand in a template, and how a text is kept from holding any.
//!
//! llama.cpp finds a token that a file calls user-defined in any text, also where it is told to read no special ones: `<|end|>` in a tweet would end
//! its turn. So a text is cut within each such marker, and its parts are tokenised apart. A vocabulary's own white space is no marker: it says nothing but itself.

use std::collections::HashMap;

use llama_cpp_2::token_type::LlamaTokenAttr;
use llama_cpp_2::vocab::LlamaVocab;

/// A token with a meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    pub id: u32,
    /// Takes away the white space before it.
    pub strips_before: bool,
    /// Takes away the white space after it.
    pub strips_after: bool,
}

/// The markers of a vocabulary.
#[derive(Debug, Default)]
pub(super) struct Markers {
    by_text: HashMap<Vec<u8>, Marker>,
    /// The lengths of those that begin with a byte, the longest first.
    lengths: HashMap<u8, Vec<usize>>,
}

impl Markers {
    /// Those of a vocabulary.
    pub fn of(vocab: &LlamaVocab<'_>) -> Self {
        let marker = |token| {
            let kind = vocab.attr(token);
            let is_user_defined = kind.contains(LlamaTokenAttr::UserDefined);
            let is_special = kind.contains(LlamaTokenAttr::Control) || kind.contains(LlamaTokenAttr::Unknown);
            let text = vocab.text(token).filter(|_| is_user_defined || is_special)?.to_str().ok()?;
            let says = !text.trim_matches(|c: char| c.is_whitespace() || c == '\u{2581}').is_empty();
            // A single character can only mean itself; some vocabularies define their digits so.
            let is_one = text.chars().nth(1).is_none();
            let marker = Marker {
                id: token.0.unsigned_abs(),
                strips_before: kind.contains(LlamaTokenAttr::LStrip),
                strips_after: kind.contains(LlamaTokenAttr::RStrip),
            };
            (says && !is_one).then(|| (text.as_bytes().to_vec(), marker))
        };
        Self::from_list(vocab.tokens().filter_map(marker))
    }

    fn from_list(markers: impl IntoIterator<Item = (Vec<u8>, Marker)>) -> Self {
        let by_text: HashMap<Vec<u8>, Marker> = markers.into_iter().collect();
        let mut lengths: HashMap<u8, Vec<usize>> = HashMap::new();
        for text in by_text.keys() {
            lengths.entry(text[0]).or_default().push(text.len());
        }
        for of_byte in lengths.values_mut() {
            of_byte.sort_unstable_by(|a, b| b.cmp(a));
            of_byte.dedup();
        }
        Self { by_text, lengths }
    }

    /// The first marker in a text, the longest where several begin there: where it begins and ends.
    pub fn first(&self, text: &str) -> Option<(usize, usize, Marker)> {
        let bytes = text.as_bytes();
        bytes.iter().enumerate().find_map(|(at, first)| {
            let lengths = self.lengths.get(first)?;
            lengths.iter().find_map(|length| {
                let marker = self.by_text.get(bytes.get(at..at + length)?)?;
                Some((at, at + length, *marker))
            })
        })
    }

    /// A text in parts that hold no marker, and that make the text when they are put together.
    pub fn cut<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let (mut parts, mut left) = (Vec::new(), vec![text]);
        while let Some(part) = left.pop() {
            match self.first(part) {
                None => parts.push(part),
                Some((begins, ends, _)) => {
                    let is_within = |at: &usize| *at > begins && part.is_char_boundary(*at);
                    let middle = (begins + (ends - begins).div_ceil(2)..ends).find(is_within);
                    let middle = middle.or_else(|| (begins..ends).rev().find(is_within)).unwrap_or(ends);
                    left.push(&part[middle..]);
                    left.push(&part[..middle]);
                }
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn markers(texts: &[&str]) -> Markers {
        let marker = |(id, text): (u32, &&str)| {
            (text.as_bytes().to_vec(), Marker { id, strips_before: false, strips_after: false })
        };
        Markers::from_list((0..).zip(texts).map(marker))
    }

    #[test]
    fn the_longest_of_the_first_markers_is_found() {
        let markers = markers(&["<|", "<|end|>", "end"]);
        let found = |text| markers.first(text).map(|(begins, ends, marker)| (begins, ends, marker.id));
        assert_eq!(found("the <|end|> of it"), Some((4, 11, 1)));
        assert_eq!(found("the end <|end|>"), Some((4, 7, 2)));
        assert_eq!(found("nothing < | e"), None);
        assert_eq!(markers.cut("a<|end|>"), ["a<", "|en", "d|>"]);
    }

    proptest! {
        #[test]
        fn any_text_is_cut_into_parts_without_markers(
            texts in proptest::collection::vec("[ab<é]{2,5}", 1..6),
            text in "[ab<é ]{0,40}",
        ) {
            let markers = markers(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            let parts = markers.cut(&text);
            prop_assert_eq!(&parts.concat(), &text);
            for part in parts {
                prop_assert!(markers.first(part).is_none(), "{}", part);
                prop_assert!(texts.iter().all(|marker| !part.contains(marker.as_str())));
            }
        }
    }
}
