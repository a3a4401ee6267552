//! What a model's vocabulary can write. llama.cpp ends the process on a character for which a vocabulary of the SentencePiece kind has neither
//! a token nor tokens of its bytes, as in very small models, and a pool of texts holds any character.

use std::borrow::Cow;
use std::collections::HashSet;

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::vocab::VocabType;

/// What may be given to the tokeniser, and what it does to it.
pub(super) struct Vocabulary {
    /// Puts a space before a text by itself.
    spaced: bool,
    /// Of the SentencePiece kind, and only these characters.
    known: Option<HashSet<char>>,
}

impl Vocabulary {
    /// That of a model.
    pub fn of(model: &LlamaModel) -> Self {
        let vocab = model.vocab();
        if vocab.vocab_type() != VocabType::SPM {
            return Self { spaced: false, known: None };
        }
        // Llama's kind does unless its file says otherwise, as Gemma's do.
        let spaced =
            model.meta_val_str("tokenizer.ggml.add_space_prefix").map_or(true, |said| said != "false");
        let texts: HashSet<&[u8]> =
            vocab.tokens().filter_map(|token| vocab.text(token)).map(|text| text.to_bytes()).collect();
        let byte =
            |byte: u8| texts.contains(format!("<0x{byte:02X}>").as_bytes()) || texts.contains(&[byte][..]);
        if (0..=u8::MAX).all(byte) {
            return Self { spaced, known: None };
        }
        let characters = texts.iter().filter_map(|text| {
            let mut characters = std::str::from_utf8(text).ok()?.chars();
            characters.next().filter(|_| characters.next().is_none())
        });
        let ascii = (0..128u8).filter(|b| byte(*b)).map(char::from);
        Self { spaced, known: Some(characters.chain(ascii).collect()) }
    }

    /// What is to be tokenised so that words follow others after a space.
    pub fn continued<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.spaced { text.into() } else { format!(" {text}").into() }
    }

    /// The text with a space for each character that cannot be written.
    pub fn writable<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.known {
            None => text.into(),
            Some(known) => {
                text.chars().map(|c| if known.contains(&c) { c } else { ' ' }).collect::<String>().into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::engine::gguf::{TensorType, Value, rewrite, whole_header};
    use crate::engine::llama::Served;
    use crate::engine::random_model::RandomModel;
    use crate::engine::transformer::Family;

    #[test]
    fn words_after_others_begin_with_one_space_whether_or_not_the_tokeniser_puts_it_there() {
        let dir = tempfile::tempdir().unwrap();
        let (usual, without) = (dir.path().join("usual.gguf"), dir.path().join("without.gguf"));
        RandomModel::small(Family::named("gemma3").unwrap(), TensorType::F32).write(&usual).unwrap();
        let mut source = File::open(&usual).unwrap();
        let mut header = whole_header(&mut source).unwrap();
        header.metadata.push(("tokenizer.ggml.add_space_prefix".into(), Value::Bool(false)));
        rewrite(&header, &mut source, &mut File::create(&without).unwrap(), |_| None, |_, _, _| Ok(()))
            .unwrap();
        let tokens = |path| {
            let served = Served::load(path, None).unwrap();
            let words = Vocabulary::of(&served.model).continued("spam").into_owned();
            served.model.vocab().tokenize(words.as_bytes(), false, false)
        };
        let (usual, without) = (tokens(&usual), tokens(&without));
        assert_eq!(usual, without);
        assert!(!usual.is_empty());
    }
}
