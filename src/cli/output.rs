//! Standard output and standard error. A closed pipe ends the output, not the work.
//!
//! Whatever is printed is harmless to a terminal: a line by signs, JSON by escapes, which change nothing of what it says.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;

use crate::domain::fault::{Fault, Result, io_reason};
pub(super) use crate::domain::sanitize::sanitize;
use crate::domain::sanitize::{sanitize_json, sanitize_line};

/// No message is longer, whatever it quotes.
const LONGEST: usize = 4_000;

/// Prints a line.
pub(super) fn print(line: &str) -> Result<()> {
    write(&sanitize(line))
}

/// Prints what may be read again by a program: to a terminal harmless, elsewhere as it is.
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

/// Prints the beginning of a line that a person ends.
pub(super) fn prompt(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{}", sanitize(text))
        .and_then(|()| out.flush())
        .map_err(|e| Fault::new("ask a question", io_reason(&e)))
}

/// Prints one JSON document.
pub(super) fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|e| Fault::new("print the result", e.to_string()))?;
    write(&json(&text))
}

/// A JSON document as it may be printed: the same document.
pub(super) fn json(text: &str) -> String {
    sanitize_json(text)
}

/// Says on standard error what went wrong. There is nowhere else to go, so a failure to print is not looked at.
pub(super) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "hardcase: {}", sanitize_line(line, LONGEST));
}
