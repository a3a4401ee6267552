//! Errors in the three parts that a person needs: what was attempted, why it failed, what to do.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// The result of everything that can fail because of a file, a machine or a person.
pub type Result<T, E = Fault> = std::result::Result<T, E>;

/// What kind of failure this is, and so the process's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The work could not be done. Exit code 1.
    Failed,
    /// The user gave something that the command cannot accept. Exit code 2.
    Usage,
    /// A check failed: an adapter did not verify, a gate was not passed. Exit code 3.
    Check,
    /// The project is no longer the file that was opened: every session that has it open stops. Exit code 1.
    Displaced,
}

impl FaultKind {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed | Self::Displaced => 1,
            Self::Usage => 2,
            Self::Check => 3,
        }
    }
}

/// One failure as one sentence, and the way out.
///
/// Displayed as `cannot ATTEMPT: WHY. HINT`.
#[derive(Debug)]
pub struct Fault {
    kind: FaultKind,
    attempted: String,
    why: String,
    hint: Option<String>,
    kept_in: Option<PathBuf>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A failure of `attempted` (an infinitive without "to": "open the project x.hardcase") because of `why`.
    pub fn new(attempted: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::Failed,
            attempted: attempted.into(),
            why: why.into(),
            hint: None,
            kept_in: None,
            source: None,
        }
    }

    /// The same, if the user's input is at fault.
    pub fn usage(attempted: impl Into<String>, why: impl Into<String>) -> Self {
        Self { kind: FaultKind::Usage, ..Self::new(attempted, why) }
    }

    /// Adds what to do: a whole sentence without its final full stop.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what to do, unless a more specific hint is there already.
    #[must_use]
    pub fn or_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Changes the kind, and so the exit code.
    #[must_use]
    pub fn kind(mut self, kind: FaultKind) -> Self {
        self.kind = kind;
        self
    }

    /// Keeps the underlying error, which `--verbose` prints.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Replaces what was attempted by what the caller was doing; the reason and the hint stay.
    #[must_use]
    pub fn while_trying(mut self, attempted: impl Into<String>) -> Self {
        self.attempted = attempted.into();
        self
    }

    /// Names the file in which the labels are kept that would be lost otherwise.
    #[must_use]
    pub fn kept_in(mut self, file: PathBuf) -> Self {
        self.kept_in = Some(file);
        self
    }

    /// The file in which the labels are kept that would be lost otherwise.
    pub fn rescue(&self) -> Option<&Path> {
        self.kept_in.as_deref()
    }

    /// Whether the project is no longer the file that was opened.
    pub fn is_displaced(&self) -> bool {
        self.kind == FaultKind::Displaced
    }

    pub fn exit_code(&self) -> u8 {
        self.kind.exit_code()
    }

    /// The reason without what was attempted.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.attempted, self.why.trim_end_matches('.'))?;
        match &self.hint {
            Some(hint) => write!(f, ". {}", hint.trim_end_matches('.')),
            None => Ok(()),
        }
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}

/// An input or output error as a clause for a person, without the operating system's error number.
pub fn io_reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".into(),
        ErrorKind::PermissionDenied => "permission denied".into(),
        ErrorKind::StorageFull => "the disk is full".into(),
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only".into(),
        ErrorKind::IsADirectory => "it is a directory".into(),
        ErrorKind::AlreadyExists => "it exists already".into(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_reads_as_one_sentence_and_a_way_out() {
        let fault = Fault::usage("import x.csv", "line 3 is not UTF-8.").hint("Add --encoding windows-1252");
        assert_eq!(
            fault.to_string(),
            "cannot import x.csv: line 3 is not UTF-8. Add --encoding windows-1252"
        );
        assert_eq!(fault.exit_code(), 2);
    }
}
