//! A person who is asked line by line, at a terminal or through a pipe.

use std::io::{BufRead, IsTerminal, stdin};

use crate::cli::output;
use crate::cli::questions::Person;
use crate::domain::fault::{Fault, Result};

/// The standard input and output.
pub(in crate::cli) struct Lines;

impl Person for Lines {
    /// What was typed at a terminal before the question is dropped: nobody can have read what it would answer.
    fn ask(&mut self, prompt: &str) -> Result<String> {
        let input = stdin();
        #[cfg(unix)]
        if input.is_terminal() {
            // Where that fails, what was typed ahead counts.
            let _ = rustix::termios::tcflush(&input, rustix::termios::QueueSelector::IFlush);
        }
        output::prompt(prompt)?;
        let mut line = Vec::new();
        match input.lock().read_until(b'\n', &mut line) {
            // A last line without a line feed was not finished.
            Ok(_) if line.ends_with(b"\n") => Ok(String::from_utf8_lossy(&line).into_owned()),
            _ => {
                output::print("")?;
                Err(Fault::new("read your answer", "the input has ended"))
            }
        }
    }

    fn say(&mut self, text: &str) -> Result<()> {
        output::print(text)
    }
}
