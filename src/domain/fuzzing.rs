//! A small fuzzer for tests: inputs grow from a corpus by seeded mutation, an oracle checks each, and a failing input is minimized.
//!
//! `HARDCASE_PROOF_INPUTS` sets the number of inputs of all fuzzers together; each has a share in hundredths. A failure names the seed and the
//! number of its input; `HARDCASE_PROOF_SEED` sets another seed.

#![expect(
    clippy::panic,
    clippy::print_stderr,
    reason = "only tests have it: they fail by a panic, and print their figures"
)]

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Inputs of all fuzzers together in the ordinary suite.
const INPUTS: usize = 20_000;
/// The seed of the ordinary suite.
const SEED: u64 = 7;
/// One input in this many is large: a line of a megabyte, or ten thousand combining marks.
const LARGE: u32 = 2_000;
/// Longest input.
const LONGEST: usize = 2_200_000;
/// Attempts to minimize a failing input.
const TRIES: usize = 3_000;

/// Pieces that have broken programs: escape sequences, bidirectional and invisible characters, invalid UTF-8, and the syntax of formats.
const TOKENS: &[&[u8]] = &[
    b"\x1b]52;c;aGVsbG8=\x07",
    b"\x1b]0;title\x1b\\",
    b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
    b"\x1b[2J\x1b[H",
    b"\x1b[31;1m",
    b"\x1b[?1049l",
    b"\x1b[6n",
    b"\x1bP+q544e\x1b\\",
    b"\x1bc",
    "\u{9b}31m".as_bytes(),
    "\u{9d}52;c;x\u{9c}".as_bytes(),
    "\u{90}q\u{9c}".as_bytes(),
    b"\x07\x08\x0b\x0c\x0e\x0f\x7f",
    "\u{85}".as_bytes(),
    "\u{202e}gnirts\u{202c}".as_bytes(),
    "\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{200f}\u{61c}".as_bytes(),
    "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}\u{34f}".as_bytes(),
    "\u{2028}\u{2029}".as_bytes(),
    "\u{e0001}\u{e0041}\u{e007f}".as_bytes(),
    "\u{fe0f}\u{fe00}\u{e0100}\u{e01ef}".as_bytes(),
    "a\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}".as_bytes(),
    "\u{301}".as_bytes(),
    "👩\u{200d}👩\u{200d}👧 🇩🇪🇫 ❤\u{fe0f} 👍🏿 1\u{fe0f}\u{20e3}".as_bytes(),
    "ﷺ لا العربية עברית".as_bytes(),
    "क्षत्रिय ਸ੍ਰੀ ཀྵ ภาษา".as_bytes(),
    "漢字かな한글 ｶﾞ \u{1112}\u{1161}\u{11ab}".as_bytes(),
    "\u{1f1e6}\u{1f1e6}\u{1f1e6}".as_bytes(),
    "\u{600}\u{6dd}\u{110bd}".as_bytes(),
    b"\xff",
    b"\xfe\xff",
    b"\xc3",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xe2\x80",
    b"\xe9t\xe9",
    b"\xef\xbb\xbf",
    b"\0",
    b"\r",
    b"\r\n",
    b"\n",
    b"\n\n",
    b"\t",
    b",",
    b";",
    b"|",
    b"\"",
    b"\"\"",
    b"\"\n\"",
    b"'''",
    b"\"\"\"",
    b"\\",
    b"\\u0000",
    b"\\u001b[2J",
    b"\\ud800",
    b"\\u202e",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"=",
    b"=1+1",
    b"null",
    b"true",
    b"-1",
    b"0",
    b"9223372036854775807",
    b"9223372036854775808",
    b"18446744073709551615",
    b"-9223372036854775808",
    b"1e999",
    b"NaN",
    b"text",
    b"id",
    b"a word or two",
];

/// The pieces that inputs are made of.
pub fn tokens() -> &'static [&'static [u8]] {
    TOKENS
}

/// Bytes as text that a project can hold: invalid UTF-8 is replaced, and null characters are left out.
pub fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(bytes);
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { text }
}

/// The beginning of a text, of at most this many bytes.
pub fn beginning(text: &str, most: usize) -> &str {
    &text[..(0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)]
}

