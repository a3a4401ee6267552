//! Standard output and standard error. A closed pipe ends the output, not the work.
//!
//! Everything printed is safe for a terminal: control characters become visible marks in text and escapes in JSON, which keep its value.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;

use crate::domain::fault::{Fault, Result, io_reason};
pub(super) use crate::domain::sanitize::sanitize;
use crate::domain::sanitize::{sanitize_json, sanitize_line};

/// Longest message, in bytes, whatever it quotes.
const LONGEST: usize = 4_000;

pub(super) fn print(line: &str) -> Result<()> {
    write(&sanitize(line))
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
    let _ = writeln!(io::stderr().lock(), "hardcase: {}", sanitize_line(line, LONGEST));
}

/// The same as one JSON object, for programs.
pub(super) fn complain_json(error: &str, why: &str, code: u8) {
    let document = serde_json::json!({ "error": error, "why": why, "code": code });
    let _ = writeln!(io::stderr().lock(), "{}", json(&document.to_string()));
}
