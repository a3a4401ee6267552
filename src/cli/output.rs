//! Standard output and standard error. A closed pipe ends the output, not the work.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use crate::domain::fault::{Fault, Result, io_reason};

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

/// Text from files and models on its way to a terminal: control characters and bidirectional overrides become visible signs.
pub(super) fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() => '\u{fffd}',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}' => {
                '\u{fffd}'
            }
            '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_overrides_do_not_reach_the_terminal() {
        let hostile = "a\u{1b}]52;c;x\u{7}b\u{202e}c\u{9b}31m\r\n";
        let shown = harmless(hostile);
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        assert!(!shown.contains('\u{202e}'));
    }
}