/// The oracle for text sent to a terminal.
///
/// # Errors
/// A forbidden character, and where.
pub fn is_harmless(shown: &str) -> Result<(), String> {
    let mut pile = 0;
    for (at, c) in shown.char_indices() {
        let forbidden = c.is_control() && c != '\n' && c != '\t'
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(c, '\u{feff}' | '\u{ad}' | '\u{e0000}'..='\u{e00ff}');
        if forbidden {
            return Err(format!("U+{:04X} at byte {at}", c as u32));
        }
        pile = if unicode_width::UnicodeWidthChar::width(c) == Some(0) { pile + 1 } else { 0 };
        if pile > 8 {
            return Err(format!("a pile of marks at byte {at}"));
        }
    }
    Ok(())
}

/// The oracle for error messages: one sentence of bounded length.
///
/// # Errors
/// The message, if it is not one.
pub fn is_one_sentence(said: &str) -> Result<(), String> {
    let ok = said.starts_with("cannot ") && said.contains(": ") && said.len() < 20_000;
    if ok && !said.contains(['\n', '\u{1b}']) { Ok(()) } else { Err(format!("not one sentence: {said:?}")) }
}

/// Searches for an input that breaks something.
pub struct Fuzzer {
    what: &'static str,
    inputs: usize,
    seed: u64,
    verbose: bool,
}

impl Fuzzer {
    /// A fuzzer named for what it tests, with this many hundredths of all inputs.
    pub fn new(what: &'static str, hundredths: usize) -> Self {
        Self::with(what, |all| all * hundredths / 100)
    }

    /// A fuzzer for slow inputs, in addition to those: it gets one input for every `one_in` of all.
    pub fn sample(what: &'static str, one_in: usize) -> Self {
        Self::with(what, |all| all / one_in)
    }

    fn with(what: &'static str, share: impl FnOnce(usize) -> usize) -> Self {
        let number = |name| std::env::var(name).ok().and_then(|n: String| n.parse::<u64>().ok());
        let asked = number("HARDCASE_PROOF_INPUTS");
        let all = asked.map_or(INPUTS, |n| n as usize);
        Self {
            what,
            inputs: share(all),
            seed: number("HARDCASE_PROOF_SEED").unwrap_or(SEED),
            verbose: asked.is_some(),
        }
    }

    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Runs the oracle `judge` on the `seeds` and then on mutations of them; panics with the smallest failing input found.
    pub fn over(&self, seeds: &[Vec<u8>], mut judge: impl FnMut(&[u8]) -> Result<(), String>) {
        let mut judge = |input: &[u8]| match catch_unwind(AssertUnwindSafe(|| judge(input))) {
            Ok(verdict) => verdict,
            Err(panic) => {
                let said = panic.downcast_ref::<String>().map(String::as_str);
                Err(format!("a panic: {}", said.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?")))
            }
        };
        let begun = Instant::now();
        let (mut bytes, mut slowest) = (0u64, (Duration::ZERO, 0, 0));
        for number in 0..self.inputs.max(seeds.len()) {
            let input = match seeds.get(number) {
                Some(seed) => seed.clone(),
                None => self.input(seeds, number),
            };
            bytes += input.len() as u64;
            let began = Instant::now();
            if let Err(why) = judge(&input) {
                let small = shrunk(input, &mut judge);
                let now = judge(&small).err().unwrap_or_default();
                panic!(
                    "{}: input {number} of seed {} fails: {why}\nminimized ({} bytes, {now}): {:?}",
                    self.what,
                    self.seed,
                    small.len(),
                    String::from_utf8_lossy(&small[..small.len().min(2_000)])
                );
            }
            slowest = slowest.max((began.elapsed(), input.len(), number));
        }
        if self.verbose {
            let (took, long, number) = slowest;
            eprintln!(
                "{}: {} inputs, {} MB, {:.0} s; the slowest is number {number} of {long} bytes with {:.0} ms",
                self.what,
                self.inputs,
                bytes / 1_000_000,
                begun.elapsed().as_secs_f64(),
                took.as_secs_f64() * 1e3
            );
        }
    }

    /// The input with this number, the same on every machine.
    fn input(&self, seeds: &[Vec<u8>], number: usize) -> Vec<u8> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(number as u64);
        let mut input = seeds.choose(&mut rng).cloned().unwrap_or_default();
        for _ in 0..rng.gen_range(1..=6) {
            mutate(&mut input, seeds, &mut rng);
        }
        if rng.gen_ratio(1, LARGE) {
            enlarge(&mut input, &mut rng);
        }
        input.truncate(LONGEST);
        input
    }
}

fn token(rng: &mut ChaCha8Rng) -> &'static [u8] {
    tokens().choose(rng).copied().unwrap_or_default()
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    input.splice(at..at, piece.iter().copied());
}

