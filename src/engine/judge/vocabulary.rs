//! What a model's vocabulary can write. llama.cpp ends the process on a character for which a vocabulary of the SentencePiece kind has neither
//! a token nor tokens of its bytes, as in very small models, and a pool of texts holds any character.

use std::borrow::Cow;
use std::collections::HashSet;

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::vocab::VocabType;

/// What may be given to the tokeniser.
pub(super) enum Vocabulary {
    /// Everything.
    Complete {
        /// It puts a space before a text by itself.
        spaced: bool,
    },
    /// Of the SentencePiece kind, and only these characters.
    Partial(HashSet<char>),
}

impl Vocabulary {
    /// That of a model.
    pub fn of(model: &LlamaModel) -> Self {
        let vocab = model.vocab();
        if vocab.vocab_type() != VocabType::SPM {
            return Self::Complete { spaced: false };
        }
        let texts: HashSet<&[u8]> =
            vocab.tokens().filter_map(|token| vocab.text(token)).map(|text| text.to_bytes()).collect();
        let byte =
            |byte: u8| texts.contains(format!("<0x{byte:02X}>").as_bytes()) || texts.contains(&[byte][..]);
        if (0..=u8::MAX).all(byte) {
            return Self::Complete { spaced: true };
        }
        let characters = texts.iter().filter_map(|text| {
            let mut characters = std::str::from_utf8(text).ok()?.chars();
            characters.next().filter(|_| characters.next().is_none())
        });
        let ascii = (0..128u8).filter(|b| byte(*b)).map(char::from);
        Self::Partial(characters.chain(ascii).collect())
    }

    /// The text with a space for each character that cannot be written.
    pub fn writable<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self {
            Self::Complete { .. } => text.into(),
            Self::Partial(known) => {
                text.chars().map(|c| if known.contains(&c) { c } else { ' ' }).collect::<String>().into()
            }
        }
    }
}
