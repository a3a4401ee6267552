//! Standard output and standard error. A closed pipe ends the output, not the work.
//!
//! Everything printed is safe for a terminal: control characters become visible marks in text and escapes in JSON, which keep its value.

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;

use serde::Serialize;
use textwrap::{Options, WordSeparator, WordSplitter, fill};
use unicode_width::UnicodeWidthStr;

use crate::domain::fault::{Fault, Result, io_reason};
pub(super) use crate::domain::sanitize::sanitize;
use crate::domain::sanitize::{sanitize_json, sanitize_line};

/// In a narrower terminal lines are left to it.
const NARROWEST: usize = 20;
/// Longest message, in bytes, whatever it quotes.
const LONGEST: usize = 4_000;

pub(super) fn print(line: &str) -> Result<()> {
    let safe = sanitize(line);
    write(&wrapped(&safe, width_of(io::stdout())))
}

/// The columns of a terminal; none where it is none, or does not say.
fn width_of(out: impl IsTerminal + AsFd) -> Option<usize> {
    if !out.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(out).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns >= NARROWEST)
}

/// Lines no longer than the terminal is wide, broken between words; what follows stands below where its line began. A word that is longer, such as
/// a path, is left whole, so that it can be copied.
fn wrapped(text: &str, width: Option<usize>) -> Cow<'_, str> {
    let Some(width) = width.filter(|width| text.lines().any(|line| line.width() > *width)) else {
        return Cow::Borrowed(text);
    };
    let line = |line: &str| {
        if line.width() <= width {
            return line.to_owned();
        }
        let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
        let options = Options::new(width)
            .subsequent_indent(indent)
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        fill(line, options)
    };
    Cow::Owned(text.split('\n').map(line).collect::<Vec<_>>().join("\n"))
}

/// Prints what a program may read again: sanitized for a terminal, unchanged elsewhere.
pub(super) fn print_exact(text: &str) -> Result<()> {
    if io::stdout().is_terminal() { print(text) } else { write(text) }
}

fn write(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Fault::new("print the result", io_reason(&e))),
        _ => Ok(()),
    }
}

/// Prints a prompt without a line feed.
pub(super) fn prompt(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{}", sanitize(text))
        .and_then(|()| out.flush())
        .map_err(|e| Fault::new("ask a question", io_reason(&e)))
}

pub(super) fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|e| Fault::new("print the result", e.to_string()))?;
    write(&json(&text))
}

/// Escapes what a terminal would act on; the document stays the same.
pub(super) fn json(text: &str) -> String {
    sanitize_json(text)
}

/// Prints an error on standard error. There is no other channel, so a failure to print is ignored.
pub(super) fn complain(line: &str) {
    note(&format!("hardcase: {}", sanitize_line(line, LONGEST)));
}

/// Prints a line on standard error; it is safe for a terminal already.
pub(super) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", wrapped(line, width_of(io::stderr())));
}

/// The same as one JSON object, for programs.
pub(super) fn complain_json(error: &str, why: &str, code: u8) {
    let document = serde_json::json!({ "error": error, "why": why, "code": code });
    let _ = writeln!(io::stderr().lock(), "{}", json(&document.to_string()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_between_words_at_the_terminals_width_and_a_path_stays_whole() {
        let text = "Nothing was made yet. Your answers are kept, and the same command goes on.\n  one: two three four";
        let lines = wrapped(text, Some(30));
        assert!(lines.lines().all(|line| line.width() <= 30), "{lines}");
        assert_eq!(lines.replace('\n', " ").replace("   ", " "), text.replace('\n', " ").replace("   ", " "));
        assert_eq!(wrapped("   aaa bbb ccc", Some(9)), "   aaa\n   bbb\n   ccc");
        let path = "/a/very/long/path/that/somebody/copies.csv";
        assert!(wrapped(&format!("see {path}"), Some(20)).contains(path));
        assert_eq!(wrapped(text, None), text, "in a pipe a line is a line");
    }
}
