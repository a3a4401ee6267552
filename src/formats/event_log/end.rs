//! The line that ends a log: how many lines came before it, and their hash, so that a log that was cut short is not taken for a whole one.

use serde::{Deserialize, Serialize};

use crate::domain::hex::Hex;

/// What the last line says of those before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndLine {
    /// How many there are, the head among them.
    lines: u64,
    /// Their hash, each with a line feed.
    blake3: Hex,
}

/// The lines so far.
#[derive(Default)]
pub(super) struct Sum {
    lines: u64,
    hash: blake3::Hasher,
}

impl Sum {
    /// Counts a line, given without what ends it.
    pub fn add(&mut self, line: &str) {
        self.lines += 1;
        self.hash.update(line.as_bytes()).update(b"\n");
    }

    /// What the last line says of them.
    pub fn end(&self) -> EndLine {
        EndLine { lines: self.lines, blake3: Hex(self.hash.finalize().as_bytes().to_vec()) }
    }

    /// Whether they are the lines that `end` was written after.
    pub fn check(&self, end: &EndLine) -> Result<(), String> {
        if end.lines != self.lines {
            let (said, there) = (end.lines, self.lines);
            return Err(format!(
                "{there} lines come before it where {said} were written: the log was cut short or changed after it was written"
            ));
        }
        if end.blake3 != self.end().blake3 {
            return Err(
                "the lines before it do not have the hash that it gives: the log was changed after it was written".into()
            );
        }
        Ok(())
    }
}
