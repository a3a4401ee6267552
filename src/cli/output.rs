//! Standard output and standard error. A closed pipe ends the output, not the work.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use crate::domain::fault::{Fault, Result, io_reason};
pub(super) use crate::domain::harmless::harmless;

/// Prints a line.
pub(super) fn print(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Fault::new("print the result", io_reason(&e))),
        _ => Ok(()),
    }
}

/// Prints the beginning of a line that a person ends.
pub(super) fn prompt(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush()).map_err(|e| Fault::new("ask a question", io_reason(&e)))
}

/// Prints one JSON document.
pub(super) fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|e| Fault::new("print the result", e.to_string()))?;
    print(&text)
}

/// Says on standard error what went wrong. There is nowhere else to go, so a failure to print is not looked at.
pub(super) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "hardcase: {}", harmless(line));
}
