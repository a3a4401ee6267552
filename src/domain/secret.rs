//! A key that must never be repeated: takes it, its parts and its usual encodings out of words that came from elsewhere.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use unicode_normalization::UnicodeNormalization;

use super::hex::hex;

/// The environment variable with the key of a judge's server.
pub const VARIABLE: &str = "HARDCASE_API_KEY";
/// Stands where the key was.
const REMOVED: &str = "[key]";
/// So many letters and digits in a row that the key has too are taken for a part of it.
const PART: usize = 6;
/// The longest text that is looked through, in characters; what follows is dropped.
const LONGEST: usize = 4_000;
/// How often an encoding may be wrapped in another: `%2573` is `%73` is `s`.
const WRAPPED: usize = 2;

/// A key, and what gives it away. It is not shown by `Debug`.
#[derive(Clone)]
pub struct Secret {
    literal: String,
    /// Runs of letters and digits that occur in the key or an encoding of it, by their length.
    parts: BTreeMap<usize, HashSet<String>>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A character as it was meant, with the bytes of the text that stand for it.
#[derive(Clone, Copy)]
struct Meant {
    c: char,
    from: usize,
    to: usize,
}

impl Secret {
    /// None for white space alone.
    pub fn of(key: &str) -> Option<Self> {
        let literal = key.trim().to_owned();
        if literal.is_empty() {
            return None;
        }
        let mut parts: BTreeMap<usize, HashSet<String>> = BTreeMap::new();
        for form in forms(&literal) {
            let all = letters(&meant(&form));
            let length = all.len().min(PART);
            for run in all.windows(length.max(1)) {
                parts.entry(length).or_default().insert(run.iter().map(|m| m.c).collect());
            }
        }
        Some(Self { literal, parts })
    }

    /// The text without the key: not as it is, in part, spelled with gaps, in other letters, nor escaped or encoded in one of the usual ways.
    pub fn taken_out(&self, text: &str) -> String {
        let text: String = text.replace(&self.literal, REMOVED).chars().take(LONGEST).collect();
        let mut hit = vec![false; text.len()];
        let mut level = meant(&text);
        for _ in 0..=WRAPPED {
            let letters = letters(&level);
            for (length, parts) in &self.parts {
                for run in letters.windows((*length).max(1)) {
                    if parts.contains(&run.iter().map(|m| m.c).collect::<String>())
                        && let (Some(first), Some(last)) = (run.first(), run.last())
                    {
                        hit[first.from..last.to].fill(true);
                    }
                }
            }
            level = unescaped(&level);
        }
        let mut out = String::with_capacity(text.len());
        let mut inside = false;
        for (at, c) in text.char_indices() {
            if !hit[at] {
                out.push(c);
            } else if !inside {
                out.push_str(REMOVED);
            }
            inside = hit[at];
        }
        out
    }

    /// Whether a text has a part of the key. False for a placeholder of a few letters, which any text may have.
    pub fn shows_in(&self, text: &str) -> bool {
        self.literal.len() >= PART && self.taken_out(text) != text
    }

    /// Whether the whole key is in a text, as it is or in one of the usual encodings.
    pub fn is_in(&self, text: &str) -> bool {
        self.needles().iter().any(|needle| text.as_bytes().windows(needle.len()).any(|part| part == needle))
    }

    /// The bytes to look for where the key may lie, in a file. None for a placeholder of a few letters, which is no secret.
    pub fn needles(&self) -> Vec<Vec<u8>> {
        let key = self.literal.as_bytes();
        if key.len() < PART {
            return Vec::new();
        }
        let percent: String = key.iter().map(|b| format!("%{b:02X}")).collect();
        let escaped: String = self.literal.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let mut needles: Vec<Vec<u8>> =
            [self.literal.clone(), percent, escaped].map(String::into_bytes).into();
        needles.extend([hex(key).into_bytes(), hex(key).to_uppercase().into_bytes()]);
        needles.extend(in_base64(key).map(String::into_bytes));
        needles
    }
}

/// A word that looks like a key in what a server said when it wanted another one: long, of letters and digits.
pub fn likely_key(text: &str) -> Option<&str> {
    let (_, said) = ["(status 401)", "(status 403)"].iter().find_map(|status| text.split_once(status))?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.~+/=".contains(c);
    said.split(|c| !is_part(c)).map(|word| word.trim_matches('.')).find(|word| {
        let has = |is: fn(&char) -> bool| word.chars().any(|c| is(&c));
        word.len() >= LIKELY
            && has(char::is_ascii_alphabetic)
            && has(char::is_ascii_digit)
            && !word.contains("//")
    })
}

/// The shortest word that is taken for a key, in bytes.
const LIKELY: usize = 16;

/// The key as it is, and its encodings by letters and digits.
fn forms(key: &str) -> Vec<String> {
    let mut forms = vec![key.to_owned()];
    if key.len() < PART {
        return forms;
    }
    let encoded = |form: &String| {
        let [a, b, c] = in_base64(form.as_bytes());
        [hex(form.as_bytes()), a, b, c]
    };
    forms.push(key.chars().rev().collect());
    let once: Vec<String> = forms.iter().flat_map(encoded).collect();
    forms.extend(once.iter().flat_map(encoded).collect::<Vec<_>>());
    forms.extend(once);
    let numbers = |radix: &dyn Fn(u8) -> String| key.bytes().map(radix).collect::<String>();
    forms.extend([numbers(&|b| b.to_string()), numbers(&|b| format!("{b:08b}"))]);
    forms
}

/// What is the same in base64 whatever stands before and behind, for the three places at which a group of bytes may begin.
fn in_base64(bytes: &[u8]) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let padded = [&vec![0; before][..], bytes].concat();
        let text = STANDARD_NO_PAD.encode(&padded);
        let begin = (before * 8).div_ceil(6);
        let end = text.len() - usize::from(padded.len() % 3 != 0);
        text.get(begin..end).unwrap_or_default().to_owned()
    })
}

