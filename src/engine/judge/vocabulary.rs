//! From words to tokens: what a model's vocabulary can write, and what its tokeniser makes of words that stand between others.
//!
//! llama.cpp ends the process on a character for which a vocabulary of the SentencePiece kind has neither a token nor tokens of its bytes, as in very
//! small models, and a pool of texts holds any character.

use std::borrow::Cow;
use std::collections::HashSet;

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::vocab::{LlamaVocab, VocabType};

use super::frame::Span;
use super::markers::Markers;

/// What may be given to the tokeniser, and what it does to it.
pub(super) struct Vocabulary {
    /// Puts a space before each text by itself.
    spaced: bool,
    /// Of the SentencePiece kind, and only these characters.
    known: Option<HashSet<char>>,
    /// What it makes of a line break alone; none where it cannot write one.
    line_break: Vec<u32>,
    pub markers: Markers,
}

/// What stands before words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// Nothing, or a marker.
    Nothing,
    /// Other words.
    Words,
}

impl Vocabulary {
    /// That of a model.
    pub fn of(model: &LlamaModel) -> Self {
        let vocab = model.vocab();
        let markers = Markers::of(&vocab);
        if vocab.vocab_type() != VocabType::SPM {
            return Self { spaced: false, known: None, line_break: Vec::new(), markers };
        }
        // Llama's kind does unless its file says otherwise, as Gemma's do.
        let spaced =
            model.meta_val_str("tokenizer.ggml.add_space_prefix").map_or(true, |said| said != "false");
        let texts: HashSet<&[u8]> =
            vocab.tokens().filter_map(|token| vocab.text(token)).map(|text| text.to_bytes()).collect();
        let byte =
            |byte: u8| texts.contains(format!("<0x{byte:02X}>").as_bytes()) || texts.contains(&[byte][..]);
        let is_whole = (0..=u8::MAX).all(byte);
        let characters = texts.iter().filter_map(|text| {
            let mut characters = std::str::from_utf8(text).ok()?.chars();
            characters.next().filter(|_| characters.next().is_none())
        });
        let ascii = (0..128u8).filter(|b| byte(*b)).map(char::from);
        let known: Option<HashSet<char>> = (!is_whole).then(|| characters.chain(ascii).collect());
        let writes_lines = known.as_ref().is_none_or(|known| known.contains(&'\n'));
        let line_break = if writes_lines { ids(&vocab, "\n") } else { Vec::new() };
        Self { spaced, known, line_break, markers }
    }

    /// The tokens of some of a prompt, as of one text.
    pub fn tokens(&self, vocab: &LlamaVocab<'_>, spans: &[Span<'_>], mut behind: Behind) -> Vec<u32> {
        let (mut tokens, mut words) = (Vec::new(), String::new());
        for span in spans {
            let mut rest = match span {
                Span::Template(template) => *template,
                Span::Said(said) => {
                    words += said;
                    continue;
                }
            };
            while let Some((begins, ends, marker)) = self.markers.first(rest) {
                words += &rest[..begins];
                if marker.strips_before {
                    words.truncate(words.trim_end().len());
                }
                self.add_words(vocab, &std::mem::take(&mut words), behind, &mut tokens);
                tokens.push(marker.id);
                behind = Behind::Nothing;
                rest = &rest[ends..];
                if marker.strips_after {
                    rest = rest.trim_start();
                }
            }
            words += rest;
        }
        self.add_words(vocab, &words, behind, &mut tokens);
        tokens
    }

    /// The tokens of words that follow others after a space.
    pub fn continued(&self, vocab: &LlamaVocab<'_>, words: &str) -> Vec<u32> {
        self.tokens(vocab, &[Span::Said(format!(" {words}"))], Behind::Words)
    }

    fn add_words(&self, vocab: &LlamaVocab<'_>, words: &str, mut behind: Behind, tokens: &mut Vec<u32>) {
        let words = self.writable(words);
        for part in self.markers.cut(&words).into_iter().filter(|part| !part.is_empty()) {
            tokens.extend(self.part(vocab, part, behind));
            behind = Behind::Words;
        }
    }

    /// The tokens of words without a marker. Behind others they get no space that is not theirs.
    fn part(&self, vocab: &LlamaVocab<'_>, part: &str, behind: Behind) -> Vec<u32> {
        if !self.spaced || behind == Behind::Nothing {
            return ids(vocab, part);
        }
        if let Some(rest) = part.strip_prefix(' ').filter(|rest| !rest.is_empty()) {
            return ids(vocab, rest);
        }
        if !self.line_break.is_empty() {
            // Behind a line break they are as behind any words, and it is a token of its own.
            let with_line_break = ids(vocab, &format!("\n{part}"));
            if let Some(tokens) = with_line_break.strip_prefix(&self.line_break[..]) {
                return tokens.to_vec();
            }
        }
        ids(vocab, part)
    }

    /// The text with a space for each character that cannot be written.
    fn writable<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.known {
            None => text.into(),
            Some(known) => {
                text.chars().map(|c| if known.contains(&c) { c } else { ' ' }).collect::<String>().into()
            }
        }
    }
}

fn ids(vocab: &LlamaVocab<'_>, text: &str) -> Vec<u32> {
    let tokens = vocab.tokenize(text.as_bytes(), false, false);
    tokens.iter().map(|LlamaToken(id)| id.unsigned_abs()).collect()
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
            Vocabulary::of(&served.model).continued(&served.model.vocab(), "spam")
        };
        let (usual, without) = (tokens(&usual), tokens(&without));
        assert_eq!(usual, without);
        assert!(!usual.is_empty());
    }
}
