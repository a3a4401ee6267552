//! The languages of texts, from a sample: which there are, and what share a model was not made for.
//!
//! Trigrams tell languages apart, and a few words do not have enough of them: only texts whose language is clear count, and how many these are
//! is part of the figure. A script of its own makes the shortest text clear, so such languages weigh a little more than they should.

use serde::Serialize;
use whatlang::{Lang, detect};

/// Texts that are looked at.
pub const SAMPLE: usize = 500;
/// Characters of a text that are looked at.
const LONGEST: usize = 400;
/// Texts with a clear language, below which nothing is said of shares.
const LEAST: usize = 20;
/// Below this share of the clear texts a language may be a mistake: on English tweets and messages that was under 0.5 % in all.
const LEAST_SHARE: f64 = 0.01;
/// What `general.languages` says of a model for many.
const ANY: &str = "multilingual";

/// The languages of a sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Languages {
    /// Texts looked at.
    pub texts: usize,
    /// Of these, texts whose language is clear.
    pub clear: usize,
    /// Of each language its share of the clear texts, the largest first.
    pub shares: Vec<LanguageShare>,
}

/// A language and its share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LanguageShare {
    /// Its code of two letters (ISO 639-1), or of three where it has none.
    pub code: &'static str,
    /// Its English name.
    pub name: &'static str,
    /// From 0 to 1.
    pub share: f64,
}

/// The language of a text by its code, as in [`LanguageShare`]; `None` where it is not clear.
pub fn language_of(text: &str) -> Option<&'static str> {
    clear_language(text).map(code)
}

fn clear_language(text: &str) -> Option<Lang> {
    let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
    detect(&text[..end]).filter(|found| found.is_reliable()).map(|found| found.lang())
}

impl Languages {
    /// Those of some texts.
    pub fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let (mut looked_at, mut clear, mut counts) = (0, 0, Vec::<(Lang, usize)>::new());
        for text in texts {
            looked_at += 1;
            let Some(found) = clear_language(text) else { continue };
            clear += 1;
            match counts.iter_mut().find(|(lang, _)| *lang == found) {
                Some((_, count)) => *count += 1,
                None => counts.push((found, 1)),
            }
        }
        counts.sort_by_key(|(lang, count)| (std::cmp::Reverse(*count), lang.code()));
        let shares = counts.into_iter().map(|(lang, count)| LanguageShare {
            code: code(lang),
            name: lang.eng_name(),
            share: count as f64 / clear as f64,
        });
        Self { texts: looked_at, clear, shares: shares.collect() }
    }

    /// Whether there are so many texts that their languages, or that these are not clear, are worth a sentence.
    pub fn are_worth_telling(&self) -> bool {
        self.texts >= LEAST
    }

    /// The share of the clear texts that are in none of these languages, with the names of the languages that they are in. None where it is
    /// too small to be sure, or nothing is known of either side.
    ///
    /// `known` are codes as `general.languages` of a model file has them: of two or three letters, perhaps with a region.
    pub fn beyond(&self, known: &[String]) -> Option<(f64, Vec<&'static str>)> {
        if known.is_empty() || known.iter().any(|code| code.eq_ignore_ascii_case(ANY)) || self.clear < LEAST {
            return None;
        }
        let is_known = |language: &LanguageShare| {
            known.iter().any(|known| {
                let known = known.split(['-', '_']).next().unwrap_or_default();
                known.eq_ignore_ascii_case(language.code) || code_of(known) == Some(language.code)
            })
        };
        let beyond =
            self.shares.iter().filter(|language| language.share >= LEAST_SHARE && !is_known(language));
        let (shares, names): (Vec<f64>, Vec<&'static str>) = beyond.map(|l| (l.share, l.name)).unzip();
        (!names.is_empty()).then(|| (shares.into_iter().sum(), names))
    }
}

impl std::fmt::Display for Languages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.clear < LEAST {
            return write!(
                f,
                "not known: of {} texts looked at, the language of {} is clear, and {LEAST} are needed",
                self.texts, self.clear
            );
        }
        let mut shown: Vec<String> = Vec::new();
        let mut others = 1.0;
        for language in self.shares.iter().filter(|language| language.share >= LEAST_SHARE) {
            shown.push(format!("{} {:.0} %", language.name, 100.0 * language.share));
            others -= language.share;
        }
        if others >= LEAST_SHARE / 2.0 {
            shown.push(format!("others {:.0} %", 100.0 * others));
        }
        write!(f, "{} (told from {} of {} texts)", shown.join(", "), self.clear, self.texts)
    }
}