fn meant(text: &str) -> Vec<Meant> {
    text.char_indices().map(|(from, c)| Meant { c, from, to: from + c.len_utf8() }).collect()
}

/// Letters and digits alone, in one case and one width.
fn letters(all: &[Meant]) -> Vec<Meant> {
    let plain = |m: &Meant| {
        let (from, to) = (m.from, m.to);
        std::iter::once(m.c)
            .nfkc()
            .flat_map(char::to_lowercase)
            .filter(|c| c.is_alphanumeric())
            .map(move |c| Meant { c, from, to })
            .collect::<Vec<_>>()
    };
    all.iter().flat_map(plain).collect()
}

/// With the escapes of URLs, JSON, programs and HTML read.
fn unescaped(all: &[Meant]) -> Vec<Meant> {
    let mut out = Vec::with_capacity(all.len());
    let mut rest = all;
    while let Some((first, after)) = rest.split_first() {
        let escape = ESCAPES.iter().find_map(|(opening, digits, radix)| {
            let behind = opens(rest, opening)?;
            let taken = behind.iter().take(*digits).take_while(|m| m.c.is_digit(*radix)).count();
            let code: String = behind[..taken].iter().map(|m| m.c).collect();
            let c = char::from_u32(u32::from_str_radix(&code, *radix).ok()?)?;
            let whole = opening.len() + taken;
            Some((Meant { c, from: first.from, to: rest[whole - 1].to }, whole))
        });
        match escape {
            Some((meant, whole)) => {
                out.push(meant);
                rest = &rest[whole..];
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

/// How escapes begin, how many digits they have at most, and in which base.
const ESCAPES: &[(&[char], usize, u32)] = &[
    (&['%', 'u'], 4, 16),
    (&['%'], 2, 16),
    (&['\\', 'u', '{'], 6, 16),
    (&['\\', 'u'], 4, 16),
    (&['\\', 'x'], 2, 16),
    (&['&', '#', 'x'], 6, 16),
    (&['&', '#', 'X'], 6, 16),
    (&['&', '#'], 7, 10),
    (&['='], 2, 16),
    (&['\\'], 3, 8),
];

/// What follows where a text begins so.
fn opens<'m>(text: &'m [Meant], opening: &[char]) -> Option<&'m [Meant]> {
    let begins = text.len() > opening.len() && text.iter().zip(opening).all(|(m, c)| m.c == *c);
    begins.then(|| &text[opening.len()..])
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "sk-Vq7/mW2x+Zt0~Jr9=Ld4Hn";

    /// Each way in which servers, proxies and programs have been seen to repeat a key, and some more.
    fn echoes(key: &str) -> Vec<String> {
        let bytes = key.as_bytes();
        let each = |f: &dyn Fn(u8) -> String| bytes.iter().map(|b| f(*b)).collect::<String>();
        let list = |separator: &str| bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(separator);
        let percent =
            each(&|b| if b.is_ascii_alphanumeric() { char::from(b).into() } else { format!("%{b:02x}") });
        vec![
            key.to_owned(),
            format!("Bearer {key}"),
            key.to_uppercase(),
            key.to_lowercase(),
            key[..key.len() / 2].to_owned(),
            key[key.len() / 2..].to_owned(),
            key.chars().rev().collect(),
            each(&|b| format!("{} ", char::from(b))),
            each(&|b| format!("{}\u{200b}", char::from(b))),
            each(&|b| format!("{}\n", char::from(b))),
            each(&|b| format!("\u{1b}[1m{}", char::from(b))).replace("\u{1b}[1m", "\u{ad}"),
            each(&|b| char::from_u32(0xfee0 + u32::from(b)).unwrap().into()),
            percent.clone(),
            percent.replace('%', "%25"),
            each(&|b| format!("%{b:02X}")),
            each(&|b| format!("%25{b:02X}")),
            each(&|b| format!("\\u{b:04x}")),
            each(&|b| format!("\\u{{{b:x}}}")),
            each(&|b| format!("\\x{b:02x}")),
            each(&|b| format!("\\{b:03o}")),
            each(&|b| format!("&#{b};")),
            each(&|b| format!("&#x{b:x};")),
            each(&|b| format!("={b:02X}")),
            serde_json::to_string(key).unwrap(),
            serde_json::to_string(&serde_json::to_string(key).unwrap()).unwrap(),
            hex(bytes),
            hex(bytes).to_uppercase(),
            each(&|b| format!("{b:02x}:")),
            list(", "),
            each(&|b| format!("{b:08b} ")),
            STANDARD.encode(key),
            URL_SAFE.encode(key),
            STANDARD.encode(format!(":{key}")),
            STANDARD.encode(STANDARD.encode(key)),
            STANDARD.encode(hex(bytes)),
            hex(STANDARD.encode(key).as_bytes()),
        ]
    }

    #[test]
    fn no_echo_of_a_key_leaves_more_of_it_than_a_few_letters() {
        let secret = Secret::of(KEY).unwrap();
        for echo in echoes(KEY) {
            for words in [format!("invalid key {echo} given"), echo.clone(), format!("x{echo}x")] {
                let said = secret.taken_out(&words);
                assert!(said.contains(REMOVED), "{words:?} became {said:?}");
                let kept = said.replace("invalid key", "").replace("given", "").replace(REMOVED, "");
                let kept = kept.chars().filter(|c| c.is_alphanumeric()).count();
                assert!(kept <= 8, "{words:?} became {said:?}");
            }
        }
        for before in ["me:", "user:", "Authorization: Bearer ", "Bearer "] {
            let [whole, key] =
                [format!("{before}{KEY}\r\n"), KEY.to_owned()].map(|text| STANDARD.encode(text));
            let said = secret.taken_out(&whole);
            assert!(said.contains(REMOVED) && said.len() < whole.len() - key.len() + 12, "{said}");
        }
    }

    #[test]
    fn what_is_no_key_stays() {
        let secret = Secret::of(KEY).unwrap();
        for words in [
            "",
            "model 'tiny' not found (100% sure)",
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
            "Incorrect API key provided. You can find yours at https://platform.example.com/account/api-keys.",
            "größer als \u{1f600} &amp; \\u &#; %zz",
        ] {
            assert_eq!(secret.taken_out(words), words);
        }
        assert!(Secret::of(" \n").is_none());
        // One that people set where a server wants none.
        assert_eq!(Secret::of("x").unwrap().taken_out("no such box"), "no such bo[key]");
        assert_eq!(Secret::of("--").unwrap().taken_out("a -- b - c"), "a [key] b - c");
        assert_eq!(format!("{secret:?}"), "Secret");
    }

    #[test]
    fn a_whole_key_is_found_in_a_text_and_its_parts_are_not_taken_for_it() {
        let secret = Secret::of(KEY).unwrap();
        assert!(secret.is_in(&format!("(status 401): {KEY}")));
        assert!(secret.is_in(&STANDARD.encode(format!("me:{KEY}"))));
        assert!(!secret.is_in(&KEY[1..]) && !secret.is_in(""));
        let refusal = "cannot ask the server http://127.0.0.1:8000/v1/models: it wants another key (status 401): no such key: 'Abcdefgh-12345678'";
        assert_eq!(likely_key(refusal), Some("Abcdefgh-12345678"));
        assert_eq!(likely_key(&refusal.replace("401", "404")), None);
        assert_eq!(
            likely_key("(status 401): [key]. Put its key into the environment variable HARDCASE_API_KEY"),
            None
        );
        assert!(secret.shows_in(&KEY[..9]) && !secret.shows_in("tiny-llama"));
        let none = Secret::of("x").unwrap();
        assert!(!none.is_in("x") && !none.shows_in("mixtral"));
    }

    proptest! {
        #[test]
        fn any_words_around_any_key_lose_it(key in "[!-~]{6,60}", before in "\\PC{0,40}", after in "\\PC{0,40}") {
            let secret = Secret::of(&key).unwrap();
            let said = secret.taken_out(&format!("{before}{key}{after}"));
            prop_assert!(said.contains(REMOVED), "{}", said);
            prop_assert!(key == REMOVED || REMOVED.contains(&key) || !said.contains(&key), "{}", said);
        }
    }
}