fn stretch(input: &[u8], rng: &mut ChaCha8Rng) -> std::ops::Range<usize> {
    let from = rng.gen_range(0..=input.len());
    let most = (input.len() - from).min(64);
    from..from + rng.gen_range(0..=most)
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut ChaCha8Rng) {
    let at = rng.gen_range(0..=input.len());
    match rng.gen_range(0..12) {
        0..=3 => insert(input, at, token(rng)),
        4 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << rng.gen_range(0..8);
            }
        }
        5 => {
            let range = stretch(input, rng);
            input.drain(range);
        }
        6 => {
            let piece = input[stretch(input, rng)].repeat(rng.gen_range(1..4));
            insert(input, at, &piece);
        }
        7 => {
            let piece = token(rng).repeat(rng.gen_range(2..40));
            insert(input, at, &piece);
        }
        8 => {
            let other = seeds.choose(rng).map_or(&[][..], Vec::as_slice);
            let from = rng.gen_range(0..=other.len());
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        9 => {
            let range = stretch(input, rng);
            let put = token(rng);
            input.splice(range, put.iter().copied());
        }
        10 => line_elsewhere(input, rng),
        _ => value_put_in(input, rng),
    }
}

/// Repeats a line somewhere else.
fn line_elsewhere(input: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    let lines: Vec<&[u8]> = input.split_inclusive(|b| *b == b'\n').collect();
    let (Some(line), to) = (lines.choose(rng).map(|l| l.to_vec()), rng.gen_range(0..=lines.len())) else {
        return;
    };
    let at = lines[..to].iter().map(|l| l.len()).sum();
    insert(input, at, &line);
}

/// Replaces a value of JSON or TOML.
fn value_put_in(input: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    let begins: Vec<usize> =
        input.iter().enumerate().filter(|(_, b)| matches!(b, b':' | b'=')).map(|(at, _)| at + 1).collect();
    let Some(from) = begins.choose(rng).copied() else { return };
    let ends = |b: &u8| matches!(b, b',' | b'}' | b'\n');
    let long = input[from..].iter().position(ends).unwrap_or(input.len() - from);
    let (value, quote) = (token(rng), rng.gen_bool(0.5));
    let quotes = if quote { &b"\""[..] } else { b"" };
    input.splice(from..from + long, [quotes, value, quotes].concat());
}

/// Inserts a line of a megabyte, or ten thousand copies of one piece.
fn enlarge(input: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    let at = rng.gen_range(0..=input.len());
    let piece = token(rng);
    let times = if rng.gen_bool(0.5) { 10_000 } else { 1_000_000 / piece.len().max(1) };
    let piece = piece.repeat(times);
    insert(input, at, &piece);
}

/// Minimizes a failing input: leaves out stretches, halves first.
fn shrunk(mut input: Vec<u8>, judge: &mut impl FnMut(&[u8]) -> Result<(), String>) -> Vec<u8> {
    let mut tries = 0;
    let mut size = input.len() / 2;
    while size > 0 && tries < TRIES {
        let mut at = 0;
        while at < input.len() && tries < TRIES {
            tries += 1;
            let mut without = input.clone();
            without.drain(at..(at + size).min(input.len()));
            if judge(&without).is_err() { input = without } else { at += size }
        }
        size = if size == 1 { 0 } else { size / 2 };
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hunt_finds_what_breaks_and_makes_it_small() {
        let seeds = [b"one\ntwo".to_vec()];
        let hunt = Fuzzer { what: "a bell", inputs: 5_000, seed: 3, verbose: false };
        let found = catch_unwind(AssertUnwindSafe(|| {
            hunt.over(&seeds, |bytes| if bytes.contains(&7) { Err("it rings".into()) } else { Ok(()) });
        }));
        let said = found.unwrap_err().downcast_ref::<String>().cloned().unwrap();
        assert!(said.contains("of seed 3 fails: it rings") && said.contains("(1 bytes, it rings)"), "{said}");
        assert_eq!(hunt.input(&seeds, 41), hunt.input(&seeds, 41), "the same for everybody");
    }
}