/// A language's code of two letters, from one of three letters or of two.
fn code_of(known: &str) -> Option<&'static str> {
    let known = known.to_lowercase();
    // Norwegian is one language to most model files.
    let known = if known == "no" || known == "nor" { "nob" } else { &known };
    Lang::from_code(known).map(code)
}

/// ISO 639-1 of the languages that are told apart.
fn code(lang: Lang) -> &'static str {
    const CODES: [(&str, &str); 69] = [
        ("afr", "af"),
        ("aka", "ak"),
        ("amh", "am"),
        ("ara", "ar"),
        ("aze", "az"),
        ("bel", "be"),
        ("ben", "bn"),
        ("bul", "bg"),
        ("cat", "ca"),
        ("ces", "cs"),
        ("cmn", "zh"),
        ("cym", "cy"),
        ("dan", "da"),
        ("deu", "de"),
        ("ell", "el"),
        ("eng", "en"),
        ("epo", "eo"),
        ("est", "et"),
        ("fin", "fi"),
        ("fra", "fr"),
        ("guj", "gu"),
        ("heb", "he"),
        ("hin", "hi"),
        ("hrv", "hr"),
        ("hun", "hu"),
        ("hye", "hy"),
        ("ind", "id"),
        ("ita", "it"),
        ("jav", "jv"),
        ("jpn", "ja"),
        ("kan", "kn"),
        ("kat", "ka"),
        ("khm", "km"),
        ("kor", "ko"),
        ("lat", "la"),
        ("lav", "lv"),
        ("lit", "lt"),
        ("mal", "ml"),
        ("mar", "mr"),
        ("mkd", "mk"),
        ("mya", "my"),
        ("nep", "ne"),
        ("nld", "nl"),
        ("nob", "nb"),
        ("ori", "or"),
        ("pan", "pa"),
        ("pes", "fa"),
        ("pol", "pl"),
        ("por", "pt"),
        ("ron", "ro"),
        ("rus", "ru"),
        ("sin", "si"),
        ("slk", "sk"),
        ("slv", "sl"),
        ("sna", "sn"),
        ("spa", "es"),
        ("srp", "sr"),
        ("swe", "sv"),
        ("tam", "ta"),
        ("tel", "te"),
        ("tgl", "tl"),
        ("tha", "th"),
        ("tuk", "tk"),
        ("tur", "tr"),
        ("ukr", "uk"),
        ("urd", "ur"),
        ("uzb", "uz"),
        ("vie", "vi"),
        ("yid", "yi"),
    ];
    let three = lang.code();
    CODES.iter().find(|(long, _)| *long == three).map_or(three, |(_, short)| short)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: &str = "The meeting of the committee was moved to next Thursday because the room is being painted this week.";
    const PORTUGUESE: &str =
        "A reunião da comissão foi adiada para a próxima quinta-feira porque a sala está a ser pintada.";

    fn languages(english: usize, portuguese: usize, short: usize) -> Languages {
        let texts = [(ENGLISH, english), (PORTUGUESE, portuguese), ("ok", short)];
        Languages::of(texts.into_iter().flat_map(|(text, times)| std::iter::repeat_n(text, times)))
    }

    #[test]
    fn shares_are_those_of_the_texts_whose_language_is_clear() {
        let found = languages(90, 10, 50);
        assert_eq!((found.texts, found.clear), (150, 100));
        assert_eq!(found.to_string(), "English 90 %, Portuguese 10 % (told from 100 of 150 texts)");
        assert_eq!(found.shares.iter().map(|l| l.code).collect::<Vec<_>>(), ["en", "pt"]);
        assert!(languages(3, 0, 50).to_string().starts_with("not known: of 53 texts looked at"));
        assert_eq!(Languages::of(std::iter::empty()), Languages::default());
    }

    #[test]
    fn a_model_is_told_of_languages_that_it_was_not_made_for_and_of_nothing_that_may_be_a_mistake() {
        let beyond = |known: &[&str], found: &Languages| {
            let known: Vec<String> = known.iter().map(|code| (*code).to_owned()).collect();
            found.beyond(&known)
        };
        let found = languages(90, 10, 0);
        assert_eq!(beyond(&["en"], &found), Some((0.1, vec!["Portuguese"])));
        for known in [&["en", "pt"][..], &["eng", "por"], &["EN-gb", "pt_BR"], &["multilingual"], &[]] {
            assert_eq!(beyond(known, &found), None, "{known:?}");
        }
        assert_eq!(beyond(&["en"], &languages(150, 1, 0)), None, "one of 150 may be a mistake");
        assert_eq!(beyond(&["en"], &languages(0, 10, 500)), None, "too few are clear");
    }
}
